"""Fine-tune an encoder on windows with transformers' Trainer, choosing by strict F1 on dev."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import datasets
import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter
from transformers import (
    DataCollatorForTokenClassification,
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.integrations.integration_utils import TensorBoardCallback

from presstag.errors import ConfigError
from presstag.evaluate.metrics import score_spans
from presstag.spans import Article
from presstag.tagger import Tagger
from presstag.tags import TagScheme
from presstag.train.config import TrainingSection
from presstag.train.windowset import tag_units


class Progress(Protocol):
    """Who is told how a run goes; raising an exception stops it."""

    def phase(self, what: str) -> None:
        """The run goes on to something else."""

    def begin(self, *, steps: int, done: int, best: float | None) -> None:
        """Training is about to go from step `done` to `steps`; `best` dev F1 was met before."""

    def step(self, step: int, loss: float | None) -> None:
        """A step is over; `loss` is the last mean training loss logged, if there is one."""

    def evaluated(self, step: int, *, epoch: float, dev_loss: float, dev_f1: float) -> None:
        """The dev articles were tagged."""

    def saved(self, step: int) -> None:
        """Training can be resumed from this step."""


@dataclass(frozen=True, slots=True)
class Course:
    """How training went.

    Attributes:
        history: what was logged, one entry a logging or evaluation, with its step.
        best_step: the step whose weights are kept.
        best_dev_f1: strict micro F1 on dev at that step.
        seconds: spent in training, evaluations on dev included, since the last resume.
        tokens_per_second: tokens trained on, padding left out, by time of training alone.
    """

    history: list[dict[str, float]]
    best_step: int
    best_dev_f1: float
    seconds: float
    tokens_per_second: float


def choose_precision(wanted: str) -> str:
    """Turn `auto` into bf16 where the GPU or the processor computes in it, else into fp32."""
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return "fp32"
    return "bf16" if re.search(r"\b(avx512_bf16|amx_bf16|bf16)\b", flags) else "fp32"


def last_checkpoint(folder: Path) -> Path | None:
    """The newest state that training can be resumed from."""
    states = [p for p in folder.glob("checkpoint-*") if (p / "trainer_state.json").is_file()]
    return max(states, key=lambda p: int(p.name.rpartition("-")[2]), default=None)


def fit(
    model: Any,
    windows: datasets.Dataset,
    *,
    dev: Sequence[Article],
    tagger: Tagger,
    scheme: TagScheme,
    section: TrainingSection,
    collate_with: Any,
    folder: Path,
    resume_from: Path | None = None,
    progress: Progress | None = None,
) -> Course:
    """Train `model` in place and leave it with the weights that were best on dev.

    Args:
        model: a token classifier of transformers.
        windows: from `build_windows`.
        dev: articles that choose the best weights.
        tagger: tags with this very model.
        scheme: the tags of the model's outputs.
        section: how to train.
        collate_with: transformers' tokenizer, which pads.
        folder: for states to resume from and for TensorBoard.
        resume_from: a state in `folder`, from a run with the same config.
        progress: is told how it goes.

    Raises:
        ConfigError: if the loss is no number any more.
    """
    if section.freeze_embeddings:
        model.get_input_embeddings().weight.requires_grad_(requires_grad=False)
    board = TensorBoardCallback(SummaryWriter(log_dir=str(folder / "tensorboard")))  # type: ignore[no-untyped-call]
    clock = _Clock(progress)
    trainer = _SpanTrainer(
        model=model,
        args=_arguments(section, folder),
        train_dataset=windows,
        eval_dataset=list(dev),
        data_collator=DataCollatorForTokenClassification(collate_with),
        callbacks=[clock, board],
        tagger=tagger,
        scheme=scheme,
        section=section,
    )
    trainer.remove_callback(PrinterCallback)
    if section.patience is not None:
        trainer.add_callback(EarlyStoppingCallback(section.patience))
    begin = time.perf_counter()
    trainer.train(resume_from_checkpoint=str(resume_from) if resume_from else None)
    seconds = time.perf_counter() - begin
    state = trainer.state
    tokens = sum(windows["length"]) * max((state.epoch or 0.0) - clock.begun_at, 0.0)
    return Course(
        history=list(state.log_history),
        best_step=int(state.best_global_step or state.global_step),
        best_dev_f1=float(state.best_metric or 0.0),
        seconds=seconds,
        tokens_per_second=tokens / max(seconds - trainer.evaluation_seconds, 1e-9),
    )


def _arguments(section: TrainingSection, folder: Path) -> TrainingArguments:
    when: dict[str, Any] = {"eval_strategy": "epoch", "save_strategy": "epoch"}
    if section.evaluate_every is not None:
        when = {
            "eval_strategy": "steps",
            "save_strategy": "steps",
            "eval_steps": section.evaluate_every,
            "save_steps": section.evaluate_every,
        }
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=section.epochs,
        max_steps=section.max_steps or -1,
        per_device_train_batch_size=section.batch_size,
        gradient_accumulation_steps=section.gradient_accumulation,
        learning_rate=section.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=section.warmup,
        weight_decay=section.weight_decay,
        max_grad_norm=section.max_grad_norm,
        label_smoothing_factor=section.label_smoothing,
        bf16=choose_precision(section.precision) == "bf16",
        use_cpu=not torch.cuda.is_available(),
        train_sampling_strategy="group_by_length",
        length_column_name="length",
        dataloader_pin_memory=torch.cuda.is_available(),
        seed=section.seed,
        logging_steps=10,
        logging_nan_inf_filter=False,  # a loss that is lost must be seen
        load_best_model_at_end=True,
        metric_for_best_model="f1",
        greater_is_better=True,
        save_total_limit=1,
        report_to="none",
        disable_tqdm=True,
        log_level="error",
        **when,
    )


class _SpanTrainer(Trainer):
    """Two learning rates, and an evaluation that tags whole articles."""

    def __init__(
        self, *, tagger: Tagger, scheme: TagScheme, section: TrainingSection, **rest: Any
    ) -> None:
        super().__init__(**rest)
        self._tagger = tagger
        self._scheme = scheme
        self._section = section
        self.evaluation_seconds = 0.0

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        model = self.model if model is None else model
        if self.optimizer is None:
            section = self._section
            decaying = set(self.get_decay_parameter_names(model))
            body = model.base_model_prefix + "."
            groups = [
                {
                    "params": [
                        p
                        for n, p in model.named_parameters()
                        if p.requires_grad
                        and n.startswith(body) is in_body
                        and (n in decaying) is decays
                    ],
                    "lr": section.learning_rate if in_body else section.head_learning_rate,
                    "weight_decay": section.weight_decay if decays else 0.0,
                }
                for in_body in (True, False)
                for decays in (True, False)
            ]
            self.optimizer = torch.optim.AdamW(groups, fused=True)
        return self.optimizer

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        begin = time.perf_counter()
        dev = cast("list[Article]", self.eval_dataset)
        loss, units, found = 0.0, 0, []
        for at in range(0, len(dev), 32):
            some = dev[at : at + 32]
            scored = self._tagger.score_units([a.text for a in some])
            for article, (tokens, scores) in zip(some, scored, strict=True):
                tags = tag_units(article, tokens, self._scheme)
                loss -= float(scores[np.arange(len(tags)), tags].sum())
                units += len(tags)
                found.append(self._tagger.spans(article.text, tokens, scores))
        scores_ = score_spans((a.spans for a in dev), found, labels=self._scheme.labels)
        metrics = {"eval_loss": loss / max(units, 1), "eval_f1": scores_.micro.f1}
        self.evaluation_seconds += time.perf_counter() - begin
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics


class _Clock(TrainerCallback):
    """Passes on how training goes, and stops it when the loss is lost."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._loss: float | None = None
        self.begun_at = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.begun_at = float(state.epoch or 0.0)
        if self._progress:
            best = state.best_metric
            self._progress.begin(steps=state.max_steps, done=state.global_step, best=best)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._progress:
            self._progress.step(state.global_step, self._loss)

    def on_log(self, args: Any, state: Any, control: Any, **event: Any) -> None:
        logs = event["logs"]
        self._loss = logs.get("loss", self._loss)
        lost = [x for x in (self._loss, logs.get("eval_loss")) if x and not np.isfinite(x)]
        if lost:
            raise ConfigError(
                "training",
                f"the loss is {lost[0]} at step {state.global_step}",
                do="lower training.learning_rate or set training.precision to fp32.",
            )

    def on_evaluate(self, args: Any, state: Any, control: Any, **event: Any) -> None:
        if self._progress:
            self._progress.evaluated(
                state.global_step,
                epoch=float(state.epoch or 0.0),
                dev_loss=event["metrics"]["eval_loss"],
                dev_f1=event["metrics"]["eval_f1"],
            )

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._progress:
            self._progress.saved(state.global_step)
