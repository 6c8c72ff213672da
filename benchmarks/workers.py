"""Starts the processes of contenders.py and talks to them; finds or makes spaCy and its model."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from presstag.spans import Article
from presstag.writing import write_text

HERE = Path(__file__).parent
SPACY = "spacy>=3.8,<3.9"
Row = dict[str, Any]


def _start(what: str, setting: Row) -> subprocess.Popen[str]:
    threads = {f"{name}_NUM_THREADS": str(setting.get("threads", 2)) for name in ("OMP", "RAYON")}
    return subprocess.Popen(  # noqa: S603
        [setting.get("python", sys.executable), str(HERE / "contenders.py"), what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **threads},
    )


def _answer(process: subprocess.Popen[str], said: Any) -> Any:
    if process.stdin is None or process.stdout is None:
        raise ValueError("a process without pipes")
    print(json.dumps(said), file=process.stdin, flush=True)
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{process.args} has ended: its message stands above.")
    return json.loads(line)


def ask(what: str, said: Any, setting: Row) -> Any:
    """The one answer of a new process."""
    with _start(what, setting) as process:
        return _answer(process, said)


class Worker:
    """A contender in a process of its own, waiting for texts."""

    def __init__(self, setting: Row) -> None:
        self._process = _start("serve", setting)
        _answer(self._process, setting)

    def do(self, what: str, articles: Sequence[Article], **more: Any) -> Any:
        """Tag texts as contenders.py says."""
        return _answer(self._process, {"do": what, "texts": [a.text for a in articles], **more})

    def stop(self) -> None:
        """End it, waiting until it is gone."""
        self._process.communicate()


@contextlib.contextmanager
def working(settings: dict[str, Row]) -> Iterator[dict[str, Worker]]:
    """The contenders' processes, which end with the block."""
    workers: dict[str, Worker] = {}
    try:
        for name, setting in settings.items():
            workers[name] = Worker(setting)
        yield workers
    finally:
        for worker in workers.values():
            worker.stop()


def start_cold(setting: Row, article: Article) -> float:
    """Seconds from starting a new process until it has the spans of a text."""
    begin = time.perf_counter()
    process = _start("first", setting)
    _answer(process, {"setting": setting, "text": article.text})
    seconds = time.perf_counter() - begin
    process.communicate()
    return seconds


def find_python(asked: str | None, folder: Path) -> str:
    """A Python that has spaCy: the one asked for, this one, or one made in `folder`."""
    python = asked or sys.executable
    if spacy_version(python):
        return python
    if asked:
        raise SystemExit(f"{asked}: it cannot import spacy; name another or leave it out.")
    print("installing spaCy into a temporary environment", flush=True)
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", SPACY], check=True)  # noqa: S603
    return python


def find_ner(
    python: str, splits: dict[str, Sequence[Article]], *, steps: int | None, folder: Path
) -> Path:
    """The folder of spaCy's model of train, chosen on dev: made in `folder` if it is not kept."""
    job: Row = {"folder": str(folder), "steps": steps}
    for split in ("train", "dev"):
        job[split] = [[a.text, [s.key for s in a.spans]] for a in splits[split]]
    known = [job["train"], job["dev"], steps, spacy_version(python)]
    key = hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]
    kept = HERE / ".cache" / f"spacy-{key}"
    if not kept.is_dir():
        print("training spaCy's ner", flush=True)
        folder.mkdir()
        ask("train", job, {"python": python})
        write_text(kept.parent / ".gitignore", "*\n")
        shutil.copytree(folder / "model-best", kept.with_suffix(".tmp"), dirs_exist_ok=True)
        kept.with_suffix(".tmp").rename(kept)
    return kept


def spacy_version(python: str) -> str | None:
    """The spaCy of a Python; None where it has none."""
    code = "import spacy; print(spacy.__version__)"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() if done.returncode == 0 else None
