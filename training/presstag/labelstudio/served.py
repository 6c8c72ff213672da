"""The model that answers Label Studio, and what it makes of tasks."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from presstag.labelstudio.interface import Interface
from presstag.labelstudio.suggestions import model_version, to_suggestion
from presstag.spans import Article
from presstag.tagger import Tagger
from presstag.writing import without_surrogates

# Label Studio waits 100 s for suggestions, however many tasks it asks about.
_SECONDS = 80.0


@dataclass(frozen=True, slots=True)
class Model:
    """A tagger and the version under which Label Studio keeps its predictions."""

    tagger: Tagger
    version: str


class Served:
    """The model that answers now. Whoever has taken `model` goes on with that one to the end."""

    def __init__(self, tagger: Tagger) -> None:
        self.model = Model(tagger, model_version(tagger))

    def swap(self, tagger: Tagger) -> str:
        """Let another model answer from the next request on; its version."""
        model = Model(tagger, model_version(tagger))
        self.model = model
        return model.version


class _Untaggable(Exception):
    """A task without a text; caught where tasks are tagged."""


class Work:
    """The tasks of one request, each tagged by itself; the time for it runs from now.

    Args:
        closing: once it is set, the tasks that are left are not tagged.

    Attributes:
        results: one a task: a prediction, or `error` in place of `result`.
        failures: by reason, the names of the tasks among them.
    """

    def __init__(self, *, closing: threading.Event) -> None:
        self.results: list[dict[str, Any]] = []
        self.failures: dict[str, list[str]] = {}
        self._until = time.monotonic() + _SECONDS
        self._closing = closing

    def tag(self, tasks: Sequence[Any], *, model: Model, interface: Interface) -> None:
        """Make a result of each, in order."""
        for place, task in enumerate(tasks, start=1):
            try:
                self.results.append(self._predict(task, model, interface))
            except _Untaggable as fault:
                reason = str(fault)
            except Exception as error:  # noqa: BLE001 - whatever a model raises costs one task only
                said = (str(error).splitlines() or [""])[0]
                reason = f"the model failed: {type(error).__name__}: {said:.200}"
            else:
                continue
            reason, name = without_surrogates(reason), _name(task, place)
            self.failures.setdefault(reason, []).append(name)
            self.results.append({"model_version": model.version, "error": f"{name}: {reason}"})

    def _predict(self, task: Any, model: Model, interface: Interface) -> dict[str, Any]:
        if self._closing.is_set():
            raise _Untaggable("the backend stops; ask again once it is back")
        if time.monotonic() > self._until:
            raise _Untaggable(f"not reached within {_SECONDS:.0f} s; retrieve predictions again")
        fields = task if isinstance(task, dict) else {}
        data = fields["data"] if isinstance(fields.get("data"), dict) else {}
        key = interface.text_key
        text = data.get(key)
        if not isinstance(text, str):
            found = "missing" if text is None else f"a {type(text).__name__}"
            raise _Untaggable(f"data.{key:.40} is {found}; expected a text")
        text = without_surrogates(text)  # neither Label Studio nor JSON in UTF-8 can hold them
        spans = [s for s in model.tagger(text) if s.label in interface.labels]
        article = Article(str(data.get("id", fields.get("id"))), text)
        return to_suggestion(article, spans, version=model.version, interface=interface)


def _name(task: Any, place: int) -> str:
    number = task.get("id") if isinstance(task, dict) else None
    return f"task {number!r:.80}" if number is not None else f"the {place}. task"
