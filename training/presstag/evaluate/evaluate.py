"""Tag articles with a model, compare with what people annotated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from presstag.errors import ModelError
from presstag.evaluate.intervals import Bootstrap, ScoreIntervals, count_spans, score_intervals
from presstag.evaluate.metrics import Scores, score_spans
from presstag.evaluate.on_words import WordScore, score_on_words
from presstag.evaluate.tagging import Tagged, TextTagger, check_labels, tag_articles
from presstag.spans import Article, Span


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of it.

    Attributes:
        scores: strict, on characters.
        intervals: of the strict scores, by resampling articles.
        on_words: seqeval's scores, strict IOB2, by label and average; none where there is no span.
        inexpressible: gold spans that begin or end inside a word; they count as missed above, and
            stand with the whole word in seqeval's figures.
        words_per_second: of tagging, words being what stands between blanks.
        predicted: the spans found, an article at a time.
    """

    scores: Scores
    intervals: ScoreIntervals
    on_words: dict[str, WordScore]
    inexpressible: int
    words_per_second: float
    predicted: list[list[Span]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it, without the spans."""
        return {
            **self.scores.to_dict(),
            "intervals": self.intervals.to_dict(),
            "seqeval": {name: score.to_dict() for name, score in self.on_words.items()},
            "inexpressible": self.inexpressible,
            "words_per_second": round(self.words_per_second),
        }


def evaluate(tagger: TextTagger, articles: Sequence[Article]) -> Evaluation:
    """Score a tagger on annotated articles.

    Raises:
        DataError: if there are no articles, or they have a label that the model does not know.
        ModelError: if the model fails on an article.
    """
    check_labels(tagger.labels, articles, do="evaluate on data of the model's own scheme.")
    tagged = tag_articles(tagger, articles)
    for failure in tagged.failures:
        raise ModelError(f"article {failure.article}", f"the model fails: {failure.reason}")
    bootstrap = Bootstrap.draw(len(articles))
    return evaluate_tagged(tagged, labels=tagger.labels, bootstrap=bootstrap)


def evaluate_tagged(tagged: Tagged, *, labels: Sequence[str], bootstrap: Bootstrap) -> Evaluation:
    """Score what was found; `bootstrap` is of as many articles."""
    gold = [a.spans for a in tagged.articles]
    on_words, inexpressible = score_on_words(
        tagged.articles, tagged.found, labels=labels, bootstrap=bootstrap
    )
    return Evaluation(
        scores=score_spans(gold, tagged.found, labels=labels),
        intervals=score_intervals(
            bootstrap, count_spans(gold, tagged.found, labels=labels), labels=labels
        ),
        on_words=on_words,
        inexpressible=inexpressible,
        words_per_second=tagged.words_per_second,
        predicted=tagged.found,
    )
