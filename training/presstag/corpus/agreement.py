"""How far annotators who worked independently agree, and where they do not.

Two figures a label. Span F1: of the spans of two annotators, those that both set with the same
start, end and label (the same for both sides, so that nobody is the reference: Hripcsak and
Rothschild 2005).
Krippendorff's alpha (Krippendorff 2011, nominal): over the words of the articles, how much less
annotators differ than chance would have them; 1 is full agreement, 0 is chance.

An annotation marked as ground truth is the outcome of adjudication, not a pass of its own: it is
left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations, permutations
from typing import Any, Literal

from presstag.corpus.findings import Annotation, Corpus
from presstag.spans import Article, Span
from presstag.tags import OUTSIDE, TagScheme
from presstag.words import find_words


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """Of one label, or of all: spans set by both and by either side of each pair of annotators.

    Attributes:
        both: spans that both set.
        first, second: spans that each set.
        alpha: Krippendorff's, over words; None where nobody used the label.
    """

    both: int
    first: int
    second: int
    alpha: float | None

    @property
    def f1(self) -> float:
        """Strict span F1 between the annotators; 1 where neither set a span."""
        together = self.first + self.second
        return 2 * self.both / together if together else 1.0

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {"f1": round(self.f1, 4), **asdict(self)}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A span that one of two annotators set and the other did not.

    Attributes:
        kind: `label` (the other has the same words under another label), `edges` (the other has a
            span that overlaps it), or `only` (the other has nothing there).
        rival: what the other has there.
    """

    article: str
    kind: Literal["label", "edges", "only"]
    annotator: str
    other: str
    span: Span
    rival: Span | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        rival = self.rival.to_dict() if self.rival else None
        return {**asdict(self), "span": self.span.to_dict(), "rival": rival}


@dataclass(frozen=True, slots=True)
class Agreement:
    """The outcome: by label and together, over the articles that several people annotated."""

    articles: int
    overall: LabelAgreement
    labels: Mapping[str, LabelAgreement]
    disagreements: Sequence[Disagreement]

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {
            "articles": self.articles,
            "overall": self.overall.to_dict(),
            "labels": {label: found.to_dict() for label, found in self.labels.items()},
            "disagreements": [d.to_dict() for d in self.disagreements],
        }


def measure_agreement(corpora: Iterable[Corpus]) -> Agreement:
    """Compare the annotators of every article that has several, each with each."""
    passes: list[tuple[Article, list[Annotation]]] = []
    for corpus in corpora:
        for article in corpus.articles:
            own = [a for a in corpus.annotations.get(article.id, ()) if not a.ground_truth]
            if len(own) > 1:
                passes.append((article, own))
    pairs = [(a, one, other) for a, own in passes for one, other in combinations(own, 2)]
    labels = sorted({s.label for _, own in passes for a in own for s in a.spans})
    words = [_words_labels(article, own) for article, own in passes]
    units = [unit for rows in words for unit in zip(*rows, strict=True)]
    by_label = {
        label: _count(pairs, label, alpha([[x == label for x in unit] for unit in units]))
        for label in labels
    }
    disagreements = [d for a, one, other in pairs for d in _differences(a, one, other)]
    return Agreement(len(passes), _count(pairs, None, alpha(units)), by_label, disagreements)


def alpha(units: Iterable[Sequence[object]]) -> float | None:
    """Krippendorff's alpha for nominal data.

    Args:
        units: the values that annotators gave to each unit, in any order; a unit with one
            value cannot be compared and is passed over.

    Returns:
        At most 1; None where all values are the same, so that there is nothing to agree about.
    """
    coincidences: dict[int, Counter[tuple[object, object]]] = {}
    for unit in units:
        if len(unit) > 1:
            coincidences.setdefault(len(unit), Counter()).update(permutations(unit, 2))
    totals: dict[object, float] = {}
    differ = 0.0
    for size, pairs in coincidences.items():
        for (one, other), n in pairs.items():
            totals[one] = totals.get(one, 0.0) + n / (size - 1)
            differ += n / (size - 1) if one != other else 0.0
    everything = sum(totals.values())
    expected = everything**2 - sum(n**2 for n in totals.values())
    return 1 - (everything - 1) * differ / expected if expected else None


def _words_labels(article: Article, annotations: Sequence[Annotation]) -> list[list[str | None]]:
    """A row for each annotator: the label of each word of the article, None outside spans."""
    scheme = TagScheme(tuple(dict.fromkeys(s.label for a in annotations for s in a.spans)))
    words = find_words(article.text)
    tagged = (scheme.encode(a.spans, words)[0] for a in annotations)
    return [
        [None if tag == OUTSIDE else scheme.labels[(tag - 1) // 2] for tag in tags]
        for tags in tagged
    ]


def _count(
    pairs: Sequence[tuple[Article, Annotation, Annotation]],
    label: str | None,
    alpha_: float | None,
) -> LabelAgreement:
    both = first = second = 0
    for _, one, other in pairs:
        ones, others = (
            {s.key for s in a.spans if label is None or s.label == label} for a in (one, other)
        )
        both += len(ones & others)
        first += len(ones)
        second += len(others)
    return LabelAgreement(both, first, second, alpha_)


def _differences(article: Article, one: Annotation, other: Annotation) -> list[Disagreement]:
    found: list[Disagreement] = []
    for mine, theirs in ((one, other), (other, one)):
        keys = {s.key for s in theirs.spans}
        for span in mine.spans:
            if span.key not in keys:
                rival = next(
                    (s for s in theirs.spans if s.start < span.end and span.start < s.end), None
                )
                same = rival is not None and (rival.start, rival.end) == (span.start, span.end)
                kind: Literal["label", "edges", "only"] = (
                    "only" if rival is None else "label" if same else "edges"
                )
                found.append(
                    Disagreement(article.id, kind, mine.annotator, theirs.annotator, span, rival)
                )
    return sorted(found, key=lambda d: (d.span.start, d.span.end))
