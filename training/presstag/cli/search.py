"""`presstag search`: try settings, show what came of each and which are best on dev."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from presstag.cli.progress import Screen
from presstag.cli.screen import err, out, printable
from presstag.errors import PresstagError

if TYPE_CHECKING:
    from presstag.train.search import Search


def search_command(
    config: Annotated[Path, typer.Argument(help="the run's YAML file, with a section search")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="section.key=value: wins over the file")
    ] = None,
    *,
    trials: Annotated[int, typer.Option(help="runs in all, earlier ones with them")] = 20,
    out_folder: Annotated[
        Path | None, typer.Option("--out", help="model folder; default models/NAME")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="throw an earlier search away")] = False,
) -> None:
    """Try the settings of the section search, each by a run, and print the best on dev.

    The same command goes on with a search that was stopped. Test is not looked at, and no model is
    kept: train one with the settings that are printed.
    """
    with err.status("loading torch and transformers"):
        from presstag.train.configfile import read_config

        try:
            from presstag.train.search import search
        except ModuleNotFoundError as error:
            if error.name not in {"optuna", "sqlalchemy"}:
                raise
            missing, do = f"the package {error.name} is missing", "pip install 'presstag[search]'"
            raise PresstagError("presstag search", missing, do=do) from None

    read = read_config(config, overrides or [])
    folder = out_folder or Path("models") / read.name
    words = [str(config), *(overrides or [])]
    try:
        with Screen() as screen:
            found = search(read, folder, trials=trials, fresh=fresh, progress=screen)
    except KeyboardInterrupt:
        again = ["presstag", "search", *words, "--trials", str(trials)]
        again += ["--out", str(out_folder)] if out_folder else []
        err.print(f"stopped. Go on with: {shlex.join(again)}")
        raise typer.Exit(130) from None
    _report(found, folder)
    kept = [word for word in words if not word.startswith("search.")]
    out.print(
        f"\nbest on dev: trial {found.best.number}\n"
        f"next: {shlex.join(['presstag', 'train', *kept, *found.overrides()])}"
    )


def _report(found: Search, folder: Path) -> None:
    from presstag.train.folder import IMPORTANCE, SEARCH

    out.print("\ntrials, by strict micro F1 on dev")
    for line in _rows(found):
        out.print(line)
    if found.importance:
        shares = ", ".join(f"{key} {100 * share:.0f} %" for key, share in found.importance.items())
        out.print(f"\nwhat mattered, of the differences in dev F1: {shares}")
        out.print(f"wrote {folder / IMPORTANCE} and {folder / SEARCH}")
    else:
        out.print("\ntoo few whole trials, or too alike, to say what mattered")
        out.print(f"wrote {folder / SEARCH}")


def _rows(found: Search) -> list[str]:
    """A line a trial below the headings; with many settings they are wider than a terminal."""
    keys = list(found.best.settings)
    rows = [["trial", *(key.partition(".")[2] for key in keys), "dev F1", "seconds"]]
    rows += [
        [
            str(trial.number),
            *(_show(trial.settings[key]) if key in trial.settings else "-" for key in keys),
            "-" if trial.dev_f1 is None else f"{100 * trial.dev_f1:.1f}",
            f"{trial.seconds:.0f}",
        ]
        for trial in found.trials
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    outcomes = ["", *("best" if t is found.best else printable(t.outcome) for t in found.trials)]
    return [
        "  ".join([*(cell.rjust(w) for cell, w in zip(row, widths, strict=True)), outcome]).rstrip()
        for row, outcome in zip(rows, outcomes, strict=True)
    ]


def _show(value: object) -> str:
    from presstag.train.configfile import write_value

    return f"{value:.3g}" if isinstance(value, float) else write_value(value)
