"""A checkpoint as a packed model: ONNX, made smaller, compared, refused if worse, calibrated."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from presstag.bundle import Manifest, load_bundle, write_bundle
from presstag.errors import ExportRefused
from presstag.evaluate.calibration import (
    LEAST,
    calibrate_spans,
    fit_calibration,
    judge_spans,
    measure_reliability,
)
from presstag.evaluate.evaluate import Evaluation, evaluate
from presstag.evaluate.metrics import score_spans
from presstag.spans import Article, Span
from presstag.tagger import Calibration, Tagger
from presstag.tokens import ArticleTokenizer, Batch, Floats
from presstag.train.checkpoint import load_checkpoint, read_checkpoint, read_record, read_window
from presstag.train.config import ExportSection, ModelSection
from presstag.train.encoder import model_inputs
from presstag.train.quantise import quantise
from presstag.windows import plan_windows

OPSET = 18
_CALIBRATION = 32


@dataclass(frozen=True, slots=True)
class Parity:
    """How a packed model compares with its checkpoint on the dev articles.

    Attributes:
        checkpoint_f1, packed_f1: strict micro F1.
        same_spans: share of the spans of either that both found.
        score_difference: mean absolute difference of the tags' probabilities.
    """

    checkpoint_f1: float
    packed_f1: float
    same_spans: float
    score_difference: float


def export_network(model: Any, precision: str, *, batches: Sequence[Batch] = ()) -> bytes:
    """Write a token classifier as ONNX: what `model_inputs` names in, logits out.

    Args:
        model: of transformers, on any device.
        precision: `fp32`, or `int8` for weights of 8 bits and activations quantised as they come.
        batches: windows of articles that int8 is calibrated on.
    """
    names = model_inputs(model)
    # A tensor of its own for each: one given twice is taken for one input.
    examples = tuple(torch.ones((3, 16), dtype=torch.int64) for _ in names)
    free = {0: torch.export.Dim("windows"), 1: torch.export.Dim("tokens")}
    with tempfile.TemporaryDirectory() as folder, _silence():
        plain, small = Path(folder) / "plain.onnx", Path(folder) / "small.onnx"
        torch.onnx.export(
            _Logits(model, names).eval().cpu(),
            examples,
            plain,
            input_names=names,
            output_names=["logits"],
            dynamic_shapes=(tuple(free for _ in names),),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        onnx.checker.check_model(str(plain))
        if precision == "fp32":
            return plain.read_bytes()
        quantise(plain, small, batches=batches)
        return small.read_bytes()


class _Logits(torch.nn.Module):
    """A model that takes tensors and gives one, which is all that ONNX has to know."""

    def __init__(self, model: Any, names: Sequence[str]) -> None:
        super().__init__()
        self.model = model
        self.names = names
        # Plain matrix products: the graph that onnxruntime knows best.
        self.model.set_attn_implementation("eager")

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(**dict(zip(self.names, tensors, strict=True))).logits
        return logits


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """The exporters write progress and advice to the terminal."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def compare(checkpoint: Tagger, packed: Tagger, articles: Sequence[Article]) -> Parity:
    """Tag the same articles with both."""
    return _parity(_tag(checkpoint, articles), _tag(packed, articles), articles)


@dataclass(frozen=True, slots=True)
class _Tagged:
    """An article at a time: the spans, and the probabilities of the tags."""

    labels: tuple[str, ...]
    spans: list[list[Span]]
    probabilities: list[Floats]


def _tag(tagger: Tagger, articles: Sequence[Article]) -> _Tagged:
    scored = [tagger.score_units([a.text])[0] for a in articles]
    spans = [tagger.spans(a.text, *s) for a, s in zip(articles, scored, strict=True)]
    return _Tagged(tagger.labels, spans, [np.exp(s) for _, s in scored])


def _parity(checkpoint: _Tagged, packed: _Tagged, articles: Sequence[Article]) -> Parity:
    gold, both = [a.spans for a in articles], (checkpoint, packed)
    keys = [{(i, *s.key) for i, found in enumerate(t.spans) for s in found} for t in both]
    pairs = zip(checkpoint.probabilities, packed.probabilities, strict=True)
    differences = [np.abs(a - b).mean() for a, b in pairs if len(a)]
    one, other = (score_spans(gold, t.spans, labels=t.labels).micro.f1 for t in both)
    return Parity(
        checkpoint_f1=one,
        packed_f1=other,
        same_spans=len(keys[0] & keys[1]) / max(len(keys[0] | keys[1]), 1),
        score_difference=float(np.mean(differences)) if differences else 0.0,
    )


