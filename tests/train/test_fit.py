from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from presstag import ConfigError
from presstag.corpus import read_corpus
from presstag.evaluate.evaluate import evaluate
from presstag.spans import Article
from presstag.tagger import Tagger
from presstag.tags import TagScheme
from presstag.train.checkpoint import checkpoint_tagger
from presstag.train.config import ModelSection, TrainingSection
from presstag.train.encoder import find_encoder, load_model, load_tokenizer, model_inputs
from presstag.train.fit import (
    Course,
    _arguments,
    _SpanTrainer,
    choose_precision,
    fit,
    last_checkpoint,
)
from presstag.train.windowset import build_windows

SCHEME = TagScheme(("DONOR", "SYSTEM"))
WORDS = "bert.embeddings.word_embeddings.weight"
HEAD = {"classifier.weight", "classifier.bias"}
NO_RATE = 1e-12  # a step of this size is lost in rounding


@dataclass
class Fitted:
    """A training that is over: weights before and after, and what became of it."""

    model: Any
    before: dict[str, torch.Tensor]
    tagger: Tagger
    course: Course = field(init=False)

    def changed(self) -> set[str]:
        after = self.model.state_dict()
        return {
            name
            for name, tensor in self.before.items()
            if not torch.allclose(tensor, after[name], rtol=0, atol=1e-9)
        }


Fit = Callable[..., Fitted]


@pytest.fixture
def fitted(tiny_encoder: Path, tiny_data: Path, dev: list[Article], tmp_path: Path) -> Fit:
    """Fit the tiny encoder on the tiny data with the settings given."""

    def run(**settings: object) -> Fitted:
        transformers.set_seed(13)
        section = ModelSection(encoder=str(tiny_encoder), window=24, overlap=8)
        source = find_encoder(section)
        tokenizer, theirs = load_tokenizer(source)
        model = load_model(source, section, SCHEME, tokenizer)
        before = {name: t.clone() for name, t in model.state_dict().items()}
        tagger = checkpoint_tagger(model, tokenizer=tokenizer, scheme=SCHEME, section=section)
        windows = build_windows(
            read_corpus(tiny_data / "train.json").articles,
            tokenizer=tokenizer,
            scheme=SCHEME,
            section=section,
            inputs=model_inputs(model),
            folder=tmp_path / "windows",
        )
        usual = {"max_steps": 4, "evaluate_every": 2, "learning_rate": 1e-2, "precision": "fp32"}
        result = Fitted(model, before, tagger)
        result.course = fit(
            model,
            windows,
            dev=dev,
            tagger=tagger,
            scheme=SCHEME,
            section=TrainingSection.model_validate(usual | settings),
            collate_with=theirs,
            folder=tmp_path,
        )
        return result

    return run


def test_training_reaches_every_weight(fitted: Fit) -> None:
    """Encoder and new layer both learn; only the bias of keys cannot matter to attention."""
    done = fitted(max_steps=8, head_learning_rate=1e-2)
    still = set(done.before) - done.changed()
    assert all(name.endswith("attention.self.key.bias") for name in still)


def test_frozen_embeddings_stay_as_pretrained(fitted: Fit) -> None:
    """To the bit, while the rest learns."""
    done = fitted(freeze_embeddings=True)
    assert torch.equal(done.before[WORDS], done.model.state_dict()[WORDS])
    assert {"bert.embeddings.position_embeddings.weight", *HEAD} <= done.changed()


def test_the_head_s_rate_moves_the_head_alone(fitted: Fit) -> None:
    """With no rate to speak of for the encoder, the encoder stays."""
    assert HEAD == fitted(learning_rate=NO_RATE, head_learning_rate=1e-2).changed()


def test_the_encoder_s_rate_leaves_the_head_alone(fitted: Fit) -> None:
    """With no rate to speak of for the head, the head stays."""
    changed = fitted(learning_rate=1e-2, head_learning_rate=NO_RATE).changed()
    assert not HEAD & changed
    assert WORDS in changed


