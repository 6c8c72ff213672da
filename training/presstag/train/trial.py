"""One trial of a search: values are asked for, a run has them, its F1 on dev is told."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState
from pydantic import ValidationError

from presstag.errors import ConfigError
from presstag.train.config import Config, Range
from presstag.train.data import RunData
from presstag.train.encoder import Source
from presstag.train.fit import Progress
from presstag.train.learn import learn

WHY, SECONDS = "why", "seconds"
"""What a study keeps of a trial beside its values: why it was no whole one, how long it took."""


def run_trial(
    study: optuna.Study,
    config: Config,
    data: RunData,
    source: Source,
    folder: Path,
    *,
    progress: Progress | None,
) -> None:
    """Train with settings that the study asks for, and tell it what came of them.

    Args:
        study: of optuna.
        config: the run, with what a search tries.
        data: its articles.
        source: its encoder.
        folder: for the training; nothing of it stays.
        progress: is told how it goes.

    Raises:
        PresstagError: if the encoder does not load.
    """
    trial = study.ask()
    begin = time.perf_counter()
    shutil.rmtree(folder, ignore_errors=True)
    watch = _Watch(trial, progress)
    try:
        f1 = learn(
            _with_settings(config, _ask(trial, config)),
            data.splits["train"],
            dev=data.splits["dev"],
            source=source,
            folder=folder,
            progress=watch,
        ).course.best_dev_f1
    except optuna.TrialPruned:
        outcome: dict[str, Any] = {"state": TrialState.PRUNED}
        trial.set_user_attr(WHY, f"given up at {watch.percent} %")
    except ConfigError as error:
        outcome = {"state": TrialState.FAIL}
        trial.set_user_attr(WHY, f"failed: {error.found}")
    except BaseException:
        study.tell(trial, state=TrialState.FAIL)
        raise
    else:
        outcome = {"values": f1}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    trial.set_user_attr(SECONDS, time.perf_counter() - begin)
    study.tell(trial, **outcome)


def _ask(trial: optuna.Trial, config: Config) -> dict[str, Any]:
    return {key: _suggest(trial, key, tried) for key, tried in (config.search or {}).items()}


def _suggest(trial: optuna.Trial, key: str, tried: Range | list[Any]) -> Any:
    if not isinstance(tried, Range):
        return trial.suggest_categorical(key, tried)
    if tried.is_whole:
        return trial.suggest_int(key, int(tried.low), int(tried.high), log=tried.log)
    return trial.suggest_float(key, tried.low, tried.high, log=tried.log)


def _with_settings(config: Config, settings: Mapping[str, Any]) -> Config:
    try:
        return config.with_settings(settings)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ConfigError("search", reason) from None


class _Watch:
    """Passes on how a trial goes, and gives it up when it is hopeless."""

    def __init__(self, trial: optuna.Trial, progress: Progress | None) -> None:
        self._trial = trial
        self._progress = progress
        self._steps = 1
        self.percent = 0

    def phase(self, what: str) -> None:
        """Which trial it is has been said."""

    def begin(self, *, steps: int, done: int, best: float | None) -> None:
        """Note how long the trial is."""
        self._steps = steps
        if self._progress:
            self._progress.begin(steps=steps, done=done, best=best)

    def step(self, step: int, loss: float | None) -> None:
        """Pass it on."""
        if self._progress:
            self._progress.step(step, loss)

    def evaluated(self, step: int, *, epoch: float, dev_loss: float, dev_f1: float) -> None:
        """Compare by the share of training that is over: a step is not the same in each trial."""
        if self._progress:
            self._progress.evaluated(step, epoch=epoch, dev_loss=dev_loss, dev_f1=dev_f1)
        percent = round(100 * step / self._steps)
        if percent == self.percent:
            return  # evaluations are closer than that: the first one counts
        self.percent = percent
        self._trial.report(dev_f1, percent)
        if self.percent < 100 and self._trial.should_prune():
            raise optuna.TrialPruned

    def saved(self, step: int) -> None:
        """Pass it on."""
        if self._progress:
            self._progress.saved(step)
