"""The exceptions: what they say, and that they travel between processes."""

from __future__ import annotations

import copy
import pickle

import pytest

from presstag import errors
from presstag.errors import DataError, PresstagError

KINDS = [PresstagError, *PresstagError.__subclasses__()]


def test_message_says_where_what_expected_and_to_do() -> None:
    """All four parts stand in the message, each on its line."""
    error = DataError("a.json", "no list", expected="a list", do="export it again.")
    said = "a.json: no list\n  expected: a list\n  to do: export it again."
    assert said == str(error)


def test_message_leaves_out_what_is_not_known() -> None:
    """Where nothing is expected or to be done, the message is one line."""
    assert "a.json: no list" == str(DataError("a.json", "no list"))


@pytest.mark.parametrize("kind", KINDS)
def test_parts_are_attributes(kind: type[PresstagError]) -> None:
    """A program reads the four parts without parsing the message."""
    error = kind("w", "f", expected="e", do="d")
    assert ("w", "f", "e", "d") == (error.where, error.found, error.expected, error.do)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("copied", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy])  # noqa: S301
def test_errors_survive_pickling_and_copying(kind: type[PresstagError], copied) -> None:
    """An error raised in a worker process arrives as what it was, its message whole."""
    error = kind("w", "f", expected="e", do="d")
    arrived = copied(error)
    assert (kind, str(error)) == (type(arrived), str(arrived))


@pytest.mark.parametrize("kind", KINDS)
def test_tree_in_the_docstring_has_every_error(kind: type[PresstagError]) -> None:
    """The module draws the tree of all errors, and none is missing from it."""
    assert kind.__name__ in (errors.__doc__ or "")


def test_tree_has_one_level() -> None:
    """Every error is caught as PresstagError and is no kind of another one."""
    assert [] == [deeper for kind in KINDS[1:] for deeper in kind.__subclasses__()]
