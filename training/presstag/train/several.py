"""Several runs of one config: what another seed, or other training articles, would have given.

    models/NAME/
      seed-1/ seed-2/ …    a run each: checkpoint/, scores.json, training/
      fold-1/ fold-2/ …    the same, each scored on the training articles that it was not shown
      runs.json            every run's figures, their mean and standard deviation

Runs that are finished are not repeated.
"""

from __future__ import annotations

import json
import shutil
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from presstag.errors import ConfigError
from presstag.evaluate.metrics import Score, score_spans
from presstag.spans import Article
from presstag.train.checkpoint import load_checkpoint, read_record
from presstag.train.config import Config
from presstag.train.data import RunData, load_data
from presstag.train.encoder import WEIGHTS, Source, find_encoder
from presstag.train.fit import Progress, last_checkpoint
from presstag.train.folder import CHECKPOINT, RUNS, SCORES, TRAINING
from presstag.train.run import (
    Outcome,
    clear_states,
    describe_run,
    differing_keys,
    pack,
    train_checkpoint,
)
from presstag.train.suspects import deal
from presstag.writing import write_json

HELD_OUT = "held out"


@dataclass(frozen=True, slots=True)
class Run:
    """One of several.

    Attributes:
        name: of its folder, e.g. `seed-3`.
        seed: that it trained with.
        best_step: the step whose weights were kept.
        dev_f1: strict micro F1 on dev at that step, which chose it.
        seconds: of training.
        scores: the checkpoint's strict scores by split, as `Scores.to_dict` gives them.
    """

    name: str
    seed: int
    best_step: int
    dev_f1: float
    seconds: float
    scores: Mapping[str, Any]

    def f1(self) -> dict[str, float]:
        """Strict micro F1 by split."""
        return {"dev": self.dev_f1, **{s: found["micro"]["f1"] for s, found in self.scores.items()}}


@dataclass(frozen=True, slots=True)
class Several:
    """What the runs came to.

    Attributes:
        runs: in order.
        packed: the model made of the best run, and that run's name; None for folds.
    """

    runs: tuple[Run, ...]
    packed: tuple[Outcome, str] | None

    def spread(self) -> dict[str, tuple[float, float]]:
        """Mean and standard deviation (of a sample: n - 1) of strict micro F1, by split."""
        columns = {split: [run.f1()[split] for run in self.runs] for split in self.runs[0].f1()}
        return {s: (statistics.mean(c), statistics.stdev(c)) for s, c in columns.items()}

    def pooled(self, split: str) -> Score:
        """Strict micro score over the articles of all runs together."""
        counts = [run.scores[split]["micro"] for run in self.runs]
        keys = ("correct", "predicted", "gold")
        return Score(*(sum(count[key] for count in counts) for key in keys))

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        spread = {
            s: {"mean": round(m, 4), "sd": round(d, 4)} for s, (m, d) in self.spread().items()
        }
        found: dict[str, Any] = {"runs": [asdict(run) for run in self.runs], "f1": spread}
        if self.packed:
            return {**found, "packed": self.packed[1]}
        return {**found, "pooled": self.pooled(HELD_OUT).to_dict()}


