"""Scores of parts of the data: where the model is weak.

A slice of mentions holds gold and found spans of one kind, each by its own form, length or place:
recall is of its gold spans and precision of its found ones. A slice of articles holds all spans of
some articles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from presstag.evaluate.intervals import Bootstrap, Intervals, score_of
from presstag.evaluate.metrics import Score
from presstag.spans import Article, Span
from presstag.words import find_words

ENOUGH = 50
"""Gold spans that a slice must have to be named among the worst."""
_MOST_VALUES = 30
_PARTS = ("first third", "middle third", "last third")
OTHER, NONE = "other", "(none)"

Key = Callable[[int, Span], str]
"""The slice that a span of an article (by its number) belongs to."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the data with its strict score.

    Attributes:
        by: what the data was divided by, e.g. `form`, `span length`, `meta.voice`.
        value: which part this is.
        score: over all labels.
        intervals: of its figures.
        articles: how many have a gold or a found span in it.
    """

    by: str
    value: str
    score: Score
    intervals: Intervals
    articles: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {
            "by": self.by,
            "value": self.value,
            **self.score.to_dict(),
            "intervals": self.intervals.to_dict(),
            "articles": self.articles,
        }


def slice_scores(
    articles: Sequence[Article],
    found: Sequence[Sequence[Span]],
    *,
    bootstrap: Bootstrap,
    train: Iterable[Article] | None = None,
) -> list[Slice]:
    """Score every slice, the worst first; those with few gold spans come after the others.

    Divided by: form seen in train or not (whatever its case, under the same label), words in the
    span, words in the article (quartiles), part of the article that the span begins in, and each
    field of `meta` with few enough values.

    Args:
        articles: with their gold spans.
        found: the spans of each.
        bootstrap: of as many articles.
        train: what the model learned from; None leaves out seen and unseen.
    """
    slices = [
        made
        for by, key in slice_keys(articles, train=train).items()
        for made in _score(articles, found, bootstrap, by=by, key=key)
    ]
    return sorted(slices, key=lambda s: (s.score.gold < ENOUGH, s.score.f1, s.by, s.value))


def slice_keys(
    articles: Sequence[Article], *, train: Iterable[Article] | None = None
) -> dict[str, Key]:
    """What the data is divided by: for each way, the slice of a span of article number i."""
    keys: dict[str, Key] = {}
    if train is not None:
        keys["form"] = _by_form(train)
    keys["span length"] = lambda _, span: _length(span)
    keys["article length"] = _by_article(_by_length(articles))
    keys["part of article"] = lambda i, span: _PARTS[3 * span.start // len(articles[i].text)]
    for field, values in _meta_values(articles).items():
        keys[f"meta.{field}"] = _by_article(values)
    return keys


def _by_article(values: Sequence[str]) -> Key:
    return lambda i, _: values[i]


def _by_form(train: Iterable[Article]) -> Key:
    seen = {(s.label, s.text.casefold()) for a in train for s in a.spans}

    def key(_: int, span: Span) -> str:
        is_seen = (span.label, span.text.casefold()) in seen
        return "seen in train" if is_seen else "unseen in train"

    return key


def _length(span: Span) -> str:
    number = len(find_words(span.text))
    return "4 or more words" if number > 3 else f"{number} word{'s' if number > 1 else ''}"


def _by_length(articles: Sequence[Article]) -> list[str]:
    """Each article's quarter by words, what stands between blanks; equal lengths stay together."""
    words = [len(a.text.split()) for a in articles]
    bounds = sorted({int(b) for b in np.quantile(words, [0.25, 0.5, 0.75, 1.0], method="lower")})
    lows = [min(words), *(b + 1 for b in bounds[:-1])]
    quarters = np.searchsorted(bounds, words)
    return [f"{lows[q]}–{bounds[q]} words" for q in quarters]


def _meta_values(articles: Sequence[Article]) -> dict[str, list[str]]:
    """The fields of `meta` worth dividing by, with each article's value.

    Of a field with many values, the most frequent that two articles at least have keep their names
    and the rest are `other`; a field that has a value of its own for each article is passed over.
    """
    fields = dict.fromkeys(field for a in articles for field in a.meta)
    kept: dict[str, list[str]] = {}
    for field in fields:
        values = [_plain(a.meta.get(field)) for a in articles]
        counts = Counter(values)
        if len(counts) > _MOST_VALUES:
            named = [v for v, n in counts.most_common(_MOST_VALUES - 1) if n > 1]
            values = [v if v in named else OTHER for v in values]
            counts = Counter(values)
        if len(counts) > 1 and max(counts.values()) > 1:
            kept[field] = values
    return kept


def _plain(value: Any) -> str:
    if isinstance(value, str | int | float):
        return str(value).strip() or NONE
    return NONE if value is None else OTHER


def _score(
    articles: Sequence[Article],
    found: Sequence[Sequence[Span]],
    bootstrap: Bootstrap,
    *,
    by: str,
    key: Key,
) -> list[Slice]:
    cells: Counter[tuple[int, str, int]] = Counter()
    for i, (article, spans) in enumerate(zip(articles, found, strict=True)):
        gold = {s.key for s in article.spans}
        cells.update((i, key(i, s), 2) for s in article.spans)
        for span in spans:
            value = key(i, span)
            cells.update([(i, value, 1)] + ([(i, value, 0)] if span.key in gold else []))
    values = sorted({value for _, value, _ in cells})
    if not values:
        return []
    place = {value: j for j, value in enumerate(values)}
    counts = np.zeros((len(articles), len(values), 3))
    for (i, value, which), number in cells.items():
        counts[i, place[value], which] = number
    return [
        Slice(by, value, score_of(counts[:, j]), own, int(counts[:, j].any(axis=1).sum()))
        for j, (value, own) in enumerate(zip(values, bootstrap.intervals(counts), strict=True))
    ]
