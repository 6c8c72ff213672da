"""`presstag extract`: articles in, spans out."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from presstag.cli.evaluate import open_model
from presstag.cli.screen import out, printable, show_error, show_spans
from presstag.errors import DataError, InputError, PresstagError


def extract_command(
    model: Annotated[Path, typer.Argument(help="a model's folder, or an installed model's name")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help=".txt (one article each) or .jsonl (a text a line); none: standard input"
        ),
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="one JSON object an article")] = False,
    min_score: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SCORE or LABEL=SCORE",
            help="leave out spans with a lower score; once for all labels, and once for any label",
        ),
    ] = None,
) -> None:
    """Tag articles: coloured text, or a JSON object a line."""
    from presstag.writing import json_line

    tagger = open_model(model)
    tagger = tagger.with_min_score(_min_scores(min_score or [], tagger.labels))
    faults: list[PresstagError] = []
    several = len(files or []) > 1 or any(f.suffix == ".jsonl" for f in files or [])
    articles = _articles(files or [Path("-")], faults)
    for name, text in articles:
        spans = tagger(text)
        if json:
            record = {"id": name, "spans": [span.to_dict() for span in spans]}
            sys.stdout.write(json_line(record) + "\n")
        else:
            if several:
                out.rule(printable(name), align="left")
            show_spans(text, spans, tagger.labels)
    for fault in faults:
        show_error(fault)
    if faults:
        raise typer.Exit(2)


def _min_scores(given: list[str], labels: tuple[str, ...]) -> dict[str, float]:
    """What --min-score says of each label: its own score goes before that of all."""
    of_all, of_one = 0.0, dict[str, float]()
    for said in given:
        label, _, number = said.rpartition("=")
        try:
            score = float(number)
        except ValueError:
            score = -1.0
        if not 0 <= score <= 1 or label not in {"", *labels}:
            expected = "a score in 0 to 1, or LABEL=SCORE with one of " + ", ".join(labels)
            raise InputError("--min-score", printable(said), expected=expected)
        if label:
            of_one[label] = score
        else:
            of_all = score
    return {**dict.fromkeys(labels, of_all), **of_one}


def _articles(files: list[Path], faults: list[PresstagError]) -> Iterator[tuple[str, str]]:
    """Name and text of each article; what cannot be read goes to `faults`, the rest goes on."""
    from presstag.corpus.files import read_text

    for file in files:
        try:
            if str(file) == "-":
                yield "-", _standard_input()
            elif file.suffix.lower() in {".jsonl", ".ndjson"}:
                for number, line in enumerate(read_text(file).split("\n"), start=1):
                    if line.strip():
                        try:
                            yield _record(line, f"{file}, line {number}", number)
                        except InputError as fault:
                            faults.append(fault)
            else:
                yield str(file), read_text(file)
        except DataError as fault:
            faults.append(fault)


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            "standard input",
            f"byte 0x{error.object[error.start]:02x} at offset {error.start} is not UTF-8",
            expected="text in UTF-8",
        ) from None


def _record(line: str, where: str, number: int) -> tuple[str, str]:
    try:
        record: Any = json_module.loads(line)
    except json_module.JSONDecodeError as error:
        raise InputError(where, f"not JSON: {error.msg}") from None
    fields = record.get("data", record) if isinstance(record, dict) else None
    if not isinstance(fields, dict) or not isinstance(fields.get("text"), str):
        raise InputError(where, f"{line:.80}", expected='an object with a "text"')
    return str(fields.get("id", record.get("id", number))), fields["text"]