def train_seeds(
    config: Config,
    folder: Path,
    *,
    seeds: int,
    resume: bool = False,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Several:
    """Train with the seeds 1, 2, … and pack the run that is best on dev.

    Args:
        config: the run; its own seed does not count.
        folder: for the packed model, a folder a seed, and runs.json.
        seeds: how many.
        resume: go on with a run that was interrupted.
        fresh: throw interrupted and finished runs away.
        progress: is told how it goes.

    Raises:
        ConfigError: if `seeds` is below two, or a finished run had other settings or data.
        PresstagError: as `presstag.train.run.train` does.
    """
    _at_least_two("--seeds", seeds)
    data, source = load_data(config.data), find_encoder(config.model)
    judged = {s: data.splits[s] for s in ("test",) if s in data.splits}
    runs: list[Run] = []
    for seed in range(1, seeds + 1):
        if progress:
            progress.phase(f"seed {seed} of {seeds}")
        runs.append(
            _run(
                with_seed(config, seed),
                data,
                source,
                folder / f"seed-{seed}",
                judged=judged,
                resume=resume,
                fresh=fresh,
                progress=progress,
            )
        )
    best = max(runs, key=lambda run: run.dev_f1)
    _take_checkpoint(folder / best.name / CHECKPOINT, folder)
    outcome = pack(with_seed(config, best.seed), data, folder, progress=progress)
    several = Several(tuple(runs), (outcome, best.name))
    _write(several, folder, kind="seeds")
    return several


def train_folds(
    config: Config,
    folder: Path,
    *,
    folds: int,
    resume: bool = False,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Several:
    """Deal the training articles into folds; score each by a run that was shown the others.

    The arguments are those of `train_seeds`; the dev articles choose each run's weights. Nothing
    is packed.

    Raises:
        ConfigError: if `folds` is below two or more than there are articles, or a finished run had
            other settings or data.
        PresstagError: as `presstag.train.run.train` does.
    """
    _at_least_two("--folds", folds)
    data, source = load_data(config.data), find_encoder(config.model)
    train = data.splits["train"]
    if folds > len(train):
        raise ConfigError(
            "--folds", f"{folds} folds for {len(train)} articles", expected="an article each"
        )
    runs: list[Run] = []
    dealt = deal(train, folds)
    for number, held_out in enumerate(dealt, start=1):
        if progress:
            progress.phase(f"fold {number} of {folds}")
        rest = tuple(a for other in dealt if other is not held_out for a in other)
        # The digest is the whole file's: what was left out of it belongs to the record.
        digests = {**data.digests, "fold": f"all but {number} of {folds}"}
        runs.append(
            _run(
                config,
                replace(data, splits={**data.splits, "train": rest}, digests=digests),
                source,
                folder / f"fold-{number}",
                judged={HELD_OUT: held_out},
                resume=resume,
                fresh=fresh,
                progress=progress,
            )
        )
    several = Several(tuple(runs), None)
    _write(several, folder, kind="folds")
    return several


def with_seed(config: Config, seed: int) -> Config:
    """The same config with another seed."""
    training = config.training.model_copy(update={"seed": seed})
    return config.model_copy(update={"training": training})


def _at_least_two(option: str, count: int) -> None:
    if count < 2:
        raise ConfigError(option, str(count), expected="2 or more, so that there is a spread")


def _run(
    config: Config,
    data: RunData,
    source: Source,
    folder: Path,
    *,
    judged: Mapping[str, Sequence[Article]],
    resume: bool,
    fresh: bool,
    progress: Progress | None,
) -> Run:
    if fresh or not _is_finished(folder, describe_run(config, data, source)):
        (folder / SCORES).unlink(missing_ok=True)  # an earlier run's
        train_checkpoint(
            config,
            data,
            source,
            folder,
            resume=resume and last_checkpoint(folder / TRAINING) is not None,
            fresh=fresh,
            progress=progress,
        )
        if progress and judged:
            progress.phase(f"scoring {folder.name}")
        write_json(folder / SCORES, _score(folder / CHECKPOINT, judged))
    clear_states(folder)
    course = read_record(folder / CHECKPOINT)["course"]
    return Run(
        name=folder.name,
        seed=config.training.seed,
        best_step=course["best_step"],
        dev_f1=course["best_dev_f1"],
        seconds=course["seconds"],
        scores=json.loads((folder / SCORES).read_text(encoding="utf-8")),
    )


def _is_finished(folder: Path, record: Mapping[str, Any]) -> bool:
    before = read_record(folder / CHECKPOINT)
    needed = (folder / SCORES, folder / CHECKPOINT / WEIGHTS)
    if "course" not in before or not all(path.is_file() for path in needed):
        return False
    if changed := differing_keys(before, record):
        raise ConfigError(
            str(folder),
            f"the finished run differs in {', '.join(changed)}",
            expected="the same config, data and encoder, so that the runs can be compared",
            do="name another folder with --out, or train all of them again with --fresh.",
        )
    return True


def _score(checkpoint: Path, judged: Mapping[str, Sequence[Article]]) -> dict[str, Any]:
    tagger = load_checkpoint(checkpoint)
    scores: dict[str, Any] = {}
    for split, articles in judged.items():
        found = tagger.pipe(a.text for a in articles)
        gold = (a.spans for a in articles)
        scores[split] = score_spans(gold, found, labels=tagger.labels).to_dict()
    return scores


def _take_checkpoint(checkpoint: Path, folder: Path) -> None:
    beside = folder / f".{CHECKPOINT}.tmp"
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(checkpoint, beside)
    shutil.rmtree(folder / CHECKPOINT, ignore_errors=True)
    beside.rename(folder / CHECKPOINT)


def _write(several: Several, folder: Path, *, kind: str) -> None:
    """Seeds and folds stand in one file, each beside what was there of the other."""
    path = folder / RUNS
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    write_json(path, {**before, kind: several.to_dict()})
