"""Strict span scores: a span counts if start, end and label are those of a gold span.

Offsets are compared in characters of the article, never in tokens, so that a gold span that no tag
sequence can express counts as missed. Precision, recall and F1 as in CoNLL-2003 (Tjong Kim Sang and
De Meulder 2003); micro adds up the counts of all labels, macro is the plain mean of the labels' F1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from presstag.spans import Span


@dataclass(frozen=True, slots=True)
class Score:
    """Counts, and the figures that follow from them (in 0 to 1; 0 where nothing is divided)."""

    correct: int
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        """Share of the predicted spans that are right."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold spans that were found."""
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        together = self.predicted + self.gold
        return 2 * self.correct / together if together else 0.0

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {
            "precision": round(self.precision, 4),
            "recall": round(self.recall, 4),
            "f1": round(self.f1, 4),
            "correct": self.correct,
            "predicted": self.predicted,
            "gold": self.gold,
        }


@dataclass(frozen=True, slots=True)
class Scores:
    """Strict scores of a set of articles.

    Attributes:
        micro: over all labels together.
        labels: each label's own.
        articles: how many were scored.
    """

    micro: Score
    labels: dict[str, Score]
    articles: int

    @property
    def macro(self) -> float:
        """Mean F1 of the labels that were annotated or predicted."""
        return self._mean([s.f1 for s in self._present])

    @property
    def macro_precision(self) -> float:
        """Mean precision of the same labels."""
        return self._mean([s.precision for s in self._present])

    @property
    def macro_recall(self) -> float:
        """Mean recall of the same labels."""
        return self._mean([s.recall for s in self._present])

    @property
    def _present(self) -> list[Score]:
        return [s for s in self.labels.values() if s.gold or s.predicted]

    @staticmethod
    def _mean(values: Sequence[float]) -> float:
        return sum(values) / len(values) if values else 0.0

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {
            "micro": self.micro.to_dict(),
            "macro_f1": round(self.macro, 4),
            "macro_precision": round(self.macro_precision, 4),
            "macro_recall": round(self.macro_recall, 4),
            "labels": {label: score.to_dict() for label, score in self.labels.items()},
            "articles": self.articles,
        }


def score_spans(
    gold: Iterable[Sequence[Span]], predicted: Iterable[Sequence[Span]], *, labels: Sequence[str]
) -> Scores:
    """Compare the spans of articles, in the same order.

    Args:
        gold: what people annotated, an article at a time.
        predicted: what was found, an article at a time.
        labels: what to report on; a span with another label counts in `micro` alone.

    Raises:
        ValueError: if one has more articles than the other.
    """
    counts: dict[str, list[int]] = {label: [0, 0, 0] for label in labels}
    articles = 0
    for people, found in zip(gold, predicted, strict=True):
        articles += 1
        gold_keys, found_keys = {s.key for s in people}, {s.key for s in found}
        for place, keys in enumerate((gold_keys & found_keys, found_keys, gold_keys)):
            for _, _, label in keys:
                counts.setdefault(label, [0, 0, 0])[place] += 1
    scores = {label: Score(*three) for label, three in counts.items()}
    total = [sum(three[i] for three in counts.values()) for i in range(3)]
    return Scores(Score(*total), {label: scores[label] for label in labels}, articles)
