from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presstag.evaluate.errors import KINDS, NOTHING, Surface, Verdict, count_errors, give_verdicts
from presstag.evaluate.metrics import score_spans
from presstag.spans import Span

LABELS = ("DONOR", "SYSTEM")
TEXT = "abcdefghijklmnopqrstuvwxyz"


def span(start: int, end: int, label: str = "DONOR") -> Span:
    return Span(start, end, label, TEXT[start:end])


@pytest.mark.parametrize(
    ("gold", "found", "kinds"),
    [
        ([], [], []),
        ([(2, 5)], [(2, 5)], ["right"]),
        ([(2, 5)], [], ["missed"]),
        ([], [(2, 5)], ["spurious"]),
        ([(2, 5)], [(5, 7)], ["missed", "spurious"]),
        ([(2, 5)], [(2, 5, "SYSTEM")], ["wrong label"]),
        ([(2, 5)], [(1, 5, "SYSTEM")], ["wrong label"]),
        ([(2, 5)], [(2, 4)], ["too short"]),
        ([(2, 5)], [(2, 6)], ["too long"]),
        ([(2, 5)], [(3, 6)], ["too short"]),
        ([(2, 5)], [(3, 9)], ["too long"]),
        ([(2, 8)], [(2, 4), (5, 8)], ["split"]),
        ([(2, 8)], [(2, 4), (5, 8, "SYSTEM")], ["split"]),
        ([(2, 4), (5, 8)], [(2, 8)], ["merged"]),
        ([(2, 4), (5, 8)], [(2, 4), (4, 8)], ["right", "too long"]),
    ],
)
def test_each_kind(gold: list[tuple], found: list[tuple], kinds: list[str]) -> None:
    """As the table at the head of the module says."""
    verdicts = give_verdicts([span(*g) for g in gold], [span(*f) for f in found])
    assert kinds == [v.kind for v in verdicts]


@pytest.mark.parametrize(
    ("gold", "found", "expected"),
    [
        # The middle overlap is the shortest: two pairs.
        ([(0, 4), (5, 10)], [(0, 6), (6, 10)], [("too long", 1, 1), ("too short", 1, 1)]),
        # It is longer than its neighbours, but of different labels.
        (
            [(0, 3), (3, 10, "SYSTEM")],
            [(1, 7), (7, 9, "SYSTEM")],
            [("too long", 1, 1), ("too short", 1, 1)],
        ),
        # The last overlap is the shortest: its found span stands alone.
        ([(0, 8), (9, 14)], [(0, 12), (13, 20)], [("merged", 2, 1), ("spurious", 0, 1)]),
    ],
)
def test_a_chain_is_cut_at_its_weakest_overlap(
    gold: list[tuple], found: list[tuple], expected: list[tuple]
) -> None:
    """Different labels first, then the fewest characters, then the first."""
    verdicts = give_verdicts([span(*g) for g in gold], [span(*f) for f in found])
    assert expected == [(v.kind, len(v.gold), len(v.found)) for v in verdicts]


def test_tables_count_verdicts_pairs_and_surfaces() -> None:
    """By hand: one right, one merged pair, one of another label, one missed twice."""
    verdicts = [
        *give_verdicts([span(0, 2), span(3, 5), span(6, 9)], [span(0, 2), span(3, 9)]),
        *give_verdicts([span(0, 2), span(4, 6)], [span(0, 2, "SYSTEM")]),
        *give_verdicts([span(4, 6)], [span(8, 9, "SYSTEM")]),
    ]
    tables = count_errors(verdicts, labels=LABELS)
    assert list(KINDS) == list(tables.kinds["DONOR"])
    counted = {kind: n for kind, n in tables.kinds["DONOR"].items() if n}
    assert {"right": 1, "missed": 2, "wrong label": 1, "merged": 1} == counted
    assert 1 == tables.kinds["SYSTEM"]["spurious"]
    assert {"DONOR": 2, "SYSTEM": 1, NOTHING: 3} == tables.confusion["DONOR"]
    assert {"DONOR": 0, "SYSTEM": 1, NOTHING: 0} == tables.confusion[NOTHING]
    assert (Surface("ef", "DONOR", 2),) == tables.surfaces["missed"]
    assert "right" not in tables.surfaces


def test_a_verdict_is_written_with_its_spans() -> None:
    """As the page and --json have them."""
    (verdict,) = give_verdicts([span(2, 5)], [])
    gold = [{"start": 2, "end": 5, "label": "DONOR", "text": "cde"}]
    assert {"kind": "missed", "gold": gold, "found": []} == verdict.to_dict()


@st.composite
def flat_spans(draw: st.DrawFn) -> list[Span]:
    spans: list[Span] = []
    at = 0
    while at < 20:
        length = draw(st.integers(1, 6))
        label = draw(st.sampled_from(["", *LABELS]))
        if label:
            spans.append(span(at, at + length, label))
        at += length
    return spans


def of(verdicts: list[Verdict], side: str) -> list[Span]:
    return sorted((s for v in verdicts for s in getattr(v, side)), key=lambda s: s.start)


@settings(deadline=None, max_examples=300)
@given(gold=flat_spans(), found=flat_spans())
def test_every_span_has_one_verdict_and_the_tables_add_up(
    gold: list[Span], found: list[Span]
) -> None:
    """No span is lost or counted twice; what is right is what strict scoring counts."""
    verdicts = give_verdicts(gold, found)
    assert gold == of(verdicts, "gold")
    assert found == of(verdicts, "found")
    for v in verdicts:
        assert min(len(v.gold), len(v.found)) < 2
        assert all(any(g.start < f.end and f.start < g.end for f in v.found) for g in v.gold) or (
            v.kind == "missed"
        )
    tables = count_errors(verdicts, labels=LABELS)
    strict = score_spans([gold], [found], labels=LABELS)
    for label in LABELS:
        score = strict.labels[label]
        assert score.correct == tables.kinds[label]["right"]
        assert score.gold == sum(tables.confusion[label].values())
        assert score.predicted == sum(row[label] for row in tables.confusion.values())
    assert len(verdicts) == sum(sum(row.values()) for row in tables.kinds.values())
