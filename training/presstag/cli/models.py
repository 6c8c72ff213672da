"""`presstag models`: the models that there are, installed and under models/."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from presstag.cli.screen import out, printable, show_error, table
from presstag.errors import ModelError

if TYPE_CHECKING:
    from presstag.installed import InstalledModel

_FOLDER = Path("models")


@dataclass(frozen=True)
class _Model:
    """A model as the list shows it; `package` is None for a folder, other Nones are not known."""

    name: str
    version: str | None
    labels: list[str]
    bytes: int
    test_f1: float | None
    package: str | None
    folder: str


def models_command(
    *,
    json: Annotated[bool, typer.Option("--json", help="one JSON object a model")] = False,
) -> None:
    """List the installed models and those in the folder models.

    A model whose manifest cannot be read is named, and the rest goes on: exit code 1.
    """
    from presstag.bundle import MANIFEST
    from presstag.installed import installed_models
    from presstag.writing import json_line

    found: list[_Model] = []
    faults: list[ModelError] = []
    folders = sorted(path.parent for path in _FOLDER.glob(f"*/{MANIFEST}"))
    places: list[InstalledModel | Path] = [*installed_models(), *folders]
    for place in places:
        try:
            found.append(_describe(place))
        except ModelError as error:
            faults.append(error)
    if json:
        sys.stdout.write("".join(json_line(asdict(model)) + "\n" for model in found))
    elif found:
        _show(found)
    elif not faults:
        out.print(f"no model is installed, and there is none in {_FOLDER.absolute()}")
        out.print("next: pip install FILE.whl, or presstag train configs/aid.yaml")
    for fault in faults:
        show_error(fault)
    if faults:
        raise typer.Exit(1)


def _describe(place: InstalledModel | Path) -> _Model:
    from presstag.bundle import MANIFEST, NETWORK, TOKENIZER, read_manifest
    from presstag.wheel import dated_version

    folder = place if isinstance(place, Path) else place.folder
    manifest = read_manifest(folder)
    files = [folder / name for name in (MANIFEST, NETWORK, TOKENIZER)]
    return _Model(
        name=manifest.name if isinstance(place, Path) else place.name,
        version=dated_version(manifest) if isinstance(place, Path) else place.version,
        labels=manifest.labels,
        bytes=sum(file.stat().st_size for file in files if file.is_file()),
        test_f1=_test_f1(manifest.scores),
        package=None if isinstance(place, Path) else place.package,
        folder=str(folder),
    )


def _test_f1(scores: dict[str, Any]) -> float | None:
    try:
        return float(scores["test"]["micro"]["f1"])
    except (KeyError, TypeError, ValueError):
        return None


def _show(models: list[_Model]) -> None:
    table(
        ("model", "version", "MB", "test F1"),
        [
            [
                printable(model.name),
                model.version or "",
                f"{model.bytes / 1e6:.1f}",
                "" if model.test_f1 is None else f"{100 * model.test_f1:.1f}",
            ]
            for model in models
        ],
    )
    for model in models:
        out.print(printable(f"{model.name}: {', '.join(model.labels)}; in {model.folder}"))
