"""The real server, and servers of a few lines that fail in one way each."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

pytest.importorskip("label_studio_sdk", reason="of the label-studio extra")

from presstag.errors import ServerError
from presstag.labelstudio import client
from presstag.labelstudio.client import Server, connect
from presstag.labelstudio.interface import labelling_interface

Presstag = Callable[..., Any]
NEW = ("label", "new", "--project", "some title", "--labels", "A,B")
TOKEN = secrets.token_hex(20)


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A server on loopback that answers every request so; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def do_POST(self) -> None:
            answer(self)

        def log_message(self, *args: Any) -> None:
            """Nothing is written to the screen."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        thread = threading.Thread(target=served.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{served.server_port}"
        finally:
            served.shutdown()
            thread.join()


def say(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


class Proxy:
    """Between a client and the server: loses requests, or answers, when told to."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.lose_requests = 0
        self.lose_answers = 0
        self.reached: list[str] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        if self.lose_requests:
            self.lose_requests -= 1
            return  # the connection ends without a word
        length = int(handler.headers.get("Content-Length", 0))
        headers = {
            k: v
            for k, v in handler.headers.items()
            if k.lower() in {"authorization", "content-type"}
        }
        self.reached.append(f"{handler.command} {handler.path}")
        answered = httpx.request(
            handler.command,
            self.server + handler.path,
            content=handler.rfile.read(length),
            headers=headers,
        )
        if self.lose_answers:
            self.lose_answers -= 1
            return
        say(handler, answered.status_code, answered.content, **{"Content-Type": "application/json"})


# who asks


def test_a_legacy_token_signs_in(server: Server, running: Any) -> None:
    """The server says who asks and which release it is."""
    assert running.url == server.url
    assert "admin@example.com" == server.user
    assert server.version.startswith("1.")


# The SDK's own way to an access token.
@pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")
def test_a_personal_access_token_signs_in(running: Any) -> None:
    """What Label Studio gives its users today; a slash after the address is no fault."""
    with httpx.Client(base_url=running.url) as browser:
        browser.get("/user/login/")
        form = {"email": "admin@example.com", "password": running.token}
        form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
        assert 302 == browser.post("/user/login/", data=form).status_code
        made = browser.post("/api/token/", headers={"X-CSRFToken": browser.cookies["csrftoken"]})
    assert 201 == made.status_code
    server = connect(f"{running.url}/", f" {made.json()['token']}\n")
    assert "admin@example.com" == server.user
    assert isinstance(server.patiently("list", lambda: list(server.sdk.projects.list())), list)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("token", [TOKEN, "eyJh.eyJh.c2ln", "grün", "a\nb"])
def test_a_wrong_token_is_refused_and_not_shown(presstag: Presstag, token: str) -> None:
    """One message says where to get another; what was given is nowhere in it."""
    ran = presstag(*NEW, "--token", token)
    assert (2, "") == (ran.code, ran.out)
    assert 1 == ran.err.count("error: ")
    assert "Personal Access Token" in ran.err
    assert token not in ran.err


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("name", ["LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"])
def test_what_is_not_given_is_named(
    presstag: Presstag, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """With the variable that it could be given in."""
    monkeypatch.delenv(name)
    ran = presstag(*NEW)
    assert 2 == ran.code
    assert f"error: {name}: no " in ran.err
    assert f"export {name}=" in ran.err


@pytest.mark.parametrize("url", [TOKEN, "localhost:8080", "http://", "ftp://a", "http://a b"])
def test_what_is_no_address_is_not_shown(presstag: Presstag, url: str) -> None:
    """It may be the token, with the two mixed up."""
    ran = presstag(*NEW, "--url", url, "--token", TOKEN)
    assert 2 == ran.code
    assert "LABEL_STUDIO_URL: is no address" in ran.err
    assert url not in ran.err.replace("http://127.0.0.1:8080", "")


def test_help_names_the_variables_and_not_their_values(
    presstag: Presstag, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token in the environment does not end up on the screen."""
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", TOKEN)
    shown = presstag("label", "new", "--help").out
    assert "LABEL_STUDIO_URL" in shown
    assert "LABEL_STUDIO_API_KEY" in shown
    assert TOKEN[:8] not in shown


# projects


def test_a_project_is_found_by_its_title_or_number(server: Server, project: str) -> None:
    """A title that looks like a number goes first."""
    found = server.find_project(project)
    assert (project, found) == (found.title, server.find_project(str(found.id)))
    other = server.new_project(f"{found.id:03}", labelling_interface(["A"]))
    assert other == server.find_project(f"{found.id:03}")
    server.sdk.projects.delete(other.id)


def test_an_unknown_project_is_refused_with_those_that_there_are(
    server: Server, project: str
) -> None:
    """And with the command that would make it, as a shell takes it."""
    with pytest.raises(ServerError) as caught:
        server.find_project("it's not there")
    assert project in caught.value.expected
    assert server.user in caught.value.expected
    assert """presstag label new --project 'it'"'"'s not there'""" in caught.value.do


def test_one_of_two_projects_of_a_title_is_asked_for_by_number(
    server: Server, project: str
) -> None:
    """The server allows both; which one is meant is not guessed."""
    first = server.find_project(project)
    second = server.sdk.projects.create(title=project, label_config=first.interface)
    try:
        with pytest.raises(ServerError) as caught:
            server.find_project(project)
        assert f"2 projects are called {project}" == caught.value.found
        numbers = sorted((first.id, second.id))
        assert numbers == sorted(map(int, caught.value.do[:-1].rpartition(": ")[2].split(", ")))
        assert second.id == server.find_project(str(second.id)).id
    finally:
        server.sdk.projects.delete(second.id)


@pytest.mark.usefixtures("environment")
def test_a_project_that_is_not_found_is_one_message(
    presstag: Presstag, server: Server, project: str
) -> None:
    """Through the command line too: none of that title, or two."""
    ran = presstag("label", "pull", "--project", "nowhere")
    assert (2, "") == (ran.code, ran.out)
    assert 1 == ran.err.count("error: ")
    assert project in ran.err
    second = server.sdk.projects.create(title=project)
    try:
        ran = presstag("label", "pull", "--project", project)
        assert (2, "") == (ran.code, ran.out)
        assert f"2 projects are called {project}" in ran.err
    finally:
        server.sdk.projects.delete(second.id)


# what breaks


def test_harmless_questions_are_asked_again_where_the_connection_breaks(running: Any) -> None:
    """The first two requests get no answer, the third does."""
    proxy = Proxy(running.url)
    with serving(proxy) as url:
        server = connect(url, running.token)
        proxy.lose_requests = 2
        server.patiently("list projects", lambda: list(server.sdk.projects.list()))
        assert 0 == proxy.lose_requests
        proxy.lose_requests = 9
        with pytest.raises(ServerError, match="out of reach: list projects"):
            server.patiently("list projects", lambda: list(server.sdk.projects.list()), times=2)
        assert 7 == proxy.lose_requests


def test_a_lost_answer_does_not_import_tasks_twice(
    server: Server, running: Any, project: str
) -> None:
    """What is not asked `patiently` is sent once, by the SDK too."""
    number = server.find_project(project).id
    proxy = Proxy(running.url)
    with serving(proxy) as url:
        there = connect(url, running.token)
        proxy.lose_answers = 1
        with (
            pytest.raises(ServerError, match="out of reach: import tasks"),
            there.asking("import tasks"),
        ):
            there.sdk.projects.import_tasks(id=number, request=[{"data": {"text": "Norway pays."}}])
    assert 1 == sum("/import" in asked for asked in proxy.reached)
    assert 1 == server.sdk.projects.get(id=number).task_number


def test_nobody_listens(presstag: Presstag) -> None:
    """A port of loopback without a server."""
    with serving(lambda _: None) as url:
        pass
    ran = presstag(*NEW, "--url", url, "--token", TOKEN)
    assert (2, "") == (ran.code, ran.out)
    assert f"error: {url}: out of reach: sign in: " in ran.err
    assert "check the address" in ran.err


PAGE = b"<!doctype html><title>Welcome</title>"
STRANGE = "answers what a Label Studio does not: sign in"


@pytest.mark.parametrize(
    ("status", "body", "headers", "found"),
    [
        (200, PAGE, {}, STRANGE),
        (200, b"", {}, STRANGE),
        (200, b"{}", {}, STRANGE),
        (200, b"[]", {}, STRANGE),
        (200, b"7", {}, STRANGE),
        (200, b"null", {}, STRANGE),
        (200, b'"hello"', {}, STRANGE),
        (200, b'{"id": "x", "email": 4}', {}, STRANGE),
        (200, b"\xff\xfe", {}, STRANGE),
        (204, b"", {}, STRANGE),
        (302, b"", {"Location": "/login?next=/"}, "sends elsewhere, to /login?next=/: sign in"),
        (302, b"", {}, "sends elsewhere, to another address: sign in"),
        (400, b'{"detail": "a\\nreason"}', {}, "refused with 400: sign in (a reason)"),
        (403, b'{"detail": "no"}', {}, "not allowed: sign in (no)"),
        (404, PAGE, {}, "not there: sign in\n"),
        (500, PAGE, {}, "the server failed with 500: sign in\n"),
        (502, b"Bad gateway", {}, "the server failed with 502: sign in (Bad gateway)"),
        (503, b'{"no', {}, "the server failed with 503: sign in"),
    ],
)
def test_a_server_that_is_no_label_studio(
    presstag: Presstag, status: int, body: bytes, headers: dict[str, str], found: str
) -> None:
    """One message each, exit code 2, and no page of HTML in it."""
    with serving(lambda handler: say(handler, status, body, **headers)) as url:
        ran = presstag(*NEW, "--url", url, "--token", TOKEN)
    assert (2, "") == (ran.code, ran.out)
    assert f"error: {url}: {found}" in ran.err
    assert 1 == ran.err.count("error: ")
    assert "<" not in ran.err
    assert TOKEN not in ran.err


def test_a_server_that_shows_what_it_was_sent(presstag: Presstag) -> None:
    """A refusal that repeats the request does not put the token on the screen."""

    def mirror(handler: BaseHTTPRequestHandler) -> None:
        sent = handler.headers["Authorization"]
        say(handler, 400, json.dumps({"detail": f"cannot use {sent}"}).encode())

    with serving(mirror) as url:
        ran = presstag(*NEW, "--url", url, "--token", TOKEN)
    assert 2 == ran.code
    assert "refused with 400: sign in (cannot use Token …)" in ran.err
    assert TOKEN not in ran.err


def test_a_server_that_hangs(presstag: Presstag, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the request and says nothing: after the time that it has, that is said."""
    monkeypatch.setattr(client, "_PATIENCE", 0.2)
    over = threading.Event()
    with serving(lambda _: over.wait(30) and None) as url:
        ran = presstag(*NEW, "--url", url, "--token", TOKEN)
        over.set()
    assert 2 == ran.code
    assert f"error: {url}: no answer in time: sign in" in ran.err
