"""seqeval's figures and the intervals beside them."""

from __future__ import annotations

import pytest

from presstag.evaluate.intervals import Bootstrap
from presstag.evaluate.on_words import score_on_words
from presstag.spans import Article, Span

LABELS = ("A", "B")
TEXT = "one two three four"


def span(start: int, end: int, label: str) -> Span:
    """A span of TEXT."""
    return Span(start, end, label, TEXT[start:end])


@pytest.fixture(scope="module")
def scored():
    """Forty articles; A is right in three of four, B in all, where it stands."""
    articles, found = [], []
    for i in range(40):
        gold = (span(0, 3, "A"), span(4, 7, "B")) if i % 2 else (span(0, 3, "A"),)
        articles.append(Article(str(i), TEXT, gold))
        found.append([*gold[1:], span(0, 3 if i % 4 else 7, "A")] if i % 2 == 0 else list(gold))
    scores, cut = score_on_words(
        articles, found, labels=LABELS, bootstrap=Bootstrap.draw(len(articles))
    )
    assert cut == 0
    return scores


def test_every_row_of_seqeval_has_its_interval(scored) -> None:
    """The figure lies within; labels first, then the averages."""
    assert [*LABELS, "micro avg", "macro avg", "weighted avg"] == list(scored)
    for score in scored.values():
        assert score.intervals.f1.low <= score.f1 <= score.intervals.f1.high


def test_figures_and_intervals_are_of_the_same_counts(scored) -> None:
    """A has 30 of 40 right; so has its interval its middle there."""
    assert 0.75 == scored["A"].f1
    assert scored["A"].intervals.f1.low < 0.75 < scored["A"].intervals.f1.high
    assert (40, 20, 60) == (scored["A"].gold, scored["B"].gold, scored["micro avg"].gold)


def test_the_weighted_average_leans_to_the_commoner_label(scored) -> None:
    """A is twice as common and worse, so the weighted mean is below the plain one."""
    weighted, plain = scored["weighted avg"], scored["macro avg"]
    assert (0.875, pytest.approx(0.8333, abs=1e-4)) == (plain.f1, weighted.f1)
    assert weighted.intervals.f1.low < plain.intervals.f1.low


def test_spans_that_cut_a_word_are_counted() -> None:
    """Here they stand with the whole word."""
    scores, cut = score_on_words(
        [Article("x", TEXT, (span(4, 6, "A"),))],
        [[span(4, 7, "A")]],
        labels=LABELS,
        bootstrap=Bootstrap.draw(1),
    )
    assert (1, 1.0) == (cut, scores["A"].f1)


def test_no_span_no_row() -> None:
    """Seqeval has no answer to nothing."""
    none = score_on_words([Article("x", TEXT)], [[]], labels=LABELS, bootstrap=Bootstrap.draw(1))
    assert ({}, 0) == none
