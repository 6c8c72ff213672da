"""Scores that forgive: SemEval-2013's exact, partial and type, as nervaluate counts them.

    strict     bounds and label
    exact      bounds, whatever the label
    partial    bounds, whatever the label; half for spans that overlap
    type       label, for spans that overlap

(Segura-Bedmar, Martínez and Herrero-Zazo 2013, task 9.) A span that is wrong is counted once, not
as a miss and a false find; precision divides by the found spans and recall by the gold ones all the
same. Of one label, only the spans of that label are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from presstag.evaluate.intervals import Bootstrap, Floats, Intervals
from presstag.spans import Span

Way = Literal["strict", "exact", "partial", "type"]
WAYS: tuple[Way, ...] = ("strict", "exact", "partial", "type")


@dataclass(frozen=True, slots=True)
class WayScore:
    """Counts of one way of scoring; `partial` spans count half."""

    correct: int
    partial: int
    predicted: int
    gold: int
    intervals: Intervals

    @property
    def precision(self) -> float:
        """Share of the predicted spans that are right."""
        return self._credit / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold spans that were found."""
        return self._credit / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        together = self.predicted + self.gold
        return 2 * self._credit / together if together else 0.0

    @property
    def _credit(self) -> float:
        return self.correct + self.partial / 2

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {
            "precision": round(self.precision, 4),
            "recall": round(self.recall, 4),
            "f1": round(self.f1, 4),
            "correct": self.correct,
            "partial": self.partial,
            "predicted": self.predicted,
            "gold": self.gold,
            "intervals": self.intervals.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class SemEval:
    """Scores by way: over all labels, and of each."""

    micro: dict[Way, WayScore]
    labels: dict[str, dict[Way, WayScore]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {
            "micro": {way: score.to_dict() for way, score in self.micro.items()},
            "labels": {
                label: {way: score.to_dict() for way, score in ways.items()}
                for label, ways in self.labels.items()
            },
        }


def score_semeval(
    gold: Sequence[Sequence[Span]],
    predicted: Sequence[Sequence[Span]],
    *,
    labels: Sequence[str],
    bootstrap: Bootstrap,
) -> SemEval:
    """Score spans of the given labels, an article at a time, by each of `WAYS`."""
    counts = np.stack(
        [_count(a, b, labels) for a, b in zip(gold, predicted, strict=True)]
    )  # articles x (labels and all) x ways x (correct, partial, predicted, gold)
    micro, *rest = (_scores(counts[:, i], bootstrap) for i in range(len(labels) + 1))
    return SemEval(micro, dict(zip(labels, rest, strict=True)))


def _count(gold: Sequence[Span], predicted: Sequence[Span], labels: Sequence[str]) -> Floats:
    from nervaluate import Evaluator  # noqa: PLC0415 - only where this is asked for

    sides = [
        # Its bounds are inclusive.
        [[{"label": s.label, "start": s.start, "end": s.end - 1} for s in side]]
        for side in (gold, predicted)
    ]
    result = Evaluator(*sides, tags=list(labels), loader="dict").evaluate()
    counts = np.zeros((len(labels) + 1, len(WAYS), 4))
    for row, label in zip(counts, (None, *labels), strict=True):
        ways = result["overall"] if label is None else result["entities"].get(label, {})
        for cell, way in zip(row, WAYS, strict=True):
            found = ways.get("ent_type" if way == "type" else way)
            if found:
                cell[:] = (found.correct, found.partial, found.actual, found.possible)
    return counts


def _scores(counts: Floats, bootstrap: Bootstrap) -> dict[Way, WayScore]:
    """Scores by way: articles x ways x 4 in."""
    credit = counts[..., 0] + counts[..., 1] / 2
    intervals = bootstrap.intervals(np.stack((credit, counts[..., 2], counts[..., 3]), axis=-1))
    total = counts.sum(axis=0).astype(int).tolist()
    return {
        way: WayScore(correct, partial, predicted, gold, own)
        for way, (correct, partial, predicted, gold), own in zip(
            WAYS, total, intervals, strict=True
        )
    }
