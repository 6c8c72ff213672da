"""`presstag export`: pack a checkpoint again, e.g. in another precision."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from presstag.cli.screen import err, out
from presstag.errors import ModelError


def export_command(
    checkpoint: Annotated[Path, typer.Argument(help="a checkpoint that presstag trained")],
    folder: Annotated[Path, typer.Argument(help="gets the packed model")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="section.key=value, e.g. export.precision=fp32")
    ] = None,
) -> None:
    """Pack a checkpoint, compare it with the packed model on dev, refuse a bad one."""
    with err.status("loading torch and transformers"):
        from presstag.train.configfile import read_config
        from presstag.train.data import load_data
        from presstag.train.export import export_checkpoint

    record = checkpoint / "config.yaml"
    if not record.is_file():
        raise ModelError(str(checkpoint), "no config.yaml in it: presstag did not train it")
    config = read_config(record, overrides or [])
    splits = load_data(config.data).splits
    with err.status(f"exporting to {config.export.precision}"):
        parity, _ = export_checkpoint(
            checkpoint,
            folder,
            name=config.name,
            section=config.export,
            train=splits["train"],
            dev=splits["dev"],
            splits={s: splits[s] for s in config.evaluation.splits if s in splits},
        )
    out.print(
        f"wrote {folder}: {config.export.precision}, strict F1 on dev "
        f"{100 * parity.packed_f1:.1f} against the checkpoint's {100 * parity.checkpoint_f1:.1f}"
    )
