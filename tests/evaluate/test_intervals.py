from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presstag.evaluate.intervals import (
    Bootstrap,
    Interval,
    count_spans,
    figures,
    score_intervals,
    score_of,
)
from presstag.evaluate.metrics import Score, score_spans
from presstag.spans import Span

LABELS = ("DONOR", "SYSTEM")


def span(start: int, end: int, label: str = "DONOR") -> Span:
    return Span(start, end, label, "x" * (end - start))


def test_an_interval_of_more_than_20_points_is_wide() -> None:
    """Too few spans to tell."""
    assert [False, True] == [Interval(0.6, high).wide for high in (0.8, 0.81)]


def test_counts_are_those_of_the_scores() -> None:
    """By article and label; a strange label is nobody's."""
    gold = [[span(0, 2), span(4, 6, "SYSTEM")], [span(1, 2)]]
    found = [[span(0, 2), span(4, 5, "SYSTEM")], [span(0, 1, "CITY")]]
    counts = count_spans(gold, found, labels=LABELS)
    assert [[[1, 1, 1], [0, 1, 1]], [[0, 0, 1], [0, 0, 0]]] == counts.tolist()
    scores = score_spans(gold, found, labels=LABELS)
    assert scores.labels == {label: score_of(counts[:, i]) for i, label in enumerate(LABELS)}


def test_the_same_seed_draws_the_same_resamples() -> None:
    """As many articles each time as there are."""
    one, again, other = (Bootstrap.draw(7, rounds=50, seed=s).weights for s in (3, 3, 4))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert {7.0} == set(one.sum(axis=1))


def test_figures_are_those_of_a_score() -> None:
    """NaN instead of zero where nothing is divided."""
    score = Score(2, 4, 3)
    counts = np.array([[2.0, 4, 3], [0, 0, 2]])
    assert [score.precision, score.recall, score.f1] == pytest.approx(figures(counts)[0])
    assert [True, False, False] == np.isnan(figures(counts)[1]).tolist()


@pytest.mark.parametrize("found", [0.0, 10.0])
def test_where_all_articles_agree_the_interval_is_wilson_s(found: float) -> None:
    """All right or none is no certainty: by hand, 10 of 10 is between 72.2 % and 100 %."""
    counts = np.tile([found, 10.0, 10.0], (1, 1, 1))
    (own,) = Bootstrap.draw(1).intervals(counts)
    expected = (0.7225, 1.0) if found else (0.0, 0.2775)
    for interval in (own.precision, own.recall, own.f1):
        assert expected == pytest.approx((interval.low, interval.high), abs=1e-4)


def test_what_is_never_defined_could_be_anything() -> None:
    """No gold span: recall is between 0 and 1, precision has an interval."""
    (own,) = Bootstrap.draw(3).intervals(np.tile([0.0, 40.0, 0.0], (3, 1, 1)))
    assert Interval(0.0, 1.0) == own.recall
    assert own.precision.high < 0.1


def test_a_macro_interval_of_nothing_is_everything() -> None:
    """No label was annotated or predicted."""
    assert Interval(0.0, 1.0) == Bootstrap.draw(3).macro(np.zeros((3, 2, 3))).f1


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Articles drawn from a known distribution: about 95 of 100 intervals hold its recall."""
    rng = np.random.default_rng(5)
    held = 0
    for seed in range(200):
        gold = rng.integers(1, 12, size=60)
        correct = rng.binomial(gold, rng.beta(7, 3, size=60))  # an article's own share; mean 0.7
        counts = np.stack([correct, gold, gold], axis=-1).astype(float)[:, None]
        (own,) = Bootstrap.draw(60, rounds=400, seed=seed).intervals(counts)
        held += own.recall.low <= 0.7 <= own.recall.high
    assert 0.90 <= held / 200 <= 0.99


@st.composite
def count_tables(draw: st.DrawFn) -> np.ndarray:
    articles = draw(st.integers(1, 8))
    cells = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4))
    rows = draw(st.lists(st.tuples(cells, cells), min_size=articles, max_size=articles))
    return np.array([[(c, c + p, c + g) for c, p, g in row] for row in rows], dtype=float)


@settings(deadline=None)
@given(counts=count_tables())
def test_intervals_lie_between_0_and_1_and_in_order(counts: np.ndarray) -> None:
    """Whatever was counted; micro, macro and labels."""
    found = score_intervals(Bootstrap.draw(len(counts), rounds=100), counts, labels=LABELS)
    for own in (found.micro, found.macro, *found.labels.values()):
        for interval in (own.precision, own.recall, own.f1):
            assert 0.0 <= interval.low <= interval.high <= 1.0
