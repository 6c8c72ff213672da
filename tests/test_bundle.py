"""The packed model on disk: what comes back, and what is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from presstag.bundle import (
    MANIFEST,
    NETWORK,
    TOKENIZER,
    Manifest,
    load_bundle,
    read_manifest,
    write_bundle,
)
from presstag.errors import ModelError

TRAIN = "make one with: presstag train configs/aid.yaml"
AGAIN = "export the model again."
TEXT = "Norway will send two patrol boats to Lusitania, the minister said."


def network(
    *, outputs: int = 5, inputs: tuple[str, ...] = ("input_ids", "attention_mask")
) -> bytes:
    """A network without context: each token's scores are the row of its id in a table."""
    table = np.random.default_rng(3).standard_normal((300, outputs)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", inputs[0]], ["logits"])],
        "lookup",
        [helper.make_tensor_value_info(i, TensorProto.INT64, ["w", "t"]) for i in inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["w", "t", outputs])],
        [numpy_helper.from_array(4 * table, "table")],
    )
    opset = [helper.make_opsetid("", 18)]
    made: onnx.ModelProto = helper.make_model(graph, ir_version=9, opset_imports=opset)
    return made.SerializeToString()


def manifest(**changed: Any) -> Manifest:
    """What a small model says of itself."""
    said: dict[str, Any] = {
        "name": "small",
        "labels": ["DONOR", "SYSTEM"],
        "window": 24,
        "overlap": 8,
        "pad": 0,
        "precision": "fp32",
        "files": {},
        "scores": {"dev": {"micro": {"f1": 0.5}}},
        "provenance": {"commit": "é"},
    }
    return Manifest(**{**said, **changed})


@pytest.fixture
def pack(tiny_encoder: Path, tmp_path: Path) -> Callable[..., Path]:
    """A function that packs a model, with another network or manifest if wanted."""
    tokenizer = (tiny_encoder / "tokenizer.json").read_text(encoding="utf-8")

    def packed(content: bytes | None = None, *, tokens: str = tokenizer, **changed: Any) -> Path:
        folder = tmp_path / "small"
        content = network() if content is None else content
        write_bundle(folder, manifest(**changed), network=content, tokenizer=tokens)
        return folder

    return packed


def refused(folder: Path) -> tuple[str, str, str, str]:
    """Where, what, what was expected, and what to do, as the error says it."""
    with pytest.raises(ModelError) as caught:
        load_bundle(folder)
    error = caught.value
    assert str(error).startswith(f"{error.where}: {error.found}")
    return error.where, error.found, error.expected, error.do


def change_manifest(folder: Path, **changed: Any) -> None:
    """Put other values into a manifest; None takes a key away."""
    read = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    kept = {key: value for key, value in {**read, **changed}.items() if value is not None}
    (folder / MANIFEST).write_text(json.dumps(kept), encoding="utf-8")


def test_a_packed_model_is_three_files(pack: Callable[..., Path]) -> None:
    """Network, tokenizer and manifest, with the digests of the first two in the third."""
    folder = pack()
    assert [MANIFEST, NETWORK, TOKENIZER] == sorted(p.name for p in folder.iterdir())
    digests = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in (NETWORK, TOKENIZER)
    }
    assert digests == read_manifest(folder).files


def test_a_manifest_comes_back(pack: Callable[..., Path]) -> None:
    """Everything that was written is read, the digests beside it."""
    read = asdict(read_manifest(str(pack())))
    assert {**asdict(manifest()), "files": read["files"]} == read


def test_a_packed_model_tags(pack: Callable[..., Path]) -> None:
    """The network's scores come through: spans are those of the same table in numpy."""
    tagger = load_bundle(pack())
    tokens, scores = tagger.score_units([TEXT])[0]
    logits = 4 * np.random.default_rng(3).standard_normal((300, 5)).astype(np.float32)
    expected = logits[tokens.ids[tokens.firsts]]
    expected = expected - np.log(np.exp(expected).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4)
    assert tagger.spans(TEXT, tokens, scores) == tagger(TEXT)
    assert [] != tagger(TEXT)


