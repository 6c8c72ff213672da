"""Scores against the truth: what is measured, and what a calibration mends."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from presstag.evaluate.calibration import (
    Bin,
    Judged,
    calibrate_spans,
    fit_calibration,
    judge_spans,
    measure_reliability,
)
from presstag.spans import Span
from presstag.tagger import Calibration

FOUND = st.lists(
    st.tuples(st.floats(0, 1, exclude_min=True), st.booleans()), min_size=1, max_size=300
)


def judged(pairs: list[tuple[float, bool]]) -> Judged:
    """Spans with these scores, right or not."""
    scores, right = zip(*pairs, strict=True)
    return Judged(np.array(scores, dtype=np.float64), np.array(right, dtype=np.bool_))


def boastful(spans: int, *, seed: int) -> Judged:
    """A model that says the square root of the truth: 0.9 where 0.81 is right."""
    random = np.random.default_rng(seed)
    truth = random.beta(4, 1, spans)
    return Judged(np.sqrt(truth), random.random(spans) < truth)


def calibrated(some: Judged, calibration: Calibration) -> Judged:
    """The same spans with calibrated scores."""
    return replace(some, scores=np.array([calibration(s) for s in some.scores]))


def test_a_found_span_is_right_if_people_have_exactly_it() -> None:
    """Another end or label is wrong, and spans without a score are left out."""
    gold = [[Span(0, 6, "DONOR", "Norway"), Span(9, 14, "SYSTEM", "tanks")], []]
    found = [
        [Span(0, 6, "DONOR", "Norway", 0.9), Span(9, 14, "DONOR", "tanks", 0.4)],
        [Span(0, 6, "DONOR", "Norway", 0.8), Span(9, 14, "SYSTEM", "tanks")],
    ]
    got = judge_spans(gold, found)
    assert ([0.9, 0.4, 0.8], [True, False, False]) == (got.scores.tolist(), got.right.tolist())


def test_as_many_articles_on_both_sides() -> None:
    """An article less is an error, not a shorter result."""
    with pytest.raises(ValueError, match="shorter"):
        judge_spans([[], []], [[]])


def test_the_error_is_the_mean_distance_of_score_and_truth() -> None:
    """By hand: two bins of two spans, one off by 0.3 and one by 0.2."""
    got = measure_reliability(
        judged([(0.9, True), (0.1, False), (0.7, True), (0.5, False)]), bins=2
    )
    assert (Bin(0.3, 0.0, 2), Bin(0.8, 1.0, 2)) == tuple(
        Bin(round(b.score, 9), b.right, b.spans) for b in got.bins
    )
    assert pytest.approx(0.25) == got.error
    strays = np.sqrt(2 / np.pi) * (np.sqrt(0.09 + 0.25) + np.sqrt(0.21 + 0.09)) / 4
    assert pytest.approx(strays) == got.chance


def test_without_found_spans_there_is_no_error() -> None:
    """Nothing was promised, nothing was broken."""
    got = measure_reliability(judge_spans([[]], [[]]))
    assert {"error": 0.0, "chance": 0.0, "spans": 0, "bins": []} == got.to_dict()


@given(FOUND)
def test_bins_hold_every_span_and_rise(pairs: list[tuple[float, bool]]) -> None:
    """Of like size, at most fifteen, and the error is in 0 to 1."""
    got = measure_reliability(judged(pairs))
    sizes = [b.spans for b in got.bins]
    assert len(pairs) == got.spans == sum(sizes)
    assert min(15, len(pairs)) == len(sizes)
    assert max(sizes) - min(sizes) <= 1
    assert all(one.score <= other.score + 1e-12 for one, other in pairwise(got.bins))
    assert 0 <= got.error <= 1


def test_true_scores_show_an_error_of_about_chance() -> None:
    """What is said to be chance is what scores without a fault show, on the mean of 200 draws."""
    random = np.random.default_rng(5)
    shown = []
    for _ in range(200):
        scores = random.beta(4, 1, 400)
        shown.append(measure_reliability(Judged(scores, random.random(400) < scores)))
    error, chance = (np.mean([getattr(r, name) for r in shown]) for name in ("error", "chance"))
    assert pytest.approx(chance, rel=0.05) == error


@given(FOUND)
def test_a_calibration_is_a_short_rising_line(pairs: list[tuple[float, bool]]) -> None:
    """Whatever the spans: at most 21 points, both sides rising, nothing is certain."""
    line = fit_calibration(judged(pairs))
    assert len(line.raw) == len(line.calibrated) <= 21
    assert all(one < other for one, other in pairwise(line.raw))
    assert all(one < other for one, other in pairwise(line.calibrated))
    assert (0.0, 0.0) == (line.raw[0], line.calibrated[0])
    assert line.calibrated[-1] < 1


@given(FOUND, st.lists(st.floats(0, 1, exclude_min=True), min_size=2))
def test_calibrated_scores_keep_the_order(
    pairs: list[tuple[float, bool]], scores: list[float]
) -> None:
    """A span that was less likely than another is never more likely afterwards."""
    line = fit_calibration(judged(pairs))
    read = [line(score) for score in sorted(scores)]
    assert all(0 < score <= 1 for score in read)
    assert all(one <= other + 1e-12 for one, other in pairwise(read))


def test_points_keep_a_distance() -> None:
    """Scores next to nothing do not make the line so steep that it cannot be computed."""
    line = fit_calibration(judged([(2e-313, False), (3e-313, True), (0.5, True)]))
    read = [line(score) for score in (5e-324, 1e-9, 0.5, 1.0)]
    assert sorted(read) == read


def test_a_boastful_model_is_corrected_on_spans_that_were_not_fitted() -> None:
    """0.9 becomes about 0.81, and most of the error goes."""
    line = fit_calibration(boastful(4000, seed=1))
    for score in (0.7, 0.8, 0.9, 0.95):
        assert pytest.approx(score**2, abs=0.05) == line(score)
    others = boastful(4000, seed=2)
    before, after = measure_reliability(others), measure_reliability(calibrated(others, line))
    assert before.error > 0.07
    assert after.error < before.error / 3


def test_a_model_that_keeps_its_word_is_left_about_as_it_is() -> None:
    """True scores go through nearly unchanged."""
    random = np.random.default_rng(3)
    scores = random.random(4000)
    line = fit_calibration(Judged(scores, random.random(4000) < scores))
    raw = np.linspace(0.05, 0.95, 19)
    np.testing.assert_allclose([line(score) for score in raw], raw, atol=0.06)


def test_isotonic_regression_agrees_with_scikit_learn() -> None:
    """The short line is near the long staircase that scikit-learn fits to the same spans."""
    from sklearn.isotonic import IsotonicRegression

    some = boastful(4000, seed=4)
    staircase = IsotonicRegression(out_of_bounds="clip").fit(some.scores, some.right)
    line = fit_calibration(some)
    raw = np.quantile(some.scores, np.linspace(0.02, 0.98, 50))
    apart = np.abs(staircase.predict(raw) - [line(score) for score in raw])
    assert apart.mean() < 0.02
    assert apart.max() < 0.08


def test_a_model_that_is_always_right_is_not_taken_to_be_certain() -> None:
    """Forty of forty give 0.988, not 1."""
    line = fit_calibration(judged([(0.5 + n / 100, True) for n in range(40)]), points=1)
    assert pytest.approx(40.5 / 41) == line(0.99)


def test_spans_get_calibrated_scores() -> None:
    """Place, label and words stay; a person's span, which has no score, stays without."""
    line = Calibration((0.0, 1.0), (0.0, 0.5))
    found = [[Span(0, 2, "DONOR", "UN", 0.8), Span(3, 5, "DONOR", "EU")], []]
    expected = [[Span(0, 2, "DONOR", "UN", 0.4), Span(3, 5, "DONOR", "EU")], []]
    assert expected == calibrate_spans(found, line)
