"""A real Label Studio on loopback, started once for all tests by scripts/label-studio."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "label-studio"


@dataclass(frozen=True)
class Running:
    """The address of the server, a legacy token, and the folder of its data."""

    url: str
    token: str
    data: Path


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with an empty database; skipped where none is set up, unless LS_REQUIRED=1."""
    missing = "" if (ROOT / ".label-studio" / "version").is_file() else "no server environment"
    try:
        import label_studio_sdk  # noqa: F401
    except ImportError:
        missing = "label-studio-sdk is not installed"
    if missing:
        reason = f"{missing}: run scripts/label-studio setup"
        (pytest.fail if os.environ.get("LS_REQUIRED") == "1" else pytest.skip)(reason)
    folder, token = tmp_path_factory.mktemp("label-studio"), secrets.token_hex(20)
    with run_server(folder, port=free_port(), token=token) as url:
        yield Running(url, token, folder)


@contextmanager
def run_server(folder: Path, *, port: int, token: str | None = None) -> Iterator[str]:
    """A server with its data in a folder; its address. Afterwards it is gone."""
    command = [
        SCRIPT,
        "--port",
        str(port),
        "--data",
        folder,
        *(("--token", token) if token else ()),
    ]
    with (folder / "log.txt").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, server, folder / "log.txt")
        yield url
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2):  # noqa: S310 - loopback
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"Label Studio did not start:\n{log.read_text(errors='replace')[-2000:]}")


@pytest.fixture
def start() -> Callable[..., AbstractContextManager[str]]:
    """What starts a server of one's own; within the context that it gives, the server runs."""
    return run_server


@pytest.fixture
def port() -> int:
    """A port of loopback that nobody listens on."""
    return free_port()


@pytest.fixture(scope="session")
def server(running: Running):
    """The server as presstag sees it, signed in with the legacy token."""
    from presstag.labelstudio.client import connect

    return connect(running.url, running.token)


@pytest.fixture
def environment(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables that the commands read."""
    monkeypatch.setenv("LABEL_STUDIO_URL", running.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", running.token)


@pytest.fixture
def project(server) -> Iterator[str]:
    """The title of an empty project of its own, with the aid scheme's interface."""
    from presstag.labelstudio.interface import labelling_interface

    title = f"test {secrets.token_hex(4)}"
    interface = labelling_interface(["DONOR", "AMOUNT", "SYSTEM", "OFFICIAL", "LOCATION"])
    made = server.sdk.projects.create(
        title=title, label_config=interface, show_collab_predictions=True
    )
    yield title
    server.sdk.projects.delete(made.id)
