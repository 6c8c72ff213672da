"""`presstag package`: a packed model as a wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from presstag.cli.screen import err, out


def package_command(
    model: Annotated[Path, typer.Argument(help="a packed model's folder")],
    *,
    target: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="gets the wheel")] = Path(
        "dist"
    ),
    name: Annotated[
        str | None,
        typer.Option(
            metavar="presstag-NAME", help="of the package; default: presstag- and the model's name"
        ),
    ] = None,
    version: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION", help="of the package; default: year.month.day.time of the training"
        ),
    ] = None,
) -> None:
    """Make a package of a model, that pip installs: the packed model and its card, no code."""
    from presstag.wheel import build_wheel

    with err.status("packing"):
        wheel = build_wheel(model, target, name=name, version=version)
    short = wheel.name.split("-")[0].removeprefix("presstag_").replace("_", "-")
    out.print(f"wrote {wheel}, {wheel.stat().st_size / 1e6:.1f} MB")
    out.print(f'next: pip install {wheel}, then presstag.load("{short}")')
