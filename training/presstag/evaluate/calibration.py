"""Whether scores keep what they promise: of the spans scored 0.8, eight in ten should be right.

Right is strict, as in `metrics`: start, end and label are those of a gold span. What is measured
are the found spans; a gold span that was not found has no score.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presstag.spans import Span
from presstag.tagger import Calibration

LEAST = 200
"""Found spans that a calibration needs: with fewer, its points are mostly chance."""

_POINTS, _BINS = 20, 15
# Points nearer to each other would make a line too steep to compute.
_APART = 1e-6


@dataclass(frozen=True, slots=True)
class Judged:
    """Found spans, in the order of the articles: the score of each, and whether it is right."""

    scores: NDArray[np.float64]
    right: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class Bin:
    """Found spans of like score: their mean score, the share that is right, and how many."""

    score: float
    right: float
    spans: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far scores are from the truth.

    Attributes:
        error: expected calibration error, in 0 to 1; 0 where there is no span.
        chance: the error that scores without a fault would show on so few spans.
        bins: from the lowest score to the highest, for a plot of `right` over `score`.
    """

    error: float
    chance: float
    bins: tuple[Bin, ...]

    @property
    def spans(self) -> int:
        """How many found spans were measured."""
        return sum(b.spans for b in self.bins)

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        bins = [
            {"score": round(b.score, 4), "right": round(b.right, 4), "spans": b.spans}
            for b in self.bins
        ]
        figures = {"error": round(self.error, 4), "chance": round(self.chance, 4)}
        return {**figures, "spans": self.spans, "bins": bins}


def judge_spans(gold: Iterable[Sequence[Span]], predicted: Iterable[Sequence[Span]]) -> Judged:
    """Say of each found span that has a score whether people annotated it.

    Args:
        gold: what people annotated, an article at a time.
        predicted: what was found, an article at a time.

    Raises:
        ValueError: if one has more articles than the other.
    """
    scores: list[float] = []
    right: list[bool] = []
    for people, found in zip(gold, predicted, strict=True):
        keys = {s.key for s in people}
        for span in found:
            if span.score is not None:
                scores.append(span.score)
                right.append(span.key in keys)
    return Judged(np.array(scores, dtype=np.float64), np.array(right, dtype=np.bool_))


def measure_reliability(judged: Judged, *, bins: int = _BINS) -> Reliability:
    """Compare scores with the share of right spans.

    The error is the mean distance of score and share over bins, weighed by their spans (expected
    calibration error, Naeini et al. 2015). The bins hold equally many spans (Nixon et al. 2019):
    bins of equal width would put nearly all of them into the last one. A bin's share of right spans
    strays from a true score about as a normal variable, whose mean distance from its middle is
    sqrt(2 / pi) standard deviations.
    """
    groups = _in_order(judged, bins)
    made = tuple(
        Bin(float(judged.scores[some].mean()), float(judged.right[some].mean()), len(some))
        for some in groups
    )
    off = sum(abs(b.score - b.right) * b.spans for b in made)
    unsure = judged.scores * (1 - judged.scores)
    strays = sum(float(np.sqrt(2 / np.pi * unsure[some].sum())) for some in groups)
    spans = max(len(judged), 1)
    return Reliability(off / spans, strays / spans, made)


def fit_calibration(judged: Judged, *, points: int = _POINTS) -> Calibration:
    """Learn how likely a span is right from its score.

    Isotonic regression: neighbouring groups of spans are pooled until the share of right ones rises
    with the score (Zadrozny and Elkan 2002). One point stands for each pool, and a line leads from
    point to point, so that spans keep their order (Jiang et al. 2011).

    Args:
        judged: spans that the model was not trained on; one at least.
        points: most pools; the line begins at (0, 0) besides.
    """
    pools: list[_Pool] = []
    for some in _in_order(judged, points):
        pool = _Pool(float(judged.scores[some].sum()), int(judged.right[some].sum()), len(some))
        while pools and (pools[-1].score + _APART > pool.score or pools[-1].share >= pool.share):
            pool = pools.pop().with_(pool)
        pools.append(pool)
    raw = (0.0, *(max(p.score, _APART / 2) for p in pools))
    return Calibration(raw, (0.0, *(p.share for p in pools)))


@dataclass(frozen=True, slots=True)
class _Pool:
    total: float
    right: int
    spans: int

    @property
    def score(self) -> float:
        return self.total / self.spans

    @property
    def share(self) -> float:
        # Half a span of each kind is added (Jeffreys's prior): forty right spans in a row do not
        # prove that the next one is right.
        return (self.right + 0.5) / (self.spans + 1)

    def with_(self, other: _Pool) -> _Pool:
        return _Pool(self.total + other.total, self.right + other.right, self.spans + other.spans)


def _in_order(judged: Judged, groups: int) -> list[NDArray[np.intp]]:
    """The places of spans from the lowest score to the highest, in groups of like size."""
    order = np.argsort(judged.scores, kind="stable")
    return [some for some in np.array_split(order, groups) if len(some)]


def calibrate_spans(
    predicted: Iterable[Sequence[Span]], calibration: Calibration
) -> list[list[Span]]:
    """Put calibrated scores for the raw ones; a span without a score stays as it is."""
    return [
        [s if s.score is None else replace(s, score=calibration(s.score)) for s in found]
        for found in predicted
    ]
