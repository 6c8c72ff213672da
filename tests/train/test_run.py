from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from presstag import ConfigError, DataError, load
from presstag.train.configfile import read_config
from presstag.train.run import _commit, train

PACKED = {"manifest.json", "model.onnx", "tokenizer.json"}
CHECKPOINT = {
    "config.json",
    "config.yaml",
    "model.safetensors",
    "run.json",
    "tokenizer.json",
    "tokenizer_config.json",
}


def listing(folder: Path) -> set[str]:
    """Every file below a folder but TensorBoard's, whose names hold the time."""
    files = (p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    return {str(p) for p in files if "tensorboard" not in p.parts}


def differing(one: Path, other: Path) -> list[str]:
    """The tensors that two models' checkpoints do not have in common to the bit."""
    first, second = (load_file(m / "checkpoint" / "model.safetensors") for m in (one, other))
    assert set(first) == set(second)
    return [name for name, tensor in first.items() if not torch.equal(tensor, second[name])]


def course(model: Path) -> dict[str, Any]:
    record = json.loads((model / "checkpoint" / "run.json").read_text(encoding="utf-8"))
    return dict(record["course"])


PACKING = ("phase", "exporting and evaluating")


@dataclass
class Listener:
    """A progress that notes what it hears, and presses Ctrl-C at one event.

    Most runs here stop when packing begins: the checkpoint is written then, and packing is slow.
    """

    stop_at: tuple[object, ...] = PACKING
    heard: list[tuple[object, ...]] = field(default_factory=list)

    def phase(self, what: str) -> None:
        self._hear("phase", what)

    def begin(self, *, steps: int, done: int, best: float | None) -> None:
        self._hear("begin", steps, done)

    def step(self, step: int, loss: float | None) -> None:
        self._hear("step", step)

    def evaluated(self, step: int, *, epoch: float, dev_loss: float, dev_f1: float) -> None:
        self._hear("evaluated", step)

    def saved(self, step: int) -> None:
        self._hear("saved", step)

    def _hear(self, *event: object) -> None:
        self.heard.append(event)
        if event == self.stop_at:
            raise KeyboardInterrupt


def train_until(
    event: tuple[object, ...],
    config: Path,
    folder: Path,
    *overrides: str,
    resume: bool = False,
    fresh: bool = False,
) -> Listener:
    """Train until an event; returns what was heard up to then."""
    listener = Listener(event)
    with pytest.raises(KeyboardInterrupt):
        train(
            read_config(config, overrides),
            folder,
            resume=resume,
            fresh=fresh,
            progress=listener,
        )
    return listener


@pytest.fixture
def interrupted(tiny_config: Path, tmp_path: Path) -> Path:
    """A folder in which the tiny run was stopped at its second step."""
    train_until(("saved", 2), tiny_config, tmp_path / "interrupted")
    return tmp_path / "interrupted"


def test_a_run_writes_exactly_the_files_that_its_module_lists(tiny_model: Path) -> None:
    """Packed model, checkpoint, scores, card, curves and TensorBoard's log: nothing else."""
    expected = {
        *PACKED,
        *(f"checkpoint/{name}" for name in CHECKPOINT),
        "README.md",
        "curves.png",
        "scores.json",
        "training/run.json",
    }
    assert expected == listing(tiny_model)
    assert list((tiny_model / "training" / "tensorboard").glob("events.*"))


def test_every_file_of_a_model_can_be_read_by_others(tiny_model: Path) -> None:
    """A model that one account trains, another can serve."""
    closed = [p for p in tiny_model.rglob("*") if p.is_file() and not p.stat().st_mode & 0o004]
    assert [] == closed


def test_run_json_tells_how_to_make_the_run_again(tiny_model: Path, tiny_config: Path) -> None:
    """It holds the config with its seed, the data's digests, versions, commit and the course."""
    record = json.loads((tiny_model / "checkpoint" / "run.json").read_text(encoding="utf-8"))
    assert read_config(tiny_config).model_dump() == record["config"]
    assert read_config(tiny_config).training.seed == record["config"]["training"]["seed"]
    assert {"train", "dev", "test"} == set(record["data"])
    assert all(len(digest) == 64 for digest in record["data"].values())
    assert torch.__version__ == record["versions"]["torch"]
    assert {"transformers", "tokenizers", "datasets", "onnxruntime", "numpy", "presstag"} < set(
        record["versions"]
    )
    assert 64 == len(record["encoder"]["sha256"])
    assert "commit" in record
    assert [2, 4, 6] == [e["step"] for e in record["course"]["history"] if "eval_f1" in e]


def test_the_commit_is_that_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside of a repository there is none, and that is no error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert _commit() is None


def test_the_config_beside_a_checkpoint_is_the_run_s(tiny_model: Path, tiny_config: Path) -> None:
    """config.yaml reads back as the config that was trained with."""
    assert read_config(tiny_config) == read_config(tiny_model / "checkpoint" / "config.yaml")


def test_scores_hold_parity_and_each_split(learned_model: Path) -> None:
    """scores.json has the packed model's strict scores and how it compares with the checkpoint."""
    scores = json.loads((learned_model / "scores.json").read_text(encoding="utf-8"))
    assert {"parity", "dev", "test"} == set(scores)
    assert 13 == scores["dev"]["micro"]["gold"]
    assert scores["dev"]["micro"]["f1"] == round(scores["parity"]["packed_f1"], 4)


def test_a_trained_model_finds_the_spans_it_was_shown(learned_model: Path) -> None:
    """From a Label Studio export to spans: what was annotated in training is found."""
    spans = load(learned_model)("Train 0. “Iceland pays,” she said.\n\nIceland has no tanks.")
    assert ("DONOR", "Iceland") in {(s.label, s.text) for s in spans}
    assert ("SYSTEM", "tanks") in {(s.label, s.text) for s in spans}


def test_progress_hears_of_every_step_evaluation_and_state(
    tiny_config: Path, tmp_path: Path
) -> None:
    """Phases, six steps, three evaluations and three saved states, in order."""
    heard = train_until(PACKING, tiny_config, tmp_path / "m").heard
    pairs = [(("step", n - 1), ("step", n), ("evaluated", n), ("saved", n)) for n in (2, 4, 6)]
    assert [
        ("phase", "reading articles"),
        ("phase", "training"),
        ("begin", 6, 0),
        *(event for events in pairs for event in events),
        PACKING,
    ] == heard


def test_a_run_is_repeated_to_the_bit(tiny_config: Path, tiny_model: Path, tmp_path: Path) -> None:
    """The same config gives the same weights."""
    train_until(PACKING, tiny_config, tmp_path / "m")
    assert [] == differing(tiny_model, tmp_path / "m")


def test_another_seed_gives_other_weights(
    tiny_config: Path, tiny_model: Path, tmp_path: Path
) -> None:
    """The seed of the config is the one that counts."""
    train_until(PACKING, tiny_config, tmp_path / "m", "training.seed=14")
    assert "classifier.weight" in differing(tiny_model, tmp_path / "m")


def test_a_resumed_run_ends_as_an_uninterrupted_one(tiny_config: Path, tmp_path: Path) -> None:
    """Stopped at step 2 and resumed, it reaches the weights of a run that went through, to the bit.

    It is long enough for a later step than the second to be the best.
    """
    longer = ("training.max_steps=24", "training.head_learning_rate=1e-2")
    train_until(PACKING, tiny_config, tmp_path / "straight", *longer)
    train_until(("saved", 2), tiny_config, tmp_path / "resumed", *longer)
    listener = train_until(PACKING, tiny_config, tmp_path / "resumed", *longer, resume=True)
    best = [course(tmp_path / name)["best_step"] for name in ("straight", "resumed")]
    assert ("begin", 24, 2) in listener.heard
    assert best[0] == best[1] > 2
    assert [] == differing(tmp_path / "straight", tmp_path / "resumed")


def test_an_interrupted_run_is_not_lost_unasked(tiny_config: Path, interrupted: Path) -> None:
    """Without --resume or --fresh it is refused, with both named and the step said."""
    before = listing(interrupted)
    with pytest.raises(ConfigError, match="at step 2") as caught:
        train(read_config(tiny_config), interrupted)
    assert "go on with --resume, or throw it away with --fresh." == caught.value.do
    assert before == listing(interrupted)


def test_fresh_throws_an_interrupted_run_away(
    tiny_config: Path, tiny_model: Path, interrupted: Path
) -> None:
    """It begins at step 0 and ends like a first run."""
    listener = train_until(PACKING, tiny_config, interrupted, fresh=True)
    assert ("begin", 6, 0) in listener.heard
    assert [] == differing(tiny_model, interrupted)


@pytest.mark.parametrize("override", ["training.seed=14", "model.window=28", "name=other"])
def test_resuming_with_another_config_is_refused(
    override: str, tiny_config: Path, interrupted: Path
) -> None:
    """A run resumed under other settings would be neither one nor the other: the key is named."""
    key = override.partition("=")[0]
    with pytest.raises(ConfigError) as caught:
        train(read_config(tiny_config, [override]), interrupted, resume=True)
    assert f"the interrupted run differs in config.{key}" == caught.value.found


def test_resuming_on_changed_data_is_refused(
    tiny_config: Path, tiny_data: Path, tmp_path: Path
) -> None:
    """The digest of the articles is compared, not only their path."""
    data = tmp_path / "train.json"
    data.write_bytes((tiny_data / "train.json").read_bytes())
    override = f"data.train={data}"
    train_until(("saved", 2), tiny_config, tmp_path / "m", override)
    data.write_bytes(data.read_bytes().replace(b"Tuesday", b"Monday"))
    with pytest.raises(ConfigError, match=r"differs in data\.train"):
        train(read_config(tiny_config, [override]), tmp_path / "m", resume=True)


def test_there_must_be_something_to_resume(tiny_config: Path, tmp_path: Path) -> None:
    """--resume without an interrupted run is refused, and makes no folder."""
    with pytest.raises(ConfigError, match="nothing to resume"):
        train(read_config(tiny_config), tmp_path / "m", resume=True)
    assert not (tmp_path / "m").exists()


def test_a_finished_run_is_nothing_to_resume(
    tiny_config: Path, tiny_model: Path, tmp_path: Path
) -> None:
    """Once packed, a run is trained again without a flag, and from its beginning."""
    shutil.copytree(tiny_model, tmp_path / "m")
    with pytest.raises(ConfigError, match="nothing to resume"):
        train(read_config(tiny_config), tmp_path / "m", resume=True)
    listener = train_until(PACKING, tiny_config, tmp_path / "m")
    assert ("begin", 6, 0) in listener.heard


@pytest.mark.slow
def test_a_run_stopped_while_packing_goes_on_with_packing(
    tiny_config: Path, tiny_model: Path, tmp_path: Path
) -> None:
    """What was trained is kept and not trained again, be the export settings others now.

    An export that is refused leaves the same behind.
    """
    train_until(PACKING, tiny_config, tmp_path / "m", "training.max_steps=7")
    before = course(tmp_path / "m")
    listener = Listener(("never",))
    overrides = ["training.max_steps=7", "export.precision=fp32", "evaluation.splits=[dev]"]
    outcome = train(
        read_config(tiny_config, overrides),
        tmp_path / "m",
        resume=True,
        progress=listener,
    )
    assert [] == [event for event in listener.heard if event[0] == "step"]
    assert ["dev"] == list(outcome.evaluations)
    assert "fp32" == read_config(tmp_path / "m" / "checkpoint" / "config.yaml").export.precision
    assert before == course(tmp_path / "m")
    assert listing(tiny_model) == listing(tmp_path / "m")


def test_rejected_regions_are_listed_beside_the_model(
    tiny_config: Path, tiny_data: Path, tmp_path: Path
) -> None:
    """A region past the end of its article costs itself alone, and rejected.jsonl says which."""
    tasks = json.loads((tiny_data / "train.json").read_text(encoding="utf-8"))
    tasks[0]["annotations"][0]["result"][0]["value"].update(start=9000, end=9005)
    data = tmp_path / "train.json"
    data.write_text(json.dumps(tasks), encoding="utf-8")
    train_until(PACKING, tiny_config, tmp_path / "m", f"data.train={data}")
    lines = (tmp_path / "m" / "rejected.jsonl").read_text(encoding="utf-8").splitlines()
    assert [("train", "past-end", tasks[0]["data"]["id"])] == [
        (r["split"], r["kind"], r["article"]) for r in map(json.loads, lines)
    ]


def test_data_that_does_not_fit_leaves_no_folder(tiny_config: Path, tmp_path: Path) -> None:
    """Everything is checked before anything is written."""
    with pytest.raises(DataError):
        train(read_config(tiny_config, ["data.labels=[DONOR]"]), tmp_path / "m")
    assert not (tmp_path / "m").exists()
