"""From which score on a label's spans are right as often as wished.

Thresholds are found on dev, where the model was chosen, and judged on other articles: on the ones
that they were found on they keep their promise by construction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from presstag.evaluate.intervals import (
    Bootstrap,
    Floats,
    Interval,
    Intervals,
    count_spans,
    figures,
    score_of,
)
from presstag.evaluate.metrics import Score
from presstag.spans import Span

LEAST = 20
"""Spans of dev that a threshold must let through: below that, one wrong span decides."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """The lowest score at which a label's precision on dev is the wished one.

    Attributes:
        score: spans with this score or a higher one pass. Where no score reaches the wished
            precision, the one that comes nearest.
        reached: whether it does.
        dev: precision and recall on dev of the spans that pass; none where dev has too few.
    """

    score: float
    reached: bool
    dev: Score

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it, the score unrounded, so that the same spans pass."""
        return {"score": self.score, "reached": self.reached, "dev": self.dev.to_dict()}


def find_thresholds(
    gold: Iterable[Sequence[Span]],
    predicted: Iterable[Sequence[Span]],
    *,
    labels: Sequence[str],
    precision: float,
    least: int = LEAST,
) -> dict[str, Threshold]:
    """Find each label's threshold on dev.

    Args:
        gold: what people annotated, an article at a time.
        predicted: what was found, an article at a time, with scores.
        labels: which to find a threshold for.
        precision: the wished one, in 0 to 1.
        least: spans that must pass for a threshold to count.

    Returns:
        By label; 0 is the threshold of a label whose spans are all good enough together.

    Raises:
        ValueError: if one has more articles than the other.
    """
    scored: dict[str, list[tuple[float, bool]]] = {label: [] for label in labels}
    people: dict[str, int] = dict.fromkeys(labels, 0)
    for annotated, found in zip(gold, predicted, strict=True):
        keys = {s.key for s in annotated}
        for _, _, label in keys:
            people[label] = people.get(label, 0) + 1
        for span in found:
            if span.label in scored:
                scored[span.label].append((span.score or 0.0, span.key in keys))
    return {
        label: _find(some, gold=people[label], precision=precision, least=least)
        for label, some in scored.items()
    }


def _find(
    scored: list[tuple[float, bool]], *, gold: int, precision: float, least: int
) -> Threshold:
    scored = sorted(scored, reverse=True)
    nearest = Threshold(1.0, reached=False, dev=Score(0, 0, gold))
    lowest: Threshold | None = None
    correct = 0
    for passed, (score, right) in enumerate(scored, start=1):
        correct += right
        # Spans of equal score pass together or not at all.
        together = passed < len(scored) and scored[passed][0] == score
        if together or passed < least:
            continue
        at = Threshold(0.0 if passed == len(scored) else score, True, Score(correct, passed, gold))
        if at.dev.precision >= precision:
            lowest = at
        elif at.dev.precision > nearest.dev.precision:
            nearest = Threshold(at.score, reached=False, dev=at.dev)
    return lowest or nearest


def apply_thresholds(
    predicted: Iterable[Sequence[Span]], thresholds: Mapping[str, Threshold]
) -> list[list[Span]]:
    """Keep the spans that pass; those of a label without a threshold that is reached do not."""
    least = {label: t.score for label, t in thresholds.items() if t.reached}
    return [
        [s for s in found if s.label in least and (s.score or 0.0) >= least[s.label]]
        for found in predicted
    ]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a label's threshold gives on articles that it was not found on.

    Attributes:
        threshold: the label's.
        all_spans: its score with every found span.
        passing: its score with the spans that pass; without any where no threshold is reached.
        intervals: of the spans that pass, by resampling articles.
        lost: the interval of the recall that is lost, on the same resamples.
    """

    threshold: Threshold
    all_spans: Score
    passing: Score
    intervals: Intervals
    lost: Interval

    @property
    def recall_lost(self) -> float:
        """What the threshold costs, in 0 to 1."""
        return self.all_spans.recall - self.passing.recall

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it; figures of spans that pass are there where a threshold is reached."""
        written = {**self.threshold.to_dict(), "all": self.all_spans.to_dict()}
        if not self.threshold.reached:
            return written
        return {
            **written,
            "passing": {**self.passing.to_dict(), "intervals": self.intervals.to_dict()},
            "recall_lost": round(self.recall_lost, 4),
            "recall_lost_interval": self.lost.to_dict(),
        }


def judge_thresholds(
    gold: Sequence[Sequence[Span]],
    predicted: Sequence[Sequence[Span]],
    *,
    thresholds: Mapping[str, Threshold],
    bootstrap: Bootstrap,
) -> dict[str, Effect]:
    """Score articles with and without thresholds, by label; `bootstrap` is of as many articles."""
    labels = tuple(thresholds)
    passing = apply_thresholds(predicted, thresholds)
    before, after = (count_spans(gold, found, labels=labels) for found in (predicted, passing))
    recall = [figures(bootstrap.sums(counts))[..., 1] for counts in (before, after)]
    lost = recall[0] - recall[1]  # rounds x labels, NaN where a label was not drawn
    intervals = bootstrap.intervals(after)
    return {
        label: Effect(
            threshold,
            score_of(before[:, i]),
            score_of(after[:, i]),
            intervals=intervals[i],
            lost=_middle(lost[:, i]),
        )
        for i, (label, threshold) in enumerate(thresholds.items())
    }


def _middle(values: Floats) -> Interval:
    """The middle 95 % of what is a number; 0 to 1 where nothing is."""
    values = values[~np.isnan(values)]
    if not values.size:
        return Interval(0.0, 1.0)
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(float(low), float(high))
