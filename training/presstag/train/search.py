"""Try settings of a config, each by a run of its own, and keep those that are best on dev.

    models/NAME/
      search.sqlite3    every trial, as optuna keeps them
      importance.png    how much each setting mattered

A search that was stopped goes on from its file. Its trials leave no model: the best settings are
for `presstag train`. One search at a time may have the file.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import optuna
from matplotlib.figure import Figure
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import DatabaseError

from presstag.errors import ConfigError
from presstag.train.config import Config, Range
from presstag.train.configfile import write_value
from presstag.train.data import load_data
from presstag.train.encoder import find_encoder
from presstag.train.fit import Progress
from presstag.train.folder import IMPORTANCE, SEARCH
from presstag.train.run import describe_run, differing_keys
from presstag.train.trial import SECONDS, WHY, run_trial
from presstag.writing import write_bytes

_TRIAL = ".trial"  # the folder of the one that is training
_BEFORE_PRUNING = 5  # whole trials that a median needs
_TOO_EARLY = 25  # percent of a trial in which nothing is hopeless
_FOR_IMPORTANCE = 4


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of a search.

    Attributes:
        number: from 0.
        settings: that it tried, by dotted key.
        dev_f1: strict micro F1 on dev, the best of the run; None if it failed. Of a run that was
            given up, the last.
        outcome: `whole`, or why it was given up or failed.
        seconds: that it took.
    """

    number: int
    settings: Mapping[str, Any]
    dev_f1: float | None
    outcome: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Search:
    """What the trials came to.

    Attributes:
        trials: in order, without those that were stopped.
        best: the whole one with the highest F1 on dev.
        importance: the share of the differences in F1 that is due to each setting, the greatest
            first (fANOVA, Hutter et al. 2014); empty where the trials are too few or too alike.
    """

    trials: tuple[Trial, ...]
    best: Trial
    importance: Mapping[str, float]

    def overrides(self) -> list[str]:
        """The best settings as `presstag train` takes them."""
        return [f"{key}={write_value(value)}" for key, value in self.best.settings.items()]


