"""What commands print: tables, coloured articles, errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from presstag.colours import label_fills
from presstag.errors import PresstagError
from presstag.spans import Span

if TYPE_CHECKING:
    from presstag.corpus import Finding

# File names and ids are shown as they are: [b] is no markup, and :cat: no emoji.
out = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)

# An article must not steer the terminal.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def show_error(error: PresstagError) -> None:
    """Print a fault to standard error."""
    err.print(Text.assemble(("error: ", "bold red"), printable(str(error))))


def printable(text: str) -> str:
    """Put U+FFFD for control characters and lone surrogates; line breaks and tabs stay."""
    return re.sub("[\ud800-\udfff]", "\ufffd", _CONTROL.sub("\ufffd", text.replace("\r\n", "\n")))


def show_spans(text: str, spans: Sequence[Span], labels: Sequence[str]) -> None:
    """Print an article with its spans in colour, or marked as `{LABEL|words}` without colours."""
    colours = dict(zip(labels, label_fills(len(labels)), strict=True))
    coloured = out.color_system is not None and out.is_terminal
    shown, reached = Text(), 0
    for span in spans:
        shown.append(printable(text[reached : span.start]))
        words = printable(span.text)
        if coloured:
            shown.append(words, style=f"bold black on {colours[span.label]}")
            shown.append(f" {span.label.lower()} ", style=f"italic black on {colours[span.label]}")
        else:
            shown.append(f"{{{span.label}|{words}}}")
        reached = span.end
    shown.append(printable(text[reached:]))
    out.print(shown)
    counts = {label: sum(s.label == label for s in spans) for label in labels}
    out.print(
        Text("  ").join(
            Text(f"{label} {n}", style=f"black on {colours[label]}" if coloured else "")
            for label, n in counts.items()
        )
    )


def table(
    columns: Iterable[str], rows: Iterable[Sequence[str]], *, title: str = "", gap: int = 2
) -> None:
    """Print rows under headings: the first column to the left, the others to the right.

    Between columns stand `gap` blanks of each.
    """
    made = Table(
        title=title or None, title_justify="left", box=None, pad_edge=False, padding=(0, gap)
    )
    for i, column in enumerate(columns):
        made.add_column(column, justify="right" if i else "left", no_wrap=True)
    for row in rows:
        if row:
            made.add_row(*row)
        else:
            made.add_section()
    out.print(made)


def show_scores(scores: Mapping[str, Any], *, title: str) -> None:
    """Print strict scores as `Scores.to_dict` gives them, in percent."""

    def row(name: str, score: Mapping[str, Any]) -> list[str]:
        figures = [f"{100 * score[key]:.1f}" for key in ("precision", "recall", "f1")]
        counts = [str(score[key]) for key in ("gold", "predicted", "correct")]
        return [name, *figures, *counts]

    table(
        ("label", "precision", "recall", "F1", "gold", "found", "right"),
        [
            *(row(label, score) for label, score in scores["labels"].items()),
            row("micro", scores["micro"]),
            ["macro", "", "", f"{100 * scores['macro_f1']:.1f}", "", "", ""],
        ],
        title=title,
    )


def show_rejected(rejected: Sequence[Finding], *, most: int = 5) -> None:
    """Say on standard error what a reader could not take."""
    if rejected:
        err.print(f"{len(rejected)} regions or tasks could not be read and are left out:")
        for finding in rejected[:most]:
            err.print(Text(f"  article {finding.article}: {printable(finding.message)}"))
        if len(rejected) > most:
            err.print(f"  … {len(rejected) - most} more: presstag check lists them all")
