"""What can go wrong, as one tree of exceptions.

    PresstagError
    ├── ConfigError      the YAML file of a run, or a key=value override
    ├── DataError        annotated articles: the file, the export, the labels
    ├── EncoderError     the pretrained encoder that training starts from
    ├── ModelError       a model folder: missing, incomplete, damaged, too new
    ├── ExportRefused    the packed model lost more F1 than the config allows
    ├── InputError       an article to tag, or another argument of a command
    └── ServerError      a Label Studio server: out of reach, refusing, failing

Each says where the fault is, what was found there, what was expected and what to do. The command
line prints that and exits with 2; it shows no traceback for these.
"""

from __future__ import annotations


class PresstagError(Exception):
    """A fault that the user can mend.

    Args:
        where: the file, key, task or argument at fault.
        found: what stands there.
        expected: what should stand there.
        do: what to do about it, as a sentence.
    """

    def __init__(self, where: str, found: str, *, expected: str = "", do: str = "") -> None:
        super().__init__(where, found, expected, do)
        self.where = where
        self.found = found
        self.expected = expected
        self.do = do

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.where, self.found, self.expected, self.do))

    def __str__(self) -> str:
        text = f"{self.where}: {self.found}"
        if self.expected:
            text += f"\n  expected: {self.expected}"
        if self.do:
            text += f"\n  to do: {self.do}"
        return text


def _rebuild(
    kind: type[PresstagError], where: str, found: str, expected: str, do: str
) -> PresstagError:
    return kind(where, found, expected=expected, do=do)


class ConfigError(PresstagError):
    """The configuration of a run cannot be used."""


class DataError(PresstagError):
    """Annotated articles cannot be read or do not fit the run."""


class EncoderError(PresstagError):
    """The pretrained encoder cannot be had, or is not the file it should be."""


class ModelError(PresstagError):
    """A model folder cannot be used."""


class ExportRefused(PresstagError):
    """The packed model is worse than its checkpoint by more than the config allows."""


class InputError(PresstagError):
    """What was given to tag, or to a command, cannot be used."""


class ServerError(PresstagError):
    """A Label Studio server is out of reach, refuses or fails."""