def test_a_tagger_says_what_its_folder_says(pack: Callable[..., Path]) -> None:
    """Labels are the manifest's, and `info` is the manifest with the folder."""
    folder = pack()
    tagger = load_bundle(folder, threads=1)
    assert ("DONOR", "SYSTEM") == tagger.labels
    assert {"folder": str(folder), **asdict(read_manifest(folder))} == tagger.info


def test_packing_again_replaces_a_model(pack: Callable[..., Path]) -> None:
    """A folder holds the model that was packed last, and loads."""
    pack()
    folder = pack(network(outputs=3), name="other", labels=["X"])
    assert ("other", ("X",)) == (load_bundle(folder).info["name"], load_bundle(folder).labels)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    """The error names the folder and how to make a model."""
    assert (str(tmp_path / "no"), "no such model folder", "", TRAIN) == refused(tmp_path / "no")


def test_a_file_is_no_model_folder(tmp_path: Path) -> None:
    """Neither is a file where the folder should be."""
    (tmp_path / "file").write_text("")
    assert (str(tmp_path / "file"), "no such model folder", "", TRAIN) == refused(tmp_path / "file")


def test_a_folder_without_manifest_is_refused(pack: Callable[..., Path]) -> None:
    """A folder of something else, or a model half copied."""
    folder = pack()
    (folder / MANIFEST).unlink()
    assert (str(folder), "no manifest.json in it: no packed model", "", TRAIN) == refused(folder)


def test_a_manifest_that_cannot_be_read_is_refused(pack: Callable[..., Path]) -> None:
    """A folder of that name stands for whatever the system refuses to read."""
    folder = pack()
    (folder / MANIFEST).unlink()
    (folder / MANIFEST).mkdir()
    where, found, _, to_do = refused(folder)
    assert (str(folder / MANIFEST), "cannot be read: Is a directory") == (where, found)
    assert "copy or install the whole model again." == to_do


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"format": 1'])
def test_a_manifest_that_is_no_json_is_refused(pack: Callable[..., Path], content: bytes) -> None:
    """Cut short, empty or of other bytes."""
    folder = pack()
    (folder / MANIFEST).write_bytes(content)
    assert (str(folder / MANIFEST), "damaged: not JSON", "", AGAIN) == refused(folder)


@pytest.mark.parametrize(
    "content", ["[]", "1", "null", "{}", '{"format": "1"}', '{"format": true}']
)
def test_json_without_format_number_is_refused(pack: Callable[..., Path], content: str) -> None:
    """Another program's manifest.json is not taken for ours."""
    folder = pack()
    (folder / MANIFEST).write_text(content)
    expected = (str(folder / MANIFEST), "no format number", "format 1 or older", AGAIN)
    assert expected == refused(folder)


def test_a_newer_format_is_refused(pack: Callable[..., Path]) -> None:
    """An old presstag says that it is old, instead of misreading."""
    folder = pack()
    change_manifest(folder, format=2, presstag=">=3.1.0")
    where, found, expected, to_do = refused(folder)
    assert (str(folder / MANIFEST), "format 1 or older") == (where, expected)
    assert "written by a newer presstag in a format that this one does not know" == found
    assert "pip install --upgrade 'presstag>=3.1.0'" == to_do


@pytest.mark.parametrize("reader", [None, 3, "", ">=1; rm -r .", ">=1' && '", ">=1\n"])
def test_only_a_version_is_advised(pack: Callable[..., Path], reader: object) -> None:
    """What a manifest says in its place does not get into a command that people copy."""
    folder = pack()
    change_manifest(folder, format=2, presstag=reader)
    assert "pip install --upgrade presstag" == refused(folder)[3]


def test_a_manifest_says_what_reads_it(pack: Callable[..., Path]) -> None:
    """The format's number, and from which version on presstag knows it."""
    read = json.loads((pack() / MANIFEST).read_text(encoding="utf-8"))
    assert (1, ">=0.1.0") == (read["format"], read["presstag"])


