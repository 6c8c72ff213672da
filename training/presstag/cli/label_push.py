"""`presstag label push`: articles into a Label Studio project, with a model's suggestions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from presstag.cli.evaluate import open_model
from presstag.cli.label_options import ProjectOption, TokenOption, UrlOption
from presstag.cli.screen import err, out, printable, show_error
from presstag.errors import PresstagError

if TYPE_CHECKING:
    from presstag.corpus import Finding
    from presstag.labelstudio.push import Pushed
    from presstag.labelstudio.sources import Sources


def push_command(
    articles: Annotated[
        list[Path],
        typer.Argument(help=".txt, .jsonl, .json, .csv, .tsv and .html files, or folders of them"),
    ],
    *,
    project: ProjectOption,
    model: Annotated[
        Path | None, typer.Option(help="a model's folder or name; without one articles go alone")
    ] = None,
    text_column: Annotated[
        str, typer.Option(metavar="NAME", help="column or field that holds the text")
    ] = "text",
    id_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="column or field of the id; default: id, if there is one"
        ),
    ] = None,
    url: UrlOption = None,
    token: TokenOption = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Send articles to a project, each once, with a model's suggestions.

    What cannot be read or tagged is named, and the rest goes on: exit code 1.
    """
    with err.status("loading"):
        from presstag.labelstudio.client import connect
        from presstag.labelstudio.push import push
        from presstag.labelstudio.sources import read_sources
        from presstag.writing import json_line

    with err.status("reading articles"):
        sources = read_sources(articles, text_column=text_column, id_column=id_column)
    _show(sources.faults, sources.notes)
    server = connect(url, token)
    found = server.find_project(project)
    tagger = None if model is None else open_model(model)
    with _Bars() as bars:
        pushed = push(server, found, sources.articles, tagger=tagger, progress=bars)
    _show(pushed.faults, pushed.notes)
    for failure in pushed.failures:
        message = f"article {failure.article}: sent without suggestions: {failure.reason}"
        err.print(f"error: {printable(message)}")
    address = f"{server.address(found)}/data"
    if json:
        shown = {"project": found.id, "title": found.title, "url": address}
        out.print(json_line({**shown, **_figures(sources, pushed)}))
    else:
        out.print(_line(sources, pushed))
        out.print(f"next: annotate them at {address}")
    if sources.faults or pushed.faults or pushed.failures:
        raise typer.Exit(1)


def _show(faults: Sequence[PresstagError], notes: Sequence[Finding]) -> None:
    for fault in faults:
        show_error(fault)
    for note in notes:
        err.print(f"note: {printable(note.article)}: {printable(note.message)}")


def _line(sources: Sources, pushed: Pushed) -> str:
    new, there = f"{pushed.new:,} new articles sent", f"{pushed.present:,} were there"
    if pushed.version is not None:
        new += f" with suggestions of {pushed.version}"
        there += f" ({pushed.predictions:,} of them got suggestions)"
    faults = len(sources.faults) + len(pushed.faults) + len(pushed.failures)
    return f"{new}, {there}, {faults:,} faults"


def _figures(sources: Sources, pushed: Pushed) -> dict[str, Any]:
    faults = [*sources.faults, *pushed.faults]
    return {
        "model_version": pushed.version,
        "new": pushed.new,
        "present": pushed.present,
        "predictions": pushed.predictions,
        "failures": [failure.to_dict() for failure in pushed.failures],
        "faults": [
            {"where": f.where, "found": f.found, "expected": f.expected, "do": f.do} for f in faults
        ],
        "notes": [note.to_dict() for note in (*sources.notes, *pushed.notes)],
    }


class _Bars:
    """How far tagging and sending are, and the time left of each."""

    def __init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=err,
            transient=True,
        )
        self._tagging: TaskID | None = None
        self._sending: TaskID | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def begin(self, *, articles: int, tagging: bool) -> None:
        if tagging:
            self._tagging = self._bars.add_task("tagging", total=articles)
        self._sending = self._bars.add_task("sending", total=articles)

    def tagged(self, articles: int) -> None:
        if self._tagging is not None:
            self._bars.advance(self._tagging, articles)

    def sent(self, articles: int) -> None:
        if self._sending is not None:
            self._bars.advance(self._sending, articles)
