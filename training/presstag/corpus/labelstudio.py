"""Label Studio's JSON export to articles.

The export is a list of tasks, each with `data` (the text) and `annotations` (one an annotator, each
a list of regions). The server checks none of it, so every region is checked here; whatever cannot
be taken as it is becomes a `Finding`. Offsets count code points, as Label Studio stores
them; old exports count UTF-16 units and are recognised by the words that a region says it holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from presstag.corpus.findings import Action, Annotation, Corpus, Finding, unique_ids
from presstag.errors import DataError
from presstag.spans import Article, Span, flatten

Task = Mapping[str, Any]


def read_tasks(
    tasks: Iterable[Any],
    *,
    source: str,
    labels: Collection[str] | None = None,
    text_key: str = "text",
) -> Corpus:
    """Read the tasks of an export.

    A task becomes an article if someone annotated it, be it with nothing. Of several annotations
    the one marked as ground truth counts; of several or none so marked, the one updated last, else
    the one with the highest id, else the last. All are kept in `Corpus.annotations`, that one last.

    Args:
        tasks: the parsed JSON.
        source: what to call it in messages, usually the file.
        labels: the labels that count; None takes every label.
        text_key: the field of `data` that holds the text.

    Raises:
        DataError: if this is no Label Studio export in JSON.
    """
    reader = _Reader(labels=labels, text_key=text_key)
    for position, task in enumerate(tasks, start=1):
        if not isinstance(task, Mapping) or not isinstance(task.get("data"), Mapping):
            raise DataError(
                f"{source}, task {position}",
                _what_instead(task),
                expected='a Label Studio task: {"data": {"text": …}, "annotations": […]}',
                do="in Label Studio choose Export, then JSON.",
            )
        reader.read(task, position)
    articles = unique_ids(reader.articles, reader.findings)
    kept = dict(zip((a.id for a in articles), reader.annotations, strict=True))
    return Corpus(tuple(articles), tuple(reader.findings), kept)


def _what_instead(task: Any) -> str:
    if isinstance(task, Mapping) and {"annotation_id", "annotator"} & task.keys():
        return "a task of a JSON_MIN export, which loses scores, skipped tasks and annotators"
    if isinstance(task, Mapping):
        return f"an object with the keys {', '.join(map(str, list(task)[:6])) or '(none)'}"
    return f"a {type(task).__name__}"


@dataclass
class _Reader:
    labels: Collection[str] | None
    text_key: str
    articles: list[Article] = field(default_factory=list)
    annotations: list[tuple[Annotation, ...]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _article: str = ""

    def note(self, kind: str, action: Action, message: str, region: str | None = None) -> None:
        self.findings.append(Finding(kind, action, self._article, message, region))

    def read(self, task: Task, position: int) -> None:
        data: Mapping[str, Any] = task["data"]
        names = (data.get("id"), task.get("id"), f"#{position}")
        name = next(n for n in names if n is not None)
        self._article = str(name)
        text = data.get(self.text_key)
        if not isinstance(text, str):
            found = "missing" if text is None else f"a {type(text).__name__}: {text!r:.60}"
            self.note("text", "rejected", f"data.{self.text_key} is {found}; expected a string")
            return
        usable = self._usable_annotations(task)
        if not usable:
            return
        read = [self._read_annotation(a, text) for a in sorted(usable, key=_rank)]
        chosen = read[-1]
        if len(read) > 1:
            self.note(
                "several-annotators",
                "noted",
                f"{len(read)} annotations; that of annotator {chosen.annotator} counts",
            )
        extra = {k: v for k, v in data.items() if k not in {"id", self.text_key}}
        meta = task.get("meta")
        if isinstance(meta, Mapping):
            extra.update(meta)
        self.articles.append(Article(str(name), text, chosen.spans, extra))
        self.annotations.append(tuple(read))

    def _usable_annotations(self, task: Task) -> list[Task]:
        entries = task.get("annotations", task.get("completions")) or []
        if not isinstance(entries, list):
            self.note("annotations", "rejected", f"annotations are a {type(entries).__name__}")
            return []
        whole = [e for e in entries if isinstance(e, Mapping) and isinstance(e.get("result"), list)]
        if len(whole) < len(entries):
            lost = len(entries) - len(whole)
            self.note("annotations", "rejected", f"{lost} annotations have no list `result`")
        usable = [e for e in whole if not e.get("was_cancelled")]
        if whole and not usable:
            self.note("skipped", "noted", "the annotator skipped this task: no data")
        elif not entries:
            rest = [k for k in ("drafts", "predictions") if task.get(k)]
            only = f"only {' and '.join(rest)}" if rest else "no annotation"
            self.note("unannotated", "noted", f"{only}: no data")
        return usable

    def _read_annotation(self, annotation: Task, text: str) -> Annotation:
        regions = [r for r in annotation["result"] if self._is_region(r)]
        utf16 = _utf16_map(text) if _counts_utf16(regions, text) else None
        spans = [s for r in regions if (s := self._read_region(r, text, utf16)) is not None]
        kept, left_out = flatten(spans)
        for span, rival in left_out:
            if span.key == rival.key:
                self.note("duplicate", "repaired", f"{_show(span)} stands twice; one is kept")
            else:
                self.note(
                    "overlap",
                    "rejected",
                    f"{_show(span)} overlaps {_show(rival)}, which is kept "
                    "(the longer one, else the first)",
                )
        return Annotation(
            annotator=_annotator(annotation),
            spans=tuple(kept),
            ground_truth=bool(annotation.get("ground_truth")),
            updated=_updated(annotation),
        )

    def _is_region(self, region: Any) -> bool:
        if not isinstance(region, Mapping):
            self.note("region", "rejected", f"a region is a {type(region).__name__}")
            return False
        kind = region.get("type")
        if kind == "labels":
            return True
        name = str(region["id"]) if "id" in region else None
        if kind in ("hypertextlabels", "paragraphlabels"):
            message = f"a region of type {kind} counts within HTML elements, not in the text"
            self.note("other-type", "rejected", message, name)
        else:
            self.note("other-type", "noted", f"an entry of type {kind}: no span", name)
        return False

    def _read_region(self, region: Task, text: str, utf16: list[int] | None) -> Span | None:
        name = str(region.get("id", "?"))
        try:
            return self._span(region.get("value"), text, utf16, name)
        except _Rejected as rejected:
            self.note(rejected.kind, "rejected", str(rejected), name)
            return None

    def _span(self, value: Any, text: str, utf16: list[int] | None, name: str) -> Span:
        value = value if isinstance(value, Mapping) else {}
        start, end = value.get("start"), value.get("end")
        if type(start) is not int or type(end) is not int:
            raise _Rejected("offsets", f"offsets {start!r} to {end!r}; expected whole numbers")
        label = self._label(value.get("labels"), f"{start}–{end}", name)
        where = f"{label} {start}–{end}"
        if start >= end:
            raise _Rejected("reversed", f"{where}: it ends before it begins, or holds nothing")
        if utf16 is not None and 0 <= start < end < len(utf16):
            start, end = utf16[start], utf16[end]
            if where != f"{label} {start}–{end}":
                message = f"{where} counts UTF-16 units; it is {start}–{end}"
                self.note("utf16", "repaired", message, name)
        if start < 0 or end > len(text):
            message = f"{where} lies outside the text of {len(text)} code points"
            raise _Rejected("past-end", message)
        words, says = text[start:end], value.get("text")
        if isinstance(says, str) and _bare(says) != _bare(words):
            raise _Rejected("other-text", f"{where} is {words!r:.60} but says {says!r:.60}")
        left, right = start + len(words) - len(words.lstrip()), start + len(words.rstrip())
        if left >= right:
            raise _Rejected("blank", f"{where} holds only white space")
        if (left, right) != (start, end):
            message = f"{where} {words!r:.60} is now {left}–{right}: blanks trimmed"
            self.note("trimmed", "repaired", message, name)
        return Span(left, right, label, text[left:right])

    def _label(self, labels: Any, where: str, name: str) -> str:
        if (
            not isinstance(labels, list)
            or not labels
            or not all(isinstance(x, str) for x in labels)
        ):
            raise _Rejected("no-label", f"{where}: labels are {labels!r:.60}")
        known = [str(x) for x in labels if self.labels is None or x in self.labels]
        if not known:
            listed = ", ".join(labels)
            raise _Rejected("unknown-label", f"{where}: label {listed} is not among the scheme's")
        if len(known) > 1:
            message = f"{where} has the labels {', '.join(known)}; a span has one"
            raise _Rejected("several-labels", message)
        if len(labels) > 1:
            message = f"{where} has the labels {', '.join(labels)}; only {known[0]} is known"
            self.note("several-labels", "repaired", message, name)
        return known[0]


class _Rejected(Exception):
    """A region that cannot be taken; caught where the region is read."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def _rank(annotation: Task) -> tuple[bool, str, int]:
    number = annotation.get("id")
    return (
        bool(annotation.get("ground_truth")),
        _updated(annotation),
        number if isinstance(number, int) else 0,
    )


