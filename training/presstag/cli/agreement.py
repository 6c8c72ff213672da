"""`presstag agreement`: how far annotators agree, and where they do not."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from presstag.cli.screen import out, printable, table
from presstag.errors import DataError

if TYPE_CHECKING:
    from presstag.corpus.agreement import Agreement, Disagreement, LabelAgreement

_SHOWN = 20


def agreement_command(
    data: Annotated[
        Path,
        typer.Argument(help="a Label Studio export, or a folder of them, with several annotators"),
    ],
    *,
    json: Annotated[bool, typer.Option("--json", help="everything as one JSON object")] = False,
    show_all: Annotated[bool, typer.Option("--all", help="list every disagreement")] = False,
) -> None:
    """Compare annotators of the same articles: span F1, Krippendorff's alpha, and the list."""
    from presstag.corpus.agreement import measure_agreement
    from presstag.corpus.check import read_splits

    agreement = measure_agreement(read_splits(data).values())
    if not agreement.articles:
        raise DataError(
            str(data),
            "no article with two annotations or more",
            expected="an export in which several people annotated the same tasks",
        )
    if json:
        print(json_module.dumps(agreement.to_dict(), ensure_ascii=False, indent=2))  # noqa: T201
        return
    _show(agreement)
    found = agreement.disagreements
    for disagreement in found if show_all else found[:_SHOWN]:
        out.print(_line(disagreement))
    if len(found) > _SHOWN and not show_all:
        out.print(f"… {len(found) - _SHOWN} more: --all lists them")


def _show(agreement: Agreement) -> None:
    def row(name: str, found: LabelAgreement) -> list[str]:
        alpha = "" if found.alpha is None else f"{found.alpha:.3f}"
        return [
            name,
            f"{100 * found.f1:.1f}",
            alpha,
            *map(str, (found.both, found.first, found.second)),
        ]

    table(
        ("label", "span F1", "alpha", "both", "first", "second"),
        [
            *(row(label, found) for label, found in agreement.labels.items()),
            row("all", agreement.overall),
        ],
        title=f"agreement on {agreement.articles} articles that several people annotated",
    )
    out.print()


def _line(disagreement: Disagreement) -> Text:
    span, rival = disagreement.span, disagreement.rival
    line = Text(f"{disagreement.article} {span.start}–{span.end} ")
    line.append(f"{span.label} ", style="bold").append(printable(span.text.replace("\n", " ")))
    line.append(f"  by {disagreement.annotator}; {disagreement.other} has ")
    if rival is None:
        return line.append("nothing")
    return line.append(f"{rival.label} ", style="bold").append(
        printable(rival.text.replace("\n", " "))
    )
