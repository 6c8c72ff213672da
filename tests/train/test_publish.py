from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from presstag import ConfigError
from presstag.train.publish import list_files, relabel


def head(card: str) -> dict[str, Any]:
    """The YAML above the prose."""
    read: dict[str, Any] = yaml.safe_load(card.split("---\n", 2)[1])
    return read


def test_everything_that_a_run_leaves_in_its_checkpoint_is_published(tiny_model: Path) -> None:
    """No file of a checkpoint is forgotten."""
    expected = {f"checkpoint/{path.name}" for path in (tiny_model / "checkpoint").iterdir()}
    names = list_files(tiny_model, checkpoint=True)
    assert expected == {name for name in names if name.startswith("checkpoint/")}


def test_language_and_license_can_be_set_later(tiny_model: Path) -> None:
    """The rest of the card stays."""
    card = (tiny_model / "README.md").read_text(encoding="utf-8")
    changed = relabel(card, language="da", license_name="mit")
    assert ("da", "mit") == (head(changed)["language"], head(changed)["license"])
    assert head(card)["model-index"] == head(changed)["model-index"]
    assert card.split("---\n", 2)[2].strip() == changed.split("---\n", 2)[2].strip()
    assert head(changed) == head(relabel(changed))


def test_what_is_no_card_is_refused() -> None:
    """A head that is not YAML is named."""
    with pytest.raises(ConfigError, match=r"README\.md: no model card"):
        relabel("---\na: [\n---\ntext", language="en")
