"""A whole run: articles in, a checkpoint and a packed model out.

models/NAME/
  manifest.json model.onnx tokenizer.json   the packed model
  checkpoint/                                the best checkpoint, as transformers saves one,
                                             with run.json and config.yaml
  scores.json                                what the packed model scored
  README.md curves.png                       the model card, and how training went
  rejected.jsonl                             regions that could not be read, if there were any
  training/                                  TensorBoard logs; states to resume from
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from presstag.errors import ConfigError
from presstag.evaluate.evaluate import Evaluation
from presstag.spans import Article
from presstag.train.card import Facts, render_card
from presstag.train.checkpoint import RUN, read_record
from presstag.train.config import Config
from presstag.train.configfile import to_yaml
from presstag.train.curves import write_curves
from presstag.train.data import RunData, load_data, write_rejected
from presstag.train.encoder import WEIGHTS, Source, find_encoder
from presstag.train.export import Parity, export_checkpoint
from presstag.train.fit import Course, Progress, last_checkpoint
from presstag.train.folder import CARD, CHECKPOINT, CURVES, REJECTED, SCORES, TRAINING
from presstag.train.learn import learn
from presstag.writing import write_json, write_text

_VERSIONS = ("presstag", "torch", "transformers", "tokenizers", "datasets", "onnxruntime", "numpy")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run made; `example` is an article that was not trained on."""

    folder: Path
    course: Course
    parity: Parity
    evaluations: Mapping[str, Evaluation]
    rejected: int
    example: Article


