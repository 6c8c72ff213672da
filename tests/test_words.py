"""The words of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presstag.words import SHAPES, find_words, word_shape

PIECES = [
    "Norway",
    "e\u0301",
    "\u0301",
    "😀",
    "❤\ufe0f",
    "\r\n",
    "\u2028",
    "\u00a0",
    "\x00",
    "\ud800",
    "_",
    "155",
]
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=12).map("".join)


def words(text: str) -> list[str]:
    """The words themselves."""
    return [text[a:b] for a, b in find_words(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \r\n\t\u2028\u00a0", []),
        ("Two tanks.", ["Two", "tanks", "."]),
        ("155-millimetre F-16s", ["155", "-", "millimetre", "F", "-", "16s"]),
        ("Norway’s €611m", ["Norway", "’", "s", "€", "611m"]),
        ("snake_case", ["snake", "_", "case"]),
        ("cafe\u0301 Malmo\u0308", ["cafe\u0301", "Malmo\u0308"]),
        ("❤\ufe0f😀", ["❤\ufe0f", "😀"]),
        ("...", [".", ".", "."]),
        ("שלום עולם", ["שלום", "עולם"]),
        ("نعم، لا", ["نعم", "،", "لا"]),
        ("हिन्दी", ["हिन्दी"]),
        ("a\x00b", ["a", "\x00", "b"]),
        ("\ud83d\ude00", ["\ud83d", "\ude00"]),
        ("x" * 500, ["x" * 500]),
    ],
)
def test_words_are_runs_of_letters_and_single_signs(text: str, expected: list[str]) -> None:
    """Letters and digits run on, with the marks above them; every other sign stands alone."""
    assert expected == words(text)


def test_a_part_of_a_text_keeps_the_offsets_of_the_whole() -> None:
    """Words between two offsets are given with offsets into the whole text."""
    assert [(4, 7), (8, 13)] == find_words("The two tanks left", 4, 13)


@given(TEXTS)
def test_every_character_but_white_space_is_in_one_word(text: str) -> None:
    """Words are in order, apart, not empty, and together they are the text without its blanks."""
    covered = [i for a, b in find_words(text) for i in range(a, b)]
    assert [i for i, c in enumerate(text) if not c.isspace()] == covered
    assert all(a < b for a, b in find_words(text))


@given(TEXTS, st.data())
def test_cutting_at_white_space_changes_no_word(text: str, data: st.DataObject) -> None:
    """The words before and after a blank are those of the whole text."""
    cut = data.draw(st.sampled_from([i for i, c in enumerate(text) if c.isspace()] or [0]))
    assert find_words(text) == [*find_words(text, 0, cut), *find_words(text, cut)]


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("shell", "plain"),
        ("155", "plain"),
        ("—", "plain"),
        ("Belgium", "Initial"),
        ("Élysée", "Initial"),
        ("155Mm", "mIxed"),
        ("NATO", "CAPITALS"),
        ("T72", "CAPITALS"),
        ("F", "Letter"),
        ("MiG", "mIxed"),
        ("kW", "mIxed"),
    ],
)
def test_a_word_has_the_shape_that_it_is_written_in(word: str, shape: str) -> None:
    """Capitals are told apart by where they stand; what has none is plain."""
    assert shape == SHAPES[word_shape(word)]
