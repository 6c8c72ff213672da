"""Articles that wait for annotation, from whatever files they are in.

| name ends in | holds |
|---|---|
| .txt | an article, as plain text in UTF-8 |
| .jsonl, .ndjson | an object with a text a line, or a Label Studio task a line |
| .json | a list of the same: a Label Studio export |
| .csv, .tsv | a table whose first row names its columns, one of them the text |
| .html, .htm, .mhtml, .mht | a saved web page, of which the main text counts |
| a folder | a mixture of these, in folders of its own too |

Texts are taken as they are, line ends and all; only a byte order mark at the head of a file is
dropped. A text with NUL or half of a UTF-16 pair in it is refused: not every server can keep it.
An article keeps the id that it has; else the name of its file without the ending, or a digest of
its text, is its id, so that reading it again gives the same one.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from presstag.corpus.files import read_text
from presstag.corpus.findings import Finding
from presstag.errors import InputError, PresstagError
from presstag.labelstudio.pages import PAGES, read_page
from presstag.spans import Article
from presstag.writing import has_surrogates

_LINES, _TABLES = {".jsonl", ".ndjson"}, {".csv", ".tsv"}
_ENDINGS = (".txt", *sorted(_LINES), ".json", *sorted(_TABLES), *sorted(PAGES))
_SPANS = ("spans", "annotations", "completions", "predictions", "drafts")


@dataclass(frozen=True, slots=True)
class Sources:
    """What was read.

    Attributes:
        articles: without spans, each id and each text once, in the order of the files.
        faults: what is not among the articles though it should be: where it is, and why.
        notes: what was met and left out on purpose.
    """

    articles: tuple[Article, ...]
    faults: tuple[PresstagError, ...] = ()
    notes: tuple[Finding, ...] = ()


def read_sources(
    paths: Iterable[str | Path], *, text_column: str = "text", id_column: str | None = None
) -> Sources:
    """Read articles from files and folders; what cannot be read is listed, and the rest goes on.

    Args:
        paths: the files and folders.
        text_column: the column of tables, and the field of JSON objects, that holds the text.
        id_column: that of the id; None takes `id` where there is one.
    """
    reader = _Reader(text_column, id_column)
    for path in map(Path, paths):
        if path.is_dir():
            reader.read_folder(path)
        else:
            reader.read_file(path)
    return Sources(tuple(reader.articles.values()), tuple(reader.faults), tuple(reader.notes))


def text_id(text: str) -> str:
    """The id of an article that has none: a digest of its text."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


