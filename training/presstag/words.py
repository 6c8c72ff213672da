"""The words of a text, by its characters alone.

A word is a run of letters and digits with the marks that combine with them; every other character
that is not white space is a word of its own. Tags are decided once a word, whatever tokenizer an
encoder brings, so that a span never begins or ends inside a word piece.
"""

from __future__ import annotations

import re

# Combining marks are no letters to `re`, so that a decomposed é would fall apart into two words.
# Joiners and variation selectors belong to the character before them.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u093a-\u094d"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u200c\u200d\u20d0-\u20f0\ufe00-\ufe0f\ufe20-\ufe2f"
)
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_MARKS}])*|\S[{_MARKS}]*")


def find_words(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """Return the words between two offsets, in order: half-open offsets into the whole text."""
    return [m.span() for m in _WORD.finditer(text, start, len(text) if end is None else end)]


SHAPES = ("plain", "Initial", "CAPITALS", "Letter", "mIxed")
"""How a word is written, which an uncased tokenizer does not see; a shape's id is its position."""


def word_shape(word: str) -> int:
    """Tell how a word is written: as the id of its shape in `SHAPES`.

    Without capitals or letters it is plain, a single capital a Letter ("F" of F-16), capitals with
    digits count as CAPITALS ("T72"), and capitals that stand elsewhere make it mixed ("MiG").
    """
    if word == word.lower():
        return 0
    if len(word) == 1:
        return 3
    if word == word.upper():
        return 2
    return 1 if word[0].isupper() and word[1:] == word[1:].lower() else 4
