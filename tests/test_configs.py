"""Every config that is shipped, however deep it lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from presstag.train.configfile import read_config

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "configs").glob("**/*.yaml"))


def test_there_are_configs() -> None:
    """The glob below finds something, the main config among it."""
    assert ROOT / "configs" / "aid.yaml" in CONFIGS


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_shipped_config_loads(path: Path) -> None:
    """Without a mistake; its model goes to a folder of its own."""
    names = [read_config(p).name for p in CONFIGS]
    assert 1 == names.count(read_config(path).name)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_shipped_config_says_its_command_in_its_head(path: Path) -> None:
    """Among the comments at the top stands what to type, with this very path."""
    head: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        head.append(line)
    assert any(f"presstag train {path.relative_to(ROOT)}" in line for line in head)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_data_of_a_shipped_config_is_shipped(path: Path) -> None:
    """Paths count from the top of the repository."""
    data = read_config(path).data
    named = [p for p in (data.train, data.dev, data.test) if p is not None]
    assert [] == [p for p in named if not (ROOT / p).exists()]