def test_biases_and_norms_do_not_decay(fitted: Fit, dev: list[Article], tmp_path: Path) -> None:
    """Each parameter is in one group, with the rate and the decay of its kind."""
    section = TrainingSection(learning_rate=1e-4, head_learning_rate=1e-3, weight_decay=0.1)
    done = fitted(max_steps=2)
    trainer = _SpanTrainer(
        model=done.model,
        args=_arguments(section, tmp_path),
        eval_dataset=dev,
        tagger=done.tagger,
        scheme=SCHEME,
        section=section,
    )
    of = {
        id(p): (group["lr"], group["weight_decay"])
        for group in trainer.create_optimizer().param_groups
        for p in group["params"]
    }
    names = dict(done.model.named_parameters())
    assert (
        len(names)
        == len(of)
        == sum(len(group["params"]) for group in trainer.create_optimizer().param_groups)
    )
    for name, parameter in names.items():
        rate = 1e-3 if name in HEAD else 1e-4
        decay = 0.0 if name.endswith("bias") or "LayerNorm" in name else 0.1
        assert (rate, decay) == of[id(parameter)], name


def test_patience_stops_a_run_that_gets_no_better(fitted: Fit) -> None:
    """Nothing is learned, so that two evaluations after the first are no better: three in all."""
    course = fitted(
        max_steps=40, patience=2, learning_rate=NO_RATE, head_learning_rate=NO_RATE
    ).course
    assert [2, 4, 6] == [e["step"] for e in course.history if "eval_f1" in e]
    assert 2 == course.best_step


def test_the_weights_that_were_best_on_dev_are_kept(fitted: Fit, dev: list[Article]) -> None:
    """Not the last ones; and what is logged is what `evaluate` finds with them."""
    done = fitted(max_steps=60, evaluate_every=10, learning_rate=3e-2, head_learning_rate=3e-2)
    f1 = {e["step"]: e["eval_f1"] for e in done.course.history if "eval_f1" in e}
    assert done.course.best_dev_f1 == max(f1.values()) > 0
    assert done.course.best_dev_f1 == f1[done.course.best_step]
    assert done.course.best_dev_f1 == evaluate(done.tagger, dev).scores.micro.f1


@pytest.mark.parametrize("evaluate_every", [2, 50])
def test_a_loss_that_is_lost_stops_the_run(evaluate_every: int, fitted: Fit) -> None:
    """On dev or in training, whichever is met first; the message says what to lower."""
    with pytest.raises(ConfigError, match="the loss is nan at step") as caught:
        fitted(learning_rate=1e30, max_steps=40, evaluate_every=evaluate_every)
    assert "training.learning_rate" in caught.value.do


def test_epochs_are_evaluated_one_by_one_unless_steps_are_given(fitted: Fit) -> None:
    """`evaluate_every: null` means each epoch."""
    course = fitted(max_steps=None, epochs=2, evaluate_every=None).course
    assert [1.0, 2.0] == [e["epoch"] for e in course.history if "eval_f1" in e]


def test_dev_loss_falls_while_it_learns(fitted: Fit) -> None:
    """The mean cross-entropy of a unit; before training it is that of a guess among five."""
    course = fitted(max_steps=30, evaluate_every=10, head_learning_rate=1e-2).course
    losses = [e["eval_loss"] for e in course.history if "eval_loss" in e]
    assert sorted(losses, reverse=True) == losses
    assert losses[0] < math.log(5)


def test_batches_can_be_gathered_into_one_step(fitted: Fit) -> None:
    """Four windows twice make a step, and fill the epoch in as many steps as eight at once."""
    steps = [
        fitted(
            max_steps=None, epochs=1, evaluate_every=None, batch_size=b, gradient_accumulation=g
        ).course.best_step
        for b, g in ((8, 1), (4, 2))
    ]
    assert steps[0] == steps[1] > 1


def test_bf16_trains_too(fitted: Fit) -> None:
    """In half the width, the weights themselves stay fp32."""
    done = fitted(precision="bf16")
    assert HEAD <= done.changed()
    assert torch.float32 == done.model.dtype


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_precision_that_is_named_is_taken(precision: str) -> None:
    """Whatever the machine does best."""
    assert precision == choose_precision(precision)


def test_auto_is_one_of_the_two() -> None:
    """It is settled before training, from what the machine has."""
    assert choose_precision("auto") in {"bf16", "fp32"}


def test_the_newest_whole_state_is_resumed_from(tmp_path: Path) -> None:
    """By number, not by name; a state that was not written to its end does not count."""
    assert last_checkpoint(tmp_path) is None
    for step in (8, 10, 12):
        (tmp_path / f"checkpoint-{step}").mkdir()
    for step in (8, 10):
        (tmp_path / f"checkpoint-{step}" / "trainer_state.json").touch()
    assert tmp_path / "checkpoint-10" == last_checkpoint(tmp_path)