def _updated(annotation: Task) -> str:
    return str(annotation.get("updated_at") or annotation.get("created_at") or "")


def _annotator(annotation: Task) -> str:
    who = annotation.get("completed_by")
    if isinstance(who, Mapping):
        who = who.get("email", who.get("id"))
    return "unknown" if who is None else str(who)


def _show(span: Span) -> str:
    return f"{span.label} {span.start}–{span.end} {span.text!r:.60}"


def _bare(words: str) -> str:
    # The server writes a line break as the two characters \n and a tab as a blank.
    return "".join(words.replace("\\n", " ").replace("\\r", " ").split())


def _utf16_map(text: str) -> list[int]:
    """Code point of each UTF-16 offset, the end included; the second half of a pair is the next."""
    points: list[int] = []
    for i, char in enumerate(text):
        points.append(i)
        if ord(char) > 0xFFFF:
            points.append(i + 1)
    return [*points, len(text)]


def _counts_utf16(regions: list[Task], text: str) -> bool:
    """Whether the words that regions say they hold fit UTF-16 offsets and not code points."""
    if text.isascii() or max(map(ord, text), default=0) <= 0xFFFF:
        return False
    points = _utf16_map(text)
    votes: Counter[str] = Counter()
    for region in regions:
        value = region.get("value")
        if not isinstance(value, Mapping) or not isinstance(value.get("text"), str):
            continue
        start, end, says = value.get("start"), value.get("end"), _bare(value["text"])
        if type(start) is not int or type(end) is not int or not 0 <= start < end < len(points):
            continue
        plain = end <= len(text) and _bare(text[start:end]) == says
        other = _bare(text[points[start] : points[end]]) == says
        if plain != other:
            votes["plain" if plain else "utf16"] += 1
    return votes["utf16"] > votes["plain"]
