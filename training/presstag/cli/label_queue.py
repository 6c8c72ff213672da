"""`presstag label queue`: which articles to annotate next."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import track
from rich.text import Text

from presstag.cli.evaluate import open_model
from presstag.cli.label_options import TokenOption, UrlOption
from presstag.cli.screen import err, out, printable, show_error, show_rejected
from presstag.errors import InputError, PresstagError
from presstag.queue import STRATEGIES, Choice, Doubt, Queue, Strategy, choose, measure
from presstag.spans import Article

if TYPE_CHECKING:
    from presstag.corpus import Finding

_SHOWN = 5


def queue_command(
    articles: Annotated[
        list[Path] | None,
        typer.Argument(help="files and folders of articles; none: the project's own tasks"),
    ] = None,
    *,
    model: Annotated[Path, typer.Option(help="the model to ask: its folder or name")] = Path(
        "models/aid"
    ),
    n: Annotated[int, typer.Option("-n", min=1, help="how many to choose")] = 50,
    project: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="a project, whose articles are not chosen again"),
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--out", help="write the chosen articles to this .jsonl file")
    ] = None,
    strategy: Annotated[
        str, typer.Option(help=f"{', '.join(STRATEGIES)}", metavar="STRATEGY")
    ] = STRATEGIES[0],
    seed: Annotated[int, typer.Option(help="of the draw, and where articles come to the same")] = 0,
    url: UrlOption = None,
    token: TokenOption = None,
    json: Annotated[bool, typer.Option("--json", help="everything as one JSON object")] = False,
) -> None:
    """Choose the articles that teach a model most for the words they cost to annotate.

    Articles that cannot be read are named and left out: exit code 1.
    """
    way = _strategy(strategy)
    if target is not None and target.suffix.lower() not in {".jsonl", ".ndjson"}:
        found = f"a name that ends in {target.suffix or 'nothing'}"
        raise InputError(f"--out {target}", found, expected="one that ends in .jsonl")
    pool = _read_pool(articles or [], project, url, token)
    doubts = None if way == "random" else _ask(model, pool.candidates)
    queue = choose(pool.candidates, n, strategy=way, doubts=doubts, seed=seed, known=pool.known)
    if target is not None and queue.chosen:
        from presstag.corpus import write_corpus

        write_corpus((c.article for c in queue.chosen), target, to="jsonl")
    if json:
        from presstag.writing import json_line

        sys.stdout.write(json_line(_to_dict(queue, pool)) + "\n")
    else:
        _show(queue, pool)
        _say_next(queue, pool, target)
    for fault in pool.faults:
        show_error(fault)
    if pool.faults:
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Pool:
    """What may be chosen, and what is there already.

    Attributes:
        candidates: the articles that may be chosen.
        known: those whose versions may not.
        had: how many articles of the files the project has.
        addresses: of the candidates, where they are tasks of the project.
        project: its name as a shell reads it.
        faults: what could not be read.
    """

    candidates: tuple[Article, ...]
    known: tuple[Article, ...] = ()
    had: int = 0
    addresses: tuple[str, ...] = ()
    project: str = "NAME"
    faults: tuple[PresstagError, ...] = ()


def _ask(model: Path, articles: tuple[Article, ...]) -> list[Doubt]:
    asked = measure(open_model(model), articles)
    doing = f"asking {model}"
    return list(track(asked, doing, total=len(articles), console=err, transient=True))


def _strategy(name: str) -> Strategy:
    for strategy in STRATEGIES:
        if strategy == name:
            return strategy
    raise InputError("--strategy", name, expected=", ".join(STRATEGIES))


def _read_pool(files: list[Path], project: str | None, url: str | None, token: str | None) -> _Pool:
    if not files and project is None:
        found, expected = "neither ARTICLES nor --project", "files, or a project with tasks"
        raise InputError("presstag label queue", found, expected=expected)
    sources = None
    if files:
        from presstag.labelstudio.sources import read_sources

        sources = read_sources(files)
        _note(sources.notes)
        if project is None:
            return _Pool(sources.articles, faults=sources.faults)
    with err.status(f"reading the tasks of {project}"):
        from presstag.labelstudio.client import connect
        from presstag.labelstudio.waiting import address, read_project

        server = connect(url, token)
        found_project = server.find_project(project or "")
        tasks = read_project(server, found_project)
    show_rejected(tasks.faults)
    name = shlex.quote(found_project.title)
    if sources is None:
        addresses = tuple(address(server, found_project, number) for number in tasks.numbers)
        return _Pool(tasks.waiting, tasks.done, addresses=addresses, project=name)
    known = (*tasks.done, *tasks.waiting)
    ids = {a.id for a in known} | {f.article for f in tasks.faults}
    new = tuple(a for a in sources.articles if a.id not in ids)
    had = len(sources.articles) - len(new)
    return _Pool(new, known, had, project=name, faults=sources.faults)


def _note(notes: tuple[Finding, ...]) -> None:
    for note in notes[:_SHOWN]:
        err.print(f"note: {printable(note.article)}: {printable(note.message)}")
    if len(notes) > _SHOWN:
        err.print(f"… {len(notes) - _SHOWN} more notes")


def _show(queue: Queue, pool: _Pool) -> None:
    if queue.chosen and queue.chosen[0].doubt:
        out.print("score: the errors that the model expects for a hundred words of work")
    for number, choice in enumerate(queue.chosen, start=1):
        out.print(_line(number, choice))
        if pool.addresses:
            out.print(f"      {pool.addresses[choice.position]}")
    for article, original in queue.copies[:_SHOWN]:
        name = printable(article.id)
        out.print(f"left out {name}: a version of {printable(original.id)}", style="dim")
    if len(queue.copies) > _SHOWN:
        out.print(f"… {len(queue.copies) - _SHOWN} more versions: --json lists them", style="dim")
    for article in queue.blank[:_SHOWN]:
        out.print(f"left out {printable(article.id)}: it has no words", style="dim")
    words = sum(len(c.article.text.split()) for c in queue.chosen)
    rest = [f"{len(queue.copies)} versions of others", f"{len(queue.blank)} without words"]
    if pool.had:
        rest.append(f"{pool.had} that the project has")
    of = f"{len(pool.candidates) + pool.had:,}"
    out.print(f"chose {len(queue.chosen)} of {of} articles, {words:,} words")
    out.print(f"left out: {', '.join(rest)}")


def _line(number: int, choice: Choice) -> Text:
    doubt = choice.doubt
    score = f"{doubt.score:6.2f}" if doubt else ""
    line = Text(f"{number:4} {score}  ")
    line.append(printable(choice.article.id), style="bold")
    line.append(f"  {len(choice.article.text.split())} words")
    if doubt:
        line.append(f", {doubt.wrong:.1f} spans wrong and {doubt.missed:.1f} missed")
    if choice.nearest:
        near = printable(choice.nearest.id)
        line.append(f"; {100 * choice.likeness:.0f} % like {near}", style="dim")
    return line


def _say_next(queue: Queue, pool: _Pool, target: Path | None) -> None:
    if not queue.chosen:
        out.print("nothing is written: there is no article left to choose")
        return
    if target is not None:
        out.print(f"wrote {target}")
    if pool.addresses:
        out.print("next: open the addresses, in this order")
    else:
        file = "" if target is None else shlex.quote(str(target))
        command = f"presstag label push --project {pool.project} {file or 'ARTICLES'}"
        out.print(f"next: {command}" if file else f"next: the same with --out, then {command}")


def _to_dict(queue: Queue, pool: _Pool) -> dict[str, Any]:
    return {
        "chosen": [_choice_to_dict(choice, pool) for choice in queue.chosen],
        "copies": [{"id": a.id, "version_of": original.id} for a, original in queue.copies],
        "blank": [a.id for a in queue.blank],
        "candidates": len(pool.candidates),
        "in_project": pool.had,
        "faults": [str(fault) for fault in pool.faults],
    }


def _choice_to_dict(choice: Choice, pool: _Pool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": choice.article.id,
        "words": len(choice.article.text.split()),
    }
    if choice.doubt:
        found |= {
            "score": round(choice.doubt.score, 4),
            "wrong": round(choice.doubt.wrong, 3),
            "missed": round(choice.doubt.missed, 3),
            "nearest": choice.nearest.id if choice.nearest else None,
            "likeness": round(choice.likeness, 4),
        }
    if pool.addresses:
        found["address"] = pool.addresses[choice.position]
    return found
