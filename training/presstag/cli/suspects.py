"""`presstag suspects`: annotations that a model of the other articles does not believe in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from presstag.cli.progress import Screen
from presstag.cli.screen import err, out, printable
from presstag.errors import InputError

if TYPE_CHECKING:
    from presstag.spans import Article, Span
    from presstag.train.suspects import Dispute, Suspect

_AROUND = 40


def suspects_command(
    config: Annotated[Path, typer.Argument(help="the run's YAML file")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="section.key=value, e.g. training.epochs=4")
    ] = None,
    *,
    folds: Annotated[int, typer.Option(help="models to train, each on the other folds")] = 5,
    most: Annotated[int, typer.Option(help="disputes to print")] = 20,
    target: Annotated[
        Path | None, typer.Option("--out", help="tasks to write; default models/NAME/suspects.json")
    ] = None,
) -> None:
    """Find likely errors of annotation in train: tasks that show both versions, worst first."""
    with err.status("loading torch and transformers"):
        from presstag.train.configfile import read_config
        from presstag.train.data import load_data
        from presstag.train.encoder import find_encoder
        from presstag.train.suspects import find_suspects, write_suspects

    read = read_config(config, overrides or [])
    splits = load_data(read.data).splits
    source = find_encoder(read.model)
    try:
        with Screen() as screen:
            suspects = find_suspects(
                read,
                splits["train"],
                dev=splits["dev"],
                source=source,
                folds=folds,
                progress=screen,
            )
    except ValueError as error:
        raise InputError("--folds", str(error)) from None
    path = target or Path("models") / read.name / "suspects.json"
    write_suspects(suspects, path)
    _show(suspects, most)
    count = sum(len(s.disputes) for s in suspects)
    out.print(f"{count} disputes in {len(suspects)} of {len(splits['train'])} articles")
    out.print(f"wrote {path}\nnext: import it into Label Studio, or read meta.disputes")


def _show(suspects: list[Suspect], most: int) -> None:
    listed = [(s.article, d) for s in suspects for d in s.disputes]
    for article, dispute in sorted(listed, key=lambda pair: -pair[1].confidence)[:most]:
        out.print(_line(article, dispute))


def _line(article: Article, dispute: Dispute) -> Text:
    def version(spans: tuple[Span, ...]) -> str:
        return ", ".join(f"{s.label} {s.text}" for s in spans) or "nothing"

    spans = dispute.annotated + dispute.found
    start, end = min(s.start for s in spans), max(s.end for s in spans)
    context = article.text[max(0, start - _AROUND) : end + _AROUND]
    line = Text(f"{dispute.confidence:.3f}  {article.id} {start}–{end}  annotated: ")
    line.append(printable(version(dispute.annotated)), style="bold")
    line.append("  found: ").append(printable(version(dispute.found)), style="bold")
    return line.append(f"  …{printable(' '.join(context.split()))}…", style="dim")
