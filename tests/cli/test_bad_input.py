"""What people get wrong: each one message that says where, what and what to do; exit code 2.

No traceback, and nothing half written: the folder is afterwards as it was before.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from presstag import load

Presstag = Callable[..., Any]


@pytest.fixture
def refused(presstag: Presstag, tmp_path: Path) -> Callable[..., str]:
    """Run a command that must be refused with one message; returns the message.

    Raising what is no `PresstagError` would end the test, as it would end the program with a
    traceback.
    """

    def run(*arguments: str | Path, stdin: bytes = b"") -> str:
        before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
        folders = {p for p in tmp_path.rglob("*") if p.is_dir()}
        ran = presstag(*arguments, stdin=stdin)
        assert (2, "") == (ran.code, ran.out), ran.err
        assert 1 == ran.err.count("error: "), ran.err
        assert before == {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
        assert folders == {p for p in tmp_path.rglob("*") if p.is_dir()}
        return str(ran.err)

    return run


@pytest.fixture
def config(tiny_config: Path, tmp_path: Path) -> Path:
    """A copy of the tiny config, to be spoilt."""
    return Path(shutil.copy(tiny_config, tmp_path / "run.yaml"))


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the packed tiny model, to be spoilt."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("manifest.json", "model.onnx", "tokenizer.json"):
        shutil.copy(tiny_model / name, folder)
    return folder


def spoil(path: Path, old: str, new: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


# the config


def test_a_config_that_is_not_there(refused: Callable[..., str], tmp_path: Path) -> None:
    """The path, and where it counts from."""
    message = refused("train", tmp_path / "no.yaml", "--out", tmp_path / "m")
    assert f"error: {tmp_path}/no.yaml: no such file" in message
    assert "to do: check the path" in message


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("labels: [DONOR, SYSTEM]", "labels: [DONOR, SYSTEM", r"run\.yaml, line \d+, column \d+: "),
        ("training: {", "training: {epoch: 3, ", "epoch: unknown key; did you mean epochs?"),
        ("training: {", "training: {window: 3, ", "did you mean model.window?"),
        (
            "max_steps: 6",
            "max_steps: six",
            r"run\.yaml:\d+: training\.max_steps: .*\(found 'six'\)",
        ),
        ("max_steps: 6", "max_steps: '6'", "valid integer"),
        ("name: tiny", "name: no", 'write it in quotes, "no"'),
    ],
)
def test_a_config_with_a_mistake(
    old: str, new: str, expected: str, *, refused: Callable[..., str], config: Path, tmp_path: Path
) -> None:
    """File, line and key stand before what is wrong with them."""
    message = refused("train", spoil(config, old, new), "--out", tmp_path / "m")
    assert f"error: {config}" in message
    assert re.search(expected.replace("?", r"\?"), message)


def test_the_program_itself_ends_with_2_and_no_traceback(tmp_path: Path) -> None:
    """As a shell sees it: exit code, an empty standard output, the message on standard error."""
    command = [sys.executable, "-m", "presstag.cli", "check", str(tmp_path / "no.json")]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith(f"error: {tmp_path}/no.json: no such file\n")
    assert "Traceback" not in done.stderr


# the data


def test_a_label_that_the_config_does_not_have(
    refused: Callable[..., str], config: Path, tmp_path: Path
) -> None:
    """The label, how often, where first, and both ways out."""
    spoil(config, "[DONOR, SYSTEM]", "[DONOR]")
    message = refused("train", config, "--out", tmp_path / "m")
    assert "train.json: labels that the config does not have: SYSTEM (24 times, first in" in message
    assert "data.ignore_labels" in message


@pytest.mark.parametrize("content", ["[]", '[{"data": {"text": "a"}}]'])
def test_a_split_without_an_annotated_article(
    content: str, refused: Callable[..., str], config: Path, tmp_path: Path
) -> None:
    """No task, or none that anyone annotated."""
    path = tmp_path / "dev.json"
    path.write_text(content, encoding="utf-8")
    message = refused("train", config, f"data.dev={path}", "--out", tmp_path / "m")
    assert f"error: {path} (data.dev): no annotated article in it" in message


BAD_DATA = {
    "truncated": (b'[{"data": {"text": "a"', "line 1, column "),
    "not JSON": (b"Norway pays.", "not JSON"),
    "empty": (b"", "not JSON"),
    "no export": (b'{"a": 1}', "JSON that holds a dict"),
    "list of numbers": (b"[1, 2]", "task 1"),
    "JSON_MIN": (b'[{"text": "a", "annotator": 1}]', "JSON_MIN"),
    "not UTF-8": (b'[{"data": {"text": "caf\xe9"}}]', "byte 0xe9 at offset 23 is not UTF-8"),
}


@pytest.mark.parametrize("command", ["check", "convert", "split", "evaluate", "train"])
@pytest.mark.parametrize("fault", BAD_DATA)
def test_a_file_that_is_no_export(
    fault: str,
    command: str,
    *,
    refused: Callable[..., str],
    tiny_model: Path,
    config: Path,
    tmp_path: Path,
) -> None:
    """Every command that reads articles names the file and what is wrong in it."""
    content, expected = BAD_DATA[fault]
    path = tmp_path / "a.json"
    path.write_bytes(content)
    arguments: dict[str, tuple[str | Path, ...]] = {
        "check": (path,),
        "convert": (path, tmp_path / "b.jsonl"),
        "split": (path, tmp_path / "s"),
        "evaluate": (tiny_model, path, "--json", tmp_path / "scores.json"),
        "train": (config, f"data.train={path}", "--out", tmp_path / "m"),
    }
    message = refused(command, *arguments[command])
    assert f"error: {path}" in message
    assert expected in message


def test_a_format_that_nothing_writes(
    refused: Callable[..., str], tiny_data: Path, tmp_path: Path
) -> None:
    """The endings that are known are listed."""
    message = refused("convert", tiny_data / "dev.json", tmp_path / "a.xml")
    assert "expected: one that ends in .json, .jsonl" in message


@pytest.mark.parametrize("shares", [("0.6", "0.6"), ("-0.1", "0.1")])
def test_shares_that_do_not_fit(
    shares: tuple[str, str], refused: Callable[..., str], tiny_data: Path, tmp_path: Path
) -> None:
    """Dev and test together must leave something to train on."""
    options = ("--dev", shares[0], "--test", shares[1])
    message = refused("split", tiny_data / "train.json", tmp_path / "s", *options)
    assert "--dev and --test" in message


def test_evaluating_on_another_scheme(
    refused: Callable[..., str], tiny_model: Path, tmp_path: Path
) -> None:
    """A label that the model does not know would count as missed for ever: it is refused."""
    path = tmp_path / "a.jsonl"
    spans = [{"start": 0, "end": 4, "label": "CITY"}]
    path.write_text(json.dumps({"id": "x", "text": "Oslo.", "spans": spans}), encoding="utf-8")
    message = refused("evaluate", tiny_model, path)
    assert "article x: label CITY, which the model does not know" in message


# the model


@pytest.mark.parametrize("command", ["extract", "evaluate"])
def test_a_model_that_is_not_there(
    command: str, refused: Callable[..., str], tiny_data: Path, tmp_path: Path
) -> None:
    """The folder, and how to make one."""
    message = refused(command, tmp_path / "no", tiny_data / "dev.json")
    assert f"error: {tmp_path}/no: no such model folder" in message
    assert "presstag train" in message


def test_a_folder_that_is_no_model(refused: Callable[..., str], tmp_path: Path) -> None:
    """Neither a manifest nor a checkpoint is in it."""
    assert "no manifest.json in it" in refused("extract", tmp_path, stdin=b"a")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"format": 1', '"format": 2', "newer presstag"),
        ('"format": 1', '"format": "1"', "no format number"),
        ('"window": 24', '"window": "24"', "missing or of a wrong type: window"),
        ('"overlap": 8', '"overlap": 80', "window 24 with overlap 80"),
        ('"labels": [', '"labels": ["MORE", ', "7 a token, as manifest.json has labels"),
        ('"format": 1,', '"format": 1', "damaged: not JSON"),
    ],
)
def test_a_manifest_that_does_not_fit(
    old: str, new: str, expected: str, refused: Callable[..., str], model: Path
) -> None:
    """Of a newer format, of wrong types, or not that of the files beside it."""
    spoil(model / "manifest.json", old, new)
    message = refused("extract", model, stdin=b"Norway pays.")
    assert expected in message
    assert str(model) in message


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
@pytest.mark.parametrize("fault", ["damaged", "cut short", "missing"])
def test_a_model_file_that_is_not_as_packed(
    name: str, fault: str, refused: Callable[..., str], model: Path
) -> None:
    """Its digest gives it away before anything is made of it."""
    path = model / name
    content = path.read_bytes()
    if fault == "missing":
        path.unlink()
    else:
        middle = len(content) // 2
        path.write_bytes(
            content[:middle] + (b"\0" + content[middle + 1 :] if fault[0] == "d" else b"")
        )
    message = refused("extract", model, stdin=b"Norway pays.")
    assert f"error: {path}: " in message
    assert ("cannot be read" if fault == "missing" else "SHA-256") in message


def test_a_checkpoint_of_someone_else_cannot_be_exported(
    refused: Callable[..., str], tiny_encoder: Path, tmp_path: Path
) -> None:
    """Without config.yaml there is no dev set to compare on."""
    message = refused("export", tiny_encoder, tmp_path / "m")
    assert f"{tiny_encoder}: no config.yaml in it" in message


def test_an_encoder_file_with_another_digest(
    refused: Callable[..., str], tiny_config: Path, tmp_path: Path
) -> None:
    """What was found, what was expected, and that nothing was loaded from it."""
    wanted = "0" * 64
    out = tmp_path / "m"
    message = refused("train", tiny_config, f"model.sha256='{wanted}'", "--out", out)
    assert "model.safetensors: SHA-256 " in message
    assert f"expected: {wanted}" in message


# the article


def extracted(ran: Any) -> list[dict[str, Any]]:
    assert 0 == ran.code, ran.err
    return list(json.loads(ran.out)["spans"])


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\t \u00a0\u2028", "\ufeff"])
def test_an_article_without_words_has_no_spans(
    text: str, presstag: Presstag, learned_model: Path
) -> None:
    """Nothing to tag is no fault."""
    ran = presstag("extract", learned_model, "--json", stdin=text.encode())
    assert [] == extracted(ran)
    assert 0 == presstag("extract", learned_model, stdin=text.encode()).code


@pytest.mark.parametrize(
    "escape", ["\\u0000", "\\ud800", "\\udc00\\ud800", "\\u001b[31m", "\\u202e"]
)
def test_characters_that_no_article_should_have(
    escape: str, presstag: Presstag, learned_model: Path, tmp_path: Path
) -> None:
    """NUL, halves of pairs and controls count as the characters they are; offsets stay right."""
    path = tmp_path / "a.jsonl"
    line = f'{{"text": "{escape}Iceland{escape} pays.\\n\\nIceland has no tanks{escape}"}}'
    path.write_text(line, encoding="utf-8")
    text = json.loads(line)["text"]
    spans = extracted(presstag("extract", learned_model, path, "--json"))
    assert [s.key for s in load(learned_model)(text)] == [
        (s["start"], s["end"], s["label"]) for s in spans
    ]
    shown = presstag("extract", learned_model, path)
    assert 0 == shown.code
    assert not re.search("[\x00\x1b\ud800-\udfff]", shown.out)


def test_standard_input_that_is_not_utf_8(refused: Callable[..., str], learned_model: Path) -> None:
    """The byte and where it is."""
    message = refused("extract", learned_model, stdin=b"caf\xe9 au lait")
    assert "standard input: byte 0xe9 at offset 3 is not UTF-8" in message


@pytest.mark.slow
def test_an_article_of_a_megabyte_is_tagged_to_its_end(
    presstag: Presstag, learned_model: Path
) -> None:
    """Nothing is cut off: what stands at the end is found as it is at the beginning."""
    one = "“Iceland pays,” she said.\n\nIceland has no tanks of its own. The council met.\n\n"
    text = one * (1_000_000 // len(one) + 1)
    spans = extracted(presstag("extract", learned_model, "--json", stdin=text.encode()))
    assert all(text[s["start"] : s["end"]] == s["text"] for s in spans)
    assert any(s["start"] < 100 for s in spans)
    assert any(s["end"] > len(text) - 100 for s in spans)
