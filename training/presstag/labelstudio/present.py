"""Which articles a project has already, and which of them a model made suggestions for."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from presstag.labelstudio.client import Project, Server
from presstag.spans import Article


@dataclass(frozen=True, slots=True)
class Task:
    """A task of the project: its number on the server, and the text and the id it was given."""

    number: int
    id: str | None
    text: str


@dataclass
class Present:
    """The tasks of a project.

    Attributes:
        suggested: numbers of those that have a prediction of the model version asked about.
    """

    suggested: frozenset[int]
    _by_id: dict[str, list[Task]] = field(default_factory=lambda: defaultdict(list))
    _by_text: dict[str, list[Task]] = field(default_factory=lambda: defaultdict(list))

    def add(self, task: Task) -> None:
        """Note a task."""
        self._by_text[task.text].append(task)
        if task.id is not None:
            self._by_id[task.id].append(task)

    def find(self, article: Article) -> list[Task]:
        """The tasks that hold an article: its text, under its id or, if there is none, another."""
        same = self._by_text.get(article.text, [])
        return [t for t in same if t.id == article.id] or same

    def other_text(self, article: Article) -> Task | None:
        """A task that has the article's id and another text."""
        return next((t for t in self._by_id.get(article.id, []) if t.text != article.text), None)


def list_present(
    server: Server, project: Project, *, text_key: str, version: str | None = None
) -> Present:
    """List what a project has.

    Args:
        server: the server.
        project: the project.
        text_key: the field of a task's `data` that holds the text.
        version: the model version to ask about.

    Raises:
        ServerError: if the server fails.
    """
    tasks = server.list_tasks(project, "id,data")
    having: list[Any] = []
    if version is not None:
        having = server.list_tasks(project, "id", query=_has_prediction(version))
    present = Present(frozenset(int(task.id) for task in having))
    for task in tasks:
        data = task.data if isinstance(task.data, dict) else {}
        text, name = data.get(text_key), data.get("id")
        if isinstance(text, str):
            present.add(Task(int(task.id), None if name is None else str(name), text))
    return present


def _has_prediction(version: str) -> str:
    item = {
        "filter": "filter:tasks:predictions_model_versions",
        "operator": "contains",
        "type": "List",
        "value": [version],
    }
    return json.dumps({"filters": {"conjunction": "and", "items": [item]}})
