"""Train an encoder on articles: what a run, a fold of it and a benchmark have in common."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import transformers

from presstag.spans import Article
from presstag.tagger import Tagger
from presstag.tags import TagScheme
from presstag.train.checkpoint import checkpoint_tagger
from presstag.train.config import Config
from presstag.train.encoder import Source, load_model, load_tokenizer, model_inputs
from presstag.train.fit import Course, Progress, choose_precision, fit
from presstag.train.windowset import build_windows


@dataclass(frozen=True, slots=True)
class Learned:
    """A trained model of transformers, its tokenizer, the two as a tagger, and how it went."""

    model: Any
    tokenizer: Any
    tagger: Tagger
    course: Course


def learn(
    config: Config,
    articles: Sequence[Article],
    *,
    dev: Sequence[Article],
    source: Source,
    folder: Path,
    resume_from: Path | None = None,
    progress: Progress | None = None,
) -> Learned:
    """Train the encoder that a config names, as it says, on these articles.

    Args:
        config: the run; where its articles lie does not matter here.
        articles: what to learn from.
        dev: what chooses the best weights.
        source: the encoder, found and checked.
        folder: for windows, states to resume from and TensorBoard.
        resume_from: a state in `folder`.
        progress: is told how it goes.

    Raises:
        EncoderError: if the encoder does not load.
        ConfigError: if the loss is no number any more.
    """
    transformers.set_seed(config.training.seed)
    scheme = TagScheme(tuple(config.data.labels))
    tokenizer, theirs = load_tokenizer(source)
    model = load_model(source, config.model, scheme, tokenizer)
    windows = build_windows(
        articles,
        tokenizer=tokenizer,
        scheme=scheme,
        section=config.model,
        inputs=model_inputs(model),
        folder=folder / "windows",
        processes=config.data.processes,
    )
    tagger = checkpoint_tagger(
        model,
        tokenizer=tokenizer,
        scheme=scheme,
        section=config.model,
        precision=choose_precision(config.training.precision),
    )
    if progress:
        progress.phase("training")
    course = fit(
        model,
        windows,
        dev=dev,
        tagger=tagger,
        scheme=scheme,
        section=config.training,
        collate_with=theirs,
        folder=folder,
        resume_from=resume_from,
        progress=progress,
    )
    del windows  # the file is mapped into memory until here
    shutil.rmtree(folder / "windows", ignore_errors=True)
    return Learned(model, theirs, tagger, course)
