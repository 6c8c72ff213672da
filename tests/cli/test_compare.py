from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Presstag = Callable[..., Any]


def test_compare_says_which_is_better(
    presstag: Presstag, tiny_model: Path, learned_model: Path, tiny_data: Path, tmp_path: Path
) -> None:
    """One that finds most against one that finds nothing: a table, and one sentence at the end."""
    target = tmp_path / "c.json"
    data = tiny_data / "train.json"
    ran = presstag("compare", tiny_model, learned_model, data, "--json", target)
    assert 0 == ran.code, ran.err
    figures = json.loads(target.read_text(encoding="utf-8"))
    assert "B" == figures["better"]
    assert figures["sentence"] in ran.out
    assert "B is better than A on this data, by " in ran.out
    assert {"DONOR", "SYSTEM"} == set(figures["labels"])
    assert figures["micro"]["gold"] == sum(row["gold"] for row in figures["labels"].values())


def test_compare_says_when_the_data_cannot_tell(
    presstag: Presstag, learned_model: Path, tiny_data: Path
) -> None:
    """A group of two against one of them; the checkpoint beside the packed model."""
    group = f"{learned_model},{learned_model / 'checkpoint'}"
    ran = presstag("compare", group, learned_model, tiny_data / "dev.json")
    assert 0 == ran.code, ran.err
    assert "These 6 articles cannot tell which is better" in ran.out


@pytest.mark.parametrize("given", ["", ",", "a,,b"])
def test_compare_refuses_a_group_with_nothing_in_it(
    given: str, presstag: Presstag, tiny_model: Path, tiny_data: Path
) -> None:
    """A comma too many may be a seed forgotten."""
    ran = presstag("compare", tiny_model, given, tiny_data / "dev.json")
    assert 2 == ran.code
    assert "expected: a model's folder or name, or several with commas between them" in ran.err


def test_compare_names_labels_that_the_models_lack(
    presstag: Presstag, tiny_model: Path, tmp_path: Path
) -> None:
    """And how to go on without them."""
    path = tmp_path / "a.jsonl"
    spans = [{"start": 0, "end": 4, "label": "CITY"}, {"start": 5, "end": 9, "label": "DONOR"}]
    record = {"id": "x", "text": "Oslo Oman", "spans": spans}
    path.write_text(json.dumps(record), encoding="utf-8")
    arguments = ("compare", tiny_model, tiny_model, path)
    ran = presstag(*arguments)
    assert 2 == ran.code
    assert "article x: label CITY, which the model does not know" in ran.err
    assert 0 == presstag(*arguments, "--common-labels").code
