"""Tasks of an export as a file keeps them: with what people set, in an order that stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

Task = Mapping[str, Any]
Key = tuple[Any, Any]
"""Number and time of an annotation: a number alone may come again on another server."""
Name = tuple[bool, str, int]

# The keys of tasks, annotations and regions in the order of the file; others follow by name.
_ORDER = (
    *("id", "data", "meta", "annotations"),
    *("completed_by", "created_at", "updated_at", "was_cancelled", "ground_truth", "prediction"),
    *("result", "from_name", "to_name", "type", "value", "start", "end", "text", "labels"),
    *("score", "origin"),
)
_RANK = {key: i for i, key in enumerate(_ORDER)}
_OF_ANNOTATION = ("id", "created_at", "updated_at", "was_cancelled", "ground_truth", "result")


def to_row(
    task: Task, *, text_key: str, people: Mapping[int, str], models: Mapping[Key, str]
) -> Task:
    """Take from an exported task what people set, with the text under `text`.

    Args:
        task: as the server exports it.
        text_key: the field of `data` that holds the text.
        people: the users' e-mail addresses by number; others stay numbers.
        models: of annotations that began with a suggestion, the version of its model.
    """
    data = dict(task["data"])
    if text_key != "text" and text_key in data:
        text = data.pop(text_key)
        if "text" in data:
            data[text_key] = data["text"]
        data["text"] = text
    meta = {"meta": task["meta"]} if task.get("meta") else {}
    annotations = [
        {
            **{name: annotation.get(name) for name in _OF_ANNOTATION},
            "completed_by": _annotator(annotation.get("completed_by"), people),
            **({"prediction": {"model_version": models[key]}} if key in models else {}),
        }
        for annotation in sorted(task["annotations"], key=lambda a: int(a["id"]))
        for key in [key_of(annotation)]
    ]
    row: Task = _ordered({"id": task["id"], "data": data, **meta, "annotations": annotations})
    return row


def is_row(value: Any) -> bool:
    """Whether this has the form of a task with annotations."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("data"), dict)
        and isinstance(value.get("annotations"), list)
        and all(isinstance(annotation, dict) for annotation in value["annotations"])
    )


def key_of(annotation: Task) -> Key:
    """What tells an annotation from all others."""
    return annotation.get("id"), annotation.get("created_at")


def who(annotation: Task) -> str:
    """The annotator of a row's annotation."""
    by = annotation["completed_by"]
    return str(by.get("email", by.get("id"))) if isinstance(by, Mapping) else str(by)


def place(row: Task) -> tuple[int, int, str, int]:
    """Where a task stands in the file: numbers, then names, then tasks without an id of theirs."""
    own, number = row["data"].get("id"), row.get("id")
    kind = 2 if own is None else 0 if type(own) is int else 1
    return (
        kind,
        own if kind == 0 else 0,
        str(own) if kind == 1 else "",
        number if isinstance(number, int) else 0,
    )


def by_name(rows: Iterable[Task]) -> dict[Name, Task]:
    """Tasks by the id that the reader gives them; tasks of one id are told apart by their order."""
    found: dict[Name, Task] = {}
    seen: Counter[tuple[bool, str]] = Counter()
    for row in rows:
        own = row["data"].get("id")
        name = (own is None, str(row.get("id") if own is None else own))
        seen[name] += 1
        found[*name, seen[name]] = row
    return found


def _annotator(by: Any, people: Mapping[int, str]) -> Any:
    if isinstance(by, Mapping):
        return {name: by[name] for name in ("email", "id") if name in by}
    return {"email": people[by]} if by in people else by


def _ordered(value: Any) -> Any:
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    if not isinstance(value, dict):
        return value
    names = sorted(value, key=lambda name: (_RANK.get(name, len(_RANK)), name))
    return {name: _ordered(value[name]) for name in names}
