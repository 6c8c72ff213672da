"""A service on a free port of loopback, and models for it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from presstag import load
from presstag.serve.app import make_app
from presstag.serve.door import Limits
from presstag.spans import Span
from presstag.tagger import Tagger


@dataclass(frozen=True)
class Up:
    """A service that runs."""

    url: str
    http: httpx.Client

    def extract(self, **body: Any) -> httpx.Response:
        """Ask for spans; as ASCII, so that a text may hold lone surrogates."""
        headers = {"Content-Type": "application/json"}
        return self.http.post("/extract", content=json.dumps(body), headers=headers)

    def send(self, content: Any, **headers: str) -> httpx.Response:
        """Send a body as it is."""
        sent = {"Content-Type": "application/json", **headers}
        return self.http.post("/extract", content=content, headers=sent)


class Slow:
    """A model for what a real one cannot be made to do: to wait, and to fail, when a test says so.

    "hold" is not tagged before `let_go` is set, and is checked meanwhile, as windows are; "fail"
    fails; any other text has one span, which is all of it.
    """

    def __init__(self) -> None:
        self.labels = ("A",)
        self.info = {"name": "slow"}
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.let_go = threading.Event()

    def interruptible(self, check: Callable[[], None]) -> Callable[[str], list[Span]]:
        def tag(text: str) -> list[Span]:
            self.begun.append(text)
            try:
                while text.startswith("hold") and not self.let_go.wait(0.01):
                    check()
            finally:
                self.ended.append(text)
            if text == "fail":
                raise RuntimeError("no luck")
            return [Span(0, len(text), "A", text, 0.5)] if text else []

        return tag


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for something that happens in another thread."""
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until, "it did not happen within 30 s"
        time.sleep(0.01)


@contextmanager
def serving(tagger: Any, *, workers: int = 2, **limits: Any) -> Iterator[Up]:
    """A service in a thread of this process, with a client."""
    app = make_app(tagger, Limits(**limits), workers=workers)
    place = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive())
        url = f"http://127.0.0.1:{place.getsockname()[1]}"
        with httpx.Client(base_url=url, timeout=60) as http:
            yield Up(url, http)
    finally:
        server.should_exit = True
        thread.join(60)
        place.close()


Serve = Callable[..., Up]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(TAGGER, workers=…, …)`: services that run until the test is over."""
    with ExitStack() as stack:
        yield lambda tagger, **options: stack.enter_context(serving(tagger, **options))


@pytest.fixture
def slow() -> Iterator[Slow]:
    model = Slow()
    yield model
    model.let_go.set()


@pytest.fixture
def soon() -> Callable[[Callable[[], bool]], None]:
    """`soon(CONDITION)` waits until it holds."""
    return wait_until


@pytest.fixture(scope="session")
def tagger(learned_model: Path) -> Tagger:
    """A model that finds spans of DONOR and SYSTEM."""
    return load(learned_model, threads=1)


@pytest.fixture(scope="module")
def shared(tagger: Tagger) -> Iterator[Up]:
    """A service with a real model, for all tests that leave it as it was."""
    with serving(tagger) as up:
        yield up
