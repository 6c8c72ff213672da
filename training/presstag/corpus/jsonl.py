"""One JSON object a line: `{"id", "text", "spans": [{"start", "end", "label"}], "meta"}`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from presstag.corpus.findings import Corpus, Finding, unique_ids
from presstag.errors import DataError
from presstag.spans import Article, Span, flatten


def read_records(
    records: Iterable[Any], *, source: str, labels: Collection[str] | None = None
) -> Corpus:
    """Read articles from parsed lines.

    Raises:
        DataError: if a record is no article.
    """
    articles: list[Article] = []
    findings: list[Finding] = []
    for number, record in enumerate(records, start=1):
        spans = record.get("spans", []) if isinstance(record, Mapping) else None
        if spans is None or not isinstance(record.get("text"), str) or not isinstance(spans, list):
            raise DataError(
                f"{source}, record {number}",
                f"{record!r:.80}",
                expected='{"text": "…", "spans": [{"start": 0, "end": 4, "label": "…"}]}',
            )
        text, name = record["text"], record.get("id")
        name = f"#{number}" if name is None else str(name)
        read: list[Span] = []
        for i, entry in enumerate(spans, start=1):
            result = _read_span(entry, text, labels)
            if isinstance(result, Span):
                read.append(result)
            else:
                findings.append(Finding(result[0], "rejected", name, result[1], f"span {i}"))
        kept, left_out = flatten(read)
        findings += [
            Finding("duplicate", "repaired", name, f"{span} stands twice; one is kept")
            if span.key == rival.key
            else Finding("overlap", "rejected", name, f"{span} overlaps {rival}, which is kept")
            for span, rival in left_out
        ]
        meta = record.get("meta")
        meta = dict(meta) if isinstance(meta, Mapping) else {}
        articles.append(Article(name, text, tuple(kept), meta))
    return Corpus(tuple(unique_ids(articles, findings)), tuple(findings))


def _read_span(  # noqa: PLR0911 - one return a fault
    entry: Any, text: str, labels: Collection[str] | None
) -> Span | tuple[str, str]:
    """The span, or the kind and message of why there is none."""
    if not isinstance(entry, Mapping):
        return "span", f"{entry!r:.60}; expected an object with start, end and label"
    start, end, label = entry.get("start"), entry.get("end"), entry.get("label")
    if type(start) is not int or type(end) is not int or not isinstance(label, str):
        return "span", f"start {start!r}, end {end!r}, label {label!r}"
    where = f"{label} {start}–{end}"
    if labels is not None and label not in labels:
        return "unknown-label", f"{where}: label {label} is not among the scheme's"
    if start >= end:
        return "reversed", f"{where}: it ends before it begins, or holds nothing"
    if start < 0 or end > len(text):
        return "past-end", f"{where} lies outside the text of {len(text)} code points"
    words = text[start:end]
    if "text" in entry and entry["text"] != words:
        return "other-text", f"{where} is {words!r:.60} but says {entry['text']!r:.60}"
    if words != words.strip():
        return "blank", f"{where} {words!r:.60} has blanks at its edge"
    return Span(start, end, label, words)


def to_record(article: Article) -> dict[str, Any]:
    """Write an article as one record."""
    return {
        "id": article.id,
        "text": article.text,
        "spans": [span.to_dict() for span in article.spans],
        "meta": dict(article.meta),
    }
