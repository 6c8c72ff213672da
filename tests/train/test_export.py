from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file, save_file

from presstag import ExportRefused, load
from presstag.spans import Article
from presstag.tagger import Calibration
from presstag.tags import TagScheme
from presstag.tokens import Batch
from presstag.train.checkpoint import (
    checkpoint_tagger,
    load_checkpoint,
    read_checkpoint,
    read_window,
)
from presstag.train.config import ExportSection
from presstag.train.encoder import model_inputs
from presstag.train.export import Parity, _gate, compare, export_checkpoint
from presstag.words import SHAPES


def ops(folder: Path) -> set[str]:
    return {node.op_type for node in onnx.load(folder / "model.onnx").graph.node}


def test_without_quantisation_nothing_changes(packed_fp32: tuple[Path, Parity]) -> None:
    """The same spans, the same F1, and probabilities equal to the rounding."""
    _, parity = packed_fp32
    assert parity.checkpoint_f1 == parity.packed_f1 > 0.5
    assert 1.0 == parity.same_spans
    assert parity.score_difference < 1e-6


def test_int8_quantises_the_matrix_products(
    learned_model: Path, packed_fp32: tuple[Path, Parity]
) -> None:
    """The default precision is what it says, and fp32 too."""
    assert "MatMulInteger" in ops(learned_model)
    assert "MatMulInteger" not in ops(packed_fp32[0])
    sizes = [(f / "model.onnx").stat().st_size for f in (learned_model, packed_fp32[0])]
    assert sizes[0] < sizes[1]


