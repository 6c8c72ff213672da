"""Training in the background: what is learned from, what becomes of the model, how it ends."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("label_studio_sdk")

import httpx

from presstag import load
from presstag.corpus import Corpus, read_corpus
from presstag.corpus.inline import read_marked
from presstag.errors import ServerError
from presstag.labelstudio.retrain import Retrainer, merge_annotations
from presstag.spans import Article
from presstag.tagger import Tagger
from presstag.train.configfile import read_config

NEW = (
    "Wire 1. {DONOR|Finland} sent {SYSTEM|howitzers} to the border before the first snow fell.",
    "Wire 2. In spring {DONOR|Sweden} will deliver {SYSTEM|radars}, a spokesman said in Lund.",
)
WAIT = 120


def new_articles() -> list[Article]:
    """Articles that are in no split."""
    return [read_marked(t, name=f"new-{i}", source="test") for i, t in enumerate(NEW)]


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: Callable[[], Any], seconds: float = WAIT) -> Any:
    """What a function gives as soon as that is something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")


# what is learned from


def test_new_articles_come_after_those_of_train(tiny_config: Path) -> None:
    """The config's own articles stay as they are."""
    data = read_config(tiny_config).data
    train = read_corpus(data.train).articles
    merged = merge_annotations(data, Corpus(tuple(new_articles())))
    assert (*train, *new_articles()) == merged.articles
    assert (2, 0, (), ()) == (merged.added, merged.replaced, merged.held, merged.rejected)


def test_an_article_of_train_takes_its_new_spans(tiny_config: Path) -> None:
    """It keeps its place and its id; it is known by its text."""
    data = read_config(tiny_config).data
    train = read_corpus(data.train).articles
    again = Article("task 7", train[2].text, train[2].spans[:1])
    merged = merge_annotations(data, Corpus((again,)))
    assert len(train) == len(merged.articles)
    assert (train[2].id, again.spans) == (merged.articles[2].id, merged.articles[2].spans)
    assert (0, 1) == (merged.added, merged.replaced)


@pytest.mark.parametrize("split", ["dev", "test"])
def test_articles_of_dev_and_test_are_never_learned_from(split: str, tiny_config: Path) -> None:
    """Neither the text itself nor a version of it."""
    data = read_config(tiny_config).data
    held = read_corpus(getattr(data, split)).articles
    version = Article("version", held[2].text.replace("arrived", "were brought") + " At last.")
    annotated = [Article("same", held[0].text), version, *new_articles()]
    merged = merge_annotations(data, Corpus(tuple(annotated)))
    assert ("same", "version") == merged.held
    assert 2 == merged.added
    learned = {a.text for a in merged.articles}
    assert not learned & {annotated[0].text, annotated[1].text}


def test_labels_that_the_config_lacks_are_rejected(tiny_config: Path) -> None:
    """The article is learned from without them, and they are listed."""
    article = read_marked("{CITY|Lund} is in {DONOR|Sweden}.", name="x", source="test")
    merged = merge_annotations(read_config(tiny_config).data, Corpus((article,)))
    assert [("x", "unknown-label")] == [(f.article, f.kind) for f in merged.rejected]
    assert ["Sweden"] == [s.text for s in merged.articles[-1].spans]


# how it goes


class Swaps(list[Tagger]):
    """The models that were put in the place of the old one."""

    def __call__(self, tagger: Tagger) -> str:
        self.append(tagger)
        return f"version {len(self)}"


Make = Callable[..., tuple[Retrainer, Swaps]]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """A retrainer for project 1 that writes below tmp_path/models, started and closed."""
    made: list[Retrainer] = []

    def build(config: Path, pull: Callable[[Path], Corpus], *, after: int = 3) -> Any:
        swaps = Swaps()
        retrainer = Retrainer(
            config, project=1, after=after, pull=pull, swap=swaps, models=tmp_path / "models"
        )
        retrainer.start()
        made.append(retrainer)
        return retrainer, swaps

    yield build
    for retrainer in made:
        retrainer.close()


def pull_new(_: Path) -> Corpus:
    """The new articles, as a project would have them."""
    return Corpus(tuple(new_articles()))


def last(retrainer: Retrainer) -> Callable[[], Any]:
    """How the last training ended."""
    return lambda: retrainer.state()["last"]


def left(folder: Path) -> list[str]:
    """What stands in a folder; nothing where there is none."""
    return sorted(p.name for p in folder.glob("*"))


