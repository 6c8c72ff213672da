"""A file or folder of annotated articles, in whichever format it is.

| name ends in | holds |
|---|---|
| .json | a Label Studio export: a list of tasks |
| .jsonl, .ndjson | a Label Studio task a line, or an article a line |
| .conll, .iob, .bio | CoNLL-2003 columns |
| a folder of .txt | an article a file, with `{LABEL|words}` marks |
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from presstag.corpus import conll, inline, jsonl, labelstudio, tasks
from presstag.corpus.findings import Annotation, Corpus, Finding, keep_known, unique_ids
from presstag.errors import DataError
from presstag.spans import Article
from presstag.writing import write_json_lines, write_json_list, write_text

Format = Literal["labelstudio", "jsonl", "conll"]
FORMATS: dict[str, Format] = {
    ".json": "labelstudio",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".conll": "conll",
    ".iob": "conll",
    ".bio": "conll",
}
BESIDE = (".findings.jsonl", ".gone.json")
"""How names end of what `presstag label pull` leaves beside a file of articles."""


def read_corpus(path: str | Path, *, labels: Collection[str] | None = None) -> Corpus:
    """Read annotated articles from a file, or from a folder of marked .txt files.

    Args:
        path: the file or folder.
        labels: the labels that count; spans with another are rejected. None takes every label.

    Raises:
        DataError: if there is no such file, or it is not what its name says.
    """
    path = Path(path)
    if path.is_dir():
        return _read_folder(path, labels)
    kind = FORMATS.get(path.suffix.lower())
    if kind is None and path.exists():
        raise DataError(
            str(path),
            f"a file that ends in {path.suffix or 'nothing'}",
            expected=f"one that ends in {', '.join(FORMATS)}, or a folder of .txt files with marks",
        )
    text = read_text(path)
    if kind == "conll":
        return conll.read_columns(text.split("\n"), source=str(path), labels=labels)
    if kind == "jsonl":
        records = _parse_lines(text, path)
        if any(isinstance(r, dict) and "data" in r for r in records[:1]):
            return labelstudio.read_tasks(records, source=str(path), labels=labels)
        return jsonl.read_records(records, source=str(path), labels=labels)
    return labelstudio.read_tasks(_parse_list(text, path), source=str(path), labels=labels)


def read_text(path: Path) -> str:
    """Read a file as UTF-8, line ends and all.

    Raises:
        DataError: if it is missing, cannot be opened, or is not UTF-8.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError(
            str(path),
            "no such file",
            do=f"check the path; it counts from {Path.cwd()}.",
        ) from None
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The decoder drops a byte order mark and counts from behind it.
        at = error.start + len(raw) - len(error.object)
        line = raw.count(b"\n", 0, at) + 1
        raise DataError(
            f"{path}, line {line}",
            f"byte 0x{raw[at]:02x} at offset {at} is not UTF-8",
            expected="text in UTF-8",
            do=f"convert it, e.g. iconv -f windows-1252 -t utf-8 {path.name}",
        ) from None


def _read_folder(path: Path, labels: Collection[str] | None) -> Corpus:
    files = sorted(path.glob("*.txt"))
    if not files:
        raise DataError(
            str(path),
            "a folder without .txt files",
            expected="a file, or a folder of .txt files with {LABEL|words} marks",
        )
    read = [inline.read_marked(read_text(f), name=f.stem, source=str(f)) for f in files]
    known, findings = zip(*(keep_known(article, labels) for article in read), strict=True)
    return Corpus(known, tuple(f for some in findings for f in some))


def digest_corpus(path: str | Path) -> str:
    """SHA-256 of a file, or of a folder's .txt files in order of their names: the data of a run."""
    path = Path(path)
    digest = hashlib.sha256()
    for file in sorted(path.glob("*.txt")) if path.is_dir() else [path]:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _not_json(path: Path, error: json.JSONDecodeError, line: int) -> DataError:
    return DataError(
        f"{path}, line {line}, column {error.colno}",
        f"not JSON: {error.msg}",
        expected="a Label Studio export (JSON), or one JSON object a line (.jsonl)",
    )


def _parse_list(text: str, path: Path) -> list[Any]:
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError as error:
        raise _not_json(path, error, error.lineno) from None
    if not isinstance(parsed, list):
        raise DataError(
            str(path),
            f"JSON that holds a {type(parsed).__name__} where the list of tasks should be",
            expected="a Label Studio export: a list of tasks",
            do="in Label Studio choose Export, then JSON.",
        )
    return parsed


def _parse_lines(text: str, path: Path) -> list[Any]:
    # JSON text holds U+2028 and its like bare, so that only \n ends a line here.
    records: list[Any] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                records.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise _not_json(path, error, number) from None
    return records


def write_corpus(
    articles: Iterable[Article],
    path: str | Path,
    *,
    to: Format | None = None,
    annotations: Mapping[str, Sequence[Annotation]] | None = None,
) -> list[Finding]:
    """Write articles to a file; the format follows from its name unless `to` says another.

    Args:
        articles: what to write.
        path: the file.
        to: the format.
        annotations: every annotator's spans by article id, as in `Corpus.annotations`; of the
            formats only Label Studio's holds more than the article's own spans.

    Returns:
        What the format could not hold exactly.

    Raises:
        DataError: if the name ends in nothing known and `to` is not given.
    """
    path = Path(path)
    kind = to or FORMATS.get(path.suffix.lower())
    kept = annotations or {}
    findings: list[Finding] = []
    articles = unique_ids(list(articles), findings)
    if kind == "labelstudio":
        write_json_list(path, (tasks.to_task(a, kept.get(a.id, ())) for a in articles))
    elif kind == "jsonl":
        write_json_lines(path, (jsonl.to_record(a) for a in articles))
    elif kind == "conll":
        written = [conll.to_columns(a) for a in articles]
        write_text(path, "".join(columns for columns, _ in written))
        findings += [finding for _, inexact in written for finding in inexact]
    else:
        raise DataError(
            str(path),
            f"a name that ends in {path.suffix or 'nothing'}",
            expected=f"one that ends in {', '.join(FORMATS)}",
        )
    return findings