def test_a_network_takes_any_number_of_windows_of_any_length(
    packed_fp32: tuple[Path, Parity], learned_model: Path
) -> None:
    """Both axes are free, and padding does not reach what is not padding."""
    import onnxruntime

    session = onnxruntime.InferenceSession(packed_fp32[0] / "model.onnx")
    model, _ = read_checkpoint(learned_model / "checkpoint")
    for windows, tokens in ((1, 1), (1, 64), (5, 7)):
        ids = np.arange(windows * tokens, dtype=np.int64).reshape(windows, tokens) % 50
        mask = np.ones_like(ids)
        mask[0, 1 + tokens // 2 :] = 0
        feed = Batch(ids, mask, shapes=ids % len(SHAPES)).feed(model_inputs(model))
        (logits,) = session.run(None, feed)
        with torch.inference_mode():
            given = {name: torch.tensor(values) for name, values in feed.items()}
            expected = model(**given).logits.numpy()
        assert 3 == len(feed)
        assert (windows, tokens, 5) == logits.shape
        assert np.allclose(expected, logits, atol=1e-4)


def test_the_manifest_tells_where_the_model_comes_from(learned_model: Path) -> None:
    """The run's record, scores by split, parity, and the digests of the files beside it."""
    manifest = json.loads((learned_model / "manifest.json").read_text(encoding="utf-8"))
    run = json.loads((learned_model / "checkpoint" / "run.json").read_text(encoding="utf-8"))
    scores = json.loads((learned_model / "scores.json").read_text(encoding="utf-8"))
    assert run == manifest["provenance"]
    assert {"dev", "test", "parity"} == set(manifest["scores"])
    assert scores["test"]["micro"] == manifest["scores"]["test"]["micro"]
    assert set(scores["parity"]) == set(manifest["scores"]["parity"])
    assert ("tiny", ["DONOR", "SYSTEM"], 24, 8, "int8") == tuple(
        manifest[key] for key in ("name", "labels", "window", "overlap", "precision")
    )
    for name in ("model.onnx", "tokenizer.json"):
        digest = hashlib.sha256((learned_model / name).read_bytes()).hexdigest()
        assert digest == manifest["files"][name]


def test_too_few_found_spans_leave_scores_raw_and_say_so(learned_model: Path) -> None:
    """Dev of the tiny data has a dozen spans: no points, the count, and the figures before."""
    said = json.loads((learned_model / "manifest.json").read_text(encoding="utf-8"))["calibration"]
    assert {"spans", "least", "reliability"} == set(said)
    assert 0 < said["spans"] < said["least"] == 200
    assert {"dev": {"before"}, "test": {"before"}} == {
        split: set(figures) for split, figures in said["reliability"].items()
    }
    assert said["spans"] == said["reliability"]["dev"]["before"]["spans"]


def test_scores_are_calibrated_on_dev(
    learned_model: Path, dev: list[Article], tmp_path: Path
) -> None:
    """With enough spans the packed model's scores are calibrated, the checkpoint's are not."""
    many = [replace(a, id=f"{a.id}-{n}") for n in range(20) for a in dev]
    folder = tmp_path / "m"
    _, evaluations = export_checkpoint(
        learned_model / "checkpoint",
        folder,
        name="calibrated",
        section=ExportSection(precision="fp32", max_f1_loss=0.0),
        train=[],
        dev=many,
        splits={"test": dev},
    )
    said = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["calibration"]
    line = Calibration(tuple(said["raw"]), tuple(said["calibrated"]))
    texts = [a.text for a in dev]
    raw = list(load_checkpoint(learned_model / "checkpoint").pipe(texts))
    packed = list(load(folder).pipe(texts))
    assert packed == evaluations["test"].predicted
    expected = [line(s.score or 0) for spans in raw for s in spans]
    assert expected == pytest.approx([s.score for spans in packed for s in spans], abs=1e-3)
    assert {"dev", "test"} == set(said["reliability"])
    before, after = (said["reliability"]["dev"][when] for when in ("before", "after"))
    assert said["spans"] == before["spans"] == after["spans"] >= 200
    assert after["error"] < before["error"]
    assert 15 == len(after["bins"])


@pytest.mark.parametrize(
    ("checkpoint_f1", "packed_f1", "allowed", "refused"),
    [
        (0.9, 0.9, 0.0, False),
        (0.9, 0.895, 0.01, False),
        (0.9, 0.889, 0.01, True),
        (0.9, 0.95, 0.0, False),
        (0.9, 0.899, 0.0, True),
        (0.94, 0.10, 0.5, True),
        (0.94, 0.10, 1.0, False),
    ],
)
def test_the_gate_lets_through_what_the_config_allows(
    checkpoint_f1: float,
    packed_f1: float,
    allowed: float,
    *,
    refused: bool,
) -> None:
    """A packed model may be better; it may be worse by `max_f1_loss` and no more."""
    parity = Parity(checkpoint_f1, packed_f1, same_spans=0.9, score_difference=0.01)
    section = ExportSection(max_f1_loss=allowed)
    if not refused:
        _gate(parity, section)
        return
    with pytest.raises(ExportRefused) as caught:
        _gate(parity, section)
    assert f"from {100 * checkpoint_f1:.2f} to {100 * packed_f1:.2f}" in caught.value.found
    assert "export.precision" in caught.value.do


def test_a_comparison_sees_a_model_that_got_worse(learned_model: Path, dev: list[Article]) -> None:
    """A checkpoint against itself with its last layer upside down."""
    folder = learned_model / "checkpoint"
    model, tokenizer = read_checkpoint(folder)
    with torch.no_grad():
        model.classifier.weight.neg_()
    worse = checkpoint_tagger(
        model,
        tokenizer=tokenizer,
        scheme=TagScheme(("DONOR", "SYSTEM")),
        section=read_window(folder),
    )
    parity = compare(load_checkpoint(folder), worse, dev)
    assert parity.checkpoint_f1 > 0.5 > parity.packed_f1
    assert parity.same_spans < 0.5
    assert parity.score_difference > 0.1


@pytest.fixture(scope="session")
def fragile(learned_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that int8 breaks, as outliers do in large encoders.

    One number of each token's last state is enormous and counts for nothing. In fp32 that changes
    nothing; quantised with it on one scale, all the other numbers become zero.
    """
    folder = tmp_path_factory.mktemp("fragile") / "checkpoint"
    shutil.copytree(learned_model / "checkpoint", folder)
    tensors = load_file(folder / "model.safetensors")
    tensors["bert.encoder.layer.1.output.LayerNorm.bias"][0] = 1e5
    tensors["classifier.weight"][:, 0] = 0.0
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.mark.slow
def test_an_export_that_breaks_the_model_is_refused_and_writes_nothing(
    fragile: Path, learned_model: Path, dev: list[Article], tmp_path: Path
) -> None:
    """The model that was there stays, to the byte, and still works."""
    packed = tmp_path / "m"
    shutil.copytree(learned_model, packed, ignore=shutil.ignore_patterns("training", "checkpoint"))
    before = {p.name: p.read_bytes() for p in packed.iterdir()}
    with pytest.raises(ExportRefused, match="strict F1 on dev falls by"):
        export_checkpoint(
            fragile,
            packed,
            name="fragile",
            section=ExportSection(precision="int8"),
            train=[],
            dev=dev,
            splits={"dev": dev},
        )
    assert before == {p.name: p.read_bytes() for p in packed.iterdir()}
    assert "tiny" == load(packed).info["name"]


@pytest.mark.slow
def test_what_int8_breaks_fp32_packs(fragile: Path, dev: list[Article], tmp_path: Path) -> None:
    """The way out that the refusal names is one."""
    parity, evaluations = export_checkpoint(
        fragile,
        tmp_path / "m",
        name="fragile",
        section=ExportSection(precision="fp32"),
        train=[],
        dev=dev,
        splits={"dev": dev},
    )
    assert parity.packed_f1 == evaluations["dev"].scores.micro.f1 > 0.3


@pytest.mark.slow
def test_the_scores_are_those_of_the_packed_model(
    fragile: Path, dev: list[Article], tmp_path: Path
) -> None:
    """Where the loss is allowed, the manifest does not flatter: it holds what was packed."""
    parity, evaluations = export_checkpoint(
        fragile,
        tmp_path / "m",
        name="fragile",
        section=ExportSection(precision="int8", max_f1_loss=1.0),
        train=[],
        dev=dev,
        splits={"dev": dev},
    )
    assert parity.packed_f1 == evaluations["dev"].scores.micro.f1 < parity.checkpoint_f1
    found = load(tmp_path / "m").info["scores"]["dev"]["micro"]["f1"]
    assert round(parity.packed_f1, 4) == found


@pytest.mark.slow
def test_calibration_saves_a_model_that_plain_int8_breaks(
    fragile: Path, dev: list[Article], tmp_path: Path
) -> None:
    """Scaled by what it measures on articles, the large number leaves room for the others."""
    plain, smooth = (
        export_checkpoint(
            fragile,
            tmp_path / name,
            name="fragile",
            section=ExportSection(precision="int8", max_f1_loss=1.0),
            train=train,
            dev=dev,
            splits={},
        )[0]
        for name, train in (("plain", []), ("smooth", dev))
    )
    assert smooth.packed_f1 > plain.packed_f1
    assert smooth.score_difference < plain.score_difference / 2
