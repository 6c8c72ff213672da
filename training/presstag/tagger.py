"""Text in, spans out.

A `Tagger` cuts texts into windows, has an encoder score them, puts the scores together and decodes
the best legal tags. What the encoder runs on is behind one function: onnxruntime for a packed
model, torch for a checkpoint; everything else is the same code for both.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import islice, pairwise
from numbers import Real
from typing import Any

import numpy as np

from presstag.errors import InputError
from presstag.spans import Span
from presstag.tags import OUTSIDE, Run, TagScheme
from presstag.tokens import ArticleTokenizer, Batch, Floats, Tokens
from presstag.windows import Window, plan_windows

Forward = Callable[[Batch], Floats]
"""Scores a batch: windows x tokens in, windows x tokens x tags out, as logits."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How likely a span with a given raw score is right: a line through measured points.

    Attributes:
        raw: scores as the network gives them, rising, in [0, 1]; one at least.
        calibrated: the share of right spans at each, never falling, in [0, 1]. Below the first
            point and above the last one the line is level.

    Raises:
        ValueError: if the points are not so.
    """

    raw: tuple[float, ...]
    calibrated: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.raw or len(self.raw) != len(self.calibrated):
            raise ValueError(
                f"{len(self.raw)} raw scores for {len(self.calibrated)} calibrated ones"
            )
        # What is no number fails every comparison, so that these say what must hold.
        if not all(0 <= score <= 1 for score in (*self.raw, *self.calibrated)):
            raise ValueError("a score outside 0 to 1")
        if not all(one < other for one, other in pairwise(self.raw)):
            raise ValueError("raw scores that do not rise")
        if not all(one <= other for one, other in pairwise(self.calibrated)):
            raise ValueError("calibrated scores that fall")

    def __call__(self, score: float) -> float:
        """The calibrated score of a raw one, in (0, 1]."""
        read = float(np.interp(score, self.raw, self.calibrated))
        return min(max(read, sys.float_info.min), 1.0)  # no score is zero


class Tagger:
    """Finds the spans of texts. Immutable; share one between threads.

    Attributes:
        labels: the labels it may give.
        info: what is known of the model, for people and records.
    """

    __slots__ = (
        "_at_once",
        "_calibration",
        "_forward",
        "_least",
        "_overlap",
        "_scheme",
        "_size",
        "_tokenizer",
        "info",
        "labels",
    )

    def __init__(
        self,
        forward: Forward,
        *,
        tokenizer: ArticleTokenizer,
        scheme: TagScheme,
        window: int,
        overlap: int,
        windows_at_once: int = 1,
        calibration: Calibration | None = None,
        info: dict[str, Any] | None = None,
    ) -> None:
        """Put a tagger together; `presstag.load` does it for a model folder.

        Args:
            forward: the encoder with its head.
            tokenizer: the encoder's.
            scheme: the tags in the order of the head's outputs.
            window: most tokens that the encoder is shown at once, special tokens included.
            overlap: tokens that neighbouring windows share at least.
            windows_at_once: how many `forward` gets together. One by one, nothing is padded and a
                text's scores do not depend on the texts beside it, as they would under dynamic
                quantisation.
            calibration: what turns a span's probability into its score; None leaves it as it is.
            info: kept as `Tagger.info`.
        """
        self._forward = forward
        self._tokenizer = tokenizer
        self._scheme = scheme
        self._size = window - tokenizer.specials
        self._overlap = overlap
        self._at_once = windows_at_once
        self._calibration = calibration
        self._least = [0.0] * len(scheme.labels)
        self.labels = scheme.labels
        self.info = info or {}

    def __call__(self, text: str) -> list[Span]:
        """Find the spans of one text: in order, none overlapping, offsets exact.

        Raises:
            InputError: if `text` is no string.
        """
        return self._tag([text])[0]

    def pipe(self, texts: Iterable[str], *, batch_size: int = 32) -> Iterator[list[Span]]:
        """Find the spans of many texts, in order, taking `batch_size` texts at a time.

        Memory does not grow with the number of texts.

        Raises:
            InputError: at once if `texts` is one string or `batch_size` is below 1; on the way if a
                text is no string.
        """
        if isinstance(texts, str):
            expected = "many texts: a list, a generator, …"
            raise InputError("texts", "one string", expected=expected, do="put it in a list.")
        if batch_size < 1:
            raise InputError("batch_size", str(batch_size), expected="1 or more")
        return self._pipe(iter(texts), batch_size)

    def _pipe(self, rest: Iterator[str], batch_size: int) -> Iterator[list[Span]]:
        done = 0
        while batch := list(islice(rest, batch_size)):
            yield from self._tag(batch, done=done)
            done += len(batch)

    def with_min_score(self, min_score: float | Mapping[str, float]) -> Tagger:
        """The same tagger, which gives only spans with this score or a higher one.

        Args:
            min_score: for all labels, or by label; those that are not named keep all their spans.

        Raises:
            InputError: if a score is not in 0 to 1, or a label is none of the model's.
        """
        if not isinstance(min_score, Mapping):
            min_score = dict.fromkeys(self.labels, min_score)
        for label, score in min_score.items():
            if label not in self.labels:
                expected = f"one of {', '.join(self.labels)}"
                raise InputError("min_score", f"a label {label!r}", expected=expected)
            if isinstance(score, bool) or not isinstance(score, Real) or not 0 <= score <= 1:
                raise InputError("min_score", repr(score), expected="a score in 0 to 1")
        other = copy(self)
        other._least = [float(min_score.get(label, 0)) for label in self.labels]  # noqa: SLF001 - a tagger, too
        return other

    def interruptible(self, check: Callable[[], None]) -> Tagger:
        """The same tagger, which calls `check` before each window; what it raises ends a text."""

        def forward(batch: Batch) -> Floats:
            check()
            return self._forward(batch)

        other = copy(self)
        other._forward = forward  # noqa: SLF001 - a tagger, too
        return other

    def score_units(self, texts: Sequence[str]) -> list[tuple[Tokens, Floats]]:
        """The step before decoding: each text's tokens, and units x tags log-probabilities."""
        encoded = self._tokenizer.encode(texts)
        places = [
            (i, window)
            for i, tokens in enumerate(encoded)
            for window in plan_windows(len(tokens.ids), size=self._size, overlap=self._overlap)
        ]
        tags = len(self._scheme.tags)
        scores: list[Floats] = [np.empty((len(t.firsts), tags), dtype=np.float32) for t in encoded]
        # Windows of like length go together, so that little is padding.
        places.sort(key=lambda place: place[1].stop - place[1].start)
        for at in range(0, len(places), self._at_once):
            self._score(places[at : at + self._at_once], encoded, scores)
        return list(zip(encoded, (_log_softmax(s) for s in scores), strict=True))

    def _score(
        self, places: list[tuple[int, Window]], encoded: list[Tokens], scores: list[Floats]
    ) -> None:
        batch = self._tokenizer.batch([(encoded[i], window) for i, window in places])
        logits = self._forward(batch)
        for row, (i, window) in enumerate(places):
            rows = self._tokenizer.rows_in(encoded[i], window)
            scores[i][encoded[i].units_in(window)] = logits[row, rows]

    def _tag(self, texts: list[str], *, done: int = 0) -> list[list[Span]]:
        for number, text in enumerate(texts, start=done + 1):
            if not isinstance(text, str):
                raise InputError(
                    f"text {number}", f"a {type(text).__name__}", expected="a string (str)"
                )
        return [
            self.spans(text, tokens, scores)
            for text, (tokens, scores) in zip(texts, self.score_units(texts), strict=True)
        ]

    def spans(self, text: str, tokens: Tokens, scores: Floats) -> list[Span]:
        """The step after scoring: the spans of the best legal tags."""
        runs = self._scheme.runs(self._scheme.decode(scores.tolist()))
        found: list[Span] = []
        for run in runs:
            start, end = int(tokens.units[run.first, 0]), int(tokens.units[run.stop - 1, 1])
            label = self._scheme.labels[run.label]
            score = _probability(run, scores)
            if self._calibration is not None:
                score = self._calibration(score)
            if score < self._least[run.label]:
                continue
            found.append(Span(start, end, label, text[start:end], score))
        return found

    def probability_of_nothing(self, span: Span, tokens: Tokens, scores: Floats) -> float:
        """How likely no word of a span belongs to any span, by the scores of `score_units`."""
        touched = (tokens.units[:, 0] < span.end) & (tokens.units[:, 1] > span.start)
        return float(np.exp(scores[touched, OUTSIDE].sum()))


def _probability(run: Run, scores: Floats) -> float:
    """How likely exactly this span is if units are independent: it begins, goes on, and ends."""
    begin, inside = 2 * run.label + 1, 2 * run.label + 2
    log = float(scores[run.first, begin] + scores[run.first + 1 : run.stop, inside].sum())
    going_on = float(np.exp(scores[run.stop, inside])) if run.stop < len(scores) else 0.0
    # The product over a very long span would round to zero, which no score is.
    return max(float(np.exp(log)) * (1.0 - min(going_on, 1.0)), sys.float_info.min)


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max(axis=1, keepdims=True, initial=-np.inf) if len(logits) else logits
    result: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result