@pytest.mark.slow
def test_a_training_that_fails_leaves_the_old_model(
    make: Make, tiny_config: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The command's own reason is told and logged; its log stays, a half-made model does not."""
    config = tmp_path / "broken.yaml"
    text = tiny_config.read_text(encoding="utf-8")
    config.write_text(
        text.replace("name: tiny", "name: broken").replace("encoder: ", "encoder: /x")
    )
    retrainer, swaps = make(config, pull_new)
    retrainer.ask(1)
    told = wait_for(last(retrainer))
    assert "presstag train ended with 2: error: " in told["failed"]
    assert [] == swaps
    (log,) = left(tmp_path / "models")
    assert log.endswith(".log")
    assert any("the old model goes on" in m for m in caplog.messages)


def test_a_config_that_is_broken_by_now_is_told(make: Make, tmp_path: Path) -> None:
    """It is read at each training; the next one may go well."""
    config = tmp_path / "broken.yaml"
    config.write_text("name: [", encoding="utf-8")
    retrainer, _ = make(config, pull_new)
    retrainer.ask(1)
    assert "broken.yaml" in wait_for(last(retrainer))["failed"]
    assert [] == left(tmp_path / "models")


def test_a_server_that_is_gone_is_told(make: Make, tiny_config: Path, tmp_path: Path) -> None:
    """Nothing is trained; events go on being counted."""

    def gone(_: Path) -> Corpus:
        raise ServerError("http://127.0.0.1:1", "out of reach")

    retrainer, swaps = make(tiny_config, gone)
    retrainer.count(1, {1, 2, 3})
    assert "out of reach" in wait_for(last(retrainer))["failed"]
    retrainer.count(1, {4})
    assert 1 == retrainer.state()["annotated"]
    assert [] == swaps
    assert [] == left(tmp_path / "models")


def test_without_anything_new_nothing_is_trained(
    make: Make, tiny_config: Path, tiny_data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Only articles of test were annotated: that is said."""
    caplog.set_level(logging.INFO)
    retrainer, _ = make(tiny_config, lambda _: read_corpus(tiny_data / "test.json"))
    retrainer.ask(1)
    assert "no annotated article to learn from" in wait_for(last(retrainer))["failed"]
    expected = "left out, being like articles of dev or test: Test-0-0, Test-0-1, Test-0-2"
    assert any(m.startswith(expected) for m in caplog.messages)


def test_one_training_at_a_time(make: Make, tiny_config: Path) -> None:
    """What comes while one is under way counts towards the next; the wish for one is kept."""
    running, most, begun = 0, 0, threading.Semaphore(0)
    go_on = threading.Semaphore(0)

    def slow(_: Path) -> Corpus:
        nonlocal running, most
        running += 1
        most = max(most, running)
        begun.release()
        assert go_on.acquire(timeout=WAIT)
        running -= 1
        raise ServerError("the server", "gone")

    retrainer, _ = make(tiny_config, slow)
    retrainer.ask(1)
    assert begun.acquire(timeout=WAIT)
    for n in range(500):
        retrainer.count(1, {n % 100})
    retrainer.ask(1)
    retrainer.ask(2)
    assert 100 == retrainer.state()["annotated"]
    go_on.release()
    assert begun.acquire(timeout=WAIT)
    assert 0 == retrainer.state()["annotated"]
    go_on.release()
    assert not begun.acquire(timeout=0.5)
    assert 1 == most


def test_closing_ends_a_training_and_leaves_nothing(
    make: Make, tiny_config: Path, tmp_path: Path
) -> None:
    """The process is gone, and so are the folder and the log that it had begun."""
    retrainer, swaps = make(tiny_config, pull_new)
    retrainer.ask(1)
    models = tmp_path / "models"
    wait_for(lambda: [n for n in left(models) if n.endswith(".log")])
    # It is made less urgent once it runs.
    wait_for(lambda: {10} == {os.getpriority(os.PRIO_PROCESS, p) for p in children(str(models))})
    retrainer.close()
    assert [] == children(str(models))
    assert [] == left(models)
    assert [] == swaps


def children(word: str) -> list[int]:
    """Processes that have a word in their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


# the command


@contextmanager
def command(*arguments: str | Path, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """`presstag label serve ARGUMENTS…`, its output together."""
    with (cwd / "out.txt").open("w") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "presstag.cli", "label", "serve", *map(str, arguments)],
            stdout=written,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=cwd,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def said(cwd: Path) -> str:
    """What the command wrote so far."""
    return (cwd / "out.txt").read_text(encoding="utf-8")


def answers(url: str) -> bool:
    """Whether somebody answers there."""
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False


def region(article: Article, number: int) -> dict[str, Any]:
    """A span of an article as the server keeps it."""
    span = article.spans[number]
    value = {"start": span.start, "end": span.end, "text": span.text, "labels": [span.label]}
    return {"from_name": "label", "to_name": "text", "type": "labels", "value": value}


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_annotations_become_a_new_model(
    learned_model: Path, tiny_config: Path, tmp_path: Path, server: Any, project: str
) -> None:
    """From the annotations through events and a training to suggestions of a new version."""
    found, sdk, port = server.find_project(project), server.sdk, free_port()
    url = f"http://127.0.0.1:{port}"
    options = ("--retrain", tiny_config, "--project", project, "--after", "2", "--port", str(port))
    with command(learned_model, *options, cwd=tmp_path) as process:
        wait_for(lambda: process.poll() is not None or answers(url))
        backend = sdk.ml.create(project=found.id, url=url, title="presstag")
        articles = new_articles()
        tasks = sdk.projects.import_tasks(
            id=found.id,
            request=[{"data": {"id": a.id, "text": a.text}} for a in articles],
            return_task_ids=True,
        ).task_ids
        for task, article in zip(tasks, articles, strict=True):
            regions = [region(article, n) for n in range(len(article.spans))]
            sdk.annotations.create(id=task, result=regions)
        told = wait_for(lambda: httpx.get(f"{url}/health").json()["retraining"]["last"])
        assert "failed" not in told, said(tmp_path)
        folder = tmp_path / told["model"]
        assert [folder.name] == left(tmp_path / "models")
        assert {"manifest.json", "train.json", "training.log"} <= set(left(folder))
        learned = read_corpus(folder / "train.json").articles
        assert articles == [Article(a.id, a.text, a.spans) for a in learned[-2:]]
        assert 26 == len(learned)
        tagger = load(folder)
        assert tagger.info["scores"]["dev"]["micro"]["f1"] == told["dev_f1"]
        assert backend.model_version != told["model_version"]
        assert told["model_version"] == sdk.ml.get(backend.id).model_version
        answer = httpx.post(f"{url}/predict", json={"tasks": [{"data": {"text": NEW[0]}}]})
        (result,) = answer.json()["results"]
        assert told["model_version"] == result["model_version"]
        assert len(tagger(NEW[0])) == len(result["result"])
    assert os.environ["LABEL_STUDIO_API_KEY"] not in said(tmp_path)
    assert "Traceback" not in said(tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_a_stop_of_the_command_stops_the_training(
    learned_model: Path, tiny_config: Path, tmp_path: Path, server: Any, project: str
) -> None:
    """Nobody trains on, and no folder is left."""
    found, port = server.find_project(project), free_port()
    url = f"http://127.0.0.1:{port}"
    (article, _) = new_articles()
    request = [{"data": {"text": article.text}, "annotations": [{"result": [region(article, 0)]}]}]
    server.sdk.projects.import_tasks(id=found.id, request=request)
    options = ("--retrain", tiny_config, "--project", project, "--port", str(port))
    with command(learned_model, *options, cwd=tmp_path) as process:
        wait_for(lambda: process.poll() is not None or answers(url))
        event = {"action": "START_TRAINING", "project": {"id": found.id}}
        assert 200 == httpx.post(f"{url}/webhook", json=event).status_code
        wait_for(lambda: children("data.train=models"))
        process.send_signal(signal.SIGINT)
        assert 130 == process.wait(60)
    assert [] == children("data.train=models")
    assert [] == left(tmp_path / "models")
    assert "the training was stopped" in said(tmp_path)
    assert "Traceback" not in said(tmp_path)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--host", "::"], "give one with --secret"),
        (["--host", "example.org"], "give one with --secret"),
        (["--secret", "é"], "ASCII"),
        (["--retrain", "x.yaml"], "--project"),
        (["--project", "x"], "--retrain"),
        (["--retrain", "x.yaml", "--project", "x"], "x.yaml: no such file"),
        (["--port", "PORT"], "cannot listen on 127.0.0.1, port"),
    ],
)
def test_what_cannot_be_served_is_refused(
    options: list[str], reason: str, learned_model: Path, presstag: Callable[..., Any]
) -> None:
    """A message and exit code 2, before anything listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        given = [port if o == "PORT" else o for o in options]
        ran = presstag("label", "serve", learned_model, *given)
    assert (2, "") == (ran.code, ran.out)
    assert reason in ran.err
