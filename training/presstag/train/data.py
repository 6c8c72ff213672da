"""The articles of a run: read, and refused with the reason if they do not fit it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from presstag.corpus import Corpus, Finding, read_corpus
from presstag.corpus.files import digest_corpus
from presstag.errors import DataError
from presstag.spans import Article
from presstag.train.config import DataSection
from presstag.writing import write_json_lines


@dataclass(frozen=True, slots=True)
class RunData:
    """A run's articles by split, what the reader rejected, and the files' SHA-256."""

    splits: Mapping[str, tuple[Article, ...]]
    rejected: tuple[tuple[str, Finding], ...]
    digests: Mapping[str, str]


def load_data(section: DataSection) -> RunData:
    """Read the splits of a run.

    Raises:
        DataError: if a file cannot be read, has a label that the config does not, is empty, or if
            train has no span of a label.
    """
    paths = {"train": section.train, "dev": section.dev, "test": section.test}
    files = {split: Path(path) for split, path in paths.items() if path is not None}
    corpora = {split: read_corpus(path) for split, path in files.items()}
    for split, corpus in corpora.items():
        _check_labels(corpus, files[split], section)
        if not corpus.articles:
            met = ", ".join(
                f"{n} × {k}" for k, n in Counter(f.kind for f in corpus.findings).items()
            )
            raise DataError(
                f"{files[split]} (data.{split})",
                f"no annotated article in it{f' ({met})' if met else ''}",
                expected="at least one task with an annotation",
            )
    ignored = set(section.ignore_labels)
    splits = {
        split: tuple(_without(a, ignored) for a in corpus.articles)
        for split, corpus in corpora.items()
    }
    learned = {s.label for a in splits["train"] for s in a.spans}
    if missing := [label for label in section.labels if label not in learned]:
        raise DataError(
            f"{section.train} (data.train)",
            f"no span of {', '.join(missing)}",
            expected="a span of every label in data.labels",
            do="annotate some, or take the label out of data.labels.",
        )
    rejected = tuple((split, f) for split, corpus in corpora.items() for f in corpus.rejected)
    return RunData(splits, rejected, {split: digest_corpus(path) for split, path in files.items()})


def _check_labels(corpus: Corpus, path: Path, section: DataSection) -> None:
    known = {*section.labels, *section.ignore_labels}
    strange: Counter[str] = Counter()
    first: dict[str, str] = {}
    for article in corpus.articles:
        for span in article.spans:
            if span.label not in known:
                strange[span.label] += 1
                first.setdefault(span.label, article.id)
    if strange:
        listed = "; ".join(
            f"{label} ({n} times, first in article {first[label]})" for label, n in strange.items()
        )
        raise DataError(
            str(path),
            f"labels that the config does not have: {listed}",
            expected=f"data.labels: {', '.join(section.labels)}",
            do="add them to data.labels, or to data.ignore_labels.",
        )


def _without(article: Article, ignored: set[str]) -> Article:
    kept = tuple(s for s in article.spans if s.label not in ignored)
    return Article(article.id, article.text, kept, article.meta)


def write_rejected(rejected: tuple[tuple[str, Finding], ...], path: Path) -> None:
    """List what the reader rejected, one JSON object a line; no file where there is nothing."""
    if rejected:
        write_json_lines(path, ({"split": s, **f.to_dict()} for s, f in rejected))
    else:
        path.unlink(missing_ok=True)
