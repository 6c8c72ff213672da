"""Tag articles with a model, compare with what people annotated."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from presstag.errors import DataError
from presstag.evaluate.metrics import Scores, score_spans
from presstag.spans import Article, Span
from presstag.tags import TagScheme
from presstag.words import find_words


class TextTagger(Protocol):
    """Anything that finds the spans of texts, in order."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it may give."""

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """Find the spans of each text."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of it.

    Attributes:
        scores: strict, on characters.
        seqeval: seqeval's report over words, strict IOB2, by label and average; empty where there
            is no span at all.
        inexpressible: gold spans that begin or end inside a word; they count as missed above, and
            stand with the whole word in seqeval's figures.
        words_per_second: of tagging, words being what stands between blanks.
        predicted: the spans found, an article at a time.
    """

    scores: Scores
    seqeval: dict[str, dict[str, float]]
    inexpressible: int
    words_per_second: float
    predicted: list[list[Span]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it, without the spans."""
        return {
            **self.scores.to_dict(),
            "seqeval": self.seqeval,
            "inexpressible": self.inexpressible,
            "words_per_second": round(self.words_per_second),
        }


def evaluate(tagger: TextTagger, articles: Sequence[Article]) -> Evaluation:
    """Score a tagger on annotated articles.

    Raises:
        DataError: if there are no articles, or they have a label that the model does not know.
    """
    if not articles:
        raise DataError("evaluation", "no annotated articles to score on")
    known = set(tagger.labels)
    for article in articles:
        for span in article.spans:
            if span.label not in known:
                raise DataError(
                    f"article {article.id}",
                    f"label {span.label}, which the model does not know",
                    expected=", ".join(tagger.labels),
                    do="evaluate on data of the model's own scheme.",
                )
    begin = time.perf_counter()
    predicted = list(tagger.pipe(a.text for a in articles))
    seconds = time.perf_counter() - begin
    scores = score_spans((a.spans for a in articles), predicted, labels=tagger.labels)
    report, inexpressible = _seqeval(articles, predicted, TagScheme(tagger.labels))
    words = sum(len(a.text.split()) for a in articles)
    return Evaluation(scores, report, inexpressible, words / max(seconds, 1e-9), predicted)


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
