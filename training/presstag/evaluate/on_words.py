"""Scores over words, by seqeval in strict IOB2 mode (Nakayama 2018), with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from presstag.evaluate.intervals import Bootstrap, Floats, Intervals
from presstag.spans import Article, Span
from presstag.tags import TagScheme
from presstag.words import find_words


@dataclass(frozen=True, slots=True)
class WordScore:
    """A row of seqeval's report; `gold` counts spans (its `support`)."""

    precision: float
    recall: float
    f1: float
    gold: int
    intervals: Intervals

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {
            "precision": round(self.precision, 4),
            "recall": round(self.recall, 4),
            "f1": round(self.f1, 4),
            "gold": self.gold,
            "intervals": self.intervals.to_dict(),
        }


def score_on_words(
    articles: Sequence[Article],
    predicted: Sequence[Sequence[Span]],
    *,
    labels: Sequence[str],
    bootstrap: Bootstrap,
) -> tuple[dict[str, WordScore], int]:
    """Score tags of words: one a label that occurs, then micro, macro and weighted averages.

    Returns:
        Seqeval's rows by their names, none where there is no span at all; and the number of gold
        spans that begin or end inside a word, which stand here with the whole word.
    """
    from seqeval.metrics import classification_report  # noqa: PLC0415 - brings scikit-learn
    from seqeval.scheme import IOB2  # noqa: PLC0415

    scheme = TagScheme(tuple(labels))
    sequences: tuple[list[list[str]], list[list[str]]] = ([], [])
    counts = np.zeros((len(articles), len(labels), 3))  # correct, predicted, gold
    cut = 0
    for row, article, found in zip(counts, articles, predicted, strict=True):
        words = find_words(article.text)
        gold_tags, inexact = scheme.encode(article.spans, words)
        found_tags, _ = scheme.encode(found, words)
        cut += len(inexact)
        for sequence, tags in zip(sequences, (gold_tags, found_tags), strict=True):
            sequence.append([scheme.tags[t] for t in tags])
        gold_runs, found_runs = set(scheme.runs(gold_tags)), set(scheme.runs(found_tags))
        for which, runs in enumerate((gold_runs & found_runs, found_runs, gold_runs)):
            for run in runs:
                row[run.label, which] += 1
    if not counts.any():
        return {}, cut  # seqeval takes the mean of nothing, which is no number
    report: dict[str, dict[str, Any]] = classification_report(
        *sequences, mode="strict", scheme=IOB2, output_dict=True, zero_division=0
    )
    intervals = _intervals(counts, labels, bootstrap)
    return {
        name: WordScore(
            float(row["precision"]),
            float(row["recall"]),
            float(row["f1-score"]),
            int(row["support"]),
            intervals[name],
        )
        for name, row in report.items()
    }, cut


def _intervals(counts: Floats, labels: Sequence[str], bootstrap: Bootstrap) -> dict[str, Intervals]:
    (micro,) = bootstrap.intervals(counts.sum(axis=1, keepdims=True))
    return {
        **dict(zip(labels, bootstrap.intervals(counts), strict=True)),
        "micro avg": micro,
        "macro avg": bootstrap.macro(counts),
        "weighted avg": bootstrap.macro(counts, by_gold=True),
    }
