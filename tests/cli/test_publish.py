"""`presstag publish` against a local imitation of a hub: none was in reach where this was written.

The command runs in a process of its own, because huggingface_hub reads its settings once.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

TOKEN = "made-up-for-this-test"  # noqa: S105
PACKED = ["README.md", "curves.png", "manifest.json", "model.onnx", "scores.json", "tokenizer.json"]
CHECKPOINT = [
    f"checkpoint/{name}"
    for name in (
        "config.json",
        "config.yaml",
        "model.safetensors",
        "run.json",
        "tokenizer.json",
        "tokenizer_config.json",
    )
]


class Hub(ThreadingHTTPServer):
    """As much of a hub as a push needs: small files come in the commit, large ones by Git LFS."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.made: list[dict[str, Any]] = []
        self.large: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}
        self.refuse = 0

    def answer(self, path: str, content: bytes) -> Any:
        """What a request gets, as JSON writes it; None is what there is not."""
        kind = path.removeprefix("/api/models/someone/aid").rpartition("/")[0]
        if kind == "/large":
            self.large[path.removeprefix("/large/")] = content
            return {}
        if kind == "/commit":
            return self._commit(content)
        return self._say(path, kind, json.loads(content or b"{}"))

    def _say(self, path: str, kind: str, asked: dict[str, Any]) -> Any:
        if path == "/api/repos/create":
            self.made.append(asked)
            return {"url": f"{self.url}/someone/aid"}
        if path == "/api/validate-yaml":
            return {"errors": [], "warnings": []}
        if kind == "/preupload":
            return {"files": [_mode(file) for file in asked["files"]]}
        if path == "/someone/aid.git/info/lfs/objects/batch":
            return {"objects": [self._place(wanted) for wanted in asked["objects"]]}
        return None

    def _place(self, wanted: dict[str, Any]) -> dict[str, Any]:
        return {**wanted, "actions": {"upload": {"href": f"{self.url}/large/{wanted['oid']}"}}}

    def _commit(self, content: bytes) -> dict[str, Any]:
        for line in content.decode().splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                self.files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                self.files[value["path"]] = self.large[value["oid"]]
        url = f"{self.url}/someone/aid/commit/1"
        return {"success": True, "commitUrl": url, "commitOid": "1" * 40}


def _mode(file: dict[str, Any]) -> dict[str, Any]:
    large = file["path"].endswith((".onnx", ".safetensors"))
    return {
        "path": file["path"],
        "uploadMode": "lfs" if large else "regular",
        "shouldIgnore": False,
    }


