"""The BIO scheme: spans to tags, scores to tags, tags to spans."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presstag.spans import Span
from presstag.tags import Run, TagScheme
from presstag.words import find_words

AB = TagScheme(("A", "B"))
OUT, B_A, I_A, B_B, I_B = range(5)

Units = list[tuple[int, int]]


def is_legal(tags: tuple[int, ...]) -> bool:
    """Whether each I- follows the B- or I- of its label, by the names of the tags."""
    names = ["O", *(AB.tags[tag] for tag in tags)]
    return all(
        not name.startswith("I-") or names[i] in {f"B-{name[2:]}", name}
        for i, name in enumerate(names[1:])
    )


def total(scores: list[list[float]], tags: tuple[int, ...]) -> float:
    """The sum of the scores of a path."""
    return sum(row[tag] for row, tag in zip(scores, tags, strict=True))


@st.composite
def flat_spans(draw: st.DrawFn) -> tuple[Units, list[Span]]:
    """Units with gaps of any width between them, and spans that cover whole units."""
    units: Units = []
    for gap, width in draw(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), max_size=12)):
        start = (units[-1][1] if units else 0) + gap
        units.append((start, start + width))
    edges = sorted(draw(st.sets(st.integers(0, len(units)), max_size=8)))
    labels = draw(st.lists(st.sampled_from(["A", "B", None]), min_size=len(edges)))
    spans = [
        Span(units[a][0], units[b - 1][1], label, "")
        for a, b, label in zip(edges, edges[1:], labels, strict=False)
        if label
    ]
    return units, spans


def score_rows(most: int) -> st.SearchStrategy[list[list[float]]]:
    """Scores of up to `most` units; small whole numbers among them make ties."""
    score = st.one_of(st.floats(-20, 20), st.integers(-2, 2).map(float))
    return st.lists(st.lists(score, min_size=5, max_size=5), max_size=most)


def test_tags_stand_in_order_of_their_ids() -> None:
    """O, then B- and I- of each label."""
    assert ("O", "B-A", "I-A", "B-B", "I-B") == AB.tags


def test_a_scheme_is_known_by_its_tags() -> None:
    """A checkpoint's list of tags gives the labels back, dashes and all."""
    scheme = TagScheme(("A", "B-2", "I-"))
    assert scheme == TagScheme.from_tags(scheme.tags)


@pytest.mark.parametrize(
    "tags", [[], ["B-A", "I-A"], ["O", "B-A"], ["O", "I-A", "B-A"], ["O", "B-A", "I-B"], ["X"]]
)
def test_tags_of_another_scheme_are_refused(tags: list[str]) -> None:
    """A model of another scheme is not taken for one of this."""
    with pytest.raises(ValueError, match="not those of a BIO scheme"):
        TagScheme.from_tags(tags)


def test_neighbouring_spans_of_one_label_stay_two() -> None:
    """The second begins with a B- of its own."""
    units = [(0, 2), (2, 4), (5, 6)]
    tags, inexact = AB.encode([Span(0, 2, "A", ""), Span(2, 6, "A", "")], units)
    assert ([B_A, B_A, I_A], []) == (tags, inexact)


def test_a_span_that_cuts_units_takes_them_whole_and_is_named() -> None:
    """An annotator's stray edge costs no words, and it is said."""
    span = Span(5, 9, "B", "")
    assert ([OUT, B_B, I_B], [span]) == AB.encode([span], [(0, 3), (4, 7), (8, 12)])


def test_of_two_spans_in_one_unit_the_first_has_it() -> None:
    """The second is named, and takes the units that are left to it."""
    units = [(0, 6), (6, 9)]
    inside, beyond = Span(0, 3, "A", ""), Span(3, 9, "B", "")
    assert ([B_A, B_B], [inside, beyond]) == AB.encode([inside, beyond], units)


def test_a_span_between_units_has_no_tag_and_is_named() -> None:
    """A span of white space is lost to the tags, not in silence."""
    span = Span(3, 4, "A", "")
    assert ([OUT, OUT], [span]) == AB.encode([span], [(0, 3), (4, 7)])


@given(flat_spans())
def test_spans_come_back_from_their_tags(made: tuple[Units, list[Span]]) -> None:
    """Spans of whole units become legal tags, and these the same spans."""
    units, spans = made
    tags, inexact = AB.encode(spans, units)
    back = [
        Span(units[r.first][0], units[r.stop - 1][1], AB.labels[r.label], "") for r in AB.runs(tags)
    ]
    assert spans == back
    assert [] == inexact
    assert is_legal(tuple(tags))


@given(st.text(max_size=40), st.data())
def test_spans_of_a_real_text_come_back(text: str, data: st.DataObject) -> None:
    """A span of one word, on any text, is tagged exactly."""
    words = find_words(text)
    chosen = data.draw(st.lists(st.sampled_from(words), unique=True) if words else st.just([]))
    spans = [Span(a, b, "A", text[a:b]) for a, b in sorted(chosen)]
    tags, inexact = AB.encode(spans, words)
    assert [words.index((s.start, s.end)) for s in spans] == [r.first for r in AB.runs(tags)]
    assert [] == inexact


def test_no_units_have_no_tags() -> None:
    """An empty article decodes to nothing."""
    assert ([], []) == (AB.decode([]), AB.runs([]))


@settings(deadline=None)
@given(score_rows(4))
def test_decoding_finds_the_best_legal_path(scores: list[list[float]]) -> None:
    """No legal sequence of tags, tried one by one, has a higher sum of scores."""
    paths = product(range(5), repeat=len(scores))
    best = max(total(scores, path) for path in paths if is_legal(path))
    assert pytest.approx(best) == total(scores, tuple(AB.decode(scores)))


@given(score_rows(40))
def test_decoding_never_continues_what_did_not_begin(scores: list[list[float]]) -> None:
    """An I- follows the B- or I- of its label, whatever the scores."""
    path = AB.decode(scores)
    assert len(scores) == len(path)
    assert is_legal(tuple(path))


def test_decoding_gives_up_a_strong_tag_for_a_better_whole() -> None:
    """I-A alone scores highest at the second unit, but only B-A before it makes it legal."""
    scores = [[1.0, 0.5, 0.0, 0.0, 0.0], [0.0, 0.0, 5.0, 0.0, 0.0]]
    assert [B_A, I_A] == AB.decode(scores)


@given(score_rows(40))
def test_legal_tags_and_runs_say_the_same(scores: list[list[float]]) -> None:
    """Runs written as tags again are the decoded tags."""
    path = AB.decode(scores)
    written = [OUT] * len(path)
    for run in AB.runs(path):
        begin = 2 * run.label + 1
        written[run.first : run.stop] = [begin, *[begin + 1] * (run.stop - run.first - 1)]
    assert path == written


def test_a_stray_continuation_begins_a_run() -> None:
    """Tags from elsewhere, where an I- follows no B- of its label, still give spans."""
    assert [Run(0, 1, 0), Run(1, 3, 1)] == AB.runs([I_A, I_B, I_B, OUT])
