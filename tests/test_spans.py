"""Spans and articles."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presstag.spans import Article, Span, flatten

TEXT = "Norway gave 😀 tanks."


def span(start: int, end: int, label: str = "X", text: str = TEXT) -> Span:
    """A span that says the right words."""
    return Span(start, end, label, text[start:end])


def test_offsets_count_code_points() -> None:
    """A character beyond the basic plane counts one."""
    assert "tanks" == span(14, 19).text


def test_key_is_start_end_and_label() -> None:
    """Strict scoring compares neither words nor score."""
    assert (0, 6, "DONOR") == Span(0, 6, "DONOR", "Norway", 0.5).key


def test_dict_of_a_found_span_has_its_score_rounded() -> None:
    """JSON gets four places of the score."""
    expected = {"start": 0, "end": 6, "label": "DONOR", "text": "Norway", "score": 0.1235}
    assert expected == Span(0, 6, "DONOR", "Norway", 0.123456).to_dict()


def test_dict_of_a_persons_span_has_no_score() -> None:
    """A span without a score does not invent one."""
    expected = {"start": 0, "end": 6, "label": "DONOR", "text": "Norway"}
    assert expected == Span(0, 6, "DONOR", "Norway").to_dict()


@pytest.mark.parametrize("thing", [span(0, 6), Article("a", TEXT)])
def test_spans_and_articles_are_frozen(thing: Span | Article) -> None:
    """What is passed on is not changed on the way."""
    with pytest.raises(FrozenInstanceError):
        thing.text = "other"  # type: ignore[misc]


def test_article_takes_spans_that_touch() -> None:
    """One span may begin where the one before it ends."""
    spans = (span(0, 6), span(6, 7), span(7, 20))
    assert spans == Article("a", TEXT, spans).spans


@pytest.mark.parametrize(
    ("spans", "fault"),
    [
        ((Span(3, 3, "X", ""),), "outside the text"),
        ((Span(4, 3, "X", ""),), "outside the text"),
        ((Span(-6, -1, "X", TEXT[-6:-1]),), "outside the text"),
        ((Span(14, 21, "X", TEXT[14:21]),), "outside the text"),
        ((Span(0, 6, "X", "norway"),), "not the slice"),
        ((span(0, 6), span(5, 8)), "overlaps"),
        ((span(7, 11), span(0, 6)), "overlaps"),
    ],
)
def test_article_refuses_wrong_spans(spans: tuple[Span, ...], fault: str) -> None:
    """Empty, outside, of other words, overlapping, out of order: each names the article."""
    with pytest.raises(ValueError, match=f"article a-7: .*{fault}"):
        Article("a-7", TEXT, spans)


@pytest.mark.parametrize(
    ("given_spans", "kept"),
    [
        ([span(0, 6), span(0, 11)], [(0, 11)]),
        ([span(3, 9), span(0, 6)], [(0, 6)]),
        ([span(0, 6), span(6, 9)], [(0, 6), (6, 9)]),
        ([span(0, 6), span(5, 12), span(11, 14)], [(5, 12)]),
        ([], []),
    ],
)
def test_the_longer_span_stays_then_the_earlier(given_spans, kept) -> None:
    """Overlaps are resolved by length, then by place; spans that touch both stay."""
    assert kept == [(s.start, s.end) for s in flatten(given_spans)[0]]


def test_of_two_on_the_same_stretch_the_first_stays() -> None:
    """The order given decides between labels, and the other is named with its rival."""
    first, second = span(0, 6, "B"), span(0, 6, "A")
    assert ([first], [(second, first)]) == flatten([first, second])


@st.composite
def some_spans(draw: st.DrawFn) -> list[Span]:
    """Non-empty spans of the text, in any order, overlapping as they like."""
    edges = st.tuples(st.integers(0, 19), st.integers(1, 8), st.sampled_from("AB"))
    return [span(a, min(a + n, 20), label) for a, n, label in draw(st.lists(edges, max_size=8))]


@given(some_spans())
def test_flattening_loses_nothing_and_leaves_no_overlap(spans: list[Span]) -> None:
    """What is kept makes an article; the rest stands beside a kept span that it overlaps."""
    kept, left_out = flatten(spans)
    assert tuple(kept) == Article("a", TEXT, tuple(kept)).spans
    assert sorted(s.key for s in spans) == sorted(s.key for s in [*kept, *(s for s, _ in left_out)])
    for span_, rival in left_out:
        assert rival in kept
        assert max(span_.start, rival.start) < min(span_.end, rival.end)
        assert span_.end - span_.start <= rival.end - rival.start
