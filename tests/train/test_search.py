from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from presstag import ConfigError
from presstag.train.config import Config
from presstag.train.configfile import read_config
from presstag.train.search import Search, search

SPACE = (
    "search.training.head_learning_rate={low: 1e-6, high: 1e-2, log: true}",
    "search.training.batch_size=[4, 8]",
    "search.training.warmup={low: 0.0, high: 0.5}",
    "search.training.freeze_embeddings=[false, true]",
    *("training.max_steps=30", "training.evaluate_every=15"),
)


@dataclass
class Listener:
    """A progress that counts trials, and presses Ctrl-C in one of them."""

    stop_in: int = 0
    begun: int = 0

    def phase(self, what: str) -> None:
        pass

    def begin(self, *, steps: int, done: int, best: float | None) -> None:
        self.begun += 1

    def step(self, step: int, loss: float | None) -> None:
        pass

    def evaluated(self, step: int, *, epoch: float, dev_loss: float, dev_f1: float) -> None:
        pass

    def saved(self, step: int) -> None:
        if self.begun == self.stop_in:
            raise KeyboardInterrupt


def searching(path: Path, *overrides: str) -> Config:
    return read_config(path, [*SPACE, *overrides])


@pytest.fixture(scope="module")
def searched(tiny_config: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Search]:
    """A search that was stopped in its third trial and went on, and its folder."""
    folder = tmp_path_factory.mktemp("search") / "tiny"
    with pytest.raises(KeyboardInterrupt):
        search(searching(tiny_config), folder, trials=6, progress=Listener(stop_in=3))
    return folder, search(searching(tiny_config), folder, trials=6)


def test_a_search_that_was_stopped_goes_on(
    searched: tuple[Path, Search], tiny_config: Path
) -> None:
    """The trial that was stopped does not count; when all are there, none is trained."""
    folder, found = searched
    assert [0, 1, 3, 4, 5, 6] == [trial.number for trial in found.trials]
    listener = Listener()
    again = search(searching(tiny_config), folder, trials=6, progress=listener)
    assert (found, 0) == (again, listener.begun)


def test_the_first_trial_has_the_configs_own_settings(searched: tuple[Path, Search]) -> None:
    """So that a search never ends below them without showing it."""
    own = {
        "training.head_learning_rate": 2e-3,
        "training.batch_size": 8,
        "training.warmup": 0.1,
        "training.freeze_embeddings": False,
    }
    assert own == pytest.approx(searched[1].trials[0].settings)


def test_trials_lie_in_the_ranges_and_differ(searched: tuple[Path, Search]) -> None:
    """Also those before and after the search was stopped."""
    trials = searched[1].trials
    for settings in (trial.settings for trial in trials):
        assert 1e-6 <= settings["training.head_learning_rate"] <= 1e-2
        assert settings["training.batch_size"] in {4, 8}
        assert isinstance(settings["training.freeze_embeddings"], bool)
    rates = {trial.settings["training.head_learning_rate"] for trial in trials}
    assert len(trials) == len(rates)


def test_the_best_on_dev_can_be_pasted(searched: tuple[Path, Search], tiny_config: Path) -> None:
    """Its overrides give a config with its settings, exactly."""
    _, found = searched
    assert found.best.dev_f1 == max(t.dev_f1 or 0.0 for t in found.trials if t.outcome == "whole")
    settings = read_config(tiny_config, found.overrides()).training
    expected = {key.partition(".")[2]: value for key, value in found.best.settings.items()}
    assert expected == {key: getattr(settings, key) for key in expected}


def test_a_search_leaves_its_trials_and_what_mattered(searched: tuple[Path, Search]) -> None:
    """Shares of one, as a picture too; no weights and no states."""
    folder, found = searched
    assert {"search.sqlite3", "importance.png"} == {path.name for path in folder.iterdir()}
    assert (folder / "importance.png").read_bytes().startswith(b"\x89PNG")
    assert set(found.best.settings) == set(found.importance)
    assert pytest.approx(1.0) == sum(found.importance.values())


