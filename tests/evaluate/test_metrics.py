from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB2

from presstag.evaluate.metrics import Score, score_spans
from presstag.spans import Span
from presstag.tags import TagScheme

LABELS = ("DONOR", "SYSTEM", "AID-KIND")


def span(start: int, end: int, label: str = "DONOR", score: float | None = None) -> Span:
    return Span(start, end, label, "x" * (end - start), score)


@pytest.mark.parametrize(
    ("counts", "precision", "recall", "f1"),
    [
        ((2, 4, 3), 1 / 2, 2 / 3, 4 / 7),
        ((3, 3, 3), 1.0, 1.0, 1.0),
        ((0, 5, 0), 0.0, 0.0, 0.0),
        ((0, 0, 5), 0.0, 0.0, 0.0),
        ((0, 0, 0), 0.0, 0.0, 0.0),
    ],
)
def test_figures_follow_from_counts(
    counts: tuple[int, int, int], precision: float, recall: float, f1: float
) -> None:
    """Worked out by hand; nothing is divided by zero."""
    score = Score(*counts)
    expected = (precision, recall, f1)
    assert expected == pytest.approx((score.precision, score.recall, score.f1))


@pytest.mark.parametrize(
    "found",
    [span(0, 5), span(1, 6), span(0, 7), span(0, 6, "SYSTEM"), span(2, 4)],
)
def test_a_span_counts_only_if_all_of_it_is_right(found: Span) -> None:
    """Nearly right is wrong twice: a miss and a false find."""
    scores = score_spans([[span(0, 6)]], [[found]], labels=LABELS)
    assert Score(0, 1, 1) == scores.micro


def test_spans_are_compared_within_their_article() -> None:
    """The same offsets in another article are another span."""
    scores = score_spans([[span(0, 6)], []], [[], [span(0, 6)]], labels=LABELS)
    assert Score(0, 1, 1) == scores.micro
    assert 2 == scores.articles


def test_scores_and_order_do_not_count() -> None:
    """A person's span has no score, and lists have no rank."""
    gold = [[span(0, 6), span(8, 9)]]
    found = [[span(8, 9, score=0.4), span(0, 6, score=0.9)]]
    assert 1.0 == score_spans(gold, found, labels=LABELS).micro.f1


def test_labels_are_counted_on_their_own_and_together() -> None:
    """By hand: DONOR 1 of 2 found and 1 false, SYSTEM 1 of 1, AID-KIND nowhere."""
    gold = [[span(0, 2), span(4, 6), span(8, 9, "SYSTEM")]]
    found = [[span(0, 2), span(4, 7), span(8, 9, "SYSTEM")]]
    scores = score_spans(gold, found, labels=LABELS)
    assert {"DONOR": Score(1, 2, 2), "SYSTEM": Score(1, 1, 1), "AID-KIND": Score(0, 0, 0)} == (
        scores.labels
    )
    assert Score(2, 3, 3) == scores.micro
    assert (0.5 + 1.0) / 2 == scores.macro


def test_a_label_that_is_not_asked_for_counts_in_micro_alone() -> None:
    """It is wrong all the same."""
    scores = score_spans([[span(0, 2)]], [[span(0, 2), span(4, 6, "CITY")]], labels=["DONOR"])
    assert ["DONOR"] == list(scores.labels)
    assert Score(1, 2, 1) == scores.micro


def test_one_side_may_not_have_more_articles() -> None:
    """An article that was not tagged would count as nothing found."""
    with pytest.raises(ValueError, match="shorter"):
        score_spans([[], []], [[]], labels=LABELS)


def test_scores_are_written_with_counts_and_rounded_figures() -> None:
    """As scores.json and the manifest hold them."""
    written = score_spans([[span(0, 2)] * 1], [[span(0, 2), span(3, 4), span(5, 6)]], labels=LABELS)
    assert {
        "precision": 0.3333,
        "recall": 1.0,
        "f1": 0.5,
        "correct": 1,
        "predicted": 3,
        "gold": 1,
    } == written.to_dict()["micro"]
    assert 0.5 == written.to_dict()["macro_f1"]


@st.composite
def span_sets(draw: st.DrawFn) -> list[list[Span]]:
    """Three articles of twelve words of one letter, each with flat spans of whole words."""
    sets: list[list[Span]] = []
    for _ in range(3):
        spans: list[Span] = []
        at = 0
        while at < 12:
            length = draw(st.integers(1, 3))
            label = draw(st.sampled_from(["", *LABELS]))
            if label and at + length <= 12:
                spans.append(span(2 * at, 2 * (at + length) - 1, label))
            at += length
        sets.append(spans)
    return sets


@settings(deadline=None)
@given(gold=span_sets(), found=span_sets())
def test_the_scores_are_seqeval_s(gold: list[list[Span]], found: list[list[Span]]) -> None:
    """Where every span is made of whole words, strict IOB2 of seqeval gives the same figures."""
    words = [(2 * i, 2 * i + 1) for i in range(12)]
    scheme = TagScheme(LABELS)
    sequences = [
        [[scheme.tags[t] for t in scheme.encode(spans, words)[0]] for spans in side]
        for side in (gold, found)
    ]
    if all(tag == "O" for side in sequences for sequence in side for tag in sequence):
        return  # seqeval has no answer to nothing
    options = {"mode": "strict", "scheme": IOB2, "zero_division": 0}
    scores = score_spans(gold, found, labels=LABELS)
    precision, recall, f1, support = precision_recall_fscore_support(
        *sequences, average="micro", **options
    )
    micro = scores.micro
    assert (precision, recall, f1, support) == pytest.approx(
        (micro.precision, micro.recall, micro.f1, micro.gold)
    )
    by_label = precision_recall_fscore_support(*sequences, average=None, **options)
    present = sorted(k for k, s in scores.labels.items() if s.gold or s.predicted)
    for label, *figures in zip(present, *by_label, strict=True):
        own = scores.labels[label]
        assert figures == pytest.approx([own.precision, own.recall, own.f1, own.gold])