@dataclass
class _Reader:
    text_column: str
    id_column: str | None
    articles: dict[str, Article] = field(default_factory=dict)
    faults: list[PresstagError] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    _places: dict[str, str] = field(default_factory=dict)  # where each id was first met
    _ids: dict[str, str] = field(default_factory=dict)  # the first id of each text

    def read_folder(self, folder: Path) -> None:
        files = sorted(p for p in folder.rglob("*") if p.is_file())
        kept = [p for p in files if not _is_hidden(p.relative_to(folder))]
        known = [p for p in kept if p.suffix.lower() in _ENDINGS and not _belongs_to_page(p)]
        for file in known:
            self.read_file(file)
        for file in sorted(set(kept) - set(known)):
            if not _belongs_to_page(file):
                self.note("other-file", str(file), "no file of articles: left out")
        if not known:
            expected = f"files that end in {', '.join(_ENDINGS)}"
            self.faults.append(InputError(str(folder), "no articles in it", expected=expected))

    def read_file(self, path: Path) -> None:
        before = (len(self.articles), len(self.faults), len(self.notes))
        try:
            self._read_file(path)
        except PresstagError as fault:
            self.faults.append(fault)
        if before == (len(self.articles), len(self.faults), len(self.notes)):
            self.faults.append(InputError(str(path), "no articles in it"))

    def _read_file(self, path: Path) -> None:
        ending = path.suffix.lower()
        if ending == ".txt":
            self.add(path.stem, read_text(path), {}, where=str(path))
        elif ending in PAGES:
            text, meta = read_page(path)
            self.add(path.stem, text, meta, where=str(path))
        elif ending in _TABLES:
            self._read_table(path)
        elif ending == ".json" or ending in _LINES:
            self._read_records(path, lines=ending in _LINES)
        else:
            found = f"a name that ends in {ending or 'nothing'}"
            expected = f"one that ends in {', '.join(_ENDINGS)}"
            raise InputError(
                str(path),
                found if path.exists() else "no such file or folder",
                expected=expected if path.exists() else "",
            )

    def note(self, kind: str, article: str, message: str) -> None:
        self.notes.append(Finding(kind, "noted", article, message))

    def add(self, name: str, text: str, meta: Mapping[str, Any], *, where: str) -> None:
        """Take an article, unless there is something wrong with it or it was met before."""
        wrong = _what_is_wrong(name, text, meta)
        if wrong:
            self.faults.append(InputError(where, wrong))
        elif name in self.articles and self.articles[name].text != text:
            self.faults.append(
                InputError(
                    where,
                    f"another text has the id {name}: {self._places[name]}",
                    expected="an id for each text",
                    do="rename one of the two.",
                )
            )
        elif text in self._ids:
            self.note("same-text", name, f"{where}: the same text as {self._ids[text]}; sent once")
        else:
            self.articles[name] = Article(name, text, (), dict(meta))
            self._places[name], self._ids[text] = where, name

    def _read_table(self, path: Path) -> None:
        content = read_text(path)
        csv.field_size_limit(2**31 - 1)  # an article may be longer than the module's 128 kB
        head = content.split("\n", 1)[0]
        delimiter = "\t" if path.suffix.lower() == ".tsv" else max(",;\t", key=head.count)
        rows = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
        columns: list[str] = []
        while True:
            where = f"{path}, line {rows.line_num + 1}"
            try:
                row = next(rows)
            except StopIteration:
                break
            except csv.Error as error:
                # Where this row ends is anyone's guess, and so is what comes after it.
                found = f"broken: {error}; nothing is read from here on"
                raise InputError(where, found, do="mend the quotes around this row.") from None
            if not columns:
                columns = self._check_columns(row, path)
            elif len(row) == len(columns):
                self._add_fields(dict(zip(columns, row, strict=True)), where=where)
            elif row:
                expected = f"{len(columns)}, as the first row has"
                self.faults.append(InputError(where, f"{len(row)} fields", expected=expected))
        if not columns:
            raise InputError(str(path), "an empty table")

    def _check_columns(self, columns: list[str], path: Path) -> list[str]:
        listed = ", ".join(columns)
        for wanted, option in ((self.text_column, "text"), (self.id_column, "id")):
            if wanted is not None and wanted not in columns:
                raise InputError(
                    str(path),
                    f"no column {wanted}",
                    expected=f"one of those there are: {listed}",
                    do=f"name it with --{option}-column.",
                )
        if len(set(columns)) < len(columns):
            raise InputError(str(path), f"two columns of one name: {listed}", do="rename one.")
        return columns

    def _read_records(self, path: Path, *, lines: bool) -> None:
        content, ignored = read_text(path), 0
        for where, record in _parse_lines(content, path) if lines else _parse_list(content, path):
            if isinstance(record, PresstagError):
                self.faults.append(record)
                continue
            if not isinstance(record, Mapping):
                expected = f'an object with a "{self.text_column}"'
                found = f"a {type(record).__name__}"
                self.faults.append(InputError(where, found, expected=expected))
                continue
            ignored += any(record.get(key) for key in _SPANS)
            fields, meta = dict(record), record.get("meta")
            if isinstance(record.get("data"), Mapping):
                fields = dict(record["data"])
                if self.id_column is None and fields.get("id") is None:
                    fields["id"] = record.get("id")
            else:
                fields = {key: value for key, value in fields.items() if key not in _SPANS}
            if isinstance(meta, Mapping):
                fields.pop("meta", None)
            self._add_fields(fields, where=where, meta=meta if isinstance(meta, Mapping) else {})
        if ignored:
            self.note(
                "spans", str(path), f"{ignored} records come with annotations, which are not sent"
            )

    def _add_fields(
        self, fields: Mapping[str, Any], *, where: str, meta: Mapping[str, Any] | None = None
    ) -> None:
        """Take an article from the fields of a row or an object; what else they hold is meta."""
        text, id_column = fields.get(self.text_column), self.id_column or "id"
        if not isinstance(text, str):
            found = f"no {self.text_column}; there are {', '.join(map(str, fields)) or 'no fields'}"
            if text is not None:
                found = f"{self.text_column} is a {type(text).__name__}"
            self.faults.append(InputError(where, found, expected="a text"))
            return
        name = fields.get(id_column)
        if isinstance(name, bool) or not isinstance(name, str | int | None):
            found = f"{id_column} is a {type(name).__name__}"
            self.faults.append(InputError(where, found, expected="a text or a whole number"))
            return
        rest = {k: v for k, v in fields.items() if k not in (self.text_column, id_column)}
        name = text_id(text) if name is None or name == "" else str(name)
        self.add(name, text, {**rest, **(meta or {})}, where=where)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _belongs_to_page(path: Path) -> bool:
    """Whether a file lies in the folder that a browser makes beside a page that it saves."""
    folders = [p for p in path.parents if p.name.endswith("_files")]
    return any(
        p.with_name(p.name.removesuffix("_files") + ending).is_file()
        for p in folders
        for ending in PAGES
    )


def _what_is_wrong(name: str, text: str, meta: Mapping[str, Any]) -> str:
    if not text.strip():
        return "an empty text"
    try:
        beside = json.dumps([name, meta], ensure_ascii=False, allow_nan=False)
    except ValueError:
        return "a number beside the text is infinite or none at all"
    # JSON writes NUL as an escape, and a backslash of the value's own as two.
    beside = beside.replace("\\\\", "").replace("\\u0000", "\0")
    for what, held in (("the text", text), ("the id, or what stands beside the text", beside)):
        if "\0" in held:
            return f"{what} holds the character NUL, which servers cannot keep"
        if has_surrogates(held):
            return f"{what} holds half of a UTF-16 pair, which is no character"
    return ""


def _parse_lines(content: str, path: Path) -> Iterator[tuple[str, Any]]:
    # JSON text holds U+2028 and its like bare, so that only \n ends a line here.
    for number, line in enumerate(content.split("\n"), start=1):
        if line.strip():
            where = f"{path}, line {number}"
            try:
                yield where, json.loads(line)
            except (ValueError, RecursionError) as error:
                yield where, InputError(where, f"not JSON: {error}")


def _parse_list(content: str, path: Path) -> Iterator[tuple[str, Any]]:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(str(path), f"not JSON: {error}") from None
    if not isinstance(parsed, list):
        found, expected = f"JSON that holds a {type(parsed).__name__}", "a list of articles"
        raise InputError(str(path), found, expected=expected)
    yield from ((f"{path}, record {number}", record) for number, record in enumerate(parsed, 1))
