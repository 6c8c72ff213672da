"""A model's spans as suggestions in Label Studio: from which model, how sure, in which form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from presstag.corpus.findings import Finding
from presstag.corpus.tasks import to_prediction
from presstag.labelstudio.client import Project, Server
from presstag.labelstudio.interface import Interface
from presstag.spans import Article, Span
from presstag.tagger import Tagger

_WEIGHTS = "model.safetensors"


def model_version(tagger: Tagger) -> str:
    """The name that a model's suggestions bear, e.g. `aid-3f9c01d2`.

    The second half is a digest of what spans and scores follow from: of the files and the
    calibration of a packed model, of the weights of a checkpoint. It differs between two trainings.
    """
    info = tagger.info
    provenance = info.get("provenance") or {}
    folder = Path(str(info.get("folder", "")))
    name = info.get("name") or provenance.get("config", {}).get("name") or folder.name or "model"
    weights = folder / _WEIGHTS
    if "files" in info:
        made_of: Any = [info["files"], info.get("calibration")]
    elif info.get("folder") and weights.is_file():
        with weights.open("rb") as content:
            made_of = hashlib.file_digest(content, "sha256").hexdigest()
    else:
        made_of = [tagger.labels, {k: v for k, v in info.items() if k != "folder"}]
    key = json.dumps(made_of, sort_keys=True, default=str)
    return f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def article_score(spans: Iterable[Span]) -> float:
    """How sure a model is of an article: the mean score of its spans, in (0, 1]; 1 without spans.

    Label Studio orders tasks by it, lowest first. The mean does not put long articles first, as the
    lowest score would: of many spans one is always unsure.
    """
    scores = [1.0 if span.score is None else span.score for span in spans]
    return sum(scores) / len(scores) if scores else 1.0


def to_suggestion(
    article: Article, spans: Sequence[Span], *, version: str, interface: Interface
) -> dict[str, Any]:
    """Write what the model `version` found as a prediction that a project's interface shows."""
    return to_prediction(
        article,
        spans,
        model=version,
        score=article_score(spans),
        from_name=interface.from_name,
        to_name=interface.to_name,
    )


def show_suggestions(server: Server, project: Project, *, version: str) -> list[Finding]:
    """Have a project show the suggestions of one model version: it shows those of no other.

    A project that was told to show what its ML backend suggests goes on with that.

    Returns:
        A note if it goes on with its backend.

    Raises:
        ServerError: if the server fails.
    """
    what, sdk = f"show the suggestions of {version}", server.sdk
    shown = server.patiently(what, lambda: sdk.projects.get(project.id).model_version)
    if shown == version:
        return []
    if shown:
        backends = server.patiently(what, lambda: list(sdk.ml.list(project=project.id)))
        if shown in {backend.title for backend in backends}:
            message = f"the project shows suggestions of its ML backend {shown}, not these"
            return [Finding("other-model", "noted", project.title, message)]
    server.patiently(what, lambda: sdk.projects.update(project.id, model_version=version))
    return []
