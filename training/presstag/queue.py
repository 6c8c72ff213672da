"""Which articles to annotate next: those where a model errs most for the words they cost.

A model says itself how many errors it expects in an article. Divided by what the article costs to
annotate, that is what an annotator's time returns (Haertel et al. 2008); without the division, as
Shen et al. (2017) found, long articles win by being long. Of articles that are alike, one teaches
nearly all that the others would: the more an article is like one chosen before it, the less it
counts (maximal marginal relevance, Carbonell and Goldstein 1998).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from presstag.corpus.similarity import Versions
from presstag.spans import Article, Span
from presstag.tagger import Tagger
from presstag.tokens import Floats, Ints, Tokens
from presstag.writing import without_surrogates

Strategy = Literal["uncertainty+diversity", "uncertainty", "random"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)

OPENING = 30
"""What an article costs besides its words, in words: a line of five words is no bargain."""

_Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a model expects to get wrong in an article.

    Attributes:
        words: of the article, by white space.
        wrong: how many of the spans found it expects to be wrong: the sum of 1 - score.
        missed: how many spans it expects to have overlooked: over the words outside the spans
            found, the sum of the probabilities that a span begins there.
        tokens: ids of the tokens in it, each once, rising.
        counts: how often each occurs.
    """

    words: int
    wrong: float
    missed: float
    tokens: Ints
    counts: Ints

    @property
    def score(self) -> float:
        """Expected errors for a hundred words of cost."""
        return 100 * (self.wrong + self.missed) / (self.words + OPENING)


@dataclass(frozen=True, slots=True)
class Choice:
    """An article to annotate.

    Attributes:
        position: among the articles given.
        article: the article.
        doubt: why; None where articles are drawn at random.
        nearest: the one chosen before it that it is most like; None if it is like none.
        likeness: how much, in 0 to 1: the cosine of the two as TF-IDF over the model's tokens.
    """

    position: int
    article: Article
    doubt: Doubt | None = None
    nearest: Article | None = None
    likeness: float = 0.0


@dataclass(frozen=True, slots=True)
class Queue:
    """The articles to annotate, the first one first.

    Attributes:
        chosen: as many as were asked for, or as there are.
        copies: each article that was its turn and was left out, with the one that it is a version
            of: a known article or one chosen before.
        blank: articles without a word, which are never chosen.
    """

    chosen: tuple[Choice, ...]
    copies: tuple[tuple[Article, Article], ...] = ()
    blank: tuple[Article, ...] = ()


def measure(tagger: Tagger, articles: Iterable[Article], *, at_once: int = 32) -> Iterator[Doubt]:
    """Ask a model what it doubts in each article, in order; `at_once` are tagged together."""
    rest = iter(articles)
    while some := list(islice(rest, at_once)):
        scored = tagger.score_units([a.text for a in some])
        for article, (tokens, scores) in zip(some, scored, strict=True):
            yield _doubt(article, tokens, scores, tagger.spans(article.text, tokens, scores))


def _doubt(article: Article, tokens: Tokens, scores: Floats, found: Sequence[Span]) -> Doubt:
    outside = np.ones(len(tokens.units), dtype=np.bool_)
    firsts = np.searchsorted(tokens.units[:, 1], [s.start for s in found], side="right")
    stops = np.searchsorted(tokens.units[:, 0], [s.end for s in found])
    for first, stop in zip(firsts, stops, strict=True):
        outside[first:stop] = False
    # Tag ids 1, 3, 5, … begin a span.
    missed = float(np.exp(scores[outside, 1::2], dtype=np.float64).sum())
    ids, counts = np.unique(tokens.ids, return_counts=True)
    wrong = sum(1.0 - (span.score or 0.0) for span in found)
    return Doubt(len(article.text.split()), wrong, missed, ids, counts)