@pytest.mark.parametrize("key", [key for key in asdict(manifest()) if key != "calibration"])
def test_a_manifest_without_a_key_is_refused(pack: Callable[..., Path], key: str) -> None:
    """The error names the key."""
    folder = pack()
    change_manifest(folder, **{key: None})
    found = f"missing or of a wrong type: {key}"
    assert (str(folder / MANIFEST), found, "", AGAIN) == refused(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", 1),
        ("labels", "DONOR"),
        ("labels", ["DONOR", 2]),
        ("window", "24"),
        ("window", 24.0),
        ("overlap", True),
        ("pad", []),
        ("files", []),
        ("scores", 0.5),
        ("provenance", "a machine"),
        ("calibration", []),
    ],
)
def test_a_manifest_of_wrong_types_is_refused(
    pack: Callable[..., Path], key: str, value: object
) -> None:
    """Values are checked before use, never coerced."""
    folder = pack()
    change_manifest(folder, **{key: value, "precision": 8})
    where, found, _, to_do = refused(folder)
    assert (str(folder / MANIFEST), AGAIN) == (where, to_do)
    assert {key, "precision"} == set(found.removeprefix("missing or of a wrong type: ").split(", "))


@pytest.mark.parametrize("name", [NETWORK, TOKENIZER])
def test_a_changed_byte_is_found(pack: Callable[..., Path], name: str) -> None:
    """A damaged file is named with both digests, before anything reads it."""
    folder = pack()
    before = read_manifest(folder).files[name]
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    found = f"SHA-256 {hashlib.sha256(content).hexdigest()}"
    to_do = "the file is damaged or of another model: copy, install or export it again."
    expected = (str(folder / name), found, f"{before}, as manifest.json says", to_do)
    assert expected == refused(folder)


@pytest.mark.parametrize("name", [NETWORK, TOKENIZER])
def test_a_missing_file_is_refused(pack: Callable[..., Path], name: str) -> None:
    """A folder half copied says which file it lacks."""
    folder = pack()
    (folder / name).unlink()
    found, to_do = (
        "cannot be read: No such file or directory",
        "copy or install the whole model again.",
    )
    assert (str(folder / name), found, "", to_do) == refused(folder)


@pytest.mark.parametrize("name", [NETWORK, TOKENIZER])
def test_a_file_that_the_manifest_does_not_name_is_refused(
    pack: Callable[..., Path], name: str
) -> None:
    """Without a digest nothing is trusted."""
    folder = pack()
    files = {key: value for key, value in read_manifest(folder).files.items() if key != name}
    change_manifest(folder, files=files)
    assert (str(folder / name), "None, as manifest.json says") == refused(folder)[::2]


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08\x09"])
def test_a_network_that_does_not_load_is_refused(pack: Callable[..., Path], content: bytes) -> None:
    """Its digest is right, onnxruntime cannot read it: the file is named."""
    folder = pack(content)
    where, found, _, to_do = refused(folder)
    assert (str(folder / NETWORK), AGAIN) == (where, to_do)
    assert found.startswith("onnxruntime cannot load it: ")


def test_a_tokenizer_that_does_not_load_is_refused(pack: Callable[..., Path]) -> None:
    """Its digest is right, it is no tokenizer: the file is named."""
    folder = pack(tokens="{}")
    where, found, _, to_do = refused(folder)
    assert (str(folder / TOKENIZER), AGAIN) == (where, to_do)
    assert found.startswith("no tokenizer: ")


def test_a_network_of_other_labels_is_refused(pack: Callable[..., Path]) -> None:
    """Two labels make five tags, and a network with seven outputs is of another model."""
    folder = pack(network(outputs=7))
    where, found, expected, to_do = refused(folder)
    assert (str(folder / NETWORK), AGAIN) == (where, to_do)
    assert "a network with outputs ['w', 't', 7]" == found
    assert "5 a token, as manifest.json has labels" == expected


def test_a_network_of_other_inputs_is_refused(pack: Callable[..., Path]) -> None:
    """A network that wants token types would fail at the first text only."""
    folder = pack(network(inputs=("input_ids", "token_type_ids")))
    where, found, expected, to_do = refused(folder)
    assert (str(folder / NETWORK), AGAIN) == (where, to_do)
    assert "a network that wants ['input_ids', 'token_type_ids']" == found
    assert "input_ids and attention_mask, or token_type_ids too" == expected


