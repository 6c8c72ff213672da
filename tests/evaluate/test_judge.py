from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest

from presstag import DataError, ModelError
from presstag.corpus.inline import read_marked
from presstag.evaluate.baseline import make_dictionary
from presstag.evaluate.judge import judge
from presstag.evaluate.metrics import Score
from presstag.evaluate.tagging import Failure
from presstag.spans import Article, Span

LABELS = ("DONOR", "SYSTEM")


@dataclass
class Fragile:
    """A dictionary that fails on texts with a given word."""

    train: list[Article]
    word: str
    labels: tuple[str, ...] = LABELS

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        for text in texts:
            if self.word in text:
                raise ValueError
            yield from make_dictionary(self.train, labels=self.labels).pipe([text])


def marked(text: str, name: str = "x") -> Article:
    return read_marked(text, name=name, source="here")


def test_a_judgement_holds_every_figure_and_every_span(articles: list[Article]) -> None:
    """Of a dictionary of the first half, on all; it stands beside itself as the baseline."""
    train = articles[:3]
    judged = judge(make_dictionary(train, labels=LABELS), articles, train=train)
    assert judged.baseline
    assert judged.evaluation.scores == judged.baseline.scores
    assert judged.evaluation.scores.micro.correct == judged.semeval.micro["strict"].correct
    assert [list(a.spans) for a in articles] == [
        [s for v in verdicts for s in v.gold] for verdicts in judged.verdicts
    ]
    assert {"seen in train", "unseen in train"} == {
        s.value for s in judged.slices if s.by == "form"
    }
    written = json.loads(json.dumps(judged.to_dict()))
    assert judged.evaluation.scores.micro.f1 == pytest.approx(written["micro"]["f1"], abs=1e-4)
    kinds = [wrong["kind"] for wrong in written["wrong"]]
    assert "right" not in kinds
    assert "missed" in kinds


def test_judging_twice_gives_the_same_figures(articles: list[Article]) -> None:
    """Resamples are seeded."""
    one, again = (
        judge(make_dictionary(articles[:2], labels=LABELS), articles).to_dict() for _ in "ab"
    )
    for figures in (one, again):
        del figures["words_per_second"]
    assert one == again
    assert one["dictionary"] is None


def test_an_article_that_the_model_fails_on_is_named_and_the_rest_is_scored(
    articles: list[Article],
) -> None:
    """Each of the others once."""
    judged = judge(Fragile(articles, "Bergen"), articles)
    assert (Failure("Report-0-5", "ValueError"),) == judged.failures
    assert articles[:5] == list(judged.articles)
    assert 5 == judged.evaluation.scores.articles
    assert 11 == judged.evaluation.scores.micro.gold


def test_a_model_that_fails_on_every_article_is_refused(articles: list[Article]) -> None:
    """There is nothing to score."""
    with pytest.raises(ModelError, match="fails on every article: ValueError"):
        judge(Fragile(articles, "Report"), articles)


def test_labels_that_the_model_lacks_are_named_and_left_out_when_told_to() -> None:
    """All of them are named; gold and found spans of what is not shared do not count."""
    article = marked("{DONOR|Oman} sent {CITY|Oslo} {PORT|piers}.")
    model = make_dictionary([marked("{DONOR|Oman} {SYSTEM|sent}")], labels=LABELS)
    with pytest.raises(DataError, match="label CITY, PORT, which") as caught:
        judge(model, [article])
    assert "--common-labels" in caught.value.do
    judged = judge(model, [article], common_labels=True)
    assert (("DONOR",), Score(1, 1, 1)) == (judged.labels, judged.evaluation.scores.micro)
    assert {"CITY": 1, "PORT": 1, "SYSTEM": 1} == judged.left_out
    assert ("SYSTEM",) == judged.without_gold


def test_labels_that_the_data_lack_count_as_wrong_unless_told_otherwise() -> None:
    """A label may just not occur, so that it is no fault; it is known."""
    article = marked("{DONOR|Oman} sent.")
    model = make_dictionary([marked("{DONOR|Oman} {SYSTEM|sent}")], labels=LABELS)
    judged = judge(model, [article])
    assert (("SYSTEM",), Score(1, 2, 1)) == (judged.without_gold, judged.evaluation.scores.micro)
    assert {} == judged.left_out


def test_no_common_label_is_refused() -> None:
    """Both sides are named."""
    with pytest.raises(DataError, match="CITY") as caught:
        judge(make_dictionary([], labels=LABELS), [marked("{CITY|Oslo}")], common_labels=True)
    assert "at least one of DONOR, SYSTEM" == caught.value.expected


def test_data_without_gold_spans_can_be_judged() -> None:
    """Found spans are spurious; nothing found is no fault."""
    model = make_dictionary([marked("{DONOR|Oman}")], labels=LABELS)
    judged = judge(model, [Article("a", "Oman."), Article("b", "")])
    assert Score(0, 1, 0) == judged.evaluation.scores.micro
    assert 1 == judged.errors.kinds["DONOR"]["spurious"]
    nothing = judge(model, [Article("b", "")])
    assert {} == nothing.evaluation.on_words


@pytest.mark.parametrize("common", [False, True])
def test_no_articles_are_refused(*, common: bool) -> None:
    """No score is better than a score of nothing."""
    with pytest.raises(DataError, match="no annotated articles"):
        judge(make_dictionary([], labels=LABELS), [], common_labels=common)
