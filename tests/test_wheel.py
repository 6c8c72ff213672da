"""A packed model as a package: what the wheel holds, and that pip installs it."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

import presstag
from presstag import InputError, ModelError
from presstag.bundle import MANIFEST, read_manifest
from presstag.installed import InstalledModel, installed_models
from presstag.wheel import build_wheel, dated_version

ROOT = Path(presstag.__file__).parents[2]
PACKED = ["manifest.json", "model.onnx", "tokenizer.json"]


def contents(wheel: Path) -> dict[str, bytes]:
    """What a wheel holds, in its order."""
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def metadata(wheel: Path) -> Message:
    """METADATA as pip reads it."""
    (found,) = [c for name, c in contents(wheel).items() if name.endswith("/METADATA")]
    return BytesParser(policy=compat32).parsebytes(found)


def with_manifest(model: Path, folder: Path, **changed: Any) -> Path:
    """A copy of a packed model that says something else of itself; it has no card."""
    folder.mkdir()
    for name in PACKED:
        shutil.copy(model / name, folder)
    read = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**read, **changed}), encoding="utf-8")
    return folder


def test_the_wheel_holds_the_packed_model_only(tiny_model: Path, tmp_path: Path) -> None:
    """Three files, byte for byte, and what pip needs; no checkpoint, no logs, no code."""
    wheel = build_wheel(tiny_model, tmp_path, version="1.2.0")
    assert tmp_path / "presstag_tiny-1.2.0-py3-none-any.whl" == wheel
    about = [
        f"presstag_tiny-1.2.0.dist-info/{name}"
        for name in ("METADATA", "WHEEL", "entry_points.txt", "RECORD")
    ]
    found = contents(wheel)
    assert [*(f"presstag_tiny/{name}" for name in PACKED), *about] == list(found)
    assert [(tiny_model / n).read_bytes() for n in PACKED] == list(found.values())[:3]
    assert b"[presstag.models]\ntiny = presstag_tiny\n" == found[about[2]]
    assert b"Root-Is-Purelib: true\nTag: py3-none-any\n" in found[about[1]]


def test_the_record_has_every_file(tiny_model: Path, tmp_path: Path) -> None:
    """With digest and size, as pip checks them; RECORD itself without."""
    found = contents(build_wheel(tiny_model, tmp_path))
    *rows, own = csv.reader(list(found.values())[-1].decode().splitlines())
    expected = [
        [
            name,
            "sha256="
            + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("="),
            str(len(content)),
        ]
        for name, content in list(found.items())[:-1]
    ]
    assert expected == rows
    assert [list(found)[-1], "", ""] == own


def test_the_card_describes_the_package(tiny_model: Path, tmp_path: Path) -> None:
    """The card without its head for hubs and its pictures; labels, license and presstag above."""
    folder = Path(shutil.copytree(tiny_model, tmp_path / "tiny"))
    card = "---\nlicense: apache-2.0\ntags:\n- a\n---\n\n# tiny\n\n![Loss](curves.png)\n\nÉnd.\n"
    (folder / "README.md").write_text(card, encoding="utf-8")
    read = metadata(build_wheel(folder, tmp_path))
    assert "presstag-tiny" == read["Name"]
    assert "A presstag model for DONOR, SYSTEM" == read["Summary"]
    assert "apache-2.0" == read["License"]
    assert f"presstag>={presstag.__version__}" == read["Requires-Dist"]
    body = read.get_payload(decode=True)
    assert isinstance(body, bytes)
    use = 'Installed, it is `presstag.load("tiny")`, or `presstag extract tiny article.txt`.'
    assert f"{use}\n\n# tiny\n\nÉnd.\n" == body.decode()


def test_labels_cannot_write_metadata(tiny_model: Path, tmp_path: Path) -> None:
    """A line break in a label stays within the summary."""
    labels = ["DONOR", "A\n\nLicense: none\ud800"]
    folder = with_manifest(tiny_model, tmp_path / "odd", labels=labels)
    found = contents(build_wheel(folder, tmp_path, version="1"))
    head = found["presstag_tiny-1.dist-info/METADATA"].decode().split("\n\n")[0].split("\n")
    assert "Summary: A presstag model for DONOR, A License: none\ufffd" in head
    assert [] == [line for line in head if line.startswith("License")]


def test_the_same_model_gives_the_same_bytes(tiny_model: Path, tmp_path: Path) -> None:
    """Of another folder, at another time, with other files beside it."""
    one = build_wheel(tiny_model, tmp_path / "one")
    copied = Path(shutil.copytree(tiny_model, tmp_path / "copied", copy_function=shutil.copy))
    (copied / "notes.txt").write_text("later")
    other = build_wheel(copied, tmp_path / "other")
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("begun", "expected"),
    [
        ("2026-11-25T02:49:36+00:00", "2026.11.25.249"),
        ("2026-01-02T00:05:00+00:00", "2026.1.2.5"),
        ("2026-01-02T00:05:00", "2026.1.2.5"),
        ("2026-01-02T01:05:00+02:00", "2026.1.1.2305"),
        ("yesterday", None),
        (2026, None),
        (None, None),
    ],
)
def test_the_version_is_the_date_of_training(
    tiny_model: Path, tmp_path: Path, begun: object, expected: str | None
) -> None:
    """In UTC, without zeros in front, so that pip orders models by their training."""
    folder = with_manifest(tiny_model, tmp_path / "m", provenance={"begun": begun})
    assert expected == dated_version(read_manifest(folder))
    if expected is None:
        with pytest.raises(ModelError, match="no date of training") as caught:
            build_wheel(folder, tmp_path)
        assert "give one, e.g. --version 1.0.0" == caught.value.do
    else:
        assert expected == metadata(build_wheel(folder, tmp_path))["Version"]


@pytest.mark.parametrize("version", ["1", "0.1.0", "1.2rc1", "2026.11.post3", "1.0.dev0"])
def test_a_version_may_be_given(tiny_model: Path, tmp_path: Path, version: str) -> None:
    """In the normal form of PEP 440."""
    assert version == metadata(build_wheel(tiny_model, tmp_path, version=version))["Version"]


@pytest.mark.parametrize(
    "version", ["", "one", "1.0-beta", "v1", "01.2", "1.0+mine", "1\n", "../1"]
)
def test_a_version_that_pip_does_not_take_is_refused(
    tiny_model: Path, tmp_path: Path, version: str
) -> None:
    """Nothing is written."""
    with pytest.raises(InputError, match="PEP 440") as caught:
        build_wheel(tiny_model, tmp_path / "dist", version=version)
    assert "--version" == caught.value.where
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize("name", ["presstag", "presstag-", "tiny", "numpy", "presstag-../x", ""])
def test_a_name_that_is_no_model_package_is_refused(
    tiny_model: Path, tmp_path: Path, name: str
) -> None:
    """A package of another name could overwrite somebody's."""
    with pytest.raises(InputError) as caught:
        build_wheel(tiny_model, tmp_path / "dist", name=name)
    assert "--name" == caught.value.where
    assert not (tmp_path / "dist").exists()


