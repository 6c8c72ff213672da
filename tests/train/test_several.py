from __future__ import annotations

import json
import shutil
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from presstag import ConfigError, load
from presstag.corpus import read_corpus
from presstag.train.configfile import read_config
from presstag.train.several import HELD_OUT, Run, Several, train_folds, train_seeds


@dataclass
class Listener:
    """A progress that counts the runs that are begun, and presses Ctrl-C in one of them."""

    stop_in: int = 0
    begun: int = 0
    phases: list[str] = field(default_factory=list)

    def phase(self, what: str) -> None:
        self.phases.append(what)

    def begin(self, *, steps: int, done: int, best: float | None) -> None:
        self.begun += 1

    def step(self, step: int, loss: float | None) -> None:
        pass

    def evaluated(self, step: int, *, epoch: float, dev_loss: float, dev_f1: float) -> None:
        pass

    def saved(self, step: int) -> None:
        if self.begun == self.stop_in:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def seeded(tiny_config: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Several]:
    """Two seeds of a config that learns something, and their folder."""
    folder = tmp_path_factory.mktemp("seeds") / "tiny"
    overrides = ["training.max_steps=12", "training.head_learning_rate=1e-2"]
    return folder, train_seeds(read_config(tiny_config, overrides), folder, seeds=2)


@pytest.fixture(scope="module")
def folded(tiny_config: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Several]:
    """Three folds of the tiny run, and their folder."""
    folder = tmp_path_factory.mktemp("folds") / "tiny"
    return folder, train_folds(read_config(tiny_config), folder, folds=3)


@pytest.fixture
def folds(folded: tuple[Path, Several], tmp_path: Path) -> Path:
    """A copy of that folder, to be changed."""
    return shutil.copytree(folded[0], tmp_path / "m")


