"""scripts/label-studio as people use it: what it refuses, what it keeps, that it goes."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "label-studio"


def refused(*options: str | Path) -> str:
    """What the script says where it does not start."""
    done = subprocess.run([SCRIPT, *options], capture_output=True, text=True, check=False)
    assert (2, "") == (done.returncode, done.stdout)
    return done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--prot", "1"), "--port 8080, --data FOLDER"),
        (("--port",), "--port needs a value"),
        (("--port", "http"), "--port http: not a port"),
        (("--token", "secret"), "--token: expected 40 digits"),
    ],
)
def test_wrong_options_are_refused(options: tuple[str, ...], said: str) -> None:
    """Exit code 2 and what would be right; a token is not repeated."""
    shown = refused(*options)
    assert said in shown
    assert "secret" not in shown


def test_a_port_that_is_taken_is_refused(running: Any, tmp_path: Path) -> None:
    """The server itself would quietly take the next one."""
    port = running.url.rpartition(":")[2]
    assert f"port {port} is taken" in refused("--port", port, "--data", tmp_path)


def test_a_folder_keeps_its_token(running: Any) -> None:
    """Another one for the same data would not sign in."""
    assert f"--token: {running.data} has another one" in refused(
        "--data", running.data, "--token", "0" * 40
    )


@pytest.mark.slow
@pytest.mark.usefixtures("running")
def test_a_server_goes_and_comes_back_with_its_data(start: Any, port: int, tmp_path: Path) -> None:
    """After SIGTERM nobody listens; the second time its token signs in again, and is private."""
    for _ in range(2):
        with start(tmp_path, port=port) as url:
            kept = tmp_path / "token"
            assert 0o600 == kept.stat().st_mode & 0o777
            headers = {"Authorization": f"Token {kept.read_text(encoding='utf-8').strip()}"}
            who = httpx.get(f"{url}/api/current-user/whoami", headers=headers)
            assert "admin@example.com" == who.json()["email"]
        with socket.socket() as probe:
            assert 0 != probe.connect_ex(("127.0.0.1", port))
