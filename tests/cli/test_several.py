from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Presstag = Callable[..., Any]


def test_folds_are_shown_with_mean_and_spread(
    presstag: Presstag, tiny_config: Path, tmp_path: Path
) -> None:
    """A row a fold, the figures of runs.json, and the score of all folds together."""
    ran = presstag("train", tiny_config, "--folds", "2", "--out", tmp_path / "m")
    assert 0 == ran.code, ran.err
    written = json.loads((tmp_path / "m" / "runs.json").read_text("utf-8"))["folds"]
    for run in written["runs"]:
        held_out = f"{100 * run['scores']['held out']['micro']['f1']:.1f}"
        assert re.search(rf"^{run['name']} .* {held_out} ", ran.out, re.MULTILINE)
    mean = f"{100 * written['f1']['dev']['mean']:.1f}"
    assert re.search(rf"^mean +{mean} ", ran.out, re.MULTILINE)
    assert f"all folds together: F1 {100 * written['pooled']['f1']:.1f}" in ran.out
    assert f"wrote {tmp_path}/m/runs.json; nothing is packed" in ran.out


@pytest.mark.slow
def test_seeds_end_with_the_report_of_the_packed_model(
    presstag: Presstag, tiny_config: Path, tmp_path: Path
) -> None:
    """As after a single run, and which seed it was."""
    ran = presstag("train", tiny_config, "--seeds", "2", "--out", tmp_path / "m")
    assert 0 == ran.code, ran.err
    packed = json.loads((tmp_path / "m" / "runs.json").read_text("utf-8"))["seeds"]["packed"]
    assert f"packed {packed}, the best on dev; all runs: {tmp_path}/m/runs.json" in ran.out
    assert "strict span scores of the packed model" in ran.out
    assert "standard deviation" in ran.out


def test_seeds_and_folds_are_not_asked_for_together(presstag: Presstag, tiny_config: Path) -> None:
    """One answers another question than the other."""
    ran = presstag("train", tiny_config, "--seeds", "2", "--folds", "2")
    assert 2 == ran.code
    assert "--seeds and --folds: both" in ran.err
