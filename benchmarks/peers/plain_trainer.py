"""transformers' `Trainer` in the manner of its example run_ner.py, on the encoder of ours.

Articles come as words; the first piece of a word has its tag; the tag with the highest score is
taken. Where an article is longer than the encoder reads, it is cut at the end of a sentence, so
that nothing is lost; run_ner.py itself would cut the rest off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from peers.ground import Contender, Ground, Settings, tag_words, word_spans
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)

from presstag.spans import Span
from presstag.tags import OUTSIDE, TagScheme
from presstag.train.config import ModelSection
from presstag.train.encoder import find_encoder, silence
from presstag.words import find_words

_LENGTH = 512
_BATCH = 8
_IGNORED = -100
_ENDS = frozenset(".!?")
_DEFAULTS = {"learning_rate": 5e-5, "epochs": 3}


class PlainTagger:
    """A token classifier over words as a tagger, in fp32."""

    def __init__(self, model: Any, tokenizer: Any, scheme: TagScheme) -> None:
        """Take transformers' model and tokenizer."""
        self._model = model.eval()
        self._tokenizer = tokenizer
        self._scheme = scheme
        self.labels = scheme.labels

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """Find the spans of each text."""
        kept = [(text, find_words(text)) for text in texts]
        parts = [
            (i, first, row)
            for i, (text, words) in enumerate(kept)
            for first, row in cut(self._tokenizer, [text[a:b] for a, b in words])
        ]
        tags = [[OUTSIDE] * len(words) for _, words in kept]
        for at in range(0, len(parts), _BATCH):
            some = parts[at : at + _BATCH]
            for (i, first, row), best in zip(
                some, self._best([r for _, _, r in some]), strict=True
            ):
                for place, word in first_pieces(row):
                    tags[i][first + word] = int(best[place])
        for (text, words), its in zip(kept, tags, strict=True):
            yield word_spans(text, words, its, self._scheme)

    def _best(self, rows: Sequence[Any]) -> Any:
        batch = self._tokenizer.pad(
            {"input_ids": [row.ids for row in rows]}, return_tensors="pt", padding=True
        )
        device = self._model.device
        with torch.inference_mode():
            logits = self._model(**{k: v.to(device) for k, v in batch.items()}).logits
        return logits.argmax(-1).cpu().numpy()


def cut(tokenizer: Any, words: Sequence[str]) -> list[tuple[int, Any]]:
    """Words in parts of at most 512 pieces, each with the number of its first word."""
    pieces = tokenizer(list(words), is_split_into_words=True, add_special_tokens=False)
    counts = np.bincount([w for w in pieces.word_ids() if w is not None], minlength=len(words))
    parts, first = [], 0
    while first < len(words):
        reached = np.cumsum(counts[first:])
        stop = first + max(int(np.searchsorted(reached, _LENGTH - 2, side="right")), 1)
        if stop < len(words):
            ends = [i + 1 for i in range(first, stop) if words[i] in _ENDS]
            stop = ends[-1] if ends else stop
        encoded = tokenizer(
            list(words[first:stop]), is_split_into_words=True, truncation=True, max_length=_LENGTH
        )
        parts.append((first, encoded.encodings[0]))
        first = stop
    return parts


def first_pieces(row: Any) -> Iterator[tuple[int, int]]:
    """Where the first piece of each word stands, and the word's number."""
    before = None
    for place, word in enumerate(row.word_ids):
        if word is not None and word != before:
            yield place, word
        before = word


def learn(ground: Ground, settings: Settings, *, seed: int, folder: Path) -> PlainTagger:
    """Train for so many epochs in fp32; the last weights count, as in run_ner.py."""
    silence()
    transformers.set_seed(seed)
    name, scheme = find_encoder(ModelSection()).name, ground.scheme
    tokenizer = AutoTokenizer.from_pretrained(name)
    model = AutoModelForTokenClassification.from_pretrained(
        name, num_labels=len(scheme.tags), use_safetensors=True, dtype="float32"
    )
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(folder),
            learning_rate=settings["learning_rate"],
            num_train_epochs=settings["epochs"],
            per_device_train_batch_size=_BATCH,
            seed=seed,
            use_cpu=not torch.cuda.is_available(),
            dataloader_pin_memory=torch.cuda.is_available(),
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            log_level="error",
            logging_strategy="no",
        ),
        train_dataset=_rows(ground, tokenizer),
        data_collator=DataCollatorForTokenClassification(tokenizer),
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return PlainTagger(model, tokenizer, scheme)


def _rows(ground: Ground, tokenizer: Any) -> Any:
    rows: list[dict[str, list[int]]] = []
    for article in ground.train:
        words, tags = tag_words(article, ground.scheme)
        for first, part in cut(tokenizer, [article.text[a:b] for a, b in words]):
            labels = [_IGNORED] * len(part.ids)
            for place, word in first_pieces(part):
                labels[place] = tags[first + word]
            rows.append({"input_ids": part.ids, "labels": labels})
    return rows


TRAINER = Contender(
    name="trainer", title="Trainer, run_ner's settings", learn=learn, settings=_DEFAULTS
)
TRAINER_TUNED = Contender(
    name="trainer-tuned",
    title="Trainer, tuned on dev",
    learn=learn,
    settings=_DEFAULTS,
    tried={"learning_rate": (5e-5, 1e-4, 2e-4, 4e-4, 8e-4), "epochs": (3, 5)},
)