@pytest.mark.parametrize(("window", "overlap"), [(10, 8), (8, 8), (0, 0), (2, 0), (24, -1)])
def test_a_window_that_cannot_be_is_refused(
    pack: Callable[..., Path], window: int, overlap: int
) -> None:
    """Without its two special tokens a window must be longer than the overlap."""
    folder = pack(window=window, overlap=overlap)
    found = f"window {window} with overlap {overlap}"
    expected = (str(folder / MANIFEST), found, "a window above the overlap", AGAIN)
    assert expected == refused(folder)


def test_the_smallest_window_tags(pack: Callable[..., Path]) -> None:
    """One token beside the two special ones is enough."""
    assert load_bundle(pack())(TEXT) == load_bundle(pack(window=3, overlap=0))(TEXT)


def test_a_mixture_of_two_models_does_not_load(pack: Callable[..., Path]) -> None:
    """A writer that stopped after the network leaves an old manifest, which does not fit it."""
    folder = pack()
    old = (folder / MANIFEST).read_bytes()
    pack(network(outputs=3), labels=["X"])
    (folder / MANIFEST).write_bytes(old)
    assert str(folder / NETWORK) == refused(folder)[0]


POINTS = {"raw": [0.0, 0.5, 1], "calibrated": [0.0, 0.25, 0.5]}


def test_a_packed_model_gives_calibrated_scores(pack: Callable[..., Path]) -> None:
    """The manifest's points stand between a span's probability and its score."""
    raw = load_bundle(pack())(TEXT)
    folder = pack(calibration={**POINTS, "spans": 300})
    calibrated = load_bundle(folder)(TEXT)
    assert [s.key for s in raw] == [s.key for s in calibrated]
    assert [pytest.approx((s.score or 0) / 2) for s in raw] == [s.score for s in calibrated]
    assert {**POINTS, "spans": 300} == load_bundle(folder).info["calibration"]


@pytest.mark.parametrize("said", [None, {}, {"spans": 20, "least": 200}])
def test_a_model_without_points_gives_raw_scores(
    pack: Callable[..., Path], said: dict[str, Any] | None
) -> None:
    """Packed without calibration, or with a note that dev had too few spans for one."""
    expected = load_bundle(pack())(TEXT)
    assert expected == load_bundle(pack(calibration=said))(TEXT)


def test_a_manifest_from_before_calibration_loads(pack: Callable[..., Path]) -> None:
    """The key may be missing."""
    folder = pack()
    change_manifest(folder, calibration=None)
    assert "calibration" not in json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    assert [] != load_bundle(folder)(TEXT)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"raw": [0.0, 1.0]}, "2 raw scores for 3 calibrated ones"),
        ({"raw": [0.0, 0.5, 0.5]}, "raw scores that do not rise"),
        ({"calibrated": [0.0, 0.5, 0.4]}, "calibrated scores that fall"),
        ({"calibrated": [0.0, 0.5, 1.5]}, "a score outside 0 to 1"),
        ({"calibrated": [0.0, 0.5, float("nan")]}, "a score outside 0 to 1"),
        ({"raw": []}, "0 raw scores for 3 calibrated ones"),
        ({"raw": [0.0, 0.5, "1"]}, "raw and calibrated are not two lists of numbers"),
        ({"raw": [0.0, 0.5, True]}, "raw and calibrated are not two lists of numbers"),
        ({"raw": None}, "raw and calibrated are not two lists of numbers"),
    ],
)
def test_a_damaged_calibration_is_refused(
    pack: Callable[..., Path], changed: dict[str, Any], found: str
) -> None:
    """Scores that are no probabilities, or out of order, would mislead in silence."""
    folder = pack(calibration={**POINTS, **changed})
    expected = "raw and calibrated: as many of each, rising, in 0 to 1"
    assert (str(folder / MANIFEST), f"calibration: {found}", expected, AGAIN) == refused(folder)


def test_a_trained_model_loads(tiny_model: Path) -> None:
    """What a whole run packs is a packed model: the manifest has scores and the run's record."""
    info = load_bundle(tiny_model).info
    assert ("tiny", ["DONOR", "SYSTEM"], 24, 8) == tuple(
        info[key] for key in ("name", "labels", "window", "overlap")
    )
    assert {"dev", "test", "parity"} == set(info["scores"])
    assert {"config", "data", "encoder", "versions", "commit"} <= set(info["provenance"])
