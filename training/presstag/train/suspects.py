"""Annotations that a model trained on the other articles does not believe in.

The articles are dealt into folds; each fold is tagged by a model trained on the others, so that no
annotation speaks for itself. Where model and annotation differ, the more certain the model, the
likelier an error of the annotation (Northcutt et al. 2021; for spans, Wang et al. 2019).
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from presstag.corpus.findings import Annotation
from presstag.corpus.tasks import to_prediction, to_task
from presstag.spans import Article, Span
from presstag.tagger import Tagger
from presstag.train.config import Config
from presstag.train.encoder import Source
from presstag.train.fit import Progress
from presstag.train.learn import learn
from presstag.writing import write_json_list


@dataclass(frozen=True, slots=True)
class Dispute:
    """A place where annotation and model differ.

    Attributes:
        annotated: the annotation's spans there; may be none.
        found: the model's spans there, with their scores; may be none.
        confidence: the model's probability for its version: the score of its best span, or of no
            span at all where it sees none.
    """

    annotated: tuple[Span, ...]
    found: tuple[Span, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Suspect:
    """An article with its disputes, the most confident first, and all that the model found."""

    article: Article
    found: tuple[Span, ...]
    disputes: tuple[Dispute, ...]


def find_suspects(
    config: Config,
    articles: Sequence[Article],
    *,
    dev: Sequence[Article],
    source: Source,
    folds: int,
    progress: Progress | None = None,
) -> list[Suspect]:
    """Train once a fold and compare what is found with what was annotated.

    Returns:
        The articles with a dispute, the most confident dispute first.

    Raises:
        ValueError: if there are fewer than two folds, or fewer articles than folds.
    """
    if not 2 <= folds <= len(articles):
        raise ValueError(f"{folds} folds for {len(articles)} articles: 2 or more, an article each")
    suspects: list[Suspect] = []
    for number, held_out in enumerate(deal(articles, folds), start=1):
        if progress:
            progress.phase(f"fold {number} of {folds}")
        held = {a.id for a in held_out}
        rest = [a for a in articles if a.id not in held]
        with tempfile.TemporaryDirectory() as folder:
            learned = learn(
                config, rest, dev=dev, source=source, folder=Path(folder), progress=progress
            )
        learned.model.eval()
        suspects += [s for a in held_out if (s := examine(learned.tagger, a)).disputes]
    return sorted(suspects, key=lambda s: -s.disputes[0].confidence)


def deal(articles: Sequence[Article], folds: int) -> list[list[Article]]:
    """Deal articles into folds of nearly the same size; the order follows from their ids alone."""
    order = sorted(articles, key=lambda a: hashlib.sha256(a.id.encode()).digest())
    return [order[i::folds] for i in range(folds)]


def examine(tagger: Tagger, article: Article) -> Suspect:
    """Compare what a tagger finds in an article with its annotation."""
    ((tokens, scores),) = tagger.score_units([article.text])
    found = tagger.spans(article.text, tokens, scores)
    keys, gold_keys = {s.key for s in found}, {s.key for s in article.spans}
    mine = [(s, False) for s in article.spans if s.key not in keys]
    theirs = [(s, True) for s in found if s.key not in gold_keys]
    disputes: list[Dispute] = []
    for group in _overlapping([*mine, *theirs]):
        annotated = tuple(s for s, is_found in group if not is_found)
        seen = tuple(s for s, is_found in group if is_found)
        confidence = (
            max(s.score or 0.0 for s in seen)
            if seen
            else min(tagger.probability_of_nothing(s, tokens, scores) for s in annotated)
        )
        disputes.append(Dispute(annotated, seen, confidence))
    disputes.sort(key=lambda d: -d.confidence)
    return Suspect(article, tuple(found), tuple(disputes))


def _overlapping(spans: Iterable[tuple[Span, bool]]) -> list[list[tuple[Span, bool]]]:
    groups: list[list[tuple[Span, bool]]] = []
    reached = -1
    for span, is_found in sorted(spans, key=lambda pair: pair[0].start):
        if span.start >= reached:
            groups.append([])
        groups[-1].append((span, is_found))
        reached = max(reached, span.end)
    return groups


def write_suspects(suspects: Sequence[Suspect], path: Path) -> None:
    """Write Label Studio tasks, one a line: the annotation as it is, the model's as a prediction.

    `meta.disputes` lists where they differ.
    """
    write_json_list(path, (_task(s) for s in suspects))


def _task(suspect: Suspect) -> dict[str, Any]:
    disputes = [
        {
            "confidence": round(d.confidence, 4),
            "annotated": [s.to_dict() for s in d.annotated],
            "found": [s.to_dict() for s in d.found],
        }
        for d in suspect.disputes
    ]
    article = replace(suspect.article, meta={**suspect.article.meta, "disputes": disputes})
    prediction = to_prediction(
        article, suspect.found, model="out of fold", score=suspect.disputes[0].confidence
    )
    return {**to_task(article, [Annotation("1", article.spans)]), "predictions": [prediction]}