def test_another_search_in_the_same_folder_is_refused(
    searched: tuple[Path, Search], tiny_config: Path
) -> None:
    """Naming what differs: a setting that is fixed, or what is tried."""
    folder, _ = searched
    config = searching(
        tiny_config, "training.weight_decay=0.5", "search.training.batch_size=[4, 16]"
    )
    expected = r"differs in config\.training\.weight_decay, search\.training\.batch_size"
    with pytest.raises(ConfigError, match=expected):
        search(config, folder, trials=7)


def test_settings_that_do_not_go_together_fail_and_the_search_goes_on(
    tiny_config: Path, tmp_path: Path
) -> None:
    """The trial is shown with its reason, and --fresh starts from nothing."""
    overrides = ["training.max_steps=2", "search.model.overlap=[8, 20]"]
    for _ in range(2):
        found = search(read_config(tiny_config, overrides), tmp_path, trials=5, fresh=True)
        failed = [trial for trial in found.trials if trial.dev_f1 is None]
        assert {20} == {trial.settings["model.overlap"] for trial in failed}
        expected = "failed: overlap 20 must be below half the window 24"
        assert {expected} == {trial.outcome for trial in failed}
        assert 8 == found.best.settings["model.overlap"]
        assert [0, 1, 2, 3, 4] == [trial.number for trial in found.trials]


def test_a_search_in_which_everything_fails_says_why(tiny_config: Path, tmp_path: Path) -> None:
    """There is no best."""
    config = read_config(tiny_config, ["search.model.overlap=[20, 21]"])
    with pytest.raises(ConfigError, match="no trial went through: failed: overlap 2"):
        search(config, tmp_path, trials=2)


def test_a_hopeless_trial_is_given_up(tiny_config: Path, tmp_path: Path) -> None:
    """Below the median of five whole trials, it ends before its last step."""
    overrides = [
        *("training.max_steps=40", "training.evaluate_every=10", "training.learning_rate=1e-2"),
        "search.training.head_learning_rate={low: 1e-9, high: 1e-2, log: true}",
        "search.training.learning_rate={low: 1e-9, high: 1e-2, log: true}",
    ]
    found = search(read_config(tiny_config, overrides), tmp_path, trials=10)
    given_up = [trial for trial in found.trials if trial.outcome.startswith("given up at ")]
    assert given_up
    assert all(trial.number >= 5 for trial in given_up)
    assert all((t.dev_f1 or 0.0) <= (found.best.dev_f1 or 0.0) for t in given_up)


def test_a_config_without_a_search_is_refused(tiny_config: Path, tmp_path: Path) -> None:
    """With an example of the section."""
    with pytest.raises(ConfigError, match=r"no such section(.|\n)*search: \{training"):
        search(read_config(tiny_config), tmp_path, trials=2)


def test_a_search_has_a_trial_at_least(tiny_config: Path, tmp_path: Path) -> None:
    """Nothing is written for none."""
    with pytest.raises(ConfigError, match="--trials: 0"):
        search(searching(tiny_config), tmp_path / "m", trials=0)
    assert not (tmp_path / "m").exists()


def test_a_damaged_file_is_refused(tiny_config: Path, tmp_path: Path) -> None:
    """It is no traceback of a database."""
    (tmp_path / "search.sqlite3").write_bytes(b"no database at all" * 100)
    with pytest.raises(ConfigError, match=r"search\.sqlite3: damaged: (.|\n)*--fresh"):
        search(searching(tiny_config), tmp_path, trials=1)


def test_whole_numbers_stay_whole_and_evaluations_may_be_close(
    tiny_config: Path, tmp_path: Path
) -> None:
    """Several within one percent of a trial count once."""
    given = ["training.max_steps=220", "training.evaluate_every=1", "training.patience=4"]
    given += ["search.training.batch_size={low: 2, high: 4}"]
    found = search(read_config(tiny_config, given), tmp_path, trials=1)
    assert "whole" == found.best.outcome
    assert found.best.settings["training.batch_size"] in {2, 3, 4}
    assert not found.importance
    assert ["search.sqlite3"] == [path.name for path in tmp_path.iterdir()]
