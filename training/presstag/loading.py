"""The door for programs: open a model once, tag texts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from presstag.bundle import MANIFEST, load_bundle
from presstag.errors import ModelError
from presstag.installed import find_model, installed_models
from presstag.spans import Span
from presstag.tagger import Tagger


def load(
    model: str | Path | None = None,
    *,
    threads: int | None = None,
    min_score: float | Mapping[str, float] = 0.0,
) -> Tagger:
    """Open a packed model.

    Args:
        model: its folder, or the name of an installed model; a folder goes before a name. None is
            the default model: what $PRESSTAG_MODEL names, else models/aid in the working directory,
            else models/aid beside presstag's sources, else the one model that is installed.
        threads: how many the network may use; None takes all cores.
        min_score: spans with a lower score are left out; one for all labels, or by label.

    Raises:
        ModelError: if there is no model there, or it is damaged or of a newer format.
        InputError: if `min_score` is not in 0 to 1 or names a label that the model has not.
    """
    if model is None:
        model = _default_model()
    folder = _only_installed() if model is None else find_model(model)
    return load_bundle(folder, threads=threads).with_min_score(min_score)


def extract(text: str) -> list[Span]:
    """Find the spans of a text with the default model, which is opened once.

    Raises:
        InputError: if `text` is no string.
        ModelError: if there is no default model.
    """
    return _default(_default_model())(text)


@cache
def _default(model: str | Path | None) -> Tagger:
    return load(model)


def _default_model() -> str | Path | None:
    """A folder or a name; None leaves it to what is installed."""
    named = os.environ.get("PRESSTAG_MODEL")
    if named:
        folder = Path(named)
        a_name = folder.name == named and not folder.is_dir()
        return named if a_name else folder.absolute()  # a tagger is kept by its folder
    return next((place for place in _places() if (place / MANIFEST).is_file()), None)


def _places() -> list[Path]:
    return [Path.cwd() / "models" / "aid", Path(__file__).parents[2] / "models" / "aid"]


def _only_installed() -> Path:
    installed = installed_models()
    if len(installed) == 1:
        return installed[0].folder
    places = " or ".join(dict.fromkeys(map(str, _places())))
    if not installed:
        raise ModelError(
            "the default model",
            f"not found in {places}, and no model is installed",
            do="train it (presstag train configs/aid.yaml), install a model's package, "
            "or set PRESSTAG_MODEL to a model folder.",
        )
    names = ", ".join(model.name for model in installed)
    raise ModelError(
        "the default model",
        f"not found in {places}, and several models are installed: {names}",
        expected="one",
        do=f"name one: load({installed[0].name!r}), or set PRESSTAG_MODEL={installed[0].name}",
    )