def choose(
    articles: Sequence[Article],
    n: int,
    *,
    strategy: Strategy = "uncertainty+diversity",
    doubts: Sequence[Doubt] | None = None,
    seed: int = 0,
    known: Iterable[Article] = (),
) -> Queue:
    """Choose what to annotate next. The order of the articles does not matter.

    Versions of a known article or of one chosen before are left out: those that share half of the
    shorter one's word 5-grams with it.

    Args:
        articles: those that may be chosen.
        n: how many; fewer are chosen where there are no more.
        strategy: `uncertainty` takes the highest score first; `uncertainty+diversity` the highest
            product of the score and of 1 - likeness to the nearest one chosen before; `random`
            draws.
        doubts: as `measure` gives them for the articles; `random` needs none.
        seed: of the draw, and of the order of articles that come to the same.
        known: articles annotated already, or queued.

    Raises:
        ValueError: if the strategy needs doubts and there is not one an article.
    """
    given = () if strategy == "random" or doubts is None else doubts
    if strategy != "random" and len(given) != len(articles):
        raise ValueError(f"{len(given)} doubts for {len(articles)} articles")
    drawn = sorted(range(len(articles)), key=lambda i: _lot(articles[i], seed))
    order = [i for i in drawn if articles[i].text.strip()]
    chosen, copies = _take(
        [articles[i] for i in order],
        n,
        doubts=[given[i] for i in order] if given else [],
        diverse=strategy == "uncertainty+diversity",
        versions=Versions(known),
    )
    return Queue(
        tuple(replace(choice, position=order[choice.position]) for choice in chosen),
        tuple(copies),
        tuple(a for a in articles if not a.text.strip()),
    )


def _take(
    articles: Sequence[Article],
    n: int,
    *,
    doubts: Sequence[Doubt],
    diverse: bool,
    versions: Versions,
) -> tuple[list[Choice], list[tuple[Article, Article]]]:
    """Take one article after another: what is chosen, and the copies met on the way."""
    worth = np.array([d.score for d in doubts] or [1.0] * len(articles))
    near = _Nearest(doubts) if doubts else None
    left = np.ones(len(articles), dtype=np.bool_)
    chosen: list[Choice] = []
    copies: list[tuple[Article, Article]] = []
    while len(chosen) < n and left.any():
        counts = worth * (1 - near.likeness) if near and diverse else worth
        at = int(np.argmax(np.where(left, counts, -1.0)))
        left[at] = False
        article = articles[at]
        if (original := versions.find(article)) is not None:
            copies.append((article, original))
            continue
        versions.add(article)
        if near:
            likeness, number = float(near.likeness[at]), int(near.number[at])
            nearest = chosen[number].article if likeness else None
            near.choose(at, len(chosen))
            chosen.append(Choice(at, article, doubts[at], nearest, likeness))
        else:
            chosen.append(Choice(at, article))
    return chosen, copies


def _lot(article: Article, seed: int) -> bytes:
    name = f"{seed}:{article.id}:{article.text}"
    return hashlib.sha256(without_surrogates(name).encode()).digest()


class _Nearest:
    """For each article the chosen one that it is most like, while they are chosen.

    Attributes:
        likeness: to the nearest one chosen, in 0 to 1; 0 at first.
        number: which one that is.
    """

    def __init__(self, doubts: Sequence[Doubt]) -> None:
        """Weigh each token by 1 + log its count, times how rare it is among the articles."""
        size = len(doubts)
        self.likeness: _Doubles = np.zeros(size)
        self.number: Ints = np.full(size, -1)
        self._owner = np.repeat(np.arange(size), [len(d.tokens) for d in doubts])
        self._tokens = np.concatenate([d.tokens for d in doubts])
        counts = np.concatenate([d.counts for d in doubts])
        holders = np.bincount(self._tokens)
        weights = (1 + np.log(counts)) * np.log((size + 1) / np.maximum(holders, 1))[self._tokens]
        norms = np.sqrt(np.bincount(self._owner, weights**2, minlength=size))
        self._weights = weights / norms[self._owner]

    def choose(self, at: int, number: int) -> None:
        """Article `at` is chosen as number `number`."""
        own = slice(*np.searchsorted(self._owner, (at, at + 1)))
        row = np.zeros(int(self._tokens.max(initial=0)) + 1)
        row[self._tokens[own]] = self._weights[own]
        products = row[self._tokens] * self._weights
        cosine = np.bincount(self._owner, products, minlength=len(self.likeness))
        nearer = cosine > self.likeness
        self.number[nearer] = number
        self.likeness[nearer] = np.minimum(cosine[nearer], 1.0)
