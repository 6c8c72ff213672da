"""What a reader brings back: the articles, and a note of all that it did not take as it was."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from presstag.spans import Article, Span

Action = Literal["rejected", "repaired", "noted"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a reader met and did not take as it was.

    Attributes:
        kind: a short name for what it is, e.g. `past-end`; the same fault has the same kind.
        action: `rejected` (a region or a task is not in the articles), `repaired` (it is, after a
            change) or `noted` (nothing was lost: what was met carries no spans).
        article: id of the article or task.
        message: what was found and what was done, for a person.
        region: id of the region or place in the article, where there is one.
    """

    kind: str
    action: Action
    article: str
    message: str
    region: str | None = None

    def to_dict(self) -> dict[str, str | None]:
        """As JSON writes it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotator's spans of one article, and when they were last changed (ISO 8601)."""

    annotator: str
    spans: tuple[Span, ...]
    ground_truth: bool = False
    updated: str = ""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Articles in the order of their file.

    Attributes:
        articles: each with the spans of the annotation chosen for it.
        findings: what was rejected, repaired or noted while reading.
        annotations: every annotator's spans by article id, the chosen one's included.
    """

    articles: tuple[Article, ...]
    findings: tuple[Finding, ...] = ()
    annotations: Mapping[str, tuple[Annotation, ...]] = field(default_factory=dict)

    @property
    def rejected(self) -> tuple[Finding, ...]:
        """The findings that cost a region or a task."""
        return tuple(f for f in self.findings if f.action == "rejected")


def keep_known(article: Article, labels: Collection[str] | None) -> tuple[Article, list[Finding]]:
    """Reject the spans whose label is not among `labels`; None takes every label."""
    if labels is None:
        return article, []
    known = tuple(s for s in article.spans if s.label in labels)
    return replace(article, spans=known), [
        Finding("unknown-label", "rejected", article.id, f"{s.text!r:.60}: label {s.label}")
        for s in article.spans
        if s.label not in labels
    ]


def unique_ids(articles: list[Article], findings: list[Finding]) -> list[Article]:
    """Give each article an id of its own: a repeated `x` becomes `x#2`, and that is noted."""
    taken = {article.id for article in articles}
    seen: dict[str, int] = {}
    renamed: list[Article] = []
    for article in articles:
        seen[article.id] = seen.get(article.id, 0) + 1
        if seen[article.id] == 1:
            renamed.append(article)
        else:
            while (new := f"{article.id}#{seen[article.id]}") in taken:
                seen[article.id] += 1
            taken.add(new)
            findings.append(
                Finding(
                    "duplicate-id",
                    "repaired",
                    article.id,
                    f"another article has this id; this one is now {new}",
                )
            )
            renamed.append(replace(article, id=new))
    return renamed
