"""Articles that are copies, versions or syndicated forms of each other.

Two articles are alike by the share of word 5-grams that the shorter one has in common with the
other (containment: Broder 1997), counted exactly. Case, punctuation and line breaks do not count.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from presstag.spans import Article

ALIKE = 0.5
_CROWD = 200
_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"(?<=[.!?…][\"'”’»)\]])\s+|(?<=[.!?…])\s+|\n+")
SENTENCE = 6
"""Words that a sentence has at least to count as somebody's: shorter ones repeat by chance."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two articles by their position, and the share of the shorter one's 5-grams in both."""

    first: int
    second: int
    share: float


def similar_pairs(articles: Sequence[Article], *, alike: float = ALIKE) -> list[Pair]:
    """Find the pairs that share at least `alike` of their word 5-grams.

    Where a 5-gram stands in more than 200 articles, it counts between the first of them and each
    other, so that the cost stays linear and copies of one text are found all the same.
    """
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    sizes: list[int] = []
    for i, article in enumerate(articles):
        grams = _grams(article.text)
        sizes.append(len(grams))
        for gram in grams:
            holders[gram].append(i)
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for crowd in holders.values():
        if len(crowd) > 1:
            for a, first in enumerate(crowd if len(crowd) <= _CROWD else crowd[:1]):
                for second in crowd[a + 1 :]:
                    shared[first, second] += 1
    found = (Pair(a, b, n / min(sizes[a], sizes[b])) for (a, b), n in shared.items())
    return sorted((p for p in found if p.share >= alike), key=lambda p: (-p.share, p.first))


class Versions:
    """Articles met so far, and whether another one is a version of one of them."""

    def __init__(self, articles: Iterable[Article] = ()) -> None:
        self._met: list[Article] = []
        self._sizes: list[int] = []
        self._holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for article in articles:
            self.add(article)

    def add(self, article: Article) -> None:
        """Meet an article."""
        grams = _grams(article.text)
        for gram in grams:
            self._holders[gram].append(len(self._met))
        self._met.append(article)
        self._sizes.append(len(grams))

    def find(self, article: Article, *, alike: float = ALIKE) -> Article | None:
        """The article met that shares most word 5-grams with this one, if it shares `alike`."""
        grams = _grams(article.text)
        shared = Counter(i for gram in grams for i in self._holders.get(gram, ()))
        shares = ((n / min(self._sizes[i], len(grams)), -i) for i, n in shared.items())
        share, place = max(shares, default=(0.0, 0))
        return self._met[-place] if share >= alike and shared else None


def _grams(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    if len(words) < 5:
        return {tuple(words)} if words else set()
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


def shared_sentences(articles: Sequence[Article]) -> list[tuple[str, list[int]]]:
    """Find the sentences, or lines, of six words and more that stand in several articles.

    Case, punctuation and white space do not count.

    Returns:
        Each with the positions of its articles, in the order of the articles.
    """
    holders: dict[str, list[int]] = defaultdict(list)
    for i, article in enumerate(articles):
        words = (_WORD.findall(s.casefold()) for s in _SENTENCE_END.split(article.text))
        for sentence in dict.fromkeys(" ".join(w) for w in words if len(w) >= SENTENCE):
            holders[sentence].append(i)
    return [(sentence, where) for sentence, where in holders.items() if len(where) > 1]
