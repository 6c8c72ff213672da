"""What `import presstag` gives."""

from __future__ import annotations

import inspect
import re

import presstag


def public_names() -> list[str]:
    """Names without an underscore that are no submodules, in order."""
    return sorted(
        name
        for name, value in vars(presstag).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    )


def test_all_is_exactly_what_is_importable() -> None:
    """`__all__`, in order of the alphabet, lists every public name and nothing else."""
    assert public_names() == presstag.__all__


def test_public_names_say_what_they_are() -> None:
    """Each public name is a class or function of presstag with a docstring of its own."""
    silent = [name for name in presstag.__all__ if not vars(presstag)[name].__doc__]
    foreign = [
        name
        for name in presstag.__all__
        if not vars(presstag)[name].__module__.startswith("presstag.")
    ]
    assert [] == silent
    assert [] == foreign


def test_version_is_three_numbers() -> None:
    """`__version__` is a release such as 1.2.3, with or without a mark after it."""
    assert re.fullmatch(r"\d+\.\d+\.\d+([a-z]+\d+)?(\.dev\d+)?", presstag.__version__)
