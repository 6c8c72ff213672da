"""Thresholds: found on some spans, judged on others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presstag.evaluate.intervals import Bootstrap, Interval
from presstag.evaluate.metrics import Score, score_spans
from presstag.evaluate.thresholds import (
    Effect,
    Threshold,
    apply_thresholds,
    find_thresholds,
    judge_thresholds,
)
from presstag.spans import Span

Spans = list[list[Span]]


def spans(*found: tuple[float, bool], label: str = "DONOR", missed: int = 0) -> tuple[Spans, Spans]:
    """Gold and found spans: an article for each found one, and one for each that is missed."""
    gold: Spans = [[Span(0, 2, label, "UN")] if right else [] for _, right in found]
    predicted = [[Span(0, 2, label, "UN", score)] for score, _ in found]
    return gold + [[Span(0, 2, label, "UN")]] * missed, predicted + [[]] * missed


def find(both: tuple[Spans, Spans], *, precision: float, least: int = 1) -> Threshold:
    """The threshold of DONOR."""
    found = find_thresholds(*both, labels=("DONOR",), precision=precision, least=least)
    return found["DONOR"]


def test_the_lowest_score_that_keeps_the_precision_is_found() -> None:
    """By hand: with the wrong 0.7 it is 2 of 3, with the right 0.6 three of four."""
    both = spans((0.9, True), (0.8, True), (0.7, False), (0.6, True), (0.5, False), missed=1)
    assert Threshold(0.6, reached=True, dev=Score(3, 4, 4)) == find(both, precision=0.75)
    assert Threshold(0.8, reached=True, dev=Score(2, 2, 4)) == find(both, precision=0.76)


def test_spans_of_equal_score_pass_together() -> None:
    """No score tells the right one from the wrong one beside it."""
    both = spans((0.9, True), (0.8, True), (0.8, False))
    assert Threshold(0.9, reached=True, dev=Score(1, 1, 2)) == find(both, precision=1.0)


def test_a_label_that_is_good_enough_needs_no_threshold() -> None:
    """Zero, so that a span of other articles with a lower score passes too."""
    both = spans((0.9, True), (0.3, True))
    assert Threshold(0.0, reached=True, dev=Score(2, 2, 2)) == find(both, precision=1.0)


def test_where_no_score_reaches_it_the_nearest_is_named() -> None:
    """The best precision that there is, and where."""
    both = spans((0.9, False), (0.8, True), (0.7, True), (0.6, False))
    assert Threshold(0.7, reached=False, dev=Score(2, 3, 2)) == find(both, precision=0.9)


def test_a_few_right_spans_are_no_proof() -> None:
    """Three of three is precision 1, and too few to count."""
    both = spans((0.9, True), (0.9, True), (0.9, True))
    assert Threshold(1.0, reached=False, dev=Score(0, 0, 3)) == find(both, precision=0.5, least=4)
    default = find_thresholds(*both, labels=("DONOR",), precision=0.5)
    assert not default["DONOR"].reached


def test_a_label_without_spans_has_no_threshold() -> None:
    """Neither found nor annotated."""
    assert Threshold(1.0, reached=False, dev=Score(0, 0, 0)) == find(([[]], [[]]), precision=0.5)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]), st.booleans()),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from([0.5, 0.8, 1.0]),
)
def test_a_threshold_is_what_trying_every_score_finds(
    found: list[tuple[float, bool]], precision: float
) -> None:
    """Against the definition: the lowest score at which the spans kept are right often enough."""
    both = spans(*found, missed=2)
    threshold = find(both, precision=precision)

    def at(score: float) -> Score:
        kept = [[s for s in some if (s.score or 0) >= score] for some in both[1]]
        return score_spans(both[0], kept, labels=("DONOR",)).micro

    good = [score for score, _ in found if at(score).precision >= precision]
    assert bool(good) == threshold.reached
    if good:
        assert at(min(good)) == at(threshold.score) == threshold.dev
    else:
        assert max(at(score).precision for score, _ in found) == threshold.dev.precision


def test_applying_keeps_the_spans_that_pass() -> None:
    """Each label by its own; those of a label that reaches nothing are left out."""
    thresholds = {
        "DONOR": Threshold(0.5, reached=True, dev=Score(1, 1, 1)),
        "SYSTEM": Threshold(0.2, reached=False, dev=Score(1, 2, 1)),
    }
    donor, low = Span(0, 2, "DONOR", "UN", 0.5), Span(3, 5, "DONOR", "EU", 0.4)
    system = Span(6, 10, "SYSTEM", "tank", 0.9)
    assert [[donor], []] == apply_thresholds([[donor, low, system], []], thresholds)


def effect(both: tuple[Spans, Spans], threshold: Threshold) -> Effect:
    """What a threshold of DONOR gives."""
    bootstrap = Bootstrap.draw(len(both[0]))
    return judge_thresholds(*both, thresholds={"DONOR": threshold}, bootstrap=bootstrap)["DONOR"]


def test_a_threshold_says_what_recall_it_costs() -> None:
    """On other articles: of three gold spans two were found, and one passes."""
    both = spans((0.9, True), (0.4, True), (0.3, False), missed=1)
    got = effect(both, Threshold(0.5, reached=True, dev=Score(1, 1, 1)))
    assert (Score(2, 3, 3), Score(1, 1, 3)) == (got.all_spans, got.passing)
    assert pytest.approx(1 / 3) == got.recall_lost
    assert 0.3333 == got.to_dict()["recall_lost"]


def test_the_recall_lost_has_an_interval() -> None:
    """A quarter of 400 articles lose their span: near 0.25, and within 5 points either way."""
    both = spans(*[(0.9, True), (0.9, True), (0.4, True), (0.9, True)] * 100)
    got = effect(both, Threshold(0.5, reached=True, dev=Score(1, 1, 1)))
    assert 0.20 < got.lost.low < 0.25 < got.lost.high < 0.30
    assert pytest.approx(1 - got.lost.high) == got.intervals.recall.low


def test_a_label_without_gold_has_no_recall_to_lose() -> None:
    """Its interval is everything, and no warning is shown."""
    got = effect(spans((0.9, False)), Threshold(0.0, reached=True, dev=Score(1, 1, 1)))
    assert (0.0, Interval(0.0, 1.0)) == (got.recall_lost, got.lost)


def test_what_is_not_reached_has_no_figures() -> None:
    """A figure of zero would read as a measurement."""
    written = effect(
        spans((0.9, True)), Threshold(0.5, reached=False, dev=Score(1, 2, 1))
    ).to_dict()
    assert {"score", "reached", "dev", "all"} == set(written)
    assert 1.0 == written["all"]["recall"]
