"""The door for programs: open a model once, tag texts."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from presstag.bundle import MANIFEST, load_bundle
from presstag.errors import ModelError
from presstag.spans import Span
from presstag.tagger import Tagger


def load(model: str | Path | None = None, *, threads: int | None = None) -> Tagger:
    """Open a packed model.

    Args:
        model: its folder; None is the default model: the folder in $PRESSTAG_MODEL, else models/aid
            in the working directory, else models/aid beside presstag's sources.
        threads: how many the network may use; None takes all cores.

    Raises:
        ModelError: if there is no model there, or it is damaged or of a newer format.
    """
    return load_bundle(_default_folder() if model is None else model, threads=threads)


def extract(text: str) -> list[Span]:
    """Find the spans of a text with the default model, which is opened once.

    Raises:
        InputError: if `text` is no string.
        ModelError: if there is no default model.
    """
    return _default(_default_folder())(text)


@cache
def _default(folder: Path) -> Tagger:
    return load_bundle(folder)


def _default_folder() -> Path:
    named = os.environ.get("PRESSTAG_MODEL")
    if named:
        return Path(named).absolute()  # a tagger is kept by its folder
    places = [Path.cwd() / "models" / "aid", Path(__file__).parents[2] / "models" / "aid"]
    for place in places:
        if (place / MANIFEST).is_file():
            return place
    raise ModelError(
        "the default model",
        f"not found in {' or '.join(dict.fromkeys(map(str, places)))}",
        do="train it (presstag train configs/aid.yaml) or set PRESSTAG_MODEL to a model folder.",
    )
