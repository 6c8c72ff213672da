"""A text as the tokens of an encoder, grouped into the units that get a tag.

A unit is a word of the text, or several where one token reaches over more than one word; the first
token of a unit carries its tag. Units have offsets into the text as given, so that nothing has to
be put together from word pieces. Training and use encode through this module and no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from presstag.errors import ModelError
from presstag.windows import Window
from presstag.words import find_words, word_shape
from presstag.writing import without_surrogates

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

# A longer text is tokenized in pieces, so that memory does not grow with every object that a
# tokenizer keeps for a token.
_PIECE = 16_384


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text encoded, without the special tokens around a window.

    Attributes:
        ids: token ids, one a token.
        shapes: how the word of each token is written, as `words.SHAPES` counts.
        firsts: position of the first token of each unit, rising.
        units: units x 2, half-open code-point offsets.
    """

    ids: Ints
    shapes: Ints
    firsts: Ints
    units: Ints

    def units_in(self, window: Window) -> slice:
        """The units that a window decides: those whose first token lies in its core."""
        low, high = np.searchsorted(self.firsts, (window.core_start, window.core_stop))
        return slice(int(low), int(high))


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows side by side: windows x tokens, special tokens included, padded on the right.

    `shapes` is for encoders that take the shapes of words as token types.
    """

    ids: Ints
    mask: Ints
    shapes: Ints

    def feed(self, names: Iterable[str]) -> dict[str, Ints]:
        """What an encoder with inputs of these names gets."""
        known = {
            "input_ids": self.ids,
            "attention_mask": self.mask,
            "token_type_ids": self.shapes,
        }
        return {name: known[name] for name in names}


class ArticleTokenizer:
    """A `tokenizers.Tokenizer` set up once, and then only read: safe to share between threads."""

    __slots__ = ("_tokenizer", "pad", "prefix", "suffix")

    def __init__(self, tokenizer: Tokenizer, *, pad: int) -> None:
        """Take a copy of a tokenizer that neither truncates nor pads.

        Args:
            tokenizer: left as it is.
            pad: the token id that fills up a window.
        """
        own = Tokenizer.from_str(tokenizer.to_str())
        own.no_truncation()
        own.no_padding()
        # An article that says "[SEP]" says these five characters.
        own.encode_special_tokens = True
        self._tokenizer = own
        self.pad = pad
        around = own.encode("a")
        special = around.special_tokens_mask
        begin = special.index(0)
        end = len(special) - special[::-1].index(0)
        self.prefix: tuple[int, ...] = tuple(around.ids[:begin])
        self.suffix: tuple[int, ...] = tuple(around.ids[end:])

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (self.to_json(), self.pad))

    @classmethod
    def from_file(cls, path: str | Path, *, pad: int) -> ArticleTokenizer:
        """Read a tokenizer.json.

        Raises:
            ModelError: if it is none.
        """
        try:
            return cls(Tokenizer.from_file(str(path)), pad=pad)
        except Exception as error:  # noqa: BLE001 - the library raises plain Exception
            raise ModelError(
                str(path), f"no tokenizer: {error}", do="export the model again."
            ) from None

    def to_json(self) -> str:
        """The tokenizer as tokenizer.json holds it."""
        return str(self._tokenizer.to_str())

    @property
    def lowercases(self) -> bool:
        """Whether capitals are lost on it."""
        upper, lower = (self._tokenizer.encode(c, add_special_tokens=False).ids for c in "Aa")
        return bool(upper == lower)

    @property
    def specials(self) -> int:
        """How many special tokens stand around the tokens of a window."""
        return len(self.prefix) + len(self.suffix)

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Encode texts of any length, in order."""
        pieces = [(i, a, b) for i, text in enumerate(texts) for a, b in _pieces(text)]
        clean = [without_surrogates(texts[i][a:b]) for i, a, b in pieces]
        if len(clean) == 1:
            encoded = [self._tokenizer.encode(clean[0], add_special_tokens=False)]
        else:
            encoded = self._tokenizer.encode_batch(clean, add_special_tokens=False)
        ids: list[list[Ints]] = [[] for _ in texts]
        offsets: list[list[Ints]] = [[] for _ in texts]
        for (i, a, _), piece in zip(pieces, encoded, strict=True):
            ids[i].append(np.array(piece.ids, dtype=np.int64))
            offsets[i].append(np.array(piece.offsets, dtype=np.int64).reshape(-1, 2) + a)
        nothing = np.empty((0,), dtype=np.int64)
        return [
            _group(
                text,
                np.concatenate([nothing, *ids[i]]),
                np.concatenate([nothing.reshape(0, 2), *offsets[i]]),
            )
            for i, text in enumerate(texts)
        ]

    def batch(self, windows: Sequence[tuple[Tokens, Window]]) -> Batch:
        """Lay windows side by side, each with its special tokens."""
        lengths = [window.stop - window.start + self.specials for _, window in windows]
        ids = np.full((len(windows), max(lengths)), self.pad, dtype=np.int64)
        mask, shapes = np.zeros_like(ids), np.zeros_like(ids)
        for row, (tokens, window) in enumerate(windows):
            ids[row, : lengths[row]] = self.window_ids(tokens, window)
            mask[row, : lengths[row]] = 1
            shapes[row, : lengths[row]] = self.window_shapes(tokens, window)
        return Batch(ids, mask, shapes)

    def window_ids(self, tokens: Tokens, window: Window) -> Ints:
        """The token ids of one window between its special tokens."""
        body = tokens.ids[window.start : window.stop]
        return np.array([*self.prefix, *body, *self.suffix], dtype=np.int64)

    def window_shapes(self, tokens: Tokens, window: Window) -> Ints:
        """The shapes of the words of one window; special tokens are plain."""
        shapes = tokens.shapes[window.start : window.stop]
        return np.pad(shapes, (len(self.prefix), len(self.suffix)))

    def rows_in(self, tokens: Tokens, window: Window) -> Ints:
        """Which rows of a window's output belong to `tokens.units_in(window)`, one a unit."""
        firsts = tokens.firsts[tokens.units_in(window)]
        return np.add(firsts, len(self.prefix) - window.start)


