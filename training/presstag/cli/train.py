"""`presstag train`: a config file in, a model folder out."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from presstag.cli.progress import Screen
from presstag.cli.screen import err, out, show_scores, show_spans

if TYPE_CHECKING:
    from presstag.train.run import Outcome


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
) -> None:
    """Train a model, evaluate it and pack it for use."""
    with err.status("loading torch and transformers"):
        from presstag.train.configfile import read_config
        from presstag.train.run import train

    read = read_config(config, overrides or [])
    folder = out_folder or Path("models") / read.name
    try:
        with Screen() as screen:
            outcome = train(read, folder, resume=resume, fresh=fresh, progress=screen)
    except KeyboardInterrupt:
        again = ["presstag", "train", str(config), *(overrides or [])]
        again += ["--out", str(out_folder)] if out_folder else []
        err.print(f"stopped. Go on with: {shlex.join(again)} --resume")
        raise typer.Exit(130) from None
    _report(outcome)


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
        f"wrote {folder}: packed model, checkpoint/, scores.json\n"
        f"next: presstag extract {folder} ARTICLE.txt"
    )


def _show_example(outcome: Outcome) -> None:
    """Tag an article that the model has not seen, through the same door as everybody."""
    from presstag import load

    tagger = load(outcome.folder)
    out.print(f"\narticle {outcome.example.id}, as {outcome.folder} tags it:\n")
    show_spans(outcome.example.text, tagger(outcome.example.text), tagger.labels)
    out.print()