def train(
    config: Config,
    folder: Path,
    *,
    resume: bool = False,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Outcome:
    """Train, evaluate and export what a config says.

    Args:
        config: the run.
        folder: for the model, e.g. models/aid.
        resume: go on where an interrupted run of the same config stopped, to the same end.
        fresh: throw an interrupted run away.
        progress: is told how it goes.

    Raises:
        PresstagError: if the config, the data or the encoder cannot be used, or the export is
            refused.
    """
    if progress:
        progress.phase("reading articles")
    data = load_data(config.data)
    source = find_encoder(config.model)
    train_checkpoint(config, data, source, folder, resume=resume, fresh=fresh, progress=progress)
    outcome = pack(config, data, folder, progress=progress)
    clear_states(folder)
    return outcome


def train_checkpoint(
    config: Config,
    data: RunData,
    source: Source,
    folder: Path,
    *,
    resume: bool = False,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Course:
    """Train up to the best checkpoint, in `folder`/checkpoint; nothing is packed.

    Args:
        config: the run.
        data: its articles; where they differ from those that the config names, the digests say so.
        source: its encoder.
        folder: for the checkpoint and the states to resume from.
        resume: as for `train`.
        fresh: as for `train`.
        progress: is told how it goes.

    Raises:
        PresstagError: as `train` does.
    """
    record = describe_run(config, data, source)
    state = _prepare(folder / TRAINING, record, resume=resume, fresh=fresh)
    write_rejected(data.rejected, folder / REJECTED)
    over = read_record(folder / TRAINING).get("course")
    if over:  # packing was stopped or refused: training is not repeated
        _describe(folder / CHECKPOINT, config, {**record, "course": over})
        return Course(**over)
    return _fit(config, data, source, folder, record=record, state=state, progress=progress)


def pack(
    config: Config, data: RunData, folder: Path, *, progress: Progress | None = None
) -> Outcome:
    """Export and score the checkpoint in `folder`, and describe the model that it makes.

    Raises:
        PresstagError: if the checkpoint does not load, or the export is refused.
    """
    if progress:
        progress.phase("exporting and evaluating")
    parity, evaluations = export_checkpoint(
        folder / CHECKPOINT,
        folder,
        name=config.name,
        section=config.export,
        train=data.splits["train"],
        dev=data.splits["dev"],
        splits={s: data.splits[s] for s in config.evaluation.splits if s in data.splits},
    )
    scores = {"parity": asdict(parity), **{s: e.to_dict() for s, e in evaluations.items()}}
    write_json(folder / SCORES, scores)
    record = read_record(folder / CHECKPOINT)
    course = Course(**record["course"])
    write_curves(course, folder / CURVES)
    found = {split: e.predicted for split, e in evaluations.items()}
    write_text(folder / CARD, render_card(Facts(config, record, scores, data.splits, found)))
    example = data.splits.get("test", data.splits["dev"])[0]
    return Outcome(folder, course, parity, evaluations, len(data.rejected), example)


def clear_states(folder: Path) -> None:
    """Throw away what a run could be resumed from: it is over."""
    for spent in (folder / TRAINING).glob("checkpoint-*"):
        shutil.rmtree(spent)


def _fit(
    config: Config,
    data: RunData,
    source: Source,
    folder: Path,
    *,
    record: dict[str, Any],
    state: Path | None,
    progress: Progress | None,
) -> Course:
    learned = learn(
        config,
        data.splits["train"],
        dev=data.splits["dev"],
        source=source,
        folder=folder / TRAINING,
        resume_from=state,
        progress=progress,
    )
    beside = folder / f".{CHECKPOINT}.tmp"
    shutil.rmtree(beside, ignore_errors=True)
    learned.model.save_pretrained(beside)
    learned.tokenizer.save_pretrained(beside)
    (beside / WEIGHTS).chmod(0o644)  # others than the trainer may read it, like every other file
    record = {**record, "course": asdict(learned.course)}
    _describe(beside, config, record)
    shutil.rmtree(folder / CHECKPOINT, ignore_errors=True)
    beside.rename(folder / CHECKPOINT)
    write_json(folder / TRAINING / RUN, record)
    return learned.course


def _describe(checkpoint: Path, config: Config, record: dict[str, Any]) -> None:
    write_json(checkpoint / RUN, record)
    write_text(checkpoint / "config.yaml", to_yaml(config))


def _prepare(folder: Path, record: dict[str, Any], *, resume: bool, fresh: bool) -> Path | None:
    """Find the state to resume from, or clear the way; a half-finished run is not lost unasked."""
    state = last_checkpoint(folder)
    if state is None and resume:
        raise ConfigError(
            str(folder), "nothing to resume: no interrupted run", do="start it without --resume."
        )
    if state is not None and not resume and not fresh:
        step = state.name.rpartition("-")[2]
        raise ConfigError(
            str(folder),
            f"an interrupted run, at step {step}",
            do="go on with --resume, or throw it away with --fresh.",
        )
    if state is not None and resume:
        if changed := differing_keys(read_record(folder), record):
            raise ConfigError(
                str(folder),
                f"the interrupted run differs in {', '.join(changed)}",
                expected="the same config, data and encoder, so that resuming is exact",
                do="undo the change, or start over with --fresh.",
            )
        return state
    shutil.rmtree(folder, ignore_errors=True)
    write_json(folder / RUN, record)
    return None


def differing_keys(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """In what two records differ that leads to other weights, as dotted keys."""
    one, other = _exact_part(before), _exact_part(now)
    return [k for k in sorted({*one, *other}) if one.get(k) != other.get(k)]


def _exact_part(record: Mapping[str, Any]) -> dict[str, Any]:
    """What must be the same for resuming to be exact, by dotted key."""
    flat: dict[str, Any] = {}
    for part in ("config", "data", "encoder"):
        for key, value in record.get(part, {}).items():
            if part == "config" and isinstance(value, dict):
                if key not in {"evaluation", "export", "search"}:
                    flat.update({f"config.{key}.{name}": v for name, v in value.items()})
            else:
                flat[f"{part}.{key}"] = value
    return flat


def describe_run(config: Config, data: RunData, source: Source) -> dict[str, Any]:
    """The record that lets a run be made again: config, digests, versions, commit, machine."""
    return {
        "config": config.model_dump(),
        "data": dict(data.digests),
        "encoder": {"name": config.model.encoder, "sha256": source.sha256},
        "versions": {name: _version(name) for name in _VERSIONS},
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "commit": _commit(),
        "begun": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The git commit of the working directory, marked if files differ from it."""
    command = ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            command, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
