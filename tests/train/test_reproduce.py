from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from presstag import DataError, InputError, ModelError
from presstag.train.reproduce import Difference, compare_records, reproduce


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model's checkpoint, to be changed."""
    shutil.copytree(tiny_model / "checkpoint", tmp_path / "m" / "checkpoint")
    return tmp_path / "m"


def change(model: Path, part: str, **values: Any) -> None:
    """Change what stands in a part of a record."""
    path = model / "checkpoint" / "run.json"
    record = json.loads(path.read_text("utf-8"))
    record[part].update(values)
    path.write_text(json.dumps(record), encoding="utf-8")


def test_a_run_is_made_again_to_the_bit(model: Path, tmp_path: Path) -> None:
    """With the same data, encoder and versions dev F1 is identical, and so is every weight."""
    outcome = reproduce(model, tmp_path / "again")
    assert outcome.same
    assert outcome.expected_f1 == outcome.found_f1
    assert 0.0 == outcome.weights
    assert ((), ()) == (outcome.differences, outcome.remarks)
    assert {"checkpoint", "training"} == {p.name for p in (tmp_path / "again").iterdir()}
    assert [] == list((tmp_path / "again" / "training").glob("checkpoint-*"))


def test_what_differs_is_named_with_both_versions(model: Path, tmp_path: Path) -> None:
    """Data, encoder and versions, all at once, and nothing is trained."""
    change(model, "data", train="0" * 64)
    change(model, "encoder", sha256="1" * 64)
    change(model, "versions", torch="0.0.1")
    with pytest.raises(ModelError) as caught:
        reproduce(model, tmp_path / "again")
    lines = caught.value.found.splitlines()[1:]
    assert ["data.train", "encoder.sha256", "versions.torch"] == [
        line.removeprefix("  - ").partition(":")[0] for line in lines
    ]
    assert lines[2].endswith("expected 0.0.1")
    assert "--anyway" in caught.value.do
    assert not (tmp_path / "again").exists()


def test_anyway_goes_on_and_tells_what_it_passed_over(model: Path, tmp_path: Path) -> None:
    """Here only the record is wrong, and its F1 with it: that is found out."""
    change(model, "versions", torch="0.0.1")
    change(model, "course", best_dev_f1=0.99)
    (model / "checkpoint" / "model.safetensors").unlink()
    outcome = reproduce(model / "checkpoint", tmp_path / "again", anyway=True)
    assert ["versions.torch"] == [d.key for d in outcome.differences]
    assert not outcome.same
    assert outcome.weights is None


def test_what_is_recorded_on_one_side_only_differs() -> None:
    """A split that is new, a package that is gone; the machine is none of it."""
    before = {"data": {"train": "a"}, "encoder": {}, "versions": {"torch": "1"}, "machine": "x"}
    now = {"data": {"train": "a", "test": "b"}, "encoder": {}, "versions": {}, "machine": "y"}
    expected = [
        Difference("data.test", "b", "none"),
        Difference("versions.torch", "none", "1"),
    ]
    assert expected == compare_records(before, now)
    assert "data.test: found b, expected none" == str(expected[0])


def test_nothing_is_overwritten(model: Path, tmp_path: Path) -> None:
    """Neither the model itself nor another folder with something in it."""
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "notes.txt").touch()
    for folder in (model, tmp_path / "again"):
        with pytest.raises(InputError, match="something is there already"):
            reproduce(model, folder)


def test_data_that_is_gone_is_named(model: Path, tmp_path: Path) -> None:
    """The file that the record's config names."""
    path = model / "checkpoint" / "run.json"
    text = path.read_text("utf-8").replace("/train.json", "/gone.json")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"gone\.json"):
        reproduce(model, tmp_path / "again", anyway=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "damaged: not JSON"),
        ("{}", "no record of a run"),
        ('{"config": {}}', "a record that this version cannot read"),
        ('{"config": {"name": "x", "new": 1}}', "a record that this version cannot read"),
    ],
)
def test_a_record_that_cannot_be_read_is_refused(
    text: str, expected: str, model: Path, tmp_path: Path
) -> None:
    """With its path and the reason."""
    (model / "checkpoint" / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=expected) as caught:
        reproduce(model, tmp_path / "again")
    assert str(model / "checkpoint" / "run.json") == caught.value.where


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """And no folder is made."""
    with pytest.raises(ModelError, match="no such folder"):
        reproduce(tmp_path / "m", tmp_path / "again")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("shape", ["same", "other"])
def test_weights_are_compared_apart_from_the_score(shape: str, model: Path, tmp_path: Path) -> None:
    """Dev F1 may agree where weights do not: by how much is said, or that nothing compares."""
    path = model / "checkpoint" / "model.safetensors"
    weights = load_file(path)
    bias = weights["classifier.bias"]
    weights["classifier.bias"] = bias + 0.5 if shape == "same" else torch.cat([bias, bias])
    save_file(weights, path)
    outcome = reproduce(model, tmp_path / "again")
    assert outcome.same
    assert pytest.approx(0.5 if shape == "same" else float("inf")) == outcome.weights
