"""Everything that `presstag evaluate` prints and its page shows, in one call."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from presstag.errors import DataError
from presstag.evaluate.baseline import make_dictionary
from presstag.evaluate.errors import ErrorTables, Verdict, count_errors, give_verdicts
from presstag.evaluate.evaluate import Evaluation, evaluate_tagged
from presstag.evaluate.intervals import Bootstrap, ScoreIntervals, count_spans, score_intervals
from presstag.evaluate.metrics import Scores, score_spans
from presstag.evaluate.semeval import SemEval, score_semeval
from presstag.evaluate.slices import Slice, slice_scores
from presstag.evaluate.tagging import (
    Failure,
    TextTagger,
    check_articles,
    check_labels,
    keep_labels,
    labels_without_gold,
    tag_articles,
)
from presstag.spans import Article

_COMMON = "score the labels that both have with --common-labels, or use data of the model's scheme."


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the dictionary of train's forms scores on the same articles."""

    scores: Scores
    intervals: ScoreIntervals
    forms: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {
            **self.scores.to_dict(),
            "intervals": self.intervals.to_dict(),
            "forms": self.forms,
        }


@dataclass(frozen=True, slots=True)
class Judgement:
    """A model on annotated articles.

    Attributes:
        articles: those that were scored, with the gold spans that count.
        labels: those that were scored, in the model's order.
        evaluation: strict scores with intervals, seqeval's report, speed, and the spans found.
        semeval: scores that forgive.
        verdicts: what became of each span, an article at a time.
        errors: the verdicts counted.
        slices: the worst first.
        baseline: None where train is not known.
        without_gold: labels of the model that no gold span has.
        left_out: spans, gold and found, of labels that were not scored, by label.
        failures: articles that the model could not tag; they are not scored.
        seconds: that judging took beyond tagging.
    """

    articles: tuple[Article, ...]
    labels: tuple[str, ...]
    evaluation: Evaluation
    semeval: SemEval
    verdicts: tuple[tuple[Verdict, ...], ...]
    errors: ErrorTables
    slices: tuple[Slice, ...]
    baseline: Baseline | None
    without_gold: tuple[str, ...]
    left_out: dict[str, int]
    failures: tuple[Failure, ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it: all figures, and every wrong span with its article."""
        return {
            **self.evaluation.to_dict(),
            "semeval": self.semeval.to_dict(),
            "errors": self.errors.to_dict(),
            "slices": [s.to_dict() for s in self.slices],
            "dictionary": self.baseline.to_dict() if self.baseline else None,
            "labels_without_gold": list(self.without_gold),
            "left_out": self.left_out,
            "failed": [f.to_dict() for f in self.failures],
            "wrong": [
                {"article": article.id, **verdict.to_dict()}
                for article, verdicts in zip(self.articles, self.verdicts, strict=True)
                for verdict in verdicts
                if verdict.kind != "right"
            ],
        }


def judge(
    tagger: TextTagger,
    articles: Sequence[Article],
    *,
    train: Sequence[Article] | None = None,
    common_labels: bool = False,
    seed: int = 0,
) -> Judgement:
    """Tag annotated articles and judge what was found in every way.

    Args:
        tagger: the model.
        articles: with their gold spans.
        train: what it learned from; None leaves out the dictionary and seen and unseen forms.
        common_labels: score only the labels that both the model and the articles have.
        seed: of the resamples.

    Raises:
        DataError: if there are no articles, they have a label that the model does not know and
            `common_labels` is not set, or it is and there is no common label.
        ModelError: if the model fails on every article.
    """
    labels = scored_labels([tagger], articles, common_labels=common_labels)
    everything = tag_articles(tagger, articles)
    begin = time.perf_counter()
    tagged = keep_labels(everything, labels)
    bootstrap = Bootstrap.draw(len(tagged.articles), seed=seed)
    gold = [a.spans for a in tagged.articles]
    verdicts = tuple(tuple(give_verdicts(*p)) for p in zip(gold, tagged.found, strict=True))
    strange = Counter(
        span.label
        for article, found in zip(everything.articles, everything.found, strict=True)
        for span in (*article.spans, *found)
        if span.label not in labels
    )
    return Judgement(
        articles=tagged.articles,
        labels=labels,
        evaluation=evaluate_tagged(tagged, labels=labels, bootstrap=bootstrap),
        semeval=score_semeval(gold, tagged.found, labels=labels, bootstrap=bootstrap),
        verdicts=verdicts,
        errors=count_errors((v for some in verdicts for v in some), labels=labels),
        slices=tuple(slice_scores(tagged.articles, tagged.found, bootstrap=bootstrap, train=train)),
        baseline=_look_up(tagged.articles, train, labels, bootstrap),
        without_gold=tuple(labels_without_gold(tagger.labels, articles)),
        left_out=dict(strange),
        failures=tagged.failures,
        seconds=time.perf_counter() - begin,
    )


def scored_labels(
    taggers: Sequence[TextTagger], articles: Sequence[Article], *, common_labels: bool
) -> tuple[str, ...]:
    """The labels to score: the model's, or those that all models and the articles have.

    Raises:
        DataError: as `judge` does; with several models, also if their labels differ.
    """
    first = taggers[0].labels
    if not common_labels:
        check_labels(first, articles, do=_COMMON)
        for other in taggers[1:]:
            if differing := sorted(set(first) ^ set(other.labels)):
                raise DataError(
                    "the models",
                    f"only some know {', '.join(differing)}",
                    expected="models of the same labels",
                    do="compare them on the labels that all have with --common-labels.",
                )
        return first
    annotated = {span.label for article in articles for span in article.spans}
    check_articles(articles)
    common = tuple(
        label for label in first if label in annotated and all(label in t.labels for t in taggers)
    )
    if not common:
        raise DataError(
            "the labels of the data",
            ", ".join(sorted(annotated)) or "none",
            expected=f"at least one of {', '.join(first)}",
            do="use data of the model's own scheme.",
        )
    return common


def _look_up(
    articles: Sequence[Article],
    train: Sequence[Article] | None,
    labels: Sequence[str],
    bootstrap: Bootstrap,
) -> Baseline | None:
    if train is None:
        return None
    dictionary = make_dictionary(train, labels=labels)
    found = list(dictionary.pipe(a.text for a in articles))
    gold = [a.spans for a in articles]
    counts = count_spans(gold, found, labels=labels)
    return Baseline(
        score_spans(gold, found, labels=labels),
        score_intervals(bootstrap, counts, labels=labels),
        len(dictionary.forms),
    )
