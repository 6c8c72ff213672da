"""The door for programs: folders and installed models, which is the default, opened once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import presstag
from presstag import InputError, ModelError, Span, extract, load, loading
from presstag.wheel import build_wheel

TEXT = "two tanks"
FOUND = [(0, 3, "SYSTEM"), (4, 9, "SYSTEM")]


@pytest.fixture(scope="module")
def model(tiny_encoder: Path, pack_table: Callable[..., Path]) -> Path:
    """A packed model that takes every word for a SYSTEM."""
    table = np.tile(np.array([0, 0, 0, 9, 0], dtype=np.float32), (300, 1))
    return pack_table(table, (tiny_encoder / "tokenizer.json").read_text(encoding="utf-8"))


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
    ways = (
        "train it (presstag train configs/aid.yaml), install a model's package, "
        "or set PRESSTAG_MODEL to a model folder."
    )
    found = f"not found in {places}, and no model is installed"
    assert [f"the default model: {found}", f"  to do: {ways}"] == said


Install = Callable[..., Path]


@pytest.fixture
def installed(
    model: Path,
    elsewhere: Path,
    install: Callable[[Path], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Install:
    """`installed(NAME)` installs the model under a name: its folder. There is no other default."""
    monkeypatch.setattr(loading, "_places", lambda: [elsewhere / "models" / "aid"])
    loading._default.cache_clear()

    def put(name: str) -> Path:
        package = f"presstag-{name}"
        wheel = build_wheel(model, elsewhere / "dist", name=package, version="1.0")
        return install(wheel) / package.replace("-", "_")

    return put


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("name", ["small-news", "Small_News", "small.news"])
def test_an_installed_model_is_loaded_by_its_name(
    installed: Install, name: str, kind: type[str | Path]
) -> None:
    """Names are compared as pip compares them; no code of the package is imported."""
    folder = installed("small-news")
    tagger = load(kind(name))
    assert (FOUND, str(folder)) == (keys(tagger(TEXT)), tagger.info["folder"])
    assert "presstag_small_news" not in sys.modules


def test_two_models_side_by_side(installed: Install) -> None:
    """Each name opens its own folder."""
    folders = [installed("small"), installed("other")]
    assert [str(f) for f in folders] == [load(n).info["folder"] for n in ("small", "other")]


def test_a_folder_goes_before_a_name(model: Path, installed: Install, elsewhere: Path) -> None:
    """What lies in the working directory is meant, even where a model of that name is installed."""
    installed("small")
    copy_model(model, elsewhere / "small")
    assert "small" == load("small").info["folder"]


def test_a_damaged_file_of_an_installed_model_is_found(installed: Install) -> None:
    """The digests of its manifest hold there too."""
    network = installed("small") / "model.onnx"
    network.write_bytes(network.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelError, match="SHA-256") as caught:
        load("small")
    assert str(network) == caught.value.where
    assert "copy, install or export it again" in caught.value.do


def test_an_unknown_name_is_an_error_that_lists_the_known(installed: Install) -> None:
    """Neither a folder nor installed: what there is, and how to get one."""
    with pytest.raises(ModelError) as caught:
        load("no")
    assert "a model's folder; no model is installed" == caught.value.expected
    installed("small")
    installed("other")
    with pytest.raises(ModelError) as caught:
        load("no")
    error = caught.value
    found = "no such model folder, and no installed model of that name"
    assert ("no", found) == (error.where, error.found)
    assert "a model's folder, or one of the installed models: other, small" == error.expected
    assert "pip install" in error.do
    assert "presstag train" in error.do


def test_the_only_installed_model_is_the_default(
    model: Path, installed: Install, elsewhere: Path
) -> None:
    """Where there is no models/aid: for both doors, and models/aid goes before it."""
    folder = installed("small")
    assert str(folder) == load().info["folder"]
    assert FOUND == keys(extract(TEXT))
    nearer = copy_model(model, elsewhere / "models" / "aid")
    assert str(nearer) == load().info["folder"]


def test_of_two_installed_models_none_is_the_default(installed: Install) -> None:
    """The error names both and how to choose."""
    installed("small")
    installed("other")
    for call in (load, lambda: extract(TEXT)):
        with pytest.raises(ModelError, match="several models are installed: other, small") as e:
            call()
        assert "name one: load('other'), or set PRESSTAG_MODEL=other" == e.value.do


def test_the_environment_may_name_an_installed_model(
    installed: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PRESSTAG_MODEL chooses between two."""
    folder = installed("small")
    installed("other")
    monkeypatch.setenv("PRESSTAG_MODEL", "small")
    assert str(folder) == load().info["folder"]
    assert FOUND == keys(extract(TEXT))


def test_a_least_score_is_given_on_loading(model: Path) -> None:
    """For all labels, or by label."""
    assert FOUND == keys(load(model, min_score=0.5)(TEXT))
    assert [] == load(model, min_score={"SYSTEM": 1})(TEXT)
    with pytest.raises(InputError, match="a label 'TANK'"):
        load(model, min_score={"TANK": 0.5})