class _Door(BaseHTTPRequestHandler):
    server: Hub

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        allowed = self.headers["Authorization"] == f"Bearer {TOKEN}" or "/large/" in self.path
        answer = self.server.answer(self.path.partition("?")[0], content)
        status = self.server.refuse or (401 if not allowed else 200 if answer is not None else 404)
        body = json.dumps(answer if status == 200 else {"error": "refused by the test"}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_GET = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing is written to the terminal."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub on loopback."""
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def publish(
    *arguments: str | Path, home: Path, endpoint: str, token: str = TOKEN
) -> subprocess.CompletedProcess[str]:
    """Run the command with the hub and the token that the environment names."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
    environment |= {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "*",
        "COLUMNS": "100",
    }
    if token:
        environment["HF_TOKEN"] = token
    return subprocess.run(
        [sys.executable, "-m", "presstag.cli", "publish", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def test_a_push_brings_packed_model_card_and_checkpoint(
    hub: Hub, tiny_model: Path, tmp_path: Path
) -> None:
    """Every file arrives as it is here, and no other: no logs, no states, no other runs."""
    model = shutil.copytree(tiny_model, tmp_path / "aid")
    (model / "seed-1").mkdir()
    (model / "seed-1" / "scores.json").write_text("{}", encoding="utf-8")
    ran = publish(model, "someone/aid", "--private", home=tmp_path / "hf", endpoint=hub.url)
    assert 0 == ran.returncode, ran.stderr
    assert sorted([*PACKED, *CHECKPOINT]) == sorted(hub.files)
    assert [] == [name for name in hub.files if hub.files[name] != (model / name).read_bytes()]
    assert {hashlib.sha256(content).hexdigest() for content in hub.large.values()} == set(hub.large)
    expected = {"name": "aid", "organization": "someone", "visibility": "private"}
    assert [expected] == [{key: made.get(key) for key in expected} for made in hub.made]
    assert f"pushed {model} to {hub.url}/someone/aid/commit/1" in ran.stdout


def test_language_and_license_go_into_the_card(hub: Hub, tiny_model: Path, tmp_path: Path) -> None:
    """Here and there; without the checkpoint only the packed model goes."""
    model = shutil.copytree(tiny_model, tmp_path / "aid")
    settings = ("--language", "nb", "--license", "cc-by-4.0", "--no-checkpoint")
    ran = publish(model, "someone/aid", *settings, home=tmp_path / "hf", endpoint=hub.url)
    assert 0 == ran.returncode, ran.stderr
    assert sorted(PACKED) == sorted(hub.files)
    head = hub.files["README.md"].decode().split("---\n")[1]
    assert {"language: nb", "license: cc-by-4.0"} < set(head.splitlines())
    assert (model / "README.md").read_bytes() == hub.files["README.md"]


def test_a_hub_that_refuses_is_an_error_with_its_words(
    hub: Hub, tiny_model: Path, tmp_path: Path
) -> None:
    """One message with the hub's name and no traceback."""
    hub.refuse = 403
    ran = publish(tiny_model, "someone/aid", home=tmp_path / "hf", endpoint=hub.url)
    assert 2 == ran.returncode
    assert f"error: someone/aid on {hub.url}: not published: " in ran.stderr
    assert "refused by the test" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_without_a_token_nothing_is_asked(hub: Hub, tiny_model: Path, tmp_path: Path) -> None:
    """What to do is said."""
    ran = publish(tiny_model, "someone/aid", home=tmp_path / "hf", endpoint=hub.url, token="")
    assert 2 == ran.returncode
    assert "hf auth login, or set HF_TOKEN" in ran.stderr
    assert [] == hub.made


def test_a_name_that_is_none_is_refused(hub: Hub, tiny_model: Path, tmp_path: Path) -> None:
    """The form that is expected is said."""
    ran = publish(tiny_model, "some/one/aid", home=tmp_path / "hf", endpoint=hub.url)
    assert 2 == ran.returncode
    assert "expected: OWNER/NAME" in ran.stderr
    assert {} == hub.files


def test_a_dry_run_lists_files_and_sizes(presstag: Any, tiny_model: Path) -> None:
    """Without a token, without a hub."""
    ran = presstag("publish", tiny_model, "someone/aid", "--dry-run")
    assert 0 == ran.code, ran.err
    listed = {line.split()[0]: line.split()[1] for line in ran.out.splitlines()[1:-1] if line}
    sizes = {name: (tiny_model / name).stat().st_size for name in [*PACKED, *CHECKPOINT]}
    assert {**sizes, "all": sum(sizes.values())} == {
        name: int(size.replace(",", "")) for name, size in listed.items()
    }
    assert "nothing was pushed to someone/aid" in ran.out


@pytest.mark.parametrize("name", ["README.md", "model.onnx", "checkpoint/model.safetensors"])
def test_an_incomplete_model_is_not_published(
    name: str, presstag: Any, tiny_model: Path, tmp_path: Path
) -> None:
    """The missing file is named; the checkpoint can be left out on purpose."""
    model = shutil.copytree(tiny_model, tmp_path / "aid")
    (model / name).unlink()
    ran = presstag("publish", model, "someone/aid", "--dry-run")
    assert 2 == ran.code
    assert f"no {name} in it" in ran.err
    without = presstag("publish", model, "someone/aid", "--dry-run", "--no-checkpoint")
    assert (0 if name.startswith("checkpoint") else 2) == without.code
