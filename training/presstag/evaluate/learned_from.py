"""The articles that a model learned from, found again by what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from presstag.corpus.files import digest_corpus


def find_train(info: Mapping[str, Any]) -> Path | str:
    """Find the file of a model's train split.

    Args:
        info: a tagger's.

    Returns:
        The file, if it is there and is the one that the model learned from; or else why not, as
        half a sentence.
    """
    provenance = info.get("provenance") or {}
    named = provenance.get("config", {}).get("data", {}).get("train")
    if not named:
        return "the model does not say what it was trained on"
    path = Path(named)
    if not path.exists():
        return f"{named}, which the model was trained on, is not here"
    if digest_corpus(path) != provenance.get("data", {}).get("train"):
        return f"{named} is no longer the file that the model was trained on"
    return path