def export_checkpoint(
    folder: str | Path,
    out: str | Path,
    *,
    name: str,
    section: ExportSection,
    train: Sequence[Article],
    dev: Sequence[Article],
    splits: Mapping[str, Sequence[Article]],
) -> tuple[Parity, dict[str, Evaluation]]:
    """Pack a checkpoint into the folder `out`, if the packed model is good enough.

    Args:
        folder: the checkpoint.
        out: gets the packed model's files.
        name: what the model is called.
        section: precision, and how much F1 may be lost.
        train: articles that int8 is calibrated on; the first few suffice.
        dev: articles that decide whether it is good enough, and that its scores are calibrated on.
        splits: articles whose scores, by the packed model, go into the manifest.

    Raises:
        ModelError: if the checkpoint does not load.
        ExportRefused: if F1 on dev falls too far; `out` stays as it was.
    """
    folder = Path(folder)
    checkpoint, window = load_checkpoint(folder), read_window(folder)
    model, tokenizer = read_checkpoint(folder)
    some = _windows(train[:_CALIBRATION], tokenizer, window)
    network, tokens = export_network(model, section.precision, batches=some), tokenizer.to_json()
    manifest = Manifest(
        name=name,
        labels=list(checkpoint.labels),
        window=window.window,
        overlap=window.overlap,
        pad=tokenizer.pad,
        precision=section.precision,
        files={},
        scores={},
        provenance=read_record(folder),
    )
    with tempfile.TemporaryDirectory() as trial:
        write_bundle(trial, manifest, network=network, tokenizer=tokens)
        parity, evaluations, figures = _judge(
            load_bundle(trial), checkpoint, dev=dev, splits=splits, section=section
        )
    manifest = replace(manifest, **figures)
    write_bundle(out, manifest, network=network, tokenizer=tokens)
    return parity, evaluations


def _judge(
    packed: Tagger,
    checkpoint: Tagger,
    *,
    dev: Sequence[Article],
    splits: Mapping[str, Sequence[Article]],
    section: ExportSection,
) -> tuple[Parity, dict[str, Evaluation], dict[str, Any]]:
    """Compare and score a packed model, calibrate its scores; with the figures for the manifest."""
    tagged = _tag(packed, dev)
    parity = _parity(_tag(checkpoint, dev), tagged, dev)
    _gate(parity, section)
    evaluations = {split: evaluate(packed, articles) for split, articles in splits.items()}
    found = {split: (splits[split], e.predicted) for split, e in evaluations.items()}
    calibration, record = _calibrate({**found, "dev": (dev, tagged.spans)})
    if calibration is not None:  # the spans as the model that is written will score them
        evaluations = {
            split: replace(e, predicted=calibrate_spans(e.predicted, calibration))
            for split, e in evaluations.items()
        }
    scores = {split: found.scores.to_dict() for split, found in evaluations.items()}
    scores["parity"] = {key: round(value, 5) for key, value in asdict(parity).items()}
    return parity, evaluations, {"scores": scores, "calibration": record}


def _calibrate(
    found: Mapping[str, tuple[Sequence[Article], Sequence[Sequence[Span]]]],
) -> tuple[Calibration | None, dict[str, Any]]:
    """Fit a calibration on dev and measure it on every split, for the manifest."""
    judged = {
        split: judge_spans((a.spans for a in articles), spans)
        for split, (articles, spans) in found.items()
    }
    dev = judged["dev"]
    calibration = fit_calibration(dev) if len(dev) >= LEAST else None
    reliability = {
        split: {"before": measure_reliability(spans).to_dict()} for split, spans in judged.items()
    }
    if calibration is None:
        return None, {"spans": len(dev), "least": LEAST, "reliability": reliability}
    for split, spans in judged.items():
        after = replace(spans, scores=np.array([calibration(s) for s in spans.scores]))
        reliability[split]["after"] = measure_reliability(after).to_dict()
    points = {"raw": list(calibration.raw), "calibrated": list(calibration.calibrated)}
    return calibration, {**points, "spans": len(dev), "reliability": reliability}


def _windows(
    articles: Sequence[Article], tokenizer: ArticleTokenizer, section: ModelSection
) -> list[Batch]:
    size = section.window - tokenizer.specials
    return [
        tokenizer.batch([(tokens, window)])
        for tokens in tokenizer.encode([a.text for a in articles])
        for window in plan_windows(len(tokens.ids), size=size, overlap=section.overlap)
    ]


def _gate(parity: Parity, section: ExportSection) -> None:
    lost = parity.checkpoint_f1 - parity.packed_f1
    if lost > section.max_f1_loss:
        raise ExportRefused(
            f"export to {section.precision}",
            f"strict F1 on dev falls by {100 * lost:.2f} points, from "
            f"{100 * parity.checkpoint_f1:.2f} to {100 * parity.packed_f1:.2f}",
            expected=f"a loss of at most {100 * section.max_f1_loss:.2f} points "
            "(export.max_f1_loss)",
            do="set export.precision to fp32, or allow the loss; the checkpoint is kept.",
        )