def search(
    config: Config,
    folder: Path,
    *,
    trials: int,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Search:
    """Try what the config's section `search` says until there are so many trials.

    The first trial has the config's own values where they lie in its ranges. A trial whose F1 on
    dev is below the median of earlier ones at the same part of training is given up; one whose
    loss is lost, or whose values do not go together, has failed, and the search goes on.

    Args:
        config: the run, with a section `search`.
        folder: of the model, for what the search keeps.
        trials: in all, those of the file with them.
        fresh: throw an earlier search away.
        progress: is told how it goes.

    Raises:
        ConfigError: if there is nothing to search, no trial went through, or the file is damaged
            or of another search.
        PresstagError: if the data or the encoder cannot be used.
    """
    if trials < 1:
        raise ConfigError("--trials", str(trials), expected="1 or more")
    if config.search is None:
        raise ConfigError(
            "search",
            "the config has no such section",
            do="say what to try, e.g. search: {training.learning_rate: {low: 5e-5, high: 5e-4}}.",
        )
    if progress:
        progress.phase("reading articles")
    data, source = load_data(config.data), find_encoder(config.model)
    if fresh:
        (folder / SEARCH).unlink(missing_ok=True)
    with _open_study(folder / SEARCH, config, describe_run(config, data, source)) as study:
        while (number := len(_counted(study))) < trials:
            if progress:
                progress.phase(f"trial {number + 1} of {trials}")
            run_trial(study, config, data, source, folder / _TRIAL, progress=progress)
        found = _conclude(study, folder / SEARCH)
    (folder / IMPORTANCE).unlink(missing_ok=True)  # an earlier search's
    if found.importance:
        write_bytes(folder / IMPORTANCE, draw_importance(found.importance))
    return found


@contextlib.contextmanager
def _open_study(path: Path, config: Config, record: dict[str, Any]) -> Iterator[optuna.Study]:
    path.parent.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(logging.WARNING)
    try:
        storage = optuna.storages.RDBStorage(f"sqlite:///{path.absolute()}")
    except DatabaseError as error:
        raise ConfigError(
            str(path), f"damaged: {error.orig}", do="search again from the start with --fresh."
        ) from None
    try:
        study = optuna.create_study(
            storage=storage,
            study_name="search",
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(_BEFORE_PRUNING, _TOO_EARLY),
        )
        before = len(study.get_trials(deepcopy=False))
        # With the same seed a search that goes on would try the same values again.
        study.sampler = optuna.samplers.TPESampler(seed=config.training.seed + before)
        _check_same(study, path, record)
        for trial in study.get_trials(states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)  # its process is gone
        begun = _counted(study) or study.get_trials(states=(TrialState.WAITING,))
        if not begun and (own := _own_settings(config)):
            study.enqueue_trial(own)
        yield study
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _check_same(study: optuna.Study, path: Path, record: dict[str, Any]) -> None:
    before = study.user_attrs.get("record")
    if before is None:
        study.set_user_attr("record", record)
        return
    one, other = (r["config"]["search"] for r in (before, record))
    changed = differing_keys(before, record)
    changed += [f"search.{k}" for k in sorted({*one, *other}) if one.get(k) != other.get(k)]
    if changed:
        raise ConfigError(
            str(path),
            f"the search there differs in {', '.join(changed)}",
            expected="the same config, data and encoder, so that trials can be compared",
            do="name another folder with --out, or throw its trials away with --fresh.",
        )


def _own_settings(config: Config) -> dict[str, Any]:
    """The values that the config has, where a trial may have them."""
    own: dict[str, Any] = {}
    for key, tried in (config.search or {}).items():
        section, _, name = key.partition(".")
        value = getattr(getattr(config, section), name)
        if isinstance(tried, Range):
            is_in = value is not None and tried.low <= value <= tried.high
        else:
            is_in = value in tried
        if is_in:
            own[key] = value
    return own


def _counted(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that are over; one that was stopped has no reason and does not count."""
    over = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
    trials = study.get_trials(states=over)
    return [t for t in trials if t.state is not TrialState.FAIL or WHY in t.user_attrs]


def _conclude(study: optuna.Study, path: Path) -> Search:
    trials = tuple(_describe(trial) for trial in _counted(study))
    whole = [t for t in trials if t.outcome == "whole" and t.dev_f1 is not None]
    if not whole:
        reasons = "; ".join(dict.fromkeys(t.outcome for t in trials))
        raise ConfigError(str(path), f"no trial went through: {reasons}", do="mend section search.")
    best = max(whole, key=lambda t: t.dev_f1 or 0.0)
    return Search(trials, best, _importance(study))


def _describe(trial: FrozenTrial) -> Trial:
    attributes = trial.user_attrs
    return Trial(
        number=trial.number,
        settings=trial.params,
        dev_f1=trial.value if trial.state is not TrialState.FAIL else None,
        outcome=attributes.get(WHY, "whole"),
        seconds=attributes.get(SECONDS, 0.0),
    )


def _importance(study: optuna.Study) -> dict[str, float]:
    whole = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(whole) < _FOR_IMPORTANCE or len({t.value for t in whole}) == 1:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))


def draw_importance(importance: Mapping[str, float]) -> bytes:
    """Draw a bar for each setting, the greatest above, as a PNG 800 pixels wide."""
    names, shares = list(importance), [100 * share for share in importance.values()]
    with mpl.rc_context({"font.size": 11}):
        figure = Figure(figsize=(8.0, 1.2 + 0.4 * len(names)), dpi=100, layout="constrained")
        panel = figure.subplots()
        bars = panel.barh(names, shares, color="#0072b2")
        panel.bar_label(bars, fmt="%.0f", padding=3)
        panel.invert_yaxis()
        panel.set_xlim(0, 105)
        panel.set_xlabel("share of the differences in dev F1, %")
        panel.spines[["top", "right"]].set_visible(False)
        written = io.BytesIO()
        figure.savefig(written, format="png")
    return written.getvalue()
