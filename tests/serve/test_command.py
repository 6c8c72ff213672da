"""`presstag serve` as a process of its own."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

TEXT = "Norway gave tanks, and Denmark gave drones. " * 40


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as place:
        return place.getsockname()[1]


@contextmanager
def running(model: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command on a free port, and its address once it answers."""
    port = free_port()
    command = [sys.executable, "-m", "presstag.cli", "serve", str(model), f"--port={port}"]
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 90
        while not answers(url):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.1)
        yield process, url
    finally:
        process.kill()
        process.communicate()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def test_sigterm_finishes_what_is_under_way(learned_model: Path) -> None:
    """Under load: every request that was taken is answered whole, then it exits with 0."""
    with (
        running(learned_model) as (process, url),
        ThreadPoolExecutor(8) as clients,
        httpx.Client(base_url=url, timeout=90) as http,
    ):
        body = {"texts": [TEXT] * 40}
        alone = http.post("/extract", json=body).json()
        waiting = [clients.submit(http.post, "/extract", json=body) for _ in range(8)]
        until = time.monotonic() + 30
        while http.get("/health").json()["requests_under_way"] < 8 and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        done = [w.result() for w in waiting]
        assert [200] * 8 == [response.status_code for response in done]
        assert [alone] * 8 == [response.json() for response in done]
        out, err = process.communicate(timeout=60)
        assert (0, "") == (process.returncode, err)
        assert f"answers at {url}\nnext: open {url} in a browser" in out
        assert not answers(url)


def test_options_are_the_limits(learned_model: Path) -> None:
    """Each is said in the schema and holds."""
    options = ("--max-bytes=300", "--max-texts=2", "--timeout=7", "--max-requests=5", "--workers=1")
    with running(learned_model, *options) as (process, url):
        asked = httpx.get(f"{url}/openapi.json").json()["paths"]["/extract"]["post"]
        assert "At most 2 texts and 300 bytes in a request, and 7 s" in asked["description"]
        bodies = [{"texts": ["a", "b"]}, {"texts": ["a", "b", "c"]}, {"text": "a" * 300}]
        statuses = [httpx.post(f"{url}/extract", json=b, timeout=60).status_code for b in bodies]
        assert [200, 422, 413] == statuses
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert (130, "") == (process.returncode, err)


def test_a_port_that_is_taken_is_said(presstag: Any, learned_model: Path) -> None:
    """Where, what was found, what to do; exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
        ran = presstag("serve", learned_model, "--port", str(port))
    assert (2, "") == (ran.code, ran.out)
    assert f"cannot listen on 127.0.0.1, port {port}" in ran.err
    assert "to do: choose another --port." in ran.err


def test_a_folder_without_a_model_is_said(presstag: Any, tmp_path: Path) -> None:
    """Before anything listens."""
    ran = presstag("serve", tmp_path)
    assert (2, True) == (ran.code, "no packed model" in ran.err)


@pytest.mark.parametrize("package", ["fastapi", "uvicorn"])
def test_the_extra_is_named_where_it_is_missing(package: str, tmp_path: Path) -> None:
    """Not that of Label Studio, which would bring seventy packages more."""
    code = f"""
import sys
sys.modules[{package!r}] = None
sys.argv = ["presstag", "serve", {str(tmp_path)!r}]
from presstag.cli import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (2, "") == (done.returncode, done.stdout)
    assert re.search(r"pip install 'presstag\[serve\]'", done.stderr)
