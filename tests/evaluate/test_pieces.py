from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from presstag.evaluate.errors import give_verdicts
from presstag.evaluate.pieces import Piece, cut_text, lowest_score, show_article
from presstag.spans import Article, Span

TEXT = "a😀\r\nbcé <d>&"


def spans(bounds: list[int], labels: list[str]) -> list[Span]:
    """Flat spans between every other two of some bounds."""
    pairs = list(pairwise(sorted(bounds)))[::2]
    return [Span(a, b, label, TEXT[a:b]) for (a, b), label in zip(pairs, labels, strict=False)]


SPANS = st.builds(
    spans,
    st.lists(st.integers(0, len(TEXT)), unique=True),
    st.lists(st.sampled_from("XY"), min_size=8, max_size=8),
)


@given(SPANS, SPANS)
def test_pieces_are_the_text_and_carry_the_labels_of_every_character(
    gold: list[Span], found: list[Span]
) -> None:
    """None is empty, lost, or under a label that is not its own."""
    pieces = cut_text(TEXT, give_verdicts(gold, found))
    assert TEXT == "".join(p.text for p in pieces)
    assert all(p.text for p in pieces)
    for side, name in ((gold, "gold"), (found, "found")):
        expected = [
            next((s.label for s in side if s.start <= i < s.end), None) for i in range(len(TEXT))
        ]
        assert expected == [getattr(p, name) for p in pieces for _ in p.text]


@given(SPANS, SPANS)
def test_each_verdict_begins_once_and_ends_once(gold: list[Span], found: list[Span]) -> None:
    """There its place is, and its name stands."""
    verdicts = give_verdicts(gold, found)
    pieces = cut_text(TEXT, verdicts)
    numbers = list(range(len(verdicts)))
    assert numbers == sorted(n for p in pieces for n in p.begins)
    assert numbers == sorted(n for p in pieces for n in p.ends)


def test_a_text_without_spans_is_one_piece_and_no_text_none() -> None:
    """Nothing is cut where nothing begins."""
    assert [Piece("abc", None, None, (), (), ())] == cut_text("abc", [])
    assert [] == cut_text("", [])


def test_the_lowest_score_of_what_was_found_counts() -> None:
    """A missed span has none; nor has one of a dictionary."""
    whole = Span(0, 3, "X", "a b")
    halves = [Span(0, 1, "X", "a", 0.9), Span(2, 3, "X", "b", 0.4)]
    assert [0.4] == [lowest_score(v) for v in give_verdicts([whole], halves)]
    assert [None] == [lowest_score(v) for v in give_verdicts([whole], [])]
    assert [None] == [lowest_score(v) for v in give_verdicts([whole], [whole])]


def test_an_article_is_shown_in_its_language() -> None:
    """If it names one; whatever else stands there is no language."""
    named = [
        show_article(Article("a", "b", meta={"lang": x}), [])["language"] for x in ("nb-NO", "no!")
    ]
    assert ["nb-NO", ""] == named
