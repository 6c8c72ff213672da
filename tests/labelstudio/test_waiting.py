"""The tasks of a real project: which of them wait, and `presstag label queue` on them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from presstag.corpus.jsonl import to_record
from presstag.labelstudio.waiting import read_project
from presstag.spans import Article
from presstag.writing import write_json_lines

Presstag = Callable[..., Any]

TEXTS = {
    "boats": "Norway will send two patrol boats to Lusitania 😀, the minister said on Tuesday.",
    "bridge": "The council met on Wednesday and voted to repair the old bridge over the river.",
    "rail": "Tanks from Denmark and field kitchens from Norway arrived by rail in the night.",
    "roads": "Nobody gave anything for the roads of the village, which the winter has broken.",
    "club": "A café owner in Bergen bought drones with the money of the Bergen Rotary Club.",
}


def annotation(**more: Any) -> dict[str, Any]:
    return {"result": [], "was_cancelled": False, "ground_truth": False, **more}


def task(name: str, **more: Any) -> dict[str, Any]:
    return {"data": {"id": name, "text": TEXTS[name]}, **more}


TASKS = [
    task("boats"),
    task("bridge", annotations=[annotation()]),
    task("rail", annotations=[annotation(was_cancelled=True)]),
    task("roads", predictions=[{"model_version": "m", "score": 0.5, "result": []}]),
    {"data": {"text": TEXTS["club"]}},
    {"data": {"id": "number", "text": 7}},
]


@pytest.fixture(scope="module")
def filled(server: Any) -> Iterator[tuple[str, list[int]]]:
    """The title of a project with tasks of all kinds, and their numbers."""
    from presstag.labelstudio.interface import labelling_interface

    made = server.new_project("test of waiting tasks", labelling_interface(["DONOR", "SYSTEM"]))
    answer = server.sdk.projects.import_tasks(id=made.id, request=TASKS, return_task_ids=True)
    yield made.title, answer.task_ids
    server.sdk.projects.delete(made.id)


def test_tasks_wait_until_somebody_annotates_or_skips_them(
    server: Any, filled: tuple[str, list[int]]
) -> None:
    """A suggestion is no annotation; one without spans is; a task without a text is named."""
    title, numbers = filled
    tasks = read_project(server, server.find_project(title))
    waiting = {"boats": "boats", "roads": "roads", str(numbers[4]): "club"}
    assert {(name, TEXTS[text]) for name, text in waiting.items()} == {
        (a.id, a.text) for a in tasks.waiting
    }
    names = dict(zip(tasks.numbers, (a.id for a in tasks.waiting), strict=True))
    assert {numbers[0]: "boats", numbers[3]: "roads", numbers[4]: str(numbers[4])} == names
    assert {"bridge", "rail"} == {a.id for a in tasks.done}
    (fault,) = tasks.faults
    assert ("number", "rejected") == (fault.article, fault.action)
    assert "data.text is a int" in fault.message


def test_a_project_of_several_pages_is_read_whole(
    server: Any, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each task once."""
    monkeypatch.setattr("presstag.labelstudio.client._TASKS_AT_ONCE", 3)
    made = server.find_project(project)
    texts = [{"data": {"text": f"text {i}"}} for i in range(10)]
    server.sdk.projects.import_tasks(id=made.id, request=texts)
    found = read_project(server, made)
    assert sorted(f"text {i}" for i in range(10)) == sorted(a.text for a in found.waiting)
    assert ((), ()) == (found.done, found.faults)


@pytest.mark.usefixtures("environment")
def test_a_projects_own_tasks_are_listed_with_their_addresses(
    presstag: Presstag, tiny_model: Path, filled: tuple[str, list[int]], server: Any
) -> None:
    """Only those that wait; the address opens the task."""
    title, numbers = filled
    options = ("--project", title, "--model", tiny_model)
    ran = presstag("label", "queue", *options)
    assert 0 == ran.code, ran.err
    number = server.find_project(title).id
    for i, listed in enumerate([True, False, False, True, True, False]):
        address = f"{server.url}/projects/{number}/data?task={numbers[i]}\n"
        assert listed == (address in ran.out)
    assert "chose 3 of 3 articles" in ran.out
    assert "data.text is a int" in ran.err
    found = json.loads(presstag("label", "queue", *options, "--json", "-n", 2).out)
    (other,) = {"boats", "roads", str(numbers[4])} - {c["id"] for c in found["chosen"]}
    assert other in ran.out
    assert all(c["address"].startswith(f"{server.url}/projects/") for c in found["chosen"])


@pytest.mark.usefixtures("environment")
def test_articles_that_the_project_has_are_not_chosen_from_files(
    presstag: Presstag, tmp_path: Path, filled: tuple[str, list[int]]
) -> None:
    """By their id, annotated or not; versions under another id neither."""
    title, _ = filled
    articles = [
        Article("boats", "Another text under the same name, of which nobody knows anything yet."),
        Article(
            "number", "And another text, whose name belongs to a task that has no text at all."
        ),
        Article("copy", TEXTS["bridge"].upper()),
        Article("new", "Iceland pays for shells, she said, and has no tanks of its own to give."),
    ]
    source, target = tmp_path / "a.jsonl", tmp_path / "next.jsonl"
    write_json_lines(source, map(to_record, articles))
    options = ("--project", title, "--strategy", "random", "--out", target)
    ran = presstag("label", "queue", source, *options)
    assert 0 == ran.code, ran.err
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert ["new"] == [row["id"] for row in rows]
    assert "left out copy: a version of bridge" in ran.out
    assert "2 that the project has" in ran.out
    assert f"next: presstag label push --project '{title}' {target}" in ran.out


@pytest.mark.usefixtures("environment")
def test_an_empty_project_has_nothing_to_choose(
    presstag: Presstag, tiny_model: Path, project: str
) -> None:
    """That is said, and is no fault."""
    ran = presstag("label", "queue", "--project", project, "--model", tiny_model)
    assert 0 == ran.code, ran.err
    assert "no article left to choose" in ran.out
