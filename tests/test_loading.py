"""The door for programs: which model is the default, and that it is opened once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import presstag
from presstag import InputError, ModelError, Span, extract, load
from presstag.bundle import Manifest, write_bundle

TEXT = "two tanks"
FOUND = [(0, 3, "SYSTEM"), (4, 9, "SYSTEM")]


@pytest.fixture(scope="module")
def model(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A packed model that takes every word for a SYSTEM."""
    table = np.tile(np.array([0, 0, 0, 9, 0], dtype=np.float32), (300, 1))
    tokens = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["windows", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["logits"])],
        "constant",
        tokens,
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["windows", "tokens", 5])],
        [numpy_helper.from_array(table, "table")],
    )
    network = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18)])
    manifest = Manifest(
        name="constant",
        labels=["DONOR", "SYSTEM"],
        window=24,
        overlap=8,
        pad=0,
        precision="fp32",
        files={},
        scores={},
        provenance={},
    )
    folder = tmp_path_factory.mktemp("constant")
    tokenizer = (tiny_encoder / "tokenizer.json").read_text(encoding="utf-8")
    write_bundle(folder, manifest, network=network.SerializeToString(), tokenizer=tokenizer)
    return folder


def copy_model(model: Path, folder: Path) -> Path:
    """The model once more, in another folder."""
    return Path(shutil.copytree(model, folder))


def keys(spans: list[Span]) -> list[tuple[int, int, str]]:
    """Where the spans are, and their labels."""
    return [span.key for span in spans]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no model named in the environment."""
    monkeypatch.delenv("PRESSTAG_MODEL", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_is_loaded(model: Path, kind: type[str | Path]) -> None:
    """Its path is a string or a Path."""
    assert FOUND == keys(load(kind(model), threads=1)(TEXT))


def test_a_folder_without_model_is_an_error(tmp_path: Path) -> None:
    """The folder that was named is at fault, whatever the default would be."""
    with pytest.raises(ModelError, match="no such model folder") as caught:
        load(tmp_path / "no")
    assert str(tmp_path / "no") == caught.value.where


def test_the_environment_names_the_default(
    model: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PRESSTAG_MODEL goes before models/aid in the working directory."""
    copy_model(model, elsewhere / "models" / "aid")
    named = copy_model(model, elsewhere / "named")
    monkeypatch.setenv("PRESSTAG_MODEL", str(named))
    assert str(named) == load().info["folder"]


def test_a_wrong_name_in_the_environment_is_an_error(
    model: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else is taken in its place."""
    copy_model(model, elsewhere / "models" / "aid")
    monkeypatch.setenv("PRESSTAG_MODEL", str(elsewhere / "no"))
    for call in (load, lambda: extract(TEXT)):
        with pytest.raises(ModelError, match="no such model folder") as caught:
            call()
        assert str(elsewhere / "no") == caught.value.where


def test_the_working_directory_has_the_default(model: Path, elsewhere: Path) -> None:
    """models/aid under the working directory is the default model."""
    folder = copy_model(model, elsewhere / "models" / "aid")
    assert str(folder) == load().info["folder"]


def test_a_name_from_here_is_followed_elsewhere(
    model: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative PRESSTAG_MODEL counts from the working directory of each call."""
    copy_model(model, elsewhere / "here" / "small")
    monkeypatch.setenv("PRESSTAG_MODEL", "small")
    monkeypatch.chdir(elsewhere / "here")
    assert FOUND == keys(extract(TEXT)) == keys(load()(TEXT))
    monkeypatch.chdir(elsewhere)
    with pytest.raises(ModelError, match="no such model folder"):
        extract(TEXT)


def test_extract_opens_the_model_once(
    model: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second text is tagged though the folder is gone."""
    folder = copy_model(model, elsewhere / "once")
    monkeypatch.setenv("PRESSTAG_MODEL", str(folder))
    assert FOUND == keys(extract(TEXT))
    shutil.rmtree(folder)
    assert FOUND == keys(extract(TEXT))
    with pytest.raises(ModelError):
        load()


def test_extract_refuses_what_is_no_string(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of the tagger comes through."""
    monkeypatch.setenv("PRESSTAG_MODEL", str(model))
    with pytest.raises(InputError, match="a bytes"):
        extract(b"Norway")  # type: ignore[arg-type]


def run_copy(sources: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code with a copy of the package, whose surroundings are known, in its parent folder."""
    environment = {k: v for k, v in os.environ.items() if k != "PRESSTAG_MODEL"}
    return subprocess.run(
        [sys.executable, "-c", f"import presstag\nprint(presstag.__file__)\n{code}"],
        cwd=sources,
        env={**environment, "PYTHONPATH": str(sources)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """The source root of a checkout that holds nothing but the package."""
    root = tmp_path / "checkout" / "training"
    ignore = shutil.ignore_patterns("__pycache__", "train", "evaluate", "cli")
    shutil.copytree(Path(presstag.__file__).parent, root / "presstag", ignore=ignore)
    return root


def test_the_checkout_has_the_default(model: Path, sources: Path) -> None:
    """From any directory, models/aid beside the sources is found."""
    folder = copy_model(model, sources.parent / "models" / "aid")
    done = run_copy(sources, "print(presstag.load().info['folder'])")
    assert [str(sources / "presstag" / "__init__.py"), str(folder)] == done.stdout.split()


@pytest.mark.parametrize("call", ["load()", "extract('Norway')"])
def test_without_a_default_the_error_says_where_it_was_sought(sources: Path, call: str) -> None:
    """Both places are named, and both ways out; the folder of another model is no default."""
    (sources / "models" / "aid").mkdir(parents=True)
    code = f"try: presstag.{call}\nexcept presstag.ModelError as error: print(error)"
    _, *said = run_copy(sources, code).stdout.splitlines()
    places = f"{sources}/models/aid or {sources.parent}/models/aid"
    ways = "train it (presstag train configs/aid.yaml) or set PRESSTAG_MODEL to a model folder."
    assert [f"the default model: not found in {places}", f"  to do: {ways}"] == said