# As _reopen in network.py: a pool sends its function along with every task.
@lru_cache(maxsize=1)
def _rebuild(content: str, pad: int) -> ArticleTokenizer:
    return ArticleTokenizer(Tokenizer.from_str(content), pad=pad)


def _pieces(text: str) -> list[tuple[int, int]]:
    """Cut a long text before white space, where no tokenizer joins what stands on both sides."""
    pieces: list[tuple[int, int]] = []
    start = 0
    while len(text) - start > _PIECE:
        cut = start + _PIECE
        blank = max(text.rfind(c, start + _PIECE // 2, cut) for c in "\n ")
        cut = blank if blank > 0 else cut
        pieces.append((start, cut))
        start = cut
    return [*pieces, (start, len(text))]


def _group(text: str, ids: Ints, offsets: Ints) -> Tokens:
    """Find the words that each token touches, and join the words that a token joins."""
    found = find_words(text)
    words = np.array(found, dtype=np.int64).reshape(-1, 2)
    shapes = np.array([word_shape(text[start:end]) for start, end in found], dtype=np.int64)
    first = np.searchsorted(words[:, 1], offsets[:, 0], side="right")
    last = np.searchsorted(words[:, 0], offsets[:, 1], side="left") - 1
    touching = np.flatnonzero(first <= last)  # the others are white space
    token_shapes = np.zeros_like(ids)
    if not len(touching):
        none = np.empty((0,), dtype=np.int64)
        return Tokens(ids, token_shapes, none, none.reshape(0, 2))
    token_shapes[touching] = shapes[first[touching]]
    first, last = first[touching], np.maximum.accumulate(last[touching])
    begins = np.concatenate([[True], first[1:] > last[:-1]])
    heads = np.flatnonzero(begins)
    tails = np.concatenate([heads[1:], [len(first)]]) - 1
    units = np.stack([words[first[heads], 0], words[last[tails], 1]], axis=1)
    return Tokens(ids, token_shapes, touching[heads], units)
