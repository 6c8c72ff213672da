"""Articles to Label Studio tasks: with annotations, and with a model's spans as a prediction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from presstag.corpus.findings import Annotation
from presstag.spans import Article, Span


def to_bare_task(article: Article, *, text_key: str = "text") -> dict[str, Any]:
    """Write an article without its spans as a Label Studio task; `text_key` names its text."""
    return {"data": {"id": article.id, text_key: article.text}, "meta": dict(article.meta)}


def to_task(article: Article, annotations: Sequence[Annotation] = ()) -> dict[str, Any]:
    """Write an article as a Label Studio task, ready to import.

    Region ids follow from the article and the span, so that the same article gives the same bytes.

    Args:
        article: the article.
        annotations: what each annotator set, as a reader orders them; none: the article's own spans
            as the annotation of user 1.
    """
    several = annotations or (Annotation("1", article.spans),)
    return {
        **to_bare_task(article),
        "annotations": [
            {
                **({"id": number} if len(several) > 1 else {}),
                "completed_by": _completed_by(annotation.annotator),
                **({"updated_at": annotation.updated} if annotation.updated else {}),
                "was_cancelled": False,
                "ground_truth": annotation.ground_truth,
                "result": [_region(article.id, span) for span in annotation.spans],
            }
            for number, annotation in enumerate(several, start=1)
        ],
    }


def to_prediction(
    article: Article,
    spans: Iterable[Span],
    *,
    model: str,
    score: float,
    from_name: str = "label",
    to_name: str = "text",
) -> dict[str, Any]:
    """Write a model's spans as a prediction of a Label Studio task, each with its score.

    Args:
        article: the article.
        spans: what the model found in it.
        model: its version.
        score: that of the whole prediction.
        from_name: the element of the project's interface that marks spans.
        to_name: the element that shows the text.
    """
    names = {"from_name": from_name, "to_name": to_name}
    regions = [
        {
            **_region(article.id, span),
            **names,
            **({} if span.score is None else {"score": round(span.score, 4)}),
        }
        for span in spans
    ]
    return {"model_version": model, "score": round(score, 4), "result": regions}


def _completed_by(annotator: str) -> int | str | dict[str, str]:
    if annotator.isdecimal():
        return int(annotator)
    return {"email": annotator} if "@" in annotator else annotator


def _region(article: str, span: Span) -> dict[str, Any]:
    key = json.dumps([article, span.start, span.end, span.label])
    return {
        "id": hashlib.sha256(key.encode()).hexdigest()[:10],
        "from_name": "label",
        "to_name": "text",
        "type": "labels",
        "value": {
            "start": span.start,
            "end": span.end,
            "text": span.text,
            "labels": [span.label],
        },
    }
