"""A whole run: articles in, a checkpoint and a packed model out.

models/NAME/
  manifest.json model.onnx tokenizer.json   the packed model
  checkpoint/                                the best checkpoint, as transformers saves one,
                                             with run.json and config.yaml
  scores.json                                what the packed model scored
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
from presstag.train.checkpoint import RUN, read_record
from presstag.train.config import Config
from presstag.train.configfile import to_yaml
from presstag.train.data import RunData, load_data, write_rejected
from presstag.train.encoder import WEIGHTS, Source, find_encoder
from presstag.train.export import Parity, export_checkpoint
from presstag.train.fit import Course, Progress, last_checkpoint
from presstag.train.learn import learn
from presstag.writing import write_json, write_text

CHECKPOINT, TRAINING, SCORES, REJECTED = "checkpoint", "training", "scores.json", "rejected.jsonl"
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
    tell = progress.phase if progress else lambda _: None
    tell("reading articles")
    data = load_data(config.data)
    source = find_encoder(config.model)
    record = describe_run(config, data, source)
    state = _prepare(folder / TRAINING, record, resume=resume, fresh=fresh)
    write_rejected(data.rejected, folder / REJECTED)
    over = read_record(folder / TRAINING).get("course")
    if over:  # packing was stopped or refused: training is not repeated
        course = Course(**over)
        _describe(folder / CHECKPOINT, config, {**record, "course": over})
    else:
        course = _fit(config, data, source, folder, record=record, state=state, progress=progress)
    tell("exporting and evaluating")
    parity, evaluations = export_checkpoint(
        folder / CHECKPOINT,
        folder,
        name=config.name,
        section=config.export,
        train=data.splits["train"],
        dev=data.splits["dev"],
        splits={s: data.splits[s] for s in config.evaluation.splits if s in data.splits},
    )
    write_json(
        folder / SCORES,
        {"parity": asdict(parity), **{s: e.to_dict() for s, e in evaluations.items()}},
    )
    for spent in (folder / TRAINING).glob("checkpoint-*"):
        shutil.rmtree(spent)
    example = data.splits.get("test", data.splits["dev"])[0]
    return Outcome(folder, course, parity, evaluations, len(data.rejected), example)


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
        before, now = _exact_part(read_record(folder)), _exact_part(record)
        changed = [k for k in sorted({*before, *now}) if before.get(k) != now.get(k)]
        if changed:
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


def _exact_part(record: Mapping[str, Any]) -> dict[str, Any]:
    """What must be the same for resuming to be exact, by dotted key."""
    flat: dict[str, Any] = {}
    for part in ("config", "data", "encoder"):
        for key, value in record.get(part, {}).items():
            if part == "config" and isinstance(value, dict):
                if key not in {"evaluation", "export"}:
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