def test_a_model_whose_name_is_no_packages_is_told_to_take_another(
    tiny_model: Path, tmp_path: Path
) -> None:
    """A name from a manifest may be anything; one may be given in its place."""
    folder = with_manifest(tiny_model, tmp_path / "odd", name="Nachrichten über Hilfe")
    with pytest.raises(InputError, match="über") as caught:
        build_wheel(folder, tmp_path)
    assert "--name presstag-aid" in caught.value.do
    assert "presstag_news" == build_wheel(folder, tmp_path, name="presstag-news").name.split("-")[0]


def test_a_damaged_model_is_not_packed(tiny_model: Path, tmp_path: Path) -> None:
    """It is opened first."""
    folder = Path(shutil.copytree(tiny_model, tmp_path / "tiny"))
    (folder / "model.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match="SHA-256"):
        build_wheel(folder, tmp_path / "dist")
    assert not (tmp_path / "dist").exists()


def test_an_installed_model_is_found_by_its_entry_point(
    tiny_model: Path, tmp_path: Path, install: Callable[[Path], Path]
) -> None:
    """Its name, version and folder, from what pip lays out; the newest laid out hides the other."""
    assert [] == [m for m in installed_models() if m.name in {"tiny", "my-model"}]
    site = install(build_wheel(tiny_model, tmp_path, name="presstag-My_Model", version="2.0"))
    install(build_wheel(tiny_model, tmp_path))
    found = {m.name: m for m in installed_models()}
    folder = site / "presstag_my_model"
    assert InstalledModel("my-model", "2.0", "presstag-my-model", folder) == found["my-model"]
    assert dated_version(read_manifest(tiny_model)) == found["tiny"].version
    assert {"tiny", "my-model"} <= {e.name for e in entry_points(group="presstag.models")}


def run(*command: str | Path, cwd: Path) -> str:
    """What a program of its own prints, without what this environment says of presstag."""
    kept = {k: v for k, v in os.environ.items() if k not in {"PRESSTAG_MODEL", "PYTHONPATH"}}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


@pytest.mark.slow
def test_pip_installs_presstag_and_a_model(tiny_model: Path, tmp_path: Path) -> None:
    """In an environment of their own both wheels tag by name, without torch, until uninstalled.

    What they depend on is lent from this environment, whose own presstag comes second.
    """
    reason = "hatchling, of the dev group, builds the wheel"
    hatch = pytest.importorskip("hatchling.builders.wheel", reason=reason)
    wheels = tmp_path / "wheels"
    list(hatch.WheelBuilder(str(ROOT)).build(directory=str(wheels), versions=["standard"]))
    build_wheel(tiny_model, wheels)
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [python, "-m", "pip"]
    offline = ["--no-index", "--no-deps", "--find-links", wheels]
    run(*pip, "install", *offline, "presstag", "presstag-tiny", cwd=tmp_path)
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (site / "lent.pth").write_text(f"{Path(pytest.__file__).parents[1]}\n")
    code = """
import importlib.util, json, sys
import presstag
tagger = presstag.load("tiny")
spans = [span.to_dict() for span in tagger("Norway sends tanks to Lusitania.")]
assert importlib.util.find_spec("torch") and "torch" not in sys.modules
print(json.dumps([presstag.__file__, tagger.info["folder"], spans]))
"""
    where, folder, spans = json.loads(run(python, "-W", "error", "-c", code, cwd=tmp_path))
    assert [str(site / "presstag" / "__init__.py"), str(site / "presstag_tiny")] == [where, folder]
    expected = presstag.load(tiny_model)("Norway sends tanks to Lusitania.")
    assert [span.to_dict() for span in expected] == spans
    listed = json.loads(run(python, "-m", "presstag.cli", "models", "--json", cwd=tmp_path))
    assert ["tiny", "presstag-tiny"] == [listed["name"], listed["package"]]
    run(*pip, "uninstall", "--yes", "presstag-tiny", cwd=tmp_path)
    assert not (site / "presstag_tiny").exists()
    assert "" == run(python, "-m", "presstag.cli", "models", "--json", cwd=tmp_path)
