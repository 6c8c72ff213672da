from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest

from presstag import DataError
from presstag.evaluate.tagging import (
    Failure,
    check_labels,
    keep_labels,
    labels_without_gold,
    tag_articles,
)
from presstag.spans import Article, Span


@dataclass(frozen=True)
class FirstWord:
    """Finds the first word of a text; has no answer to a text without words."""

    labels: tuple[str, ...] = ("DONOR", "SYSTEM")

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        for text in texts:
            word = text.split()[0]
            yield [Span(0, len(word), "DONOR", word)]


def article(name: str, text: str, label: str = "DONOR") -> Article:
    return Article(name, text, (Span(0, 1, label, text[0]),) if text else ())


def test_all_articles_are_tagged_in_order() -> None:
    """And how fast, in words."""
    tagged = tag_articles(FirstWord(), [article("a", "One two."), article("b", "Three.")])
    assert [["One"], ["Three."]] == [[s.text for s in spans] for spans in tagged.found]
    assert () == tagged.failures
    assert 3 == pytest.approx(tagged.words_per_second * tagged.seconds)


def test_one_bad_article_does_not_cost_the_others() -> None:
    """It is named with what the model said."""
    given = [article("a", "One."), article("b", ""), article("c", "Two.")]
    tagged = tag_articles(FirstWord(), given)
    assert ["a", "c"] == [a.id for a in tagged.articles]
    assert [["One."], ["Two."]] == [[s.text for s in spans] for spans in tagged.found]
    assert (Failure("b", "IndexError: list index out of range"),) == tagged.failures


def test_labels_and_articles_can_be_left_out() -> None:
    """Of gold and found spans alike."""
    tagged = tag_articles(FirstWord(), [article("a", "One."), article("b", "Two.", "SYSTEM")])
    kept = keep_labels(tagged, ["SYSTEM"], without=["a"])
    assert ["b"] == [a.id for a in kept.articles]
    assert (1, [[]]) == (len(kept.articles[0].spans), kept.found)


def test_labels_of_either_side_alone_are_named() -> None:
    """Those that the model lacks are refused, those that the data lack are told."""
    articles = [article("a", "One."), article("b", "Two.", "CITY")]
    with pytest.raises(DataError, match="label CITY, which the model does not know") as caught:
        check_labels(["DONOR", "SYSTEM"], articles, do="mend it.")
    assert ("article b", "mend it.") == (caught.value.where, caught.value.do)
    assert ["SYSTEM"] == labels_without_gold(["DONOR", "SYSTEM"], articles)
