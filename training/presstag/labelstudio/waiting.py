"""The tasks of a project: those that wait for annotation, and those that somebody looked at."""

from __future__ import annotations

from dataclasses import dataclass

from presstag.corpus.findings import Finding
from presstag.labelstudio.client import Project, Server
from presstag.labelstudio.interface import read_interface
from presstag.spans import Article

_FIELDS = "id,data,total_annotations,cancelled_annotations"


@dataclass(frozen=True, slots=True)
class Tasks:
    """The texts of a project's tasks.

    Attributes:
        waiting: articles that nobody annotated or skipped.
        numbers: the task of each of them.
        done: articles that somebody annotated or skipped.
        faults: tasks without a text.
    """

    waiting: tuple[Article, ...]
    numbers: tuple[int, ...]
    done: tuple[Article, ...]
    faults: tuple[Finding, ...]


def read_project(server: Server, project: Project) -> Tasks:
    """Read all tasks of a project. An article's id is its task's `data.id`, else the task's number.

    Raises:
        ServerError: if the server fails, or the project's interface shows no text.
    """
    key = read_interface(project.interface, where=f"project {project.title}").text_key
    waiting: dict[int, Article] = {}
    done: list[Article] = []
    faults: list[Finding] = []
    for task in server.list_tasks(project, _FIELDS):
        data = task.data if isinstance(task.data, dict) else {}
        text = data.get(key)
        name = str(task.id if data.get("id") is None else data["id"])
        if not isinstance(text, str):
            found = "missing" if text is None else f"a {type(text).__name__}"
            message = f"task {task.id}: data.{key} is {found}; expected a string"
            faults.append(Finding("text", "rejected", name, message))
        elif task.total_annotations or task.cancelled_annotations:
            done.append(Article(name, text))
        else:
            waiting[int(task.id)] = Article(name, text)
    return Tasks(tuple(waiting.values()), tuple(waiting), tuple(done), tuple(faults))


def address(server: Server, project: Project, number: int) -> str:
    """Where a task is in a browser."""
    return f"{server.address(project)}/data?task={number}"
