"""Articles through a tagger, and whether its labels are those of the articles."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from presstag.errors import DataError, ModelError
from presstag.spans import Article, Span


class TextTagger(Protocol):
    """Anything that finds the spans of texts, in order."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it may give."""

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """Find the spans of each text: in order, none overlapping."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An article that a model could not tag, and what it said."""

    article: str
    reason: str

    def to_dict(self) -> dict[str, str]:
        """As JSON writes it."""
        return {"article": self.article, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Tagged:
    """What a tagger found.

    Attributes:
        articles: the articles that it could tag.
        found: the spans of each of them.
        seconds: how long it took.
        failures: the other articles.
    """

    articles: tuple[Article, ...]
    found: list[list[Span]]
    seconds: float
    failures: tuple[Failure, ...] = ()

    @property
    def words_per_second(self) -> float:
        """Words being what stands between blanks."""
        return sum(len(a.text.split()) for a in self.articles) / max(self.seconds, 1e-9)


def tag_articles(tagger: TextTagger, articles: Sequence[Article]) -> Tagged:
    """Tag articles; if that fails, one by one, so that a bad one does not cost the others.

    Raises:
        ModelError: if not one of them can be tagged.
    """
    begin = time.perf_counter()
    try:
        found = list(tagger.pipe(a.text for a in articles))
    except Exception:  # noqa: BLE001 - a network raises what it likes; below it is named
        return _one_by_one(tagger, articles)
    return Tagged(tuple(articles), found, time.perf_counter() - begin)


def _one_by_one(tagger: TextTagger, articles: Sequence[Article]) -> Tagged:
    begin = time.perf_counter()
    tagged: list[Article] = []
    found: list[list[Span]] = []
    failures: list[Failure] = []
    for article in articles:
        try:
            (spans,) = tagger.pipe([article.text])
        except Exception as error:  # noqa: BLE001 - as above
            failures.append(Failure(article.id, _reason(error)))
        else:
            tagged.append(article)
            found.append(spans)
    if not tagged:
        raise ModelError(
            "tagging",
            f"the model fails on every article: {failures[0].reason}",
            do="export the model again.",
        )
    return Tagged(tuple(tagged), found, time.perf_counter() - begin, tuple(failures))


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]:.200}" if lines else type(error).__name__


def keep_labels(
    tagged: Tagged, labels: Collection[str], *, without: Collection[str] = ()
) -> Tagged:
    """Leave out the spans of other labels, gold and found, and the articles of some ids."""
    pairs = [p for p in zip(tagged.articles, tagged.found, strict=True) if p[0].id not in without]
    kept = [replace(a, spans=tuple(s for s in a.spans if s.label in labels)) for a, _ in pairs]
    found = [[s for s in spans if s.label in labels] for _, spans in pairs]
    return replace(tagged, articles=tuple(kept), found=found)


def check_articles(articles: Sequence[Article]) -> None:
    """Refuse to score nothing.

    Raises:
        DataError: if there are no articles.
    """
    if not articles:
        raise DataError("evaluation", "no annotated articles to score on")


def check_labels(known: Sequence[str], articles: Sequence[Article], *, do: str) -> None:
    """Refuse data that cannot be scored as it is.

    Args:
        known: the model's labels.
        articles: the data.
        do: what the user can do about strange labels.

    Raises:
        DataError: if there are no articles, or they have labels that the model does not know.
    """
    check_articles(articles)
    strange = [(s.label, a.id) for a in articles for s in a.spans if s.label not in known]
    if strange:
        raise DataError(
            f"article {strange[0][1]}",
            f"label {', '.join(dict(strange))}, which the model does not know",
            expected=", ".join(known),
            do=do,
        )


def labels_without_gold(known: Sequence[str], articles: Sequence[Article]) -> list[str]:
    """The model's labels that no gold span has: whatever is found of them counts as wrong."""
    annotated = {span.label for article in articles for span in article.spans}
    return [label for label in known if label not in annotated]
