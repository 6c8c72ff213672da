"""`presstag check`: whether annotated articles are fit to train and to measure with."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from presstag.cli.screen import out, printable, table

if TYPE_CHECKING:
    from presstag.corpus.check import Report


_SHOWN = 20
_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}


def check_command(
    data: Annotated[Path, typer.Argument(help="a file, or a folder of train, dev and test files")],
    *,
    tokenizer: Annotated[
        Path | None,
        typer.Option(help="a tokenizer.json, to check that spans meet its tokens too"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="everything as one JSON object")] = False,
    by: Annotated[
        list[str] | None, typer.Option(help="also count articles by this field of the tasks' meta")
    ] = None,
    show_all: Annotated[bool, typer.Option("--all", help="list every warning and note")] = False,
) -> None:
    """Count what a corpus holds and list everything that is wrong with it. Errors: exit code 1."""
    from presstag.corpus.check import check_corpus, count_by, read_splits
    from presstag.words import find_words

    boundaries = find_words if tokenizer is None else token_boundaries(tokenizer)
    splits = read_splits(data)
    report = check_corpus(splits, boundaries=boundaries)
    counts = {field: count_by(splits, field) for field in by or []}
    if json:
        content = {**report.to_dict(), **({"by": counts} if counts else {})}
        print(json_module.dumps(content, ensure_ascii=False, indent=2))  # noqa: T201
        raise typer.Exit(1 if report.errors else 0)
    _show_counts(report)
    for field, values in counts.items():
        rows = [
            [printable(value) or "(none)", *(f"{n:,}" for n in found.values())]
            for value, found in values.items()
        ]
        table((field, *report.splits), rows)
        out.print()
    warnings, notes = (
        [p for p in report.problems if p.severity == severity] for severity in ("warning", "note")
    )
    shown = [*warnings, *notes] if show_all else warnings[:_SHOWN]
    for problem in [*report.errors, *shown]:
        line = f" {problem.kind}: {problem.where}: {printable(problem.message)}"
        out.print(Text.assemble((problem.severity, _STYLES[problem.severity]), line))
    if len(warnings) > len(shown):
        out.print(f"… {len(warnings) - len(shown)} more warnings: --all lists them")
    out.print(f"{len(report.errors)} errors, {len(warnings)} warnings, {len(notes)} notes")
    if report.errors:
        raise typer.Exit(1)


def _show_counts(report: Report) -> None:
    columns = dict(report.splits)
    if len(columns) > 1:
        columns["together"] = report.together
    every = list(columns.values())
    labels = list(report.together.labels)
    rows = [
        ["articles", *(f"{c.articles:,}" for c in every)],
        ["words", *(f"{c.words:,}" for c in every)],
        ["spans", *(f"{c.spans:,}" for c in every)],
        *([label, *(f"{c.labels.get(label, 0):,}" for c in every)] for label in labels),
        [],
        *(
            [f"{label} distinct", *(f"{c.surfaces.get(label, 0):,}" for c in every)]
            for label in labels
        ),
    ]
    if any(c.unseen for c in every):
        rows.append([])
        rows += [
            [f"{label} not in train", *(_percent(c.unseen.get(label)) for c in every)]
            for label in labels
        ]
    table(("", *columns), rows)
    out.print("\nmost frequent form, its share of the label's mentions:")
    for label, (form, share) in report.together.frequent.items():
        out.print(f"  {label}: {printable(form)}, {_percent(share)}")
    out.print()


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def token_boundaries(path: Path) -> Callable[[str], list[tuple[int, int]]]:
    """The units that a tokenizer makes of a text's words."""
    from presstag.tokens import ArticleTokenizer

    tokenizer = ArticleTokenizer.from_file(path, pad=0)
    return lambda text: [(int(a), int(b)) for a, b in tokenizer.encode([text])[0].units]
