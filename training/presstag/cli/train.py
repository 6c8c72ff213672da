"""`presstag train`: a config file in, a model folder out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

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
        with _Screen() as screen:
            outcome = train(read, folder, resume=resume, fresh=fresh, progress=screen)
    except KeyboardInterrupt:
        err.print("stopped. Go on with: " + " ".join(["presstag train", str(config), "--resume"]))
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


class _Screen:
    """One bar with the time left; a line for each evaluation on dev."""

    def __init__(self) -> None:
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            console=err,
            transient=True,
        )
        self._task: TaskID | None = None
        self._steps = 0
        self._best = -1.0
        self._dev = ""

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def phase(self, what: str) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(what, total=None, figures="")

    def begin(self, *, steps: int, done: int) -> None:
        self._steps = steps
        if done:
            err.print(f"going on at step {done}")
        if self._task is not None:
            self._bar.update(self._task, total=steps, completed=done)

    def step(self, step: int, loss: float | None) -> None:
        if self._task is not None:
            shown = "" if loss is None else f"loss {loss:.3f}"
            self._bar.update(self._task, completed=step, figures=f"{shown}  {self._dev}")

    def evaluated(self, step: int, *, epoch: float, dev_loss: float, dev_f1: float) -> None:
        mark = "  best so far" if dev_f1 > self._best else ""
        self._best = max(self._best, dev_f1)
        self._dev = f"dev F1 {100 * dev_f1:.1f}"
        err.print(
            f"step {step:>5}/{self._steps}  epoch {epoch:5.2f}  dev loss {dev_loss:.3f}  "
            f"dev F1 {100 * dev_f1:5.1f}{mark}"
        )

    def saved(self, step: int) -> None:
        pass
