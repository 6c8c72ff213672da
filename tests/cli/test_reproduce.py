from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Presstag = Callable[..., Any]


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model's checkpoint, to be changed."""
    shutil.copytree(tiny_model / "checkpoint", tmp_path / "m" / "checkpoint")
    return tmp_path / "m"


def test_reproduce_says_that_the_run_came_out_the_same(presstag: Presstag, model: Path) -> None:
    """Exit code 0; the new checkpoint goes beside the model."""
    ran = presstag("reproduce", model)
    assert 0 == ran.code, ran.err
    assert ": identical\n" in ran.out
    assert "weights: identical to the bit" in ran.out
    assert f"wrote {model}-again" in ran.out
    assert (model.with_name("m-again") / "checkpoint" / "model.safetensors").is_file()


def test_reproduce_refuses_what_differs_unless_told_to_go_on(
    presstag: Presstag, model: Path, tmp_path: Path
) -> None:
    """Exit code 2; with --anyway it says what it passed over, and 1 where dev F1 is another."""
    path = model / "checkpoint" / "run.json"
    record = json.loads(path.read_text("utf-8"))
    record["versions"]["torch"] = "0.0.1"
    record["course"]["best_dev_f1"] = 0.99
    path.write_text(json.dumps(record), encoding="utf-8")
    refused = presstag("reproduce", model, "--out", tmp_path / "n")
    assert 2 == refused.code
    assert "versions.torch: found" in refused.err
    ran = presstag("reproduce", model, "--out", tmp_path / "n", "--anyway")
    assert 1 == ran.code, ran.err
    assert "passed over: versions.torch: found" in ran.out
    assert "recorded 99.0000: not the same" in ran.out
