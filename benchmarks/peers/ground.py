"""What contenders have in common: the articles they learn from, and what they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from presstag.evaluate.tagging import TextTagger
from presstag.spans import Article, Span
from presstag.tags import TagScheme
from presstag.words import find_words

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ground:
    """The labels, what is learned from, and what chooses settings and weights; never test."""

    labels: tuple[str, ...]
    train: Sequence[Article]
    dev: Sequence[Article]

    @property
    def scheme(self) -> TagScheme:
        """The BIO tags of the labels."""
        return TagScheme(self.labels)


class Learn(Protocol):
    """Trains a contender."""

    def __call__(
        self, ground: Ground, settings: Settings, *, seed: int, folder: Path
    ) -> TextTagger:
        """Train with these settings; `folder` is empty, and thrown away with the tagger."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to tag articles.

    Attributes:
        name: for the command line and the rows.
        title: for the table.
        learn: trains it.
        settings: what it starts from.
        tried: by setting, the values tried on dev, one setting after another.
        seeded: whether chance has a part in it.
        needs: the packages that it takes beside presstag's own, by module.
    """

    name: str
    title: str
    learn: Learn
    settings: Settings = field(default_factory=dict)
    tried: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    seeded: bool = True
    needs: Mapping[str, str] = field(default_factory=dict)


def tag_words(article: Article, scheme: TagScheme) -> tuple[list[tuple[int, int]], list[int]]:
    """An article's words and their tags, as a data set in words has them."""
    words = find_words(article.text)
    return words, scheme.encode(article.spans, words)[0]


def word_spans(
    text: str, words: Sequence[tuple[int, int]], tags: Sequence[int], scheme: TagScheme
) -> list[Span]:
    """The spans that the tags of words draw, in characters."""
    found: list[Span] = []
    for run in scheme.runs(tags):
        start, end = words[run.first][0], words[run.stop - 1][1]
        found.append(Span(start, end, scheme.labels[run.label], text[start:end]))
    return found
