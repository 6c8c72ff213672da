"""`presstag publish`: a trained model onto a Hugging Face hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from presstag.cli.screen import out, table


def publish_command(
    model: Annotated[Path, typer.Argument(help="a model folder that training wrote")],
    repo_id: Annotated[str, typer.Argument(help="OWNER/NAME on the hub")],
    *,
    private: Annotated[
        bool, typer.Option("--private", help="make the repository, if it is new, a private one")
    ] = False,
    checkpoint: Annotated[
        bool, typer.Option("--checkpoint/--no-checkpoint", help="push the checkpoint too")
    ] = True,
    language: Annotated[
        str | None, typer.Option(help="put this in the card's head, e.g. en")
    ] = None,
    license_name: Annotated[
        str | None, typer.Option("--license", help="put this in the card's head, e.g. apache-2.0")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="list the files and their sizes; push nothing")
    ] = False,
) -> None:
    """Push the packed model, its card and the checkpoint to a Hugging Face hub.

    The token is huggingface_hub's: HF_TOKEN, or what `hf auth login` kept. HF_ENDPOINT names
    another hub. So far this was tested against a local imitation of a hub only.
    """
    from presstag.train.publish import list_files, publish

    names = list_files(model, checkpoint=checkpoint)
    sizes = {name: (model / name).stat().st_size for name in names}
    table(
        ("file", "bytes"),
        [
            *([name, f"{size:,}"] for name, size in sizes.items()),
            ["all", f"{sum(sizes.values()):,}"],
        ],
    )
    if dry_run:
        out.print(f"nothing was pushed to {repo_id}: a dry run")
        return
    address = publish(
        model,
        repo_id,
        checkpoint=checkpoint,
        private=private,
        language=language,
        license_name=license_name,
    )
    out.print(f"pushed {model} to {address}")
