"""Training in the background with what was annotated, and the model swapped when it is done.

One training at a time, in a process of its own: the command `presstag train`, with the train
articles of a config and the annotations of a project together as its train articles. The dev and
test articles stay as they are and are never learned from. What goes wrong leaves the old model
where it is and the reason in `Retrainer.state`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from presstag.bundle import load_bundle
from presstag.corpus import Corpus, Finding, join_corpora, read_corpus, write_corpus
from presstag.corpus.findings import keep_known
from presstag.corpus.similarity import similar_pairs
from presstag.errors import DataError, PresstagError
from presstag.spans import Article
from presstag.tagger import Tagger
from presstag.train.config import Config, DataSection
from presstag.train.configfile import read_config, write_value

_log = logging.getLogger(__name__)
_SECRETS = ("LABEL_STUDIO_API_KEY", "PRESSTAG_SECRET")
_NICE = 10
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Merged:
    """Articles to train on.

    Attributes:
        articles: those of the config's train split, then the new ones.
        added: how many are new.
        replaced: how many of train have the spans of the project now.
        held: ids of annotated articles that are left out: they are like one of dev or test.
        rejected: what could not be taken of the annotations.
    """

    articles: tuple[Article, ...]
    added: int
    replaced: int
    held: tuple[str, ...]
    rejected: tuple[Finding, ...]


def merge_annotations(section: DataSection, annotated: Corpus) -> Merged:
    """Put a project's annotated articles to a config's train split.

    An article of train that was annotated again, known by its text, takes the new spans. One of dev
    or test is left out, and so is a new one that shares half of its word 5-grams with one of those.

    Raises:
        DataError: if a split cannot be read.
    """
    known = {*section.labels, *section.ignore_labels}
    train = read_corpus(section.train)
    paths = [path for path in (section.dev, section.test) if path is not None]
    apart = [article for path in paths for article in read_corpus(path).articles]
    held = _held(annotated.articles, apart, learned={a.text for a in train.articles})
    taken: dict[str, Article] = {}
    rejected = list(annotated.rejected)
    for i, article in enumerate(annotated.articles):
        if i not in held:
            taken[article.text], findings = keep_known(article, known)
            rejected += findings
    joined = join_corpora([train, Corpus(tuple(taken.values()))]).articles
    added = len(joined) - len(train.articles)
    return Merged(
        articles=joined,
        added=added,
        replaced=len(taken) - added,
        held=tuple(a.id for i, a in enumerate(annotated.articles) if i in held),
        rejected=tuple(rejected),
    )


def _held(articles: Sequence[Article], apart: list[Article], *, learned: set[str]) -> set[int]:
    """Positions of the articles that are, or are like, one of those set apart."""
    first, texts = len(apart), {a.text for a in apart}
    pairs = similar_pairs([*apart, *articles])
    like = {p.second - first for p in pairs if p.first < first <= p.second}
    return {i for i in like if articles[i].text not in learned} | {
        i for i, article in enumerate(articles) if article.text in texts
    }


class _Stopped(Exception):
    """The backend stops; caught where the training was begun."""


class Retrainer:
    """Counts annotations and trains with them.

    Args:
        config: the run's YAML file; it is read again at each training.
        project: number of the project whose annotations count.
        after: how many tasks must have been annotated, or annotated again, since the last training.
        pull: writes the project's annotated tasks to a file and reads its articles.
        swap: puts a model in the place of the one that answers and gives its version.
        models: the folder for new models; each is called after the config and the time.
    """

    def __init__(
        self,
        config: Path,
        *,
        project: int,
        after: int,
        pull: Callable[[Path], Corpus],
        swap: Callable[[Tagger], str],
        models: Path = Path("models"),
    ) -> None:
        self._config = config
        self._project = project
        self._after = after
        self._pull = pull
        self._swap = swap
        self._models = models
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._tasks: set[int] = set()
        self._asked = False
        self._doing = "waiting"
        self._last: dict[str, Any] | None = None
        self._thread = threading.Thread(target=self._run, name="retraining", daemon=True)

    def start(self) -> None:
        """Begin to wait for annotations."""
        self._thread.start()

    def close(self) -> None:
        """Stop, and stop a training under way; nothing half-written stays."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    def count(self, project: int | None, tasks: set[int]) -> None:
        """These tasks were annotated; those of other projects do not count."""
        if project == self._project:
            with self._changed:
                self._tasks |= tasks
                self._changed.notify_all()

    def ask(self, project: int | None) -> None:
        """Train at once, or after the training under way."""
        if project == self._project:
            with self._changed:
                self._asked = True
                self._changed.notify_all()

    def state(self) -> dict[str, Any]:
        """What is going on, and how the last training ended, as JSON writes it."""
        with self._changed:
            return {
                "doing": self._doing,
                "annotated": len(self._tasks),
                "after": self._after,
                "last": self._last,
            }

    def _run(self) -> None:
        while self._wait():
            began = datetime.now().astimezone()
            try:
                last = self._retrain(began)
            except _Stopped:
                _log.info("the training was stopped with the backend")
                return
            except Exception as error:  # noqa: BLE001 - the old model goes on whatever it is
                reason = str(error) if isinstance(error, PresstagError) else repr(error)
                last = {"failed": reason}
                _log.error("training failed; the old model goes on: %s", reason)
            with self._changed:
                self._doing = "waiting"
                self._last = {"began": began.isoformat(timespec="seconds"), **last}

    def _wait(self) -> bool:
        def due() -> bool:
            return self._stopped.is_set() or self._asked or len(self._tasks) >= self._after

        with self._changed:
            self._changed.wait_for(due)
            self._asked = False
            self._tasks = set()
            self._doing = "reading annotations"
        return not self._stopped.is_set()

    def _retrain(self, began: datetime) -> dict[str, Any]:
        config = read_config(self._config)
        folder = self._models / f"{config.name}-{began:%Y%m%d-%H%M%S}"
        folder.mkdir(parents=True)
        try:
            tagger = self._make(config, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        version = self._swap(tagger)
        f1 = tagger.info["scores"].get("dev", {}).get("micro", {}).get("f1")
        _log.info("%s answers from now on, as %s; F1 on dev: %s", folder, version, f1)
        return {"model": str(folder), "model_version": version, "dev_f1": f1}

    def _make(self, config: Config, folder: Path) -> Tagger:
        """Fill a new model folder."""
        merged = merge_annotations(config.data, self._pull(folder / "annotations.json"))
        _say(merged)
        if not merged.added and not merged.replaced:
            raise DataError(
                f"project {self._project}",
                "no annotated article to learn from",
                expected="one at least that is in neither dev nor test",
            )
        with self._changed:
            self._doing = f"training {folder}"
        _log.info("training %s with %d articles", folder, len(merged.articles))
        data = folder / "train.json"
        write_corpus(merged.articles, data)
        command = [sys.executable, "-m", "presstag.cli", "train", str(self._config)]
        command += [f"data.train={write_value(str(data))}", "--out", str(folder)]
        log = folder.with_name(f"{folder.name}.log")
        try:
            code = _follow(command, log, stopped=self._stopped)
        except _Stopped:
            log.unlink(missing_ok=True)
            raise
        if code:
            do = "mend it; then annotate more, or start the training in Label Studio."
            raise DataError(str(log), f"presstag train ended with {code}: {_reason(log)}", do=do)
        log.replace(folder / "training.log")
        return load_bundle(folder)


def _say(merged: Merged) -> None:
    _log.info("annotated articles: %d new, %d of train again", merged.added, merged.replaced)
    if merged.held:
        _log.warning("left out, being like articles of dev or test: %s", ", ".join(merged.held))
    for finding in merged.rejected:
        _log.warning("left out: article %s: %s", finding.article, finding.message)


def _follow(command: list[str], log: Path, *, stopped: threading.Event) -> int:
    """Run a command at low priority, its output in a file; its exit code.

    Raises:
        _Stopped: if `stopped` is set before it ends; it is ended then.
    """
    kept = {k: v for k, v in os.environ.items() if k not in _SECRETS}
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env=kept,
            start_new_session=True,
        )
        try:
            # Suggestions come first: somebody waits for them.
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, process.pid, _NICE)
            while process.poll() is None:
                if stopped.wait(0.2):
                    raise _Stopped
        finally:
            _end(process)
    return process.returncode


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and those that it began, if they still run."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)


def _reason(log: Path) -> str:
    """What the log says last: the command's own error, else its last line."""
    said = log.read_text(encoding="utf-8", errors="replace").strip()
    return said[said.rfind("error: ") :] if "error: " in said else said.rpartition("\n")[2]
