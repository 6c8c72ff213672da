from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("label_studio_sdk", reason="of the label-studio extra")

from presstag.labelstudio.client import Server
from presstag.labelstudio.interface import labelling_interface, read_interface
from presstag.train.configfile import read_config

Presstag = Callable[..., Any]
AID = Path(__file__).parents[2] / "configs" / "aid.yaml"


@pytest.fixture
def title() -> str:
    """A title that no project has."""
    return f"new {secrets.token_hex(4)}"


@pytest.mark.usefixtures("environment")
def test_a_project_gets_the_labels_of_a_config(
    presstag: Presstag, server: Server, title: str
) -> None:
    """The server has it with that interface, shows suggestions, and is said to."""
    ran = presstag("label", "new", "--project", title, "--config", AID)
    assert 0 == ran.code, ran.err
    made = server.find_project(title)
    assert labelling_interface(read_config(AID).data.labels).strip() == made.interface
    assert server.sdk.projects.get(id=made.id).show_collab_predictions
    assert f"made project {made.id}, {title}: {server.url}/projects/{made.id}" in ran.out
    assert f"next: presstag label push --project '{title}' ARTICLES" in ran.out


@pytest.mark.usefixtures("environment")
def test_a_project_gets_named_labels_and_is_printed_as_json(
    presstag: Presstag, server: Server, title: str
) -> None:
    """In their order, without blanks around them, whatever XML makes of their letters."""
    named = ("R&D", 'the "best"', "Größe <1>", "NO")
    given = ("--labels", " , ".join(named), "--json")
    ran = presstag("label", "new", "--project", f"  {title} ", *given)
    assert 0 == ran.code, ran.err
    made = server.find_project(title)
    expected = {"id": made.id, "title": title, "url": server.address(made)}
    assert expected == json.loads(ran.out)
    assert named == read_interface(made.interface).labels


@pytest.mark.usefixtures("environment")
def test_a_second_project_of_the_same_title_is_refused(
    presstag: Presstag, server: Server, project: str
) -> None:
    """With the number and the address of the one that is there."""
    there = server.find_project(project)
    ran = presstag("label", "new", "--project", project, "--labels", "A")
    assert 2 == ran.code
    assert f"is that of project {there.id}, {server.url}/projects/{there.id}" in ran.err
    assert there == server.find_project(project)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("title", ["ab", "  ab  ", "", "x" * 51])
def test_titles_that_the_server_would_not_take(presstag: Presstag, title: str) -> None:
    """Too short or too long: said before the server is asked to make it."""
    ran = presstag("label", "new", "--project", title, "--labels", "A")
    assert 2 == ran.code
    assert f"has {len(title.strip())} characters" in ran.err
    assert "3 to 50" in ran.err


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("length", [3, 50])
def test_titles_at_the_limits_are_taken(presstag: Presstag, server: Server, length: int) -> None:
    """The server's own limits are the ones that are checked."""
    title = secrets.token_hex(25)[:length]
    assert 0 == presstag("label", "new", "--project", title, "--labels", "A").code
    assert title == server.find_project(title).title


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ((), "neither is given"),
        (("--config", AID, "--labels", "A"), "both are given"),
        (("--labels", "A,B,A"), "A stands twice"),
        (("--labels", "A,,B"), "is empty"),
        (("--labels", ""), "is empty"),
        (("--config", "absent.yaml"), "absent.yaml"),
    ],
)
def test_labels_that_cannot_be_used(
    presstag: Presstag, given: tuple[str | Path, ...], found: str
) -> None:
    """Said before a server is asked for."""
    ran = presstag("label", "new", "--project", "abc", *given)
    assert 2 == ran.code
    assert found in ran.err
    assert 1 == ran.err.count("error: ")
