"""Agreement between annotators."""

from __future__ import annotations

import pytest

from presstag.corpus import Annotation, Corpus
from presstag.corpus.agreement import alpha, measure_agreement
from presstag.spans import Article, Span

TEXT = "Belgium and Norway sent 12 boats to Odesa."


def spans(*found):
    return tuple(
        Span(at := TEXT.index(words), at + len(words), label, words) for label, words in found
    )


def corpus(*annotations):
    return Corpus((Article("a1", TEXT, annotations[-1].spans),), (), {"a1": annotations})


def test_alpha_is_that_of_the_published_example():
    """Nominal alpha of Krippendorff's example with four observers and gaps is 0.743."""
    gap = None
    observers = (
        (1, 2, 3, 3, 2, 1, 4, 1, 2, gap, gap, gap),
        (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, gap, 3),
        (gap, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, gap),
        (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, gap),
    )
    units = [[x for x in unit if x is not gap] for unit in zip(*observers, strict=True)]
    assert pytest.approx(0.743, abs=0.0005) == alpha(units)


def test_alpha_says_nothing_where_all_is_one_value():
    """Without variation there is nothing to agree about."""
    assert alpha([("x", "x"), ("x", "x")]) is None


def test_equal_passes_agree_fully():
    """Two annotators who set the same spans have F1 and alpha 1, and no disagreement."""
    both = spans(("DONOR", "Belgium"), ("SYSTEM", "boats"))
    agreement = measure_agreement([corpus(Annotation("1", both), Annotation("2", both))])
    assert (1, 1.0, 1.0) == (agreement.articles, agreement.overall.f1, agreement.overall.alpha)
    assert [] == list(agreement.disagreements)


def test_each_difference_is_listed_with_what_the_other_has():
    """A missing span, other edges and another label are told apart."""
    one = Annotation("1", spans(("DONOR", "Belgium"), ("SYSTEM", "12 boats"), ("DONOR", "Odesa")))
    other = Annotation("2", spans(("SYSTEM", "boats"), ("LOCATION", "Odesa")))
    found = measure_agreement([corpus(one, other)]).disagreements
    listed = [(d.kind, d.annotator, d.span.text, d.rival and d.rival.text) for d in found]
    assert [
        ("only", "1", "Belgium", None),
        ("edges", "1", "12 boats", "boats"),
        ("edges", "2", "boats", "12 boats"),
        ("label", "1", "Odesa", "Odesa"),
        ("label", "2", "Odesa", "Odesa"),
    ] == listed


def test_figures_are_counted_by_label():
    """F1 of a label is twice the common spans by the spans of both sides."""
    one = Annotation("1", spans(("DONOR", "Belgium"), ("DONOR", "Norway")))
    other = Annotation("2", spans(("DONOR", "Belgium"), ("LOCATION", "Odesa")))
    agreement = measure_agreement([corpus(one, other)])
    assert (1, 2, 1) == (
        agreement.labels["DONOR"].both,
        agreement.labels["DONOR"].first,
        agreement.labels["DONOR"].second,
    )
    assert pytest.approx(2 / 3) == agreement.labels["DONOR"].f1
    assert 0.0 == agreement.labels["LOCATION"].f1
    assert 0.5 == agreement.overall.f1


def test_adjudication_is_no_pass():
    """An annotation marked as ground truth is not compared, and one pass alone is no pair."""
    pass_, truth = (
        Annotation("1", ()),
        Annotation("2", spans(("DONOR", "Norway")), ground_truth=True),
    )
    assert 0 == measure_agreement([corpus(pass_, truth)]).articles


def test_three_annotators_are_compared_in_pairs():
    """Each annotator meets each other once."""
    agreed = spans(("DONOR", "Norway"))
    agreement = measure_agreement([corpus(*(Annotation(n, agreed) for n in "123"))])
    assert (3, 3, 3) == (
        agreement.overall.both,
        agreement.overall.first,
        agreement.overall.second,
    )
