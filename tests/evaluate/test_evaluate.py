from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest

from presstag import DataError, ModelError
from presstag.evaluate.evaluate import evaluate
from presstag.evaluate.metrics import Score
from presstag.spans import Article, Span


@dataclass
class Oracle:
    """A tagger that gives what it is told: any callable from texts to spans can be judged."""

    answers: dict[str, list[Span]]
    labels: tuple[str, ...] = ("DONOR", "SYSTEM")
    asked: list[str] = field(default_factory=list)

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        for text in texts:
            self.asked.append(text)
            yield self.answers.get(text, [])


def gold(articles: Iterable[Article]) -> dict[str, list[Span]]:
    return {a.text: list(a.spans) for a in articles}


def test_gold_against_itself_is_perfect(articles: list[Article]) -> None:
    """By every measure."""
    evaluation = evaluate(Oracle(gold(articles)), articles)
    assert Score(13, 13, 13) == evaluation.scores.micro
    assert 1.0 == evaluation.scores.macro
    assert {1.0} == {row.f1 for row in evaluation.on_words.values()}
    assert 0 == evaluation.inexpressible
    assert [list(a.spans) for a in articles] == evaluation.predicted


def test_each_article_is_tagged_once_and_in_order(articles: list[Article]) -> None:
    """What is measured is one pass."""
    oracle = Oracle({})
    assert evaluate(oracle, articles).words_per_second > 0
    assert [a.text for a in articles] == oracle.asked


def test_finding_nothing_scores_nothing(articles: list[Article]) -> None:
    """Zero, not an error."""
    evaluation = evaluate(Oracle({}), articles)
    assert Score(0, 0, 13) == evaluation.scores.micro
    assert 0.0 == evaluation.on_words["micro avg"].recall


@pytest.mark.parametrize("text", ["Nobody gave anything.", "", " \n"])
def test_articles_without_spans_can_be_scored(text: str) -> None:
    """Nothing to find and nothing found: counts of zero, and an empty report."""
    evaluation = evaluate(Oracle({}), [Article("a", text)])
    assert Score(0, 0, 0) == evaluation.scores.micro
    assert {} == evaluation.on_words


def test_false_finds_where_there_is_no_gold_are_counted() -> None:
    """An article without spans still costs precision."""
    article = Article("a", "Norway pays.")
    found = {article.text: [Span(0, 6, "DONOR", "Norway", 0.9)]}
    assert Score(0, 1, 0) == evaluate(Oracle(found), [article]).scores.micro


def test_every_score_has_its_interval(articles: list[Article]) -> None:
    """Labels, micro and macro; thirteen spans all found are still too few to be sure."""
    intervals = evaluate(Oracle(gold(articles)), articles).intervals
    assert ["DONOR", "SYSTEM"] == list(intervals.labels)
    for own in (intervals.micro, intervals.macro, *intervals.labels.values()):
        assert 1.0 == own.f1.high
        assert own.f1.low < 1.0
    assert intervals.micro.f1.wide


def test_a_model_that_fails_is_named_with_the_article(articles: list[Article]) -> None:
    """Where all articles are to be scored, one that fails ends it."""
    bad = articles[2].text

    class Failing(Oracle):
        def pipe(self, texts: Iterable[str]) -> Iterator[list[Span]]:
            for text in texts:
                if text == bad:
                    raise RuntimeError("no memory\nat 0x1")
                yield []

    with pytest.raises(ModelError, match=r"RuntimeError: no memory$") as caught:
        evaluate(Failing({}), articles)
    assert f"article {articles[2].id}" == caught.value.where


def test_gold_that_no_tags_express_counts_as_missed() -> None:
    """A model that tags whole words cannot find it, and is not let off."""
    article = Article("a", "Norwegians pay.", (Span(0, 6, "DONOR", "Norweg"),))
    nearest = {article.text: [Span(0, 10, "DONOR", "Norwegians", 0.9)]}
    evaluation = evaluate(Oracle(nearest), [article])
    assert Score(0, 1, 1) == evaluation.scores.micro
    assert 1 == evaluation.inexpressible
    assert 1.0 == evaluation.on_words["DONOR"].recall


def test_a_gold_label_that_the_model_does_not_know_is_refused() -> None:
    """It could only be missed: the article and the labels are named."""
    article = Article("x", "Oslo.", (Span(0, 4, "CITY", "Oslo"),))
    with pytest.raises(DataError) as caught:
        evaluate(Oracle({}), [article])
    assert ("article x", "DONOR, SYSTEM") == (caught.value.where, caught.value.expected)
    assert "CITY" in caught.value.found


def test_no_articles_are_refused() -> None:
    """No score is better than a score of nothing."""
    with pytest.raises(DataError, match="no annotated articles"):
        evaluate(Oracle({}), [])


def test_an_evaluation_is_written_without_its_spans(articles: list[Article]) -> None:
    """Figures only: articles may not be ours to copy."""
    written = evaluate(Oracle(gold(articles)), articles).to_dict()
    assert {
        "micro",
        "macro_f1",
        "macro_precision",
        "macro_recall",
        "intervals",
        "labels",
        "articles",
        "seqeval",
        "inexpressible",
        "words_per_second",
    } == set(written)
