"""How far a figure can be trusted: intervals by resampling articles.

Percentile bootstrap (Efron and Tibshirani 1993, chapter 13): draw as many articles as there are,
with replacement, score what was drawn, and again; the middle 95 % of the figures are the interval.
Articles are drawn, not spans, because the spans of one article stand or fall together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import typing as npt

from presstag.evaluate.metrics import Score
from presstag.spans import Span

Floats = npt.NDArray[np.float64]

ROUNDS = 1_000
WIDE = 0.20
_TAIL = 0.025
_Z = 1.959964  # the normal distribution's 97.5 % point


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval of a figure between 0 and 1, or of a difference of two."""

    low: float
    high: float

    @property
    def wide(self) -> bool:
        """Whether it spans more than 20 points: there are too few spans to tell."""
        return self.high - self.low > WIDE + 1e-9

    def to_dict(self) -> dict[str, float]:
        """As JSON writes it."""
        return {"low": round(self.low, 4), "high": round(self.high, 4)}


@dataclass(frozen=True, slots=True)
class Intervals:
    """The intervals of a score's three figures."""

    precision: Interval
    recall: Interval
    f1: Interval

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {
            "precision": self.precision.to_dict(),
            "recall": self.recall.to_dict(),
            "f1": self.f1.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class ScoreIntervals:
    """The intervals of a `Scores`: over all labels, the mean of the labels, and each label."""

    micro: Intervals
    macro: Intervals
    labels: dict[str, Intervals]

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {
            "micro": self.micro.to_dict(),
            "macro": self.macro.to_dict(),
            "labels": {label: found.to_dict() for label, found in self.labels.items()},
        }


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Resamples of articles, the same for every figure that they are used on.

    Attributes:
        weights: rounds x articles: how often each article was drawn.
    """

    weights: Floats

    @classmethod
    def draw(cls, articles: int, *, rounds: int = ROUNDS, seed: int = 0) -> Bootstrap:
        """Draw `articles` of `articles` with replacement, `rounds` times."""
        chances = np.full(articles, 1 / articles)
        drawn = np.random.default_rng(seed).multinomial(articles, chances, size=rounds)
        return cls(drawn.astype(np.float64))

    def sums(self, counts: Floats) -> Floats:
        """Add up the articles of each resample: articles x … in, rounds x … out."""
        return np.asarray(np.tensordot(self.weights, counts, axes=1), dtype=np.float64)

    def intervals(self, counts: Floats) -> list[Intervals]:
        """The intervals of several scores.

        Resamples in which a figure divides by nothing are left out. Where all others agree (every
        span right, or one article has them all) resampling has seen no chance at work; there the
        interval is Wilson's (1927), as if spans were drawn one by one. A figure that is defined
        nowhere has 0 to 1.

        Args:
            counts: articles x scores x (correct, predicted, gold).
        """
        drawn = figures(self.sums(counts))
        return [
            _three(drawn[:, i], counts[:, i].sum(axis=0).tolist()) for i in range(counts.shape[1])
        ]

    def macro(self, counts: Floats, *, by_gold: bool = False) -> Intervals:
        """The intervals of the mean over labels: articles x labels x 3 in, as above.

        A label counts in the resamples in which it was annotated or predicted, each the same or, by
        gold, as often as it was annotated.
        """
        sums = self.sums(counts)
        present = sums[..., 1:].sum(axis=2) > 0
        weights = sums[..., 2] if by_gold else present.astype(np.float64)
        values = np.where(present[..., None], np.nan_to_num(figures(sums)), 0.0)
        total = weights.sum(axis=1)
        means = (values * weights[..., None]).sum(axis=1)[total > 0] / total[total > 0, None]
        whole = counts.sum(axis=0)
        there = whole[:, 1:].sum(axis=1) > 0
        own = [o for o, is_there in zip(self.intervals(counts), there, strict=True) if is_there]
        share = whole[there, 2] if by_gold else np.ones(len(own))
        if not share.sum():
            return Intervals(*[Interval(0.0, 1.0)] * 3)
        return Intervals(
            *(
                _middle(
                    means[:, i],
                    otherwise=_mean([(o.precision, o.recall, o.f1)[i] for o in own], share),
                )
                for i in range(3)
            )
        )


def count_spans(
    gold: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]], *, labels: Sequence[str]
) -> Floats:
    """Count right, found and gold spans: articles x labels x (correct, predicted, gold)."""
    place = {label: i for i, label in enumerate(labels)}
    counts = np.zeros((len(gold), len(labels), 3))
    for row, people, found in zip(counts, gold, predicted, strict=True):
        gold_keys, found_keys = {s.key for s in people}, {s.key for s in found}
        for which, keys in enumerate((gold_keys & found_keys, found_keys, gold_keys)):
            for _, _, label in keys:
                if label in place:
                    row[place[label], which] += 1
    return counts


def score_intervals(
    bootstrap: Bootstrap, counts: Floats, *, labels: Sequence[str]
) -> ScoreIntervals:
    """The intervals of all strict scores, from the counts that `count_spans` gives."""
    own = bootstrap.intervals(counts)
    (micro,) = bootstrap.intervals(counts.sum(axis=1, keepdims=True))
    return ScoreIntervals(micro, bootstrap.macro(counts), dict(zip(labels, own, strict=True)))


def figures(counts: Floats) -> Floats:
    """Precision, recall and F1 of counts, NaN where nothing is divided: … x 3 in, … x 3 out."""
    correct, predicted, gold = counts[..., 0], counts[..., 1], counts[..., 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        three = (correct / predicted, correct / gold, 2 * correct / (predicted + gold))
    return np.stack(three, axis=-1)


def score_of(counts: Floats) -> Score:
    """The score of the articles' counts together: articles x 3 in."""
    return Score(*(int(n) for n in counts.sum(axis=0)))


def _three(drawn: Floats, counts: Sequence[float]) -> Intervals:
    correct, predicted, gold = counts
    trials = (predicted, gold, (predicted + gold) / 2)
    return Intervals(
        *(_middle(drawn[:, i], otherwise=_wilson(correct, trials[i])) for i in range(3))
    )


def _middle(values: Floats, *, otherwise: Interval) -> Interval:
    """The middle 95 %; `otherwise` where the values are all the same or there are none."""
    values = values[~np.isnan(values)]
    if not values.size or np.ptp(values) < 1e-12:
        return otherwise
    low, high = np.quantile(values, [_TAIL, 1 - _TAIL])
    return Interval(float(low), float(high))


def _wilson(right: float, trials: float) -> Interval:
    if not trials:
        return Interval(0.0, 1.0)
    share, z = right / trials, _Z**2 / trials
    centre = (share + z / 2) / (1 + z)
    reach = _Z * np.sqrt(share * (1 - share) / trials + z / (4 * trials)) / (1 + z)
    return Interval(max(0.0, float(centre - reach)), min(1.0, float(centre + reach)))


def _mean(intervals: Sequence[Interval], weights: Floats) -> Interval:
    bounds = np.array([(i.low, i.high) for i in intervals])
    low, high = (weights @ bounds / weights.sum()).tolist()
    return Interval(low, high)
