"""How fast does a model learn? presstag beside transformers' `Trainer` as run_ner.py uses it.

    python benchmarks/training.py configs/aid.yaml [--articles N] [section.key=value ...]

Both train the config's encoder on the same articles for the same number of epochs:
presstag        as the config says
Trainer         the defaults of run_ner.py: fp32, the encoder's own dropout, AdamW with a rate of
                5e-5 that falls linearly, batches of 8 articles padded to the longest, each cut off
                after 512 tokens, the first piece of a word labelled

Dev is tagged `--points` times an epoch by presstag's tagger, for `Trainer` with windows of 512
tokens, and scored strictly. The clock stands still meanwhile, and while a state is saved.

What is done is kept in training.json beside this file, so that an interrupted benchmark goes on. It
writes training.md and training.png; the last line printed is JSON. A seed costs one training by
each: with configs/aid.yaml about 10 and 25 minutes on 2 idle cores, scoring included.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
import transformers
from machine import describe_machine
from training_table import draw, summarise, table
from transformers import (
    AutoModelForTokenClassification,
    DataCollatorForTokenClassification,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from presstag.evaluate.metrics import score_spans
from presstag.spans import Article
from presstag.tagger import Tagger
from presstag.tags import TagScheme
from presstag.train.checkpoint import checkpoint_tagger
from presstag.train.config import Config, ModelSection
from presstag.train.configfile import read_config
from presstag.train.data import load_data
from presstag.train.encoder import find_encoder, load_tokenizer
from presstag.train.learn import learn
from presstag.windows import plan_windows
from presstag.words import find_words
from presstag.writing import write_json, write_text

HERE = Path(__file__).parent
PACKAGES = ("presstag", "torch", "transformers", "accelerate", "tokenizers", "datasets", "numpy")
READS = ModelSection(window=512, overlap=128)
"""What `Trainer`'s model is shown at once."""
Row = dict[str, Any]


