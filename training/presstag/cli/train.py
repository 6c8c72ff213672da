"""`presstag train`: a config file in, a model folder out."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from presstag.cli.progress import Screen
from presstag.cli.screen import err, out, show_scores, show_spans, table
from presstag.errors import InputError

if TYPE_CHECKING:
    from presstag.train.config import Config
    from presstag.train.run import Outcome
    from presstag.train.several import Several


def train_command(
    config: Annotated[Path, typer.Argument(help="the run's YAML file")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="section.key=value: wins over the file")
    ] = None,
    *,
    out_folder: Annotated[
        Path | None, typer.Option("--out", help="model folder; default models/NAME")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with an interrupted run")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="throw an interrupted run away")] = False,
    seeds: Annotated[
        int | None, typer.Option(help="train with seeds 1 to this; pack the best on dev")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="deal train into folds, score each held out; pack nothing")
    ] = None,
) -> None:
    """Train a model, evaluate it and pack it for use.

    With --seeds or --folds, several: finished ones are not repeated by the same command, but are
    thrown away too by --fresh.
    """
    if seeds is not None and folds is not None:
        raise InputError("--seeds and --folds", "both", expected="one of them")
    with err.status("loading torch and transformers"):
        from presstag.train.configfile import read_config
        from presstag.train.run import train

    read = read_config(config, overrides or [])
    folder = out_folder or Path("models") / read.name
    try:
        if seeds is not None or folds is not None:
            _train_several(read, folder, seeds=seeds, folds=folds, resume=resume, fresh=fresh)
            return
        with Screen() as screen:
            outcome = train(read, folder, resume=resume, fresh=fresh, progress=screen)
    except KeyboardInterrupt:
        again = ["presstag", "train", str(config), *(overrides or [])]
        again += ["--out", str(out_folder)] if out_folder else []
        again += ["--seeds", str(seeds)] if seeds else ["--folds", str(folds)] if folds else []
        err.print(f"stopped. Go on with: {shlex.join(again)} --resume")
        raise typer.Exit(130) from None
    _report(outcome)


def _train_several(
    config: Config, folder: Path, *, seeds: int | None, folds: int | None, resume: bool, fresh: bool
) -> None:
    from presstag.train.folder import RUNS
    from presstag.train.several import train_folds, train_seeds

    with Screen() as screen:
        if seeds is not None:
            several = train_seeds(
                config, folder, seeds=seeds, resume=resume, fresh=fresh, progress=screen
            )
        else:
            several = train_folds(
                config, folder, folds=folds or 0, resume=resume, fresh=fresh, progress=screen
            )
    _show_runs(several)
    if several.packed:
        outcome, name = several.packed
        _report(outcome)
        out.print(f"packed {name}, the best on dev; all runs: {folder / RUNS}")
    else:
        out.print(f"wrote {folder / RUNS}; nothing is packed")


def _show_runs(several: Several) -> None:
    spread, splits = several.spread(), list(several.runs[0].scores)

    def row(name: str, figures: dict[str, float], *more: str) -> list[str]:
        return [name, *(f"{100 * figures[split]:.1f}" for split in ("dev", *splits)), *more]

    table(
        ("run", *(f"{split} F1" for split in ("dev", *splits)), "best step", "seconds"),
        [
            *(row(r.name, r.f1(), str(r.best_step), f"{r.seconds:.0f}") for r in several.runs),
            [],
            row("mean", {split: mean for split, (mean, _) in spread.items()}),
            row("standard deviation", {split: sd for split, (_, sd) in spread.items()}),
        ],
        title="\nstrict micro F1 of each run's checkpoint",
    )
    if not several.packed:
        for split in splits:
            pooled = several.pooled(split)
            out.print(f"{split}, all folds together: F1 {100 * pooled.f1:.1f}")


def _report(outcome: Outcome) -> None:
    course, parity, folder = outcome.course, outcome.parity, outcome.folder
    for split, evaluation in outcome.evaluations.items():
        scores = evaluation.scores
        title = f"\n{split}: strict span scores of the packed model, {scores.articles} articles"
        show_scores(scores.to_dict(), title=title)
    out.print(
        f"\ntrained in {course.seconds:.0f} s ({course.tokens_per_second:,.0f} tokens/s), "
        f"best at step {course.best_step} with dev F1 {100 * course.best_dev_f1:.1f}; "
        f"packed {100 * parity.packed_f1:.1f} against the checkpoint's "
        f"{100 * parity.checkpoint_f1:.1f} on dev"
    )
    _show_example(outcome)
    if outcome.rejected:
        out.print(f"{outcome.rejected} regions could not be read: {folder}/rejected.jsonl")
    out.print(
        f"wrote {folder}: packed model, checkpoint/, scores.json, README.md, curves.png\n"
        f"next: presstag extract {folder} ARTICLE.txt"
    )


def _show_example(outcome: Outcome) -> None:
    """Tag an article that the model has not seen, through the same door as everybody."""
    from presstag import load

    tagger = load(outcome.folder)
    out.print(f"\narticle {outcome.example.id}, as {outcome.folder} tags it:\n")
    show_spans(outcome.example.text, tagger(outcome.example.text), tagger.labels)
    out.print()
