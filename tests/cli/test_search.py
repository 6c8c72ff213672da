from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from presstag.train.configfile import read_config

Presstag = Callable[..., Any]


def test_a_search_ends_with_a_command_that_trains_the_best(
    presstag: Presstag, tiny_config: Path, tmp_path: Path
) -> None:
    """A row a trial, then the config, the overrides that were given, and the best settings."""
    given = [
        "training.warmup=0.2",
        "search.training.head_learning_rate={low: 1e-4, high: 1e-2, log: true}",
    ]
    ran = presstag("search", tiny_config, *given, "--trials", "2", "--out", tmp_path / "m")
    assert 0 == ran.code, ran.err
    heading = r"^trial  head_learning_rate  dev F1  seconds$"
    assert re.search(heading, ran.out, re.MULTILINE)
    assert re.search(r"^ +0 +0\.002 ", ran.out, re.MULTILINE)
    assert re.search(r"^ +1 +0\.\d+ ", ran.out, re.MULTILINE)
    assert 1 == len(re.findall(r"  best$", ran.out, re.MULTILINE))
    assert f"wrote {tmp_path}/m/search.sqlite3" in ran.out
    (line,) = (x for x in ran.out.splitlines() if x.startswith("next: "))
    presstag_, train, config, *overrides = shlex.split(line.removeprefix("next: "))
    assert ("presstag", "train", str(tiny_config)) == (presstag_, train, config)
    assert given[:1] == overrides[:-1]
    rate = read_config(config, overrides).training.head_learning_rate
    assert f"training.head_learning_rate={rate}" == overrides[-1]


def test_a_config_without_a_search_is_an_error(
    presstag: Presstag, tiny_config: Path, tmp_path: Path
) -> None:
    """A message, no traceback."""
    ran = presstag("search", tiny_config, "--out", tmp_path / "m")
    assert 2 == ran.code
    assert "search: the config has no such section" in ran.err


@pytest.mark.parametrize("count", ["0", "-1"])
def test_no_trials_are_an_error(presstag: Presstag, tiny_config: Path, count: str) -> None:
    """As any other mistake of the caller."""
    ran = presstag("search", tiny_config, "--trials", count)
    assert 2 == ran.code
    assert f"--trials: {count}" in ran.err
