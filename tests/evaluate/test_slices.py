from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from presstag.corpus.inline import read_marked
from presstag.evaluate.intervals import Bootstrap
from presstag.evaluate.metrics import Score
from presstag.evaluate.slices import ENOUGH, Slice, slice_keys, slice_scores
from presstag.spans import Article, Span


def marked(text: str, *, name: str = "a", meta: Mapping[str, object] | None = None) -> Article:
    return replace(read_marked(text, name=name, source="here"), meta=meta or {})


def scored(
    articles: list[Article], found: list[list[Span]], train: list[Article] | None = None
) -> list[Slice]:
    bootstrap = Bootstrap.draw(len(articles), rounds=50)
    return slice_scores(articles, found, bootstrap=bootstrap, train=train)


def by(slices: list[Slice], name: str) -> dict[str, Score]:
    return {s.value: s.score for s in slices if s.by == name}


def test_forms_are_seen_or_unseen_under_their_label_whatever_their_case() -> None:
    """Recall is of gold forms, precision of found ones."""
    train = [marked("{DONOR|Oman} {SYSTEM|radar}")]
    article = marked("{DONOR|OMAN} {DONOR|Chad} {SYSTEM|radar} Oman radar")
    gold = list(article.spans)
    found = [gold[0], Span(article.text.index("radar"), len("OMAN Chad radar"), "DONOR", "radar")]
    slices = by(scored([article], [found], train), "form")
    assert {"seen in train": Score(1, 1, 2), "unseen in train": Score(0, 1, 1)} == slices


def test_without_train_nothing_is_seen_or_unseen() -> None:
    """The other ways of dividing stay."""
    names = set(slice_keys([marked("{DONOR|Oman}")]))
    assert {"span length", "article length", "part of article"} == names


def test_spans_are_divided_by_their_words_and_place() -> None:
    """Four words or more are one slice; a span belongs where it begins."""
    article = marked("{DONOR|A} - - - - - - - {DONOR|B c} - - - - - - {DONOR|D e f g h}")
    slices = scored([article], [list(article.spans)])
    lengths = {"1 word", "2 words", "4 or more words"}
    assert lengths == set(by(slices, "span length"))
    places = {"first third", "middle third", "last third"}
    assert dict.fromkeys(places, Score(1, 1, 1)) == by(slices, "part of article")


def test_articles_are_divided_into_quarters_by_length() -> None:
    """Named by their words; equal lengths are one slice."""
    articles = [marked("{DONOR|Oman}" + " a" * n) for n in (0, 1, 2, 3, 4, 5, 6, 7)]
    found = [list(a.spans) for a in articles]
    expected = {"1–2 words", "3–4 words", "5–6 words", "7–8 words"}
    assert expected == set(by(scored(articles, found), "article length"))
    same = [articles[3]] * 5
    assert {"4–4 words": Score(5, 5, 5)} == by(scored(same, found[:5]), "article length")


def test_fields_of_meta_with_a_few_values_divide_the_articles() -> None:
    """One that is the same for all, or another for each, does not; what is missing is (none)."""
    metas = [
        {"voice": "agency", "id": "1", "lang": "en", "year": 2024},
        {"voice": "agency", "id": "2", "lang": "en", "year": 2024},
        {"voice": None, "id": "3", "lang": "en", "year": 2025},
        {"id": "4", "lang": "en", "year": [2025]},
    ]
    articles = [marked("{DONOR|Oman}", meta=m) for m in metas]
    slices = scored(articles, [list(articles[0].spans), [], [], []])
    fields = {s.by for s in slices if s.by.startswith("meta.")}
    assert {"meta.voice", "meta.year"} == fields
    assert {"agency": Score(1, 1, 2), "(none)": Score(0, 0, 2)} == by(slices, "meta.voice")
    assert {"2024", "2025", "other"} == set(by(slices, "meta.year"))


def test_of_a_field_with_many_values_the_rare_ones_go_together() -> None:
    """Sixty sources, of which two write more than one article."""
    sources = ["x", "x", "y", "y", *(str(n) for n in range(58))]
    articles = [marked("{DONOR|Oman}", meta={"source": s}) for s in sources]
    slices = by(scored(articles, [[] for _ in sources]), "meta.source")
    assert {"x": 2, "y": 2, "other": 58} == {value: s.gold for value, s in slices.items()}


def test_the_worst_come_first_and_small_ones_last() -> None:
    """A slice with few gold spans may be bad by chance."""
    many, few = marked("{DONOR|Oman} " * ENOUGH), marked("{DONOR|Oman man}")
    slices = scored([many, few], [list(many.spans), []])
    enough = [s.score.gold >= ENOUGH for s in slices]
    assert sorted(enough, reverse=True) == enough
    for size in (True, False):
        f1s = [s.score.f1 for s, large in zip(slices, enough, strict=True) if large is size]
        assert sorted(f1s) == f1s


@pytest.mark.parametrize("text", ["", "Nobody gave anything."])
def test_where_there_is_no_span_there_is_no_slice(text: str) -> None:
    """Nothing to score."""
    assert [] == scored([Article("a", text)], [[]])
