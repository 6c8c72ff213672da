"""How training goes, on the terminal: what `train.fit.Progress` is told, shown."""

from __future__ import annotations

from typing import Self

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

from presstag.cli.screen import err


class Screen:
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
        """The run goes on to something else."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(what, total=None, figures="")

    def begin(self, *, steps: int, done: int, best: float | None) -> None:
        """Training is about to go from step `done` to `steps`."""
        self._steps, self._best = steps, -1.0 if best is None else best
        if done:
            err.print(f"going on at step {done}")
        if self._task is not None:
            self._bar.update(self._task, total=steps, completed=done)

    def step(self, step: int, loss: float | None) -> None:
        """A step is over."""
        if self._task is not None:
            shown = "" if loss is None else f"loss {loss:.3f}"
            self._bar.update(self._task, completed=step, figures=f"{shown}  {self._dev}")

    def evaluated(self, step: int, *, epoch: float, dev_loss: float, dev_f1: float) -> None:
        """The dev articles were tagged: a line that stays."""
        mark = "  best so far" if dev_f1 > self._best else ""
        self._best = max(self._best, dev_f1)
        self._dev = f"dev F1 {100 * dev_f1:.1f}"
        err.print(
            f"step {step:>5}/{self._steps}  epoch {epoch:5.2f}  dev loss {dev_loss:.3f}  "
            f"dev F1 {100 * dev_f1:5.1f}{mark}"
        )

    def saved(self, step: int) -> None:
        """Training can be resumed from here: nothing to show."""
