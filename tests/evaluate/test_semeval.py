from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presstag.evaluate.intervals import Bootstrap
from presstag.evaluate.metrics import score_spans
from presstag.evaluate.semeval import WAYS, WayScore, score_semeval
from presstag.spans import Span

LABELS = ("DONOR", "SYSTEM")


def span(start: int, end: int, label: str = "DONOR") -> Span:
    return Span(start, end, label, "x" * (end - start))


def counts(score: WayScore) -> tuple[int, int, int, int]:
    return (score.correct, score.partial, score.predicted, score.gold)


def test_each_way_forgives_what_it_says() -> None:
    """By hand: one right, one of another label, one too short, one missed, one spurious."""
    gold = [[span(0, 4), span(5, 9), span(10, 19), span(20, 24)]]
    found = [[span(0, 4), span(5, 9, "SYSTEM"), span(10, 14), span(30, 34)]]
    scored = score_semeval(gold, found, labels=LABELS, bootstrap=Bootstrap.draw(1))
    expected = {
        "strict": (1, 0, 4, 4),
        "exact": (2, 0, 4, 4),
        "partial": (2, 1, 4, 4),
        "type": (2, 0, 4, 4),
    }
    assert expected == {way: counts(score) for way, score in scored.micro.items()}
    partial = scored.micro["partial"]
    assert [2.5 / 4] * 3 == [partial.precision, partial.recall, partial.f1]
    assert (1, 1, 3, 4) == counts(scored.labels["DONOR"]["partial"])
    assert (0, 0, 1, 0) == counts(scored.labels["SYSTEM"]["exact"])


def test_spans_that_touch_do_not_overlap() -> None:
    """Our bounds are half-open, nervaluate's are not."""
    scored = score_semeval(
        [[span(0, 4)]], [[span(4, 8)]], labels=LABELS, bootstrap=Bootstrap.draw(1)
    )
    assert (0, 0, 1, 1) == counts(scored.micro["partial"])


def test_nothing_to_find_and_nothing_found_is_no_fault() -> None:
    """Zero, with an interval that says nothing."""
    micro = score_semeval([[]], [[]], labels=LABELS, bootstrap=Bootstrap.draw(1)).micro
    assert [(0, 0, 0, 0)] * 4 == [counts(micro[way]) for way in WAYS]
    assert (0.0, 1.0) == (micro["type"].f1, micro["type"].intervals.f1.high)


@st.composite
def flat_spans(draw: st.DrawFn) -> list[Span]:
    spans: list[Span] = []
    at = 0
    while at < 16:
        length = draw(st.integers(1, 5))
        label = draw(st.sampled_from(["", *LABELS]))
        if label:
            spans.append(span(at, at + length, label))
        at += length
    return spans


@settings(deadline=None, max_examples=60)
@given(pairs=st.lists(st.tuples(flat_spans(), flat_spans()), min_size=1, max_size=3))
def test_our_strict_scores_are_nervaluate_s(pairs: list[tuple[list[Span], list[Span]]]) -> None:
    """On any flat spans, in all and by label; and to forgive never costs."""
    gold, found = [g for g, _ in pairs], [f for _, f in pairs]
    theirs = score_semeval(
        gold, found, labels=LABELS, bootstrap=Bootstrap.draw(len(pairs), rounds=10)
    )
    ours = score_spans(gold, found, labels=LABELS)
    for own, other in [
        (ours.micro, theirs.micro),
        *((ours.labels[label], theirs.labels[label]) for label in LABELS),
    ]:
        assert (own.correct, 0, own.predicted, own.gold) == counts(other["strict"])
        assert own.f1 == pytest.approx(other["strict"].f1)
        assert all(other[way].f1 >= own.f1 for way in WAYS)
