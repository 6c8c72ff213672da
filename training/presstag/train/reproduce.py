"""Train a model again from the record beside its checkpoint, and see whether it comes out the same.

On one processor, with the same data, encoder and versions, it does, to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors.torch import load_file

from presstag.errors import InputError, ModelError
from presstag.train.checkpoint import RUN, read_record
from presstag.train.config import Config
from presstag.train.data import load_data
from presstag.train.encoder import WEIGHTS, find_encoder
from presstag.train.fit import Progress
from presstag.train.folder import CHECKPOINT
from presstag.train.run import clear_states, describe_run, train_checkpoint


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it was: its dotted key in run.json, now and then."""

    key: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.key}: found {self.found}, expected {self.expected}"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """How a model that was trained again compares with the one recorded.

    Attributes:
        folder: of the new one.
        expected_f1: strict micro F1 on dev, as recorded.
        found_f1: the same figure of the new one.
        weights: largest difference of a weight; infinite where they have other shapes or names,
            None where the recorded ones are not there.
        differences: in data, encoder and versions, that were passed over.
        remarks: other differences, which need not matter: commit, Python, machine.
    """

    folder: Path
    expected_f1: float
    found_f1: float
    weights: float | None
    differences: tuple[Difference, ...]
    remarks: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """Whether dev F1 is identical."""
        return self.expected_f1 == self.found_f1


def reproduce(
    model: Path, out: Path, *, anyway: bool = False, progress: Progress | None = None
) -> Reproduction:
    """Train a model again with its recorded config and compare.

    Args:
        model: a folder that training wrote, or the checkpoint in it.
        out: for the new checkpoint; must not hold anything.
        anyway: train even if data, encoder or versions differ.
        progress: is told how it goes.

    Raises:
        ModelError: if there is no record, or data, encoder or versions differ: each is named.
        InputError: if `out` is in use.
        PresstagError: if data or encoder cannot be used at all.
    """
    checkpoint = model / CHECKPOINT if (model / CHECKPOINT).is_dir() else model
    record, config = _read(checkpoint)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(
            str(out), "something is there already", do="remove it, or name a folder with --out."
        )
    if progress:
        progress.phase("reading articles")
    data, source = load_data(config.data), find_encoder(config.model)
    now = describe_run(config, data, source)
    differences = compare_records(record, now)
    if differences and not anyway:
        listed = "".join(f"\n  - {d}" for d in differences)
        raise ModelError(
            str(checkpoint / RUN),
            f"made from something else than what is here:{listed}",
            do="bring back what is expected, or go on with --anyway.",
        )
    course = train_checkpoint(config, data, source, out, progress=progress)
    clear_states(out)
    return Reproduction(
        folder=out,
        expected_f1=record["course"]["best_dev_f1"],
        found_f1=course.best_dev_f1,
        weights=_compare_weights(checkpoint / WEIGHTS, out / CHECKPOINT / WEIGHTS),
        differences=tuple(differences),
        remarks=tuple(_differing(record, now, ("commit", "python", "machine"))),
    )


def _read(checkpoint: Path) -> tuple[dict[str, Any], Config]:
    record = read_record(checkpoint)
    path = str(checkpoint / RUN)
    if not record:
        found = "no record of a run" if checkpoint.is_dir() else "no such folder"
        raise ModelError(path, found, expected="a model that presstag train made")
    try:
        config = Config.model_validate(record["config"])
        float(record["course"]["best_dev_f1"])
    except (KeyError, TypeError, ValidationError) as error:
        reason = str(error).replace("\n", " ")
        found = f"a record that this version cannot read: {reason:.200}"
        raise ModelError(path, found, do="use the version of presstag that made it.") from None
    return record, config


def compare_records(record: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """In what data, encoder and versions differ, as far as both records know."""
    parts = ("data", "encoder", "versions")
    return [
        Difference(f"{part}.{d.key}", d.found, d.expected)
        for part in parts
        for d in _differing(record.get(part, {}), now[part], {**record.get(part, {}), **now[part]})
    ]


def _differing(
    record: Mapping[str, Any], now: Mapping[str, Any], keys: tuple[str, ...] | Mapping[str, Any]
) -> list[Difference]:
    return [
        Difference(key, str(now.get(key) or "none"), str(record.get(key) or "none"))
        for key in keys
        if now.get(key) != record.get(key)
    ]


def _compare_weights(expected: Path, found: Path) -> float | None:
    if not expected.is_file():
        return None
    before, after = load_file(expected), load_file(found)
    shapes = [{name: tensor.shape for name, tensor in side.items()} for side in (before, after)]
    if shapes[0] != shapes[1]:
        return float("inf")
    pairs = ((before[name], after[name]) for name in before)
    return max(float(torch.max(torch.abs(a.double() - b.double()))) for a, b in pairs)
