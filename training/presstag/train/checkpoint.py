"""A checkpoint folder as a tagger: torch in place of onnxruntime, everything else the same."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForTokenClassification

from presstag.errors import EncoderError, ModelError
from presstag.tagger import Forward, Tagger
from presstag.tags import TagScheme
from presstag.tokens import ArticleTokenizer, Batch, Floats
from presstag.train.config import ModelSection
from presstag.train.encoder import WEIGHTS, Source, load_tokenizer, model_inputs, read_reach

RUN = "run.json"
"""The record beside a checkpoint: config, seed, data digests, versions, commit, course."""

_WINDOWS_AT_ONCE = 16


def torch_forward(model: Any, *, precision: str = "fp32") -> Forward:
    """A torch model as a `Forward`, on the device where it is, in fp32 or bf16."""

    def forward(batch: Batch) -> Floats:
        device = model.device
        narrow = (
            torch.autocast(device.type, dtype=torch.bfloat16)
            if precision == "bf16"
            else contextlib.nullcontext()
        )
        training = model.training
        model.eval()
        with torch.inference_mode(), narrow:
            feed = batch.feed(model_inputs(model))
            logits = model(**{k: torch.from_numpy(v).to(device) for k, v in feed.items()}).logits
        model.train(training)
        result: Floats = logits.float().cpu().numpy()
        return result

    return forward


def checkpoint_tagger(
    model: Any,
    *,
    tokenizer: ArticleTokenizer,
    scheme: TagScheme,
    section: ModelSection,
    precision: str = "fp32",
    info: dict[str, Any] | None = None,
) -> Tagger:
    """A torch model in memory as a tagger."""
    return Tagger(
        torch_forward(model, precision=precision),
        tokenizer=tokenizer,
        scheme=scheme,
        window=section.window,
        overlap=section.overlap,
        windows_at_once=_WINDOWS_AT_ONCE,
        info=info,
    )


def load_checkpoint(folder: str | Path) -> Tagger:
    """Open a checkpoint: one that presstag trained, or any token classifier with BIO tags.

    Raises:
        ModelError: if a file is missing or damaged, or the tags are no BIO scheme in order.
    """
    folder = Path(folder)
    model, tokenizer = read_checkpoint(folder)
    tags = [str(model.config.id2label[i]) for i in range(model.config.num_labels)]
    try:
        scheme = TagScheme.from_tags(tags)
    except ValueError as error:
        expected = "O, then B- and I- of each label in turn"
        raise ModelError(str(folder / "config.json"), str(error), expected=expected) from None
    return checkpoint_tagger(
        model,
        tokenizer=tokenizer,
        scheme=scheme,
        section=read_window(folder),
        info={"folder": str(folder), "provenance": read_record(folder)},
    )


def read_checkpoint(folder: Path) -> tuple[Any, ArticleTokenizer]:
    """Load a checkpoint's model, in evaluation mode, and its tokenizer.

    Raises:
        ModelError: if either is missing or does not load.
    """
    missing = [n for n in ("config.json", WEIGHTS, "tokenizer.json") if not (folder / n).is_file()]
    if missing:
        found = f"no {', '.join(missing)} in it: no checkpoint"
        raise ModelError(str(folder), found, do="train one: presstag train configs/aid.yaml")
    try:
        tokenizer, _ = load_tokenizer(Source(str(folder), None, None))
        model = AutoModelForTokenClassification.from_pretrained(
            folder, use_safetensors=True, trust_remote_code=False, dtype="float32"
        )
    except EncoderError as error:
        raise ModelError(error.where, error.found) from None
    except Exception as error:  # noqa: BLE001 - safetensors and transformers raise what they like
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(str(folder), f"damaged: {reason:.300}", do="train it again.") from None
    return model.eval(), tokenizer


def read_window(folder: Path) -> ModelSection:
    """How a checkpoint was shown articles; if presstag did not make it, as far as it reads."""
    recorded = read_record(folder).get("config", {}).get("model")
    if recorded is not None:
        return ModelSection.model_validate(recorded)
    config = AutoConfig.from_pretrained(folder)
    usual = ModelSection()
    reach = read_reach(config, pad=config.pad_token_id or 0) or usual.window
    window = min(usual.window, reach)
    return ModelSection(window=window, overlap=min(usual.overlap, window // 4))


def read_record(folder: Path) -> dict[str, Any]:
    """The run that made a checkpoint; empty if presstag did not make it."""
    path = folder / RUN
    if not path.is_file():
        return {}
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise ModelError(str(path), "damaged: not JSON", do="train it again.") from None
    return record
