"""Tag articles with a model, compare with what people annotated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from presstag.errors import ModelError
from presstag.evaluate.intervals import Bootstrap, ScoreIntervals, count_spans, score_intervals
from presstag.evaluate.metrics import Scores, score_spans
from presstag.evaluate.tagging import Tagged, TextTagger, check_labels, tag_articles
from presstag.spans import Article, Span
from presstag.tags import TagScheme
from presstag.words import find_words


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of it.

    Attributes:
        scores: strict, on characters.
        intervals: of the strict scores, by resampling articles.
        seqeval: seqeval's report over words, strict IOB2, by label and average; empty where there
            is no span at all.
        inexpressible: gold spans that begin or end inside a word; they count as missed above, and
            stand with the whole word in seqeval's figures.
        words_per_second: of tagging, words being what stands between blanks.
        predicted: the spans found, an article at a time.
    """

    scores: Scores
    intervals: ScoreIntervals
    seqeval: dict[str, dict[str, float]]
    inexpressible: int
    words_per_second: float
    predicted: list[list[Span]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it, without the spans."""
        return {
            **self.scores.to_dict(),
            "intervals": self.intervals.to_dict(),
            "seqeval": self.seqeval,
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
    report, inexpressible = _seqeval(tagged.articles, tagged.found, TagScheme(tuple(labels)))
    return Evaluation(
        scores=score_spans(gold, tagged.found, labels=labels),
        intervals=score_intervals(
            bootstrap, count_spans(gold, tagged.found, labels=labels), labels=labels
        ),
        seqeval=report,
        inexpressible=inexpressible,
        words_per_second=tagged.words_per_second,
        predicted=tagged.found,
    )


def _seqeval(
    articles: Sequence[Article], predicted: Sequence[Sequence[Span]], scheme: TagScheme
) -> tuple[dict[str, dict[str, float]], int]:
    from seqeval.metrics import classification_report  # noqa: PLC0415 - brings scikit-learn
    from seqeval.scheme import IOB2  # noqa: PLC0415

    sequences: tuple[list[list[str]], list[list[str]]] = ([], [])
    inexpressible = 0
    for article, found in zip(articles, predicted, strict=True):
        words = find_words(article.text)
        gold_tags, inexact = scheme.encode(article.spans, words)
        found_tags, _ = scheme.encode(found, words)
        inexpressible += len(inexact)
        for sequence, tags in zip(sequences, (gold_tags, found_tags), strict=True):
            sequence.append([scheme.tags[t] for t in tags])
    if all(tag == "O" for side in sequences for tags in side for tag in tags):
        return {}, inexpressible  # seqeval takes the mean of nothing, which is no number
    report: dict[str, dict[str, Any]] = classification_report(
        *sequences, mode="strict", scheme=IOB2, output_dict=True, zero_division=0
    )
    plain = {k: {m: round(float(x), 4) for m, x in v.items()} for k, v in report.items()}
    return plain, inexpressible
