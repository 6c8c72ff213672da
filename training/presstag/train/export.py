"""A checkpoint as a packed model: ONNX, made smaller, compared, and refused if it got worse."""

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
from presstag.evaluate.evaluate import Evaluation, evaluate
from presstag.evaluate.metrics import score_spans
from presstag.spans import Article
from presstag.tagger import Tagger
from presstag.tokens import ArticleTokenizer, Batch
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
    gold = [a.spans for a in articles]
    found: list[list[list[Any]]] = []
    scores: list[list[Any]] = []
    for tagger in (checkpoint, packed):
        scored = [tagger.score_units([a.text])[0] for a in articles]
        spans = [tagger.spans(a.text, *s) for a, s in zip(articles, scored, strict=True)]
        found.append(spans)
        scores.append([np.exp(s) for _, s in scored])
    keys = [{(i, *s.key) for i, spans in enumerate(f) for s in spans} for f in found]
    differences = [np.abs(a - b).mean() for a, b in zip(*scores, strict=True) if len(a)]
    one, other = (score_spans(gold, f, labels=checkpoint.labels).micro.f1 for f in found)
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
        dev: articles that decide whether it is good enough.
        splits: articles whose scores, by the packed model, go into the manifest.

    Raises:
        ModelError: if the checkpoint does not load.
        ExportRefused: if F1 on dev falls too far; `out` stays as it was.
    """
    checkpoint = load_checkpoint(folder)
    model, tokenizer = read_checkpoint(Path(folder))
    window = read_window(Path(folder))
    batches = _windows(train[:_CALIBRATION], tokenizer, window)
    network = export_network(model, section.precision, batches=batches)
    manifest = Manifest(
        name=name,
        labels=list(checkpoint.labels),
        window=window.window,
        overlap=window.overlap,
        pad=tokenizer.pad,
        precision=section.precision,
        files={},
        scores={},
        provenance=read_record(Path(folder)),
    )
    with tempfile.TemporaryDirectory() as trial:
        write_bundle(trial, manifest, network=network, tokenizer=tokenizer.to_json())
        packed = load_bundle(trial)
        parity = compare(checkpoint, packed, dev)
        _gate(parity, section)
        evaluations = {split: evaluate(packed, articles) for split, articles in splits.items()}
    scores = {split: found.scores.to_dict() for split, found in evaluations.items()}
    scores["parity"] = {key: round(value, 5) for key, value in asdict(parity).items()}
    write_bundle(
        out, replace(manifest, scores=scores), network=network, tokenizer=tokenizer.to_json()
    )
    return parity, evaluations


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
