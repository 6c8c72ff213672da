"""Whether one model is better than another, or one group of models than another.

Both tag the same articles. The difference of F1 has a percentile bootstrap interval over articles,
drawn for both together (Efron and Tibshirani 1993), and a p from approximate randomisation: if the
models were alike, swapping their outputs article by article would give differences as large as the
one observed (Noreen 1989; for F1, Yeh 2000). The p of the labels are corrected for how many labels
there are (Holm 1979). A group of models, say seeds of one config, counts with the mean of its
members' counts of each article.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from presstag.evaluate.intervals import Bootstrap, Floats, Interval, count_spans, figures
from presstag.spans import Article, Span

SWAPS = 10_000
LEVEL = 0.05
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Difference:
    """F1 of both, and how they differ.

    Attributes:
        name: the label, or `micro` for all together.
        a, b: F1 of either.
        interval: 95 % interval of `b - a`.
        p: of approximate randomisation, two-sided.
        corrected_p: after Holm, over the labels; of `micro` the same as `p`.
        gold: gold spans.
    """

    name: str
    a: float
    b: float
    interval: Interval
    p: float
    corrected_p: float
    gold: int

    @property
    def difference(self) -> float:
        """How much higher the F1 of B is."""
        return self.b - self.a

    @property
    def certain(self) -> bool:
        """Whether the data can tell: p is below 0.05 and the interval does not hold zero."""
        apart = self.interval.low > 0 or self.interval.high < 0
        return apart and self.corrected_p < LEVEL

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {
            "name": self.name,
            "a": round(self.a, 4),
            "b": round(self.b, 4),
            "difference": round(self.difference, 4),
            "interval": self.interval.to_dict(),
            "p": round(self.p, 5),
            "corrected_p": round(self.corrected_p, 5),
            "certain": self.certain,
            "gold": self.gold,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models, or groups of models, on the same articles.

    Attributes:
        micro: over all labels.
        labels: each that was annotated or found.
        articles: how many.
        members: how many models A and B are made of.
    """

    micro: Difference
    labels: tuple[Difference, ...]
    articles: int
    members: tuple[int, int]

    @property
    def better(self) -> str | None:
        """`A`, `B`, or None where the data cannot tell."""
        if not self.micro.certain:
            return None
        return "B" if self.micro.difference > 0 else "A"

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {
            "better": self.better,
            "micro": self.micro.to_dict(),
            "labels": {found.name: found.to_dict() for found in self.labels},
            "articles": self.articles,
            "members": list(self.members),
        }


Found = Sequence[Sequence[Span]]
"""The spans that a model found, an article at a time."""


def compare_found(
    articles: Sequence[Article],
    a: Sequence[Found],
    b: Sequence[Found],
    *,
    labels: Sequence[str],
    swaps: int = SWAPS,
    seed: int = 0,
) -> Comparison:
    """Compare what two groups of models found in the same articles.

    Args:
        articles: with their gold spans.
        a: what each model of the one group found; usually there is one.
        b: what each model of the other found.
        labels: what to compare; spans with another are left out.
        swaps: rounds of randomisation.
        seed: of resamples and swaps.
    """
    one, other = (_mean_counts(articles, group, labels) for group in (a, b))
    bootstrap = Bootstrap.draw(len(articles), seed=seed)
    first, second = _f1(one.sum(axis=0)), _f1(other.sum(axis=0))
    drawn = _f1(bootstrap.sums(other)) - _f1(bootstrap.sums(one))
    bounds = np.quantile(drawn, [0.025, 0.975], axis=0)
    p = _randomise(one, other, swaps=swaps, seed=seed)
    gold = one[..., 2].sum(axis=0)
    there = [i for i in range(len(labels)) if one[:, i].any() or other[:, i].any()]
    corrected = dict(zip(there, correct_holm([float(p[i]) for i in there]), strict=True))

    def row(i: int, name: str) -> Difference:
        return Difference(
            name,
            float(first[i]),
            float(second[i]),
            Interval(float(bounds[0, i]), float(bounds[1, i])),
            float(p[i]),
            corrected.get(i, float(p[i])),
            round(float(gold[i])),
        )

    rows = tuple(row(i, labels[i]) for i in there)
    return Comparison(row(len(labels), "micro"), rows, len(articles), (len(a), len(b)))


def correct_holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down correction of several p, in their order."""
    corrected = [0.0] * len(p)
    reached = 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        reached = max(reached, min(1.0, (len(p) - rank) * p[i]))
        corrected[i] = reached
    return corrected


def _mean_counts(
    articles: Sequence[Article], group: Sequence[Found], labels: Sequence[str]
) -> Floats:
    """Mean counts of a group: articles x (labels and all) x (correct, predicted, gold)."""
    gold = [a.spans for a in articles]
    counts = np.mean([count_spans(gold, found, labels=labels) for found in group], axis=0)
    together: Floats = np.concatenate([counts, counts.sum(axis=1, keepdims=True)], axis=1)
    return together


def _f1(counts: Floats) -> Floats:
    return np.nan_to_num(figures(counts)[..., 2])


def _randomise(one: Floats, other: Floats, *, swaps: int, seed: int) -> Floats:
    """The p of each label and of all: share of swaps that differ as much, the observed one too."""
    rng = np.random.default_rng(seed)
    apart = other - one
    sums, other_sums = one.sum(axis=0), other.sum(axis=0)
    observed = np.abs(_f1(other_sums) - _f1(sums))
    as_much = np.ones(len(observed))
    for at in range(0, swaps, _AT_ONCE):
        size = (min(_AT_ONCE, swaps - at), len(one))
        moved = np.tensordot(rng.integers(0, 2, size=size).astype(np.float64), apart, axes=1)
        differences = np.abs(_f1(other_sums - moved) - _f1(sums + moved))
        # Sums in another order differ in the last digit.
        as_much += (differences >= observed - 1e-9).sum(axis=0)
    p: Floats = as_much / (swaps + 1)
    return p
