"""`presstag config`: show a run's settings, or start a new file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from presstag.cli.screen import out
from presstag.errors import ConfigError

app = typer.Typer(help="Show a run's settings, or start a new file.", no_args_is_help=True)


@app.command("show")
def show_command(
    config: Annotated[Path, typer.Argument(help="the run's YAML file")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="section.key=value: wins over the file")
    ] = None,
) -> None:
    """Print the whole file as it will be used, each setting with its explanation."""
    from presstag.train.configfile import read_config, to_yaml

    out.print(to_yaml(read_config(config, overrides or [])), end="")


@app.command("new")
def new_command(
    *,
    name: Annotated[str, typer.Option(help="of the model")] = "mine",
    labels: Annotated[str, typer.Option(help="comma-separated")] = "PERSON,PLACE",
    data: Annotated[Path, typer.Option(help="folder of train, dev and test files")] = Path(
        "annotations/mine"
    ),
    target: Annotated[
        Path | None, typer.Option("--out", help="file to write; none: print it")
    ] = None,
) -> None:
    """Write a starting file: every setting with its explanation and default."""
    from presstag.train.config import Config, DataSection
    from presstag.train.configfile import to_yaml
    from presstag.writing import write_text

    config = Config(
        name=name,
        data=DataSection(
            train=str(data / "train.json"),
            dev=str(data / "dev.json"),
            test=str(data / "test.json"),
            labels=[label.strip() for label in labels.split(",") if label.strip()],
        ),
    )
    text = f"# presstag train {target or 'FILE'}\n{to_yaml(config)}"
    if target is None:
        out.print(text, end="")
        return
    if target.exists():
        raise ConfigError(str(target), "is there already", do="name another file with --out.")
    write_text(target, text)
    out.print(f"wrote {target}\nnext: presstag train {target}")
