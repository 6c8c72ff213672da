"""Articles that are copies, versions or syndicated forms of each other.

Two articles are alike by the share of word 5-grams that the shorter one has in common with the
other (containment: Broder 1997), counted exactly. Case, punctuation and line breaks do not count.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from presstag.spans import Article

ALIKE = 0.5
_CROWD = 200
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two articles by their position, and the share of the shorter one's 5-grams in both."""

    first: int
    second: int
    share: float


def similar_pairs(articles: Sequence[Article], *, alike: float = ALIKE) -> list[Pair]:
    """Find the pairs that share at least `alike` of their word 5-grams.

    A 5-gram that stands in more than 200 articles is page furniture and is passed over.
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
        if 1 < len(crowd) <= _CROWD:
            for a, first in enumerate(crowd):
                for second in crowd[a + 1 :]:
                    shared[first, second] += 1
    found = (Pair(a, b, n / min(sizes[a], sizes[b])) for (a, b), n in shared.items())
    return sorted((p for p in found if p.share >= alike), key=lambda p: (-p.share, p.first))


def _grams(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    if len(words) < 5:
        return {tuple(words)} if words else set()
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}