def record(model: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((model / "checkpoint" / "run.json").read_text("utf-8"))
    return read


def test_each_seed_has_a_folder_and_the_best_on_dev_is_packed(
    seeded: tuple[Path, Several],
) -> None:
    """The model's own checkpoint is that of the best seed, and its folder is like any model's."""
    folder, several = seeded
    assert [("seed-1", 1), ("seed-2", 2)] == [(run.name, run.seed) for run in several.runs]
    assert [1, 2] == [record(folder / r.name)["config"]["training"]["seed"] for r in several.runs]
    assert several.packed is not None
    best = max(several.runs, key=lambda run: run.dev_f1).name
    assert best == several.packed[1]
    assert record(folder / best) == record(folder) == load(folder).info["provenance"]
    there = {path.name for path in folder.iterdir()}
    expected = {
        *("manifest.json", "model.onnx", "tokenizer.json", "checkpoint", "scores.json"),
        *("README.md", "curves.png", "runs.json", "seed-1", "seed-2"),
    }
    assert expected == there
    assert {"checkpoint", "scores.json", "training"} == {
        path.name for path in (folder / "seed-1").iterdir()
    }


def test_seeds_are_scored_on_test(seeded: tuple[Path, Several]) -> None:
    """By the same figures as everywhere, for each seed's checkpoint."""
    _, several = seeded
    assert [["test"], ["test"]] == [list(run.scores) for run in several.runs]
    assert [13, 13] == [run.scores["test"]["micro"]["gold"] for run in several.runs]


def test_runs_json_has_each_run_and_the_spread(seeded: tuple[Path, Several]) -> None:
    """Mean and standard deviation follow from the runs beside them."""
    folder, several = seeded
    written = json.loads((folder / "runs.json").read_text("utf-8"))["seeds"]
    figures = [run["scores"]["test"]["micro"]["f1"] for run in written["runs"]]
    expected = {
        "mean": round(statistics.mean(figures), 4),
        "sd": round(statistics.stdev(figures), 4),
    }
    assert expected == written["f1"]["test"]
    assert ["dev", "test"] == list(written["f1"])
    assert several.packed is not None
    assert several.packed[1] == written["packed"]


def test_every_training_article_is_held_out_once(
    folded: tuple[Path, Several], tiny_data: Path
) -> None:
    """All folds together are scored on the spans of the whole training file."""
    _, several = folded
    train = read_corpus(tiny_data / "train.json").articles
    assert [8, 8, 8] == [run.scores[HELD_OUT]["articles"] for run in several.runs]
    assert sum(len(a.spans) for a in train) == several.pooled(HELD_OUT).gold
    assert several.packed is None


def test_folds_pack_nothing_and_say_in_their_record_what_was_left_out(
    folded: tuple[Path, Several],
) -> None:
    """A fold's checkpoint is not mistaken for one of the whole training file."""
    folder, _ = folded
    assert {"fold-1", "fold-2", "fold-3", "runs.json"} == {p.name for p in folder.iterdir()}
    assert "all but 2 of 3" == record(folder / "fold-2")["data"]["fold"]


def test_finished_runs_are_not_repeated(tiny_config: Path, folds: Path) -> None:
    """The same figures come back without a step of training."""
    before = json.loads((folds / "runs.json").read_text("utf-8"))
    listener = Listener()
    several = train_folds(read_config(tiny_config), folds, folds=3, progress=listener)
    assert 0 == listener.begun
    assert before["folds"] == json.loads(json.dumps(several.to_dict()))


def test_fresh_repeats_finished_runs(tiny_config: Path, folds: Path) -> None:
    """To the same figures."""
    before = json.loads((folds / "fold-1" / "scores.json").read_text("utf-8"))
    listener = Listener(stop_in=2)
    with pytest.raises(KeyboardInterrupt):
        train_folds(read_config(tiny_config), folds, folds=3, fresh=True, progress=listener)
    assert ["fold 1 of 3", "training", "scoring fold-1"] == listener.phases[:3]
    assert before == json.loads((folds / "fold-1" / "scores.json").read_text("utf-8"))


def test_other_settings_are_not_mixed_with_finished_runs(tiny_config: Path, folds: Path) -> None:
    """The key that differs is named."""
    config = read_config(tiny_config, ["training.learning_rate=2e-2"])
    with pytest.raises(ConfigError, match=r"differs in config\.training\.learning_rate"):
        train_folds(config, folds, folds=3)
    with pytest.raises(ConfigError, match=r"differs in data\.fold"):
        train_folds(read_config(tiny_config), folds, folds=2)


def test_an_interrupted_run_goes_on_where_it_stopped(tiny_config: Path, tmp_path: Path) -> None:
    """With --resume, as for a single run; the finished one before it is not repeated."""
    config = read_config(tiny_config)
    with pytest.raises(KeyboardInterrupt):
        train_folds(config, tmp_path / "m", folds=2, progress=Listener(stop_in=2))
    with pytest.raises(ConfigError, match="an interrupted run, at step 2"):
        train_folds(config, tmp_path / "m", folds=2)
    listener = Listener()
    several = train_folds(config, tmp_path / "m", folds=2, resume=True, progress=listener)
    assert 1 == listener.begun
    assert 2 == len(several.runs)
    assert [] == list((tmp_path / "m").glob("*/training/checkpoint-*"))


def test_a_run_that_was_not_scored_is_scored_not_trained(tiny_config: Path, folds: Path) -> None:
    """Stopped between training and scoring, it has its weights and a state, and no scores."""
    before = (folds / "fold-1" / "scores.json").read_text("utf-8")
    (folds / "fold-1" / "scores.json").unlink()
    state = folds / "fold-1" / "training" / "checkpoint-6"
    state.mkdir()
    (state / "trainer_state.json").write_text("{}", encoding="utf-8")
    listener = Listener()
    train_folds(read_config(tiny_config), folds, folds=3, resume=True, progress=listener)
    assert 0 == listener.begun
    assert before == (folds / "fold-1" / "scores.json").read_text("utf-8")


def test_seeds_and_folds_stand_in_one_file(tiny_config: Path, folds: Path) -> None:
    """One does not overwrite what the other found."""
    path = folds / "runs.json"
    path.write_text(json.dumps({"seeds": {"kept": 1}}), encoding="utf-8")
    train_folds(read_config(tiny_config), folds, folds=3)
    assert {"seeds", "folds"} == set(json.loads(path.read_text("utf-8")))


@pytest.mark.parametrize("count", [1, 25])
def test_there_are_two_folds_or_more_and_an_article_in_each(
    count: int, tiny_config: Path, tmp_path: Path
) -> None:
    """Refused before anything is written."""
    with pytest.raises(ConfigError, match="--folds"):
        train_folds(read_config(tiny_config), tmp_path / "m", folds=count)
    assert not (tmp_path / "m").exists()


def test_one_seed_has_no_spread(tiny_config: Path, tmp_path: Path) -> None:
    """It is a plain run with another seed."""
    with pytest.raises(ConfigError, match="--seeds: 1"):
        train_seeds(read_config(tiny_config), tmp_path / "m", seeds=1)


def test_the_spread_is_that_of_a_sample() -> None:
    """Divided by n - 1: the runs are a sample of what seeds give."""
    runs = tuple(Run(f"seed-{i}", i, 1, f1, 1.0, {}) for i, f1 in enumerate((0.5, 0.7, 0.9)))
    mean, deviation = Several(runs, None).spread()["dev"]
    assert (0.7, 0.2) == (pytest.approx(mean), pytest.approx(deviation))
