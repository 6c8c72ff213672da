"""Divide a corpus into train, dev and test by article.

Articles that are versions of one story fall in one split, so that no test article was half seen in
training. The division follows from the ids and the seed alone, not from the order of the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from presstag.corpus.similarity import similar_pairs
from presstag.spans import Article

SPLITS = ("train", "dev", "test")


def split_articles(
    articles: Sequence[Article], *, dev: float, test: float, seed: int = 13
) -> dict[str, list[Article]]:
    """Divide articles into train, dev and test.

    Args:
        articles: all of them.
        dev: share of the articles for dev, between 0 and 1.
        test: share for test; together with `dev` below 1.
        seed: another seed gives another division.
    """
    if not (dev >= 0 and test >= 0 and dev + test < 1):
        raise ValueError(
            f"shares dev {dev} and test {test} must be at least 0 and below 1 together"
        )
    stories = _stories(articles)
    stories.sort(key=lambda story: _draw(articles[story[0]].id, seed))
    wanted = {"test": round(test * len(articles)), "dev": round(dev * len(articles))}
    chosen: dict[int, str] = {}
    for name, count in wanted.items():
        missing = count
        for story in reversed(stories):
            # A story much larger than what is missing would swell this split: it is passed over.
            if story[0] not in chosen and missing > 0 and len(story) <= 2 * missing:
                missing -= len(story)
                chosen.update(dict.fromkeys(story, name))
    divided: dict[str, list[Article]] = {split: [] for split in SPLITS}
    for i, article in enumerate(articles):
        divided[chosen.get(i, "train")].append(article)
    return divided


def _stories(articles: Sequence[Article]) -> list[list[int]]:
    """Positions of the articles, versions of one story together, led by the smallest id."""
    head = list(range(len(articles)))

    def leader(i: int) -> int:
        while head[i] != i:
            i = head[i]
        return i

    for pair in similar_pairs(articles):
        first, second = sorted(
            (leader(pair.first), leader(pair.second)), key=lambda i: articles[i].id
        )
        head[second] = first
    stories: dict[int, list[int]] = {}
    for i in sorted(range(len(articles)), key=lambda i: articles[i].id):
        stories.setdefault(leader(i), []).append(i)
    return list(stories.values())


def _draw(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()
