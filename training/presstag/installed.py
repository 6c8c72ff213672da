"""Models by name: those that are installed as packages.

A model package holds a packed model and no code. It names itself in the entry point group
`presstag.models`, as NAME = PACKAGE, so that it is found without importing anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from presstag.errors import ModelError

GROUP = "presstag.models"


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model that pip put into this environment.

    Attributes:
        name: what `presstag.load` takes.
        version: of its package.
        package: what pip calls it.
        folder: where its files are.
    """

    name: str
    version: str
    package: str
    folder: Path


def installed_models() -> list[InstalledModel]:
    """List the models that are installed here, by name; nothing of them is read or run."""
    found = [
        InstalledModel(
            entry.name,
            entry.dist.version,
            entry.dist.name,
            Path(str(entry.dist.locate_file(entry.value))).absolute(),
        )
        for entry in entry_points(group=GROUP)
        if entry.dist is not None
    ]
    return sorted(found, key=lambda model: model.name)


def normalise(name: str) -> str:
    """A name as package indexes compare it: lower case, single hyphens (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def find_model(model: str | Path) -> Path:
    """The folder of a model: the one of that path, or else of the installed model of that name.

    A path of several parts is given back as it is.

    Raises:
        ModelError: if a single word is neither a folder nor the name of an installed model.
    """
    folder = Path(model)
    if len(folder.parts) != 1 or folder.is_absolute() or folder.is_dir():
        return folder
    installed = installed_models()
    for found in installed:
        if found.name == normalise(folder.name):
            return found.folder
    names = ", ".join(found.name for found in installed)
    raise ModelError(
        str(model),
        "no such model folder, and no installed model of that name",
        expected=f"a model's folder, or one of the installed models: {names}"
        if installed
        else "a model's folder; no model is installed",
        do="install its package (pip install FILE.whl), "
        "or train one (presstag train configs/aid.yaml).",
    )
