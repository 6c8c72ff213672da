from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presstag.evaluate.compare import Comparison, compare_found, correct_holm
from presstag.evaluate.metrics import score_spans
from presstag.spans import Article, Span

LABELS = ("DONOR", "SYSTEM", "CITY")
Found = list[list[Span]]


def news(number: int, *, seed: int = 0) -> list[Article]:
    """Articles of 40 letters with a span of one letter at each tenth, of both labels."""
    draw = random.Random(seed)
    return [
        Article(
            str(n),
            "x" * 40,
            tuple(Span(at, at + 1, draw.choice(LABELS[:2]), "x") for at in range(0, 40, 10)),
        )
        for n in range(number)
    ]


def finds(articles: list[Article], share: float, *, seed: int) -> Found:
    """A model that finds each span with a chance, and as often one beside it."""
    draw = random.Random(seed)
    return [
        [
            s if draw.random() < share else Span(s.start + 2, s.start + 3, s.label, "x")
            for s in article.spans
        ]
        for article in articles
    ]


def compare(articles: list[Article], a: list[Found], b: list[Found]) -> Comparison:
    return compare_found(articles, a, b, labels=LABELS, swaps=2_000)


def test_a_much_better_model_is_better() -> None:
    """In all and by label, with strict scoring's figures; a label that nobody has is left out."""
    articles = news(60)
    a, b = finds(articles, 0.6, seed=1), finds(articles, 0.9, seed=2)
    found = compare(articles, [a], [b])
    assert "B" == found.better
    assert "A" == compare(articles, [b], [a]).better
    gold = [x.spans for x in articles]
    for row in (found.micro, *found.labels):
        one, other = (score_spans(gold, f, labels=LABELS) for f in (a, b))
        names = {"micro": (one.micro, other.micro)}
        own = names.get(row.name) or (one.labels[row.name], other.labels[row.name])
        assert [s.f1 for s in own] == pytest.approx([row.a, row.b])
        assert own[0].gold == row.gold
        assert row.interval.low < row.difference < row.interval.high
        assert row.certain
    assert ["DONOR", "SYSTEM"] == [row.name for row in found.labels]


def test_two_models_of_the_same_quality_cannot_be_told_apart() -> None:
    """Their difference is chance."""
    articles = news(60)
    found = compare(articles, [finds(articles, 0.8, seed=1)], [finds(articles, 0.8, seed=3)])
    assert found.better is None
    assert found.micro.interval.low < 0 < found.micro.interval.high


def test_the_same_output_differs_in_nothing() -> None:
    """No difference, and a p of one."""
    articles = news(5)
    a = finds(articles, 0.5, seed=1)
    micro = compare(articles, [a], [a]).micro
    assert (0.0, 1.0, False) == (micro.difference, micro.p, micro.certain)


def test_one_article_tells_nothing() -> None:
    """Its swap is the mirror of what was observed."""
    (article,) = articles = news(1)
    found = compare(articles, [[[]]], [[list(article.spans)]])
    assert (1.0, 1.0) == (found.micro.difference, found.micro.p)
    assert found.better is None


def test_a_group_counts_with_its_mean() -> None:
    """Two members, one of which finds all and the other nothing: F1 of the mean counts."""
    articles = news(8)
    everything: Found = [list(a.spans) for a in articles]
    nothing: Found = [[] for _ in articles]
    found = compare(articles, [everything, nothing], [everything])
    assert (2 / 3, 1.0) == pytest.approx((found.micro.a, found.micro.b))
    assert (2, 1) == found.members
    assert 32 == found.micro.gold


def test_of_pure_chance_about_one_in_twenty_looks_certain() -> None:
    """The rate of false alarms of the randomisation test, over 200 comparisons of equals."""
    alarms = 0
    for seed in range(200):
        articles = news(30, seed=seed)
        a, b = (finds(articles, 0.7, seed=1000 * n + seed) for n in (1, 2))
        alarms += compare_found(articles, [a], [b], labels=LABELS, swaps=400).micro.p < 0.05
    assert 0.01 <= alarms / 200 <= 0.09


def test_holm_is_as_in_the_paper() -> None:
    """By hand: times 3, 2 and 1 from the smallest on, and never falling."""
    assert [0.03, 0.06, 0.06] == pytest.approx(correct_holm([0.01, 0.04, 0.03]))
    assert [1.0, 1.0] == correct_holm([0.7, 0.9])
    assert [] == correct_holm([])


@given(st.lists(st.floats(0, 1), max_size=6))
def test_holm_lies_between_no_correction_and_bonferroni_s(p: list[float]) -> None:
    """And keeps the order."""
    corrected = correct_holm(p)
    assert all(a <= b <= min(1.0, len(p) * a) for a, b in zip(p, corrected, strict=True))
    assert sorted(corrected) == [c for _, c in sorted(zip(p, corrected, strict=True))]
