"""`presstag package` and `presstag models`, and commands that take an installed model's name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from presstag import load
from presstag.bundle import MANIFEST, read_manifest
from presstag.wheel import build_wheel, dated_version

Presstag = Callable[..., Any]
Install = Callable[[Path], Path]


@pytest.fixture
def desk(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the tiny model in models/tiny."""
    shutil.copytree(tiny_model, tmp_path / "models" / "tiny")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_package_says_what_it_wrote_and_what_is_next(presstag: Presstag, desk: Path) -> None:
    """The wheel goes to dist/, or where --out says, under the name and version that are given."""
    ran = presstag("package", "models/tiny")
    assert 0 == ran.code, ran.err
    (wheel,) = (desk / "dist").iterdir()
    assert f"wrote dist/{wheel.name}, " in ran.out
    assert f'next: pip install dist/{wheel.name}, then presstag.load("tiny")' in ran.out
    options = ("--out", "w", "--name", "presstag-my-news", "--version", "1.0")
    ran = presstag("package", "models/tiny", *options)
    assert ["presstag_my_news-1.0-py3-none-any.whl"] == [w.name for w in (desk / "w").iterdir()]
    assert 'presstag.load("my-news")' in ran.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["models/no"], "error: models/no: no such model folder"),
        (["models/tiny/checkpoint"], "no manifest.json in it: no packed model"),
        (["models/tiny", "--name", "aid"], "error: --name: 'aid'"),
        (["models/tiny", "--version", "new"], "error: --version: 'new'"),
    ],
)
def test_package_refuses(presstag: Presstag, desk: Path, arguments: list[str], said: str) -> None:
    """A message and exit code 2; nothing is written."""
    ran = presstag("package", *arguments)
    assert (2, "") == (ran.code, ran.out)
    assert said in ran.err
    assert not (desk / "dist").exists()


def test_models_lists_installed_ones_and_folders(
    presstag: Presstag, desk: Path, install: Install
) -> None:
    """Each with version, size, labels, score and place; as a table and as JSON."""
    site = install(build_wheel("models/tiny", desk, name="presstag-other", version="3.1"))
    ran = presstag("models", "--json")
    assert (0, "") == (ran.code, ran.err)
    found = [json.loads(line) for line in ran.out.splitlines()]
    manifest = read_manifest("models/tiny")
    packed = ("manifest.json", "model.onnx", "tokenizer.json")
    same = {
        "labels": ["DONOR", "SYSTEM"],
        "bytes": sum((desk / "models" / "tiny" / n).stat().st_size for n in packed),
        "test_f1": manifest.scores["test"]["micro"]["f1"],
    }
    there = {
        "name": "other",
        "version": "3.1",
        "package": "presstag-other",
        "folder": str(site / "presstag_other"),
    }
    near = {
        "name": "tiny",
        "version": dated_version(manifest),
        "package": None,
        "folder": "models/tiny",
    }
    assert [{**there, **same}, {**near, **same}] == found
    shown = presstag("models").out
    for word in ("3.1", near["version"], f"other: DONOR, SYSTEM; in {there['folder']}"):
        assert word in shown


def test_models_goes_on_after_a_damaged_one(presstag: Presstag, desk: Path) -> None:
    """It is named; the others are listed; exit code 1. What is not known stays open."""
    manifest = desk / "models" / "tiny" / MANIFEST
    shutil.copytree(manifest.parent, desk / "models" / "bad")
    (desk / "models" / "bad" / MANIFEST).write_text("{")
    read = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**read, "scores": {"test": 1}, "provenance": {}}))
    ran = presstag("models", "--json")
    found = json.loads(ran.out)
    assert (1, "tiny", None, None) == (
        ran.code,
        *(found[key] for key in ("name", "version", "test_f1")),
    )
    assert "models/bad/manifest.json: damaged" in ran.err
    assert "models/tiny" in presstag("models").out


def test_models_says_how_to_get_one(
    presstag: Presstag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is none, that is no fault."""
    monkeypatch.chdir(tmp_path)
    ran = presstag("models")
    assert (0, "") == (ran.code, ran.err)
    assert f"no model is installed, and there is none in {tmp_path}/models" in ran.out


def test_extract_takes_an_installed_name(
    presstag: Presstag, desk: Path, install: Install, tiny_model: Path
) -> None:
    """As it takes a folder; a name that nothing bears is a message that lists those that are."""
    install(build_wheel("models/tiny", desk))
    text = "Norway will send two patrol boats to Lusitania."
    ran = presstag("extract", "tiny", "--json", stdin=text.encode())
    assert 0 == ran.code, ran.err
    expected = [span.to_dict() for span in load(tiny_model)(text)]
    assert expected == json.loads(ran.out)["spans"]
    ran = presstag("extract", "tony", stdin=b"Norway")
    assert (2, "") == (ran.code, ran.out)
    assert "tony: no such model folder, and no installed model of that name" in ran.err
    assert "one of the installed models: tiny" in ran.err


def test_evaluate_and_compare_take_installed_names(
    presstag: Presstag, desk: Path, install: Install, learned_model: Path, tiny_data: Path
) -> None:
    """One name, and a group of a name and a folder."""
    install(build_wheel(learned_model, desk, name="presstag-learned"))
    data = tiny_data / "test.json"
    ran = presstag("evaluate", "learned", data)
    assert 0 == ran.code, ran.err
    assert "strict span scores of learned" in ran.out
    ran = presstag("compare", f"learned,{learned_model}", "models/tiny", data)
    assert 0 == ran.code, ran.err