def main() -> None:
    """Train what is missing, then write the table and the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config")
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    parser.add_argument("--articles", type=int, help="take so many of train")
    parser.add_argument("--dev-articles", type=int, help="take so many of dev")
    parser.add_argument("--points", type=int, default=4, help="scores on dev an epoch")
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_intermixed_args()
    config = read_config(arguments.config, arguments.overrides)
    data, machine = load_data(config.data), describe_machine(PACKAGES)
    train = list(data.splits["train"][: arguments.articles])
    dev = list(data.splits["dev"][: arguments.dev_articles])
    # Figures of another machine or other versions are no peers.
    same = {k: v for k, v in machine.items() if k != "load"}
    key = hashlib.sha256(
        json.dumps(
            [config.model_dump(), dict(data.digests), len(train), len(dev), arguments.points, same],
            sort_keys=True,
        ).encode()
    ).hexdigest()[:16]
    store = HERE / "training.json"
    rows: list[Row] = [r for r in _stored(store) if r["key"] == key]
    for seed in range(1, arguments.seeds + 1):
        for way, fit in WAYS.items():
            if not any(r["seed"] == seed and r["way"] == way for r in rows):
                with tempfile.TemporaryDirectory() as folder:
                    row = fit(
                        config,
                        train,
                        dev=dev,
                        seed=seed,
                        points=arguments.points,
                        folder=Path(folder),
                    )
                rows.append({"key": key, "machine": machine, "seed": seed, "way": way, **row})
                write_json(store, rows)
                print(f"seed {seed} {way}: {figures(row)}", flush=True)
    rows = [r for r in rows if r["seed"] <= arguments.seeds]
    found = summarise(rows)
    write_text(HERE / "training.md", table(rows, found, config, arguments.points))
    draw(rows, HERE / "training.png")
    print(f"wrote {HERE}/training.md and training.png")
    print(json.dumps({"rows": rows, "figures": found}))


def _stored(path: Path) -> list[Row]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


class Clock:
    """Seconds of training alone, and dev F1 by them: a `Progress` that presstag tells of a run."""

    def __init__(self) -> None:
        self.points: list[Row] = []
        self.seconds = 0.0
        self._resumed = 0.0

    def phase(self, what: str) -> None:
        """Nothing is to be done."""

    def begin(self, *, steps: int, done: int, best: float | None) -> None:
        """The clock starts."""
        self._resumed = time.perf_counter()

    def step(self, step: int, loss: float | None = None) -> None:
        """A step is over: what came since the last one was training."""
        now = time.perf_counter()
        self.seconds += now - self._resumed
        self._resumed = now

    def evaluated(self, step: int, *, epoch: float, dev_loss: float, dev_f1: float) -> None:
        """A point; tagging dev since the last step does not count."""
        point = {"step": step, "epoch": round(epoch, 3), "f1": round(dev_f1, 4)}
        self.points.append({**point, "seconds": round(self.seconds, 2)})
        self._resumed = time.perf_counter()

    def saved(self, step: int) -> None:
        """A state is saved; nor does that."""
        self._resumed = time.perf_counter()


def fit_presstag(
    config: Config,
    train: list[Article],
    *,
    dev: list[Article],
    seed: int,
    points: int,
    folder: Path,
) -> Row:
    """Train as presstag does."""
    source = find_encoder(config.model)
    tokenizer, _ = load_tokenizer(source)
    size = config.model.window - tokenizer.specials
    lengths = [
        window.stop - window.start + tokenizer.specials
        for tokens in tokenizer.encode([a.text for a in train])
        for window in plan_windows(len(tokens.ids), size=size, overlap=config.model.overlap)
    ]
    batch = config.training.batch_size * config.training.gradient_accumulation
    every = max(int(-(-len(lengths) // batch) / points), 1)
    settings = {"evaluate_every": every, "seed": seed, "patience": None}
    config = config.with_settings({f"training.{k}": v for k, v in settings.items()})
    clock = Clock()
    learn(config, train, dev=dev, source=source, folder=folder, progress=clock)
    words = sum(len(find_words(a.text)) for a in train)
    return _row(clock, tokens=sum(lengths), words=words)


def fit_plainly(
    config: Config,
    train: list[Article],
    *,
    dev: list[Article],
    seed: int,
    points: int,
    folder: Path,
) -> Row:
    """Train as run_ner.py does."""
    transformers.set_seed(seed)
    source, scheme = find_encoder(config.model), TagScheme(tuple(config.data.labels))
    tokenizer, theirs = load_tokenizer(source)
    model = AutoModelForTokenClassification.from_pretrained(
        source.name,
        revision=source.revision,
        id2label=dict(enumerate(scheme.tags)),
        label2id={tag: i for i, tag in enumerate(scheme.tags)},
        use_safetensors=True,
        dtype="float32",
    )
    rows = [encode(article, theirs, scheme) for article in train]
    section = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=config.training.epochs,
        seed=seed,
        eval_strategy="steps",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        log_level="error",
        dataloader_pin_memory=torch.cuda.is_available(),
    )
    section.eval_steps = max(int(-(-len(rows) // section.train_batch_size) / points), 1)
    tagger = checkpoint_tagger(model, tokenizer=tokenizer, scheme=scheme, section=READS)
    clock = Clock()
    trainer = _ScoredTrainer(
        model=model,
        args=section,
        train_dataset=rows,
        eval_dataset=dev,
        data_collator=DataCollatorForTokenClassification(theirs),
        callbacks=[_Ticks(clock)],
        tagger=tagger,
        clock=clock,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    counted = sum(label >= 0 for row in rows for label in row["labels"])
    return _row(clock, tokens=sum(len(r["input_ids"]) for r in rows), words=counted)


WAYS: dict[str, Callable[..., Row]] = {"presstag": fit_presstag, "Trainer": fit_plainly}


def encode(article: Article, theirs: Any, scheme: TagScheme) -> Row:
    """An article as run_ner.py feeds it: cut off, its first piece of each word labelled."""
    words = find_words(article.text)
    tags, _ = scheme.encode(article.spans, words)
    row = theirs(
        [article.text[start:end] for start, end in words],
        is_split_into_words=True,
        truncation=True,
        max_length=READS.window,
    )
    places = [None, *row.word_ids()]
    labels = [
        -100 if word is None or word == before else tags[word] for before, word in pairwise(places)
    ]
    return {**row, "labels": labels}


class _ScoredTrainer(Trainer):
    """Tags whole articles where others would compute the loss on dev."""

    def __init__(self, *, tagger: Tagger, clock: Clock, **rest: Any) -> None:
        super().__init__(**rest)
        self._tagger, self._clock = tagger, clock

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        dev: Any = self.eval_dataset
        found = self._tagger.pipe(a.text for a in dev)
        f1 = score_spans((a.spans for a in dev), found, labels=self._tagger.labels).micro.f1
        step, epoch = self.state.global_step, float(self.state.epoch or 0.0)
        self._clock.evaluated(step, epoch=epoch, dev_loss=0.0, dev_f1=f1)
        metrics = {"eval_f1": f1}
        # Without this the end of an epoch asks for the same evaluation again.
        state, control = self.state, self.control
        self.control = self.callback_handler.on_evaluate(self.args, state, control, metrics)
        return metrics


class _Ticks(TrainerCallback):
    """Tells the clock of the steps."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._clock.begin(steps=state.max_steps, done=0, best=None)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._clock.step(state.global_step)


def _row(clock: Clock, *, tokens: int, words: int) -> Row:
    epochs, seconds = (clock.points[-1][key] for key in ("epoch", "seconds"))
    return {
        "tokens": tokens,
        "words": words,
        "tokens_per_second": round(tokens * epochs / seconds),
        "words_per_second": round(words * epochs / seconds),
        "points": clock.points,
    }


def figures(row: Row) -> str:
    """One line for the terminal."""
    last = row["points"][-1]
    speed = f"{row['tokens_per_second']:,} tokens/s, {row['words_per_second']:,} words/s"
    return f"{speed}, {last['seconds']:.0f} s to F1 {100 * last['f1']:.1f}"


if __name__ == "__main__":
    main()
