from __future__ import annotations

import json
import re
import secrets
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from presstag.bundle import load_bundle
from presstag.errors import InputError, ServerError
from presstag.labelstudio import push as push_module
from presstag.labelstudio.client import connect
from presstag.labelstudio.push import push
from presstag.labelstudio.suggestions import article_score, model_version
from presstag.spans import Article, Span

ODD = [
    "😀 Acme gave tanks",
    "👨‍👩‍👧 Anna at Acme 🚀Acme",
    "𠮷𠮷 Anna 𝕏 Acme",
    "Cafe\u0301 owner Jose\u0301 at Acme",
    "line one\r\nAnna at Acme\r\n",
    "lone\rreturn Acme\r",
    "<b>Acme</b> & &lt;Acme&gt; &amp; </Text> Acme",
    "tab\tAcme\xa0Acme\u3000Acme",
    "para\u2028Acme\u2029Acme\u0085Acme\x0bAcme",
    "\ufeffAcme\u200bAcme\ufeff",
    '  "Acme" \\n \\u0041 Acme {{x}} $text  \n\n',
    "https://example.org/Acme",
    "s3://bucket/Acme",
]
ARTICLES = [Article(f"a-{n}", f"{n}. Acme pays Anna.") for n in range(5)]


@dataclass
class Finder:
    """A model made of a pattern: whatever matches is a DONOR, each surer than the one before."""

    pattern: str = "Acme"
    labels: tuple[str, ...] = ("DONOR",)
    info: dict[str, Any] = field(default_factory=lambda: {"name": "finder", "files": {"a": "1"}})

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        for text in texts:
            if "PANIC" in text:
                raise RuntimeError("out of memory")
            yield [
                Span(*m.span(), self.labels[0], m[0], 1 - 0.5 / n)
                for n, m in enumerate(re.finditer(self.pattern, text), start=1)
            ]


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test waits for is on this machine."""
    monkeypatch.setattr(push_module, "_LOOKS", (0.1, 0.8))


def exported(server, project: str) -> list[dict[str, Any]]:
    """The tasks of a project as the server exports them, with whole predictions."""
    number = server.find_project(project).id
    predictions = list(server.sdk.predictions.list(project=number))
    return [
        {**task, "predictions": [p for p in predictions if p.task == task["id"]]}
        for task in server.sdk.projects.exports.as_json(number)
    ]


def send(server, project: str, articles: Sequence[Article], **options: Any):
    return push(server, server.find_project(project), articles, **options)


def counts(server, project: str) -> tuple[Counter[str], set[int]]:
    """How often each article is there; the numbers of predictions of tasks."""
    tasks = exported(server, project)
    return Counter(t["data"]["id"] for t in tasks), {len(t["predictions"]) for t in tasks}


# what arrives


def test_texts_and_offsets_arrive_exactly(server, project: str) -> None:
    """Each text is what was sent, and each prediction slices the words that the model found."""
    articles = [Article(f"odd-{n}", text, (), {"n": n, "by": None}) for n, text in enumerate(ODD)]
    pushed = send(server, project, articles, tagger=Finder())
    assert (len(ODD), 0, 0) == (pushed.new, pushed.present, pushed.predictions)
    tasks = exported(server, project)
    assert [({"id": a.id, "text": a.text}, a.meta) for a in articles] == [
        (task["data"], task["meta"]) for task in tasks
    ]
    for task in tasks:
        (prediction,) = task["predictions"]
        text, values = task["data"]["text"], [r["value"] for r in prediction.result]
        expected = [m.span() for m in re.finditer("Acme", text)]
        assert expected == [(v["start"], v["end"]) for v in values]
        assert {"Acme"} == {text[v["start"] : v["end"]] for v in values}
        assert all(v["labels"] == ["DONOR"] for v in values)


def test_suggestions_have_scores_and_the_version(server, project: str) -> None:
    """Of each span and of the whole, which is their mean; an article without spans is sure."""
    articles = [Article("a", "Acme, Acme"), Article("b", "nobody")]
    tagger = Finder()
    pushed = send(server, project, articles, tagger=tagger)
    (first,), (second,) = (task["predictions"] for task in exported(server, project))
    assert [0.5, 0.75] == [region["score"] for region in first.result]
    assert (0.625, 1.0) == (first.score, second.score)
    assert [] == second.result
    assert {model_version(tagger)} == {first.model_version, second.model_version, pushed.version}


def test_pushing_twice_sends_nothing_new(server, project: str) -> None:
    """Neither tasks nor predictions; a new article among known ones goes alone."""
    tagger = Finder()
    send(server, project, ARTICLES[:3], tagger=tagger)
    again = send(server, project, ARTICLES, tagger=tagger)
    assert (2, 3, 0) == (again.new, again.present, again.predictions)
    assert (Counter(a.id for a in ARTICLES), {1}) == counts(server, project)
    third = send(server, project, ARTICLES, tagger=tagger)
    assert (0, 5, 0) == (third.new, third.present, third.predictions)
    assert (Counter(a.id for a in ARTICLES), {1}) == counts(server, project)


def test_a_second_model_adds_predictions_and_is_shown(server, project: str) -> None:
    """Those of the first stay, and so does what somebody annotated."""
    first, second = Finder(), Finder("Anna", info={"name": "finder", "files": {"a": "2"}})
    send(server, project, ARTICLES, tagger=first)
    task = exported(server, project)[0]["id"]
    server.sdk.annotations.create(id=task, result=[], ground_truth=False)
    pushed = send(server, project, ARTICLES, tagger=second)
    assert (0, 5, 5) == (pushed.new, pushed.present, pushed.predictions)
    tasks = exported(server, project)
    versions = [model_version(first), model_version(second)]
    assert len(set(versions)) == 2
    assert all(versions == [p.model_version for p in t["predictions"]] for t in tasks)
    assert {"Acme", "Anna"} == {r["value"]["text"] for r in _regions(tasks)}
    assert [1, 0, 0, 0, 0] == [len(t["annotations"]) for t in tasks]
    number = server.find_project(project).id
    assert versions[1] == server.sdk.projects.get(number).model_version


def _regions(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [region for t in tasks for p in t["predictions"] for region in p.result]


def test_articles_go_alone_and_get_predictions_later(server, project: str) -> None:
    """Without a model there is no prediction; with one they are added."""
    alone = send(server, project, ARTICLES)
    assert (None, 5, 0) == (alone.version, alone.new, alone.predictions)
    assert {0} == counts(server, project)[1]
    pushed = send(server, project, ARTICLES, tagger=Finder())
    assert (0, 5, 5) == (pushed.new, pushed.present, pushed.predictions)
    assert (Counter(a.id for a in ARTICLES), {1}) == counts(server, project)


def test_tasks_made_elsewhere_are_known_by_their_text(server, project: str) -> None:
    """Without an id, with a number for one, or under another id, which is noted."""
    number = server.find_project(project).id
    texts = [{"text": "Acme"}, {"text": "Anna", "id": 7}, {"text": "Bob", "id": "x"}]
    server.sdk.projects.import_tasks(number, request=[{"data": data} for data in texts])
    articles = [Article("a", "Acme"), Article("7", "Anna"), Article("c", "Bob")]
    pushed = send(server, project, articles, tagger=Finder())
    assert (0, 3, 3) == (pushed.new, pushed.present, pushed.predictions)
    assert [("other-id", "c")] == [(n.kind, n.article) for n in pushed.notes]
    assert "its text is there as x, task" in pushed.notes[0].message
    assert texts == [task["data"] for task in exported(server, project)]


def test_an_id_that_has_another_text_is_a_fault(server, project: str) -> None:
    """Neither is the task overwritten nor a second one made; the rest goes on."""
    send(server, project, [Article("a", "one")])
    pushed = send(server, project, [Article("a", "another"), Article("b", "two")])
    assert (1, 0) == (pushed.new, pushed.present)
    (fault,) = pushed.faults
    assert "article a: task" in str(fault)
    assert "has this id and another text" in str(fault)
    assert ["one", "two"] == [task["data"]["text"] for task in exported(server, project)]


def test_an_article_that_stands_twice_is_noted(server, project: str) -> None:
    """Who made a second task of it is named by the tasks; both get the prediction."""
    number = server.find_project(project).id
    server.sdk.projects.import_tasks(number, request=[{"data": {"text": "A", "id": "a"}}] * 2)
    pushed = send(server, project, [Article("a", "A")], tagger=Finder())
    assert ["doubled"] == [note.kind for note in pushed.notes]
    assert "stands more than once in the project: tasks " in pushed.notes[0].message
    assert (Counter({"a": 2}), {1}) == counts(server, project)


def test_labels_that_the_project_lacks_are_named(server, project: str) -> None:
    """Nothing is sent; the message says what to do."""
    tagger = Finder(labels=("DONOR", "CITY", "PERSON"))
    with pytest.raises(InputError, match="lacks labels that the model gives: CITY, PERSON") as told:
        send(server, project, ARTICLES, tagger=tagger)
    assert "without --model articles go alone" in str(told.value)
    assert [] == exported(server, project)


@pytest.fixture
def foreign(server) -> Iterator[str]:
    """A project whose interface was made elsewhere."""
    title = f"foreign {secrets.token_hex(4)}"
    interface = (
        '<View><Text name="body" value="$story"/><Labels name="ner" toName="body">'
        '<Label value="DONOR"/></Labels></View>'
    )
    made = server.sdk.projects.create(title=title, label_config=interface)
    yield title
    server.sdk.projects.delete(made.id)


def test_the_names_of_the_interface_are_used(server, foreign: str) -> None:
    """Its elements and its field of the text."""
    send(server, foreign, ARTICLES[:1], tagger=Finder())
    again = send(server, foreign, ARTICLES[:1], tagger=Finder())
    assert (0, 1, 0) == (again.new, again.present, again.predictions)
    (task,) = exported(server, foreign)
    assert {"id": "a-0", "story": ARTICLES[0].text} == task["data"]
    (region,) = task["predictions"][0].result
    assert ("ner", "body") == (region["from_name"], region["to_name"])
    (found,) = server.sdk.projects.exports.as_json(server.find_project(foreign).id)
    assert 1 == len(found["predictions"])


def test_an_article_that_the_model_fails_on_is_sent_without_prediction(
    server, project: str
) -> None:
    """It is named; a later model that does not fail adds what lacks."""
    articles = [ARTICLES[0], Article("bad", "PANIC, Acme"), ARTICLES[1]]
    pushed = send(server, project, articles, tagger=Finder())
    assert 3 == pushed.new
    assert [("bad", "RuntimeError: out of memory")] == [
        (failure.article, failure.reason) for failure in pushed.failures
    ]
    tasks = exported(server, project)
    assert [1, 0, 1] == [len(task["predictions"]) for task in tasks]
    again = send(server, project, articles, tagger=Finder())
    assert (0, 0, ["bad"]) == (again.new, again.predictions, [f.article for f in again.failures])
    alone = send(server, project, [articles[1]], tagger=Finder())
    assert ["bad"] == [failure.article for failure in alone.failures]


def test_requests_stay_small(server, project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By number of articles and by length; one that is too long goes alone."""
    monkeypatch.setattr(push_module, "_MOST_ARTICLES", 3)
    monkeypatch.setattr(push_module, "_MOST_BYTES", 100)
    lengths = [10, 10, 10, 10, 95, 4, 300, 5]
    articles = [Article(str(n), f"{n}" + "é" * (x // 2)) for n, x in enumerate(lengths)]
    batches = list(push_module._batches(articles))
    assert [["0", "1", "2"], ["3"], ["4", "5"], ["6"], ["7"]] == [
        [a.id for a in b] for b in batches
    ]
    assert 8 == send(server, project, articles).new
    assert articles == [
        Article(t["data"]["id"], t["data"]["text"]) for t in exported(server, project)
    ]


def test_progress_counts_what_is_to_be_done(
    server, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not what was there; tagging and sending each reach the total."""
    monkeypatch.setattr(push_module, "_MOST_ARTICLES", 2)
    told: list[tuple[str, int]] = []

    class Told:
        def begin(self, *, articles: int, tagging: bool) -> None:
            told.append((f"begin {tagging}", articles))

        def tagged(self, articles: int) -> None:
            told.append(("tagged", articles))

        def sent(self, articles: int) -> None:
            told.append(("sent", articles))

    send(server, project, ARTICLES[:2])
    send(server, project, ARTICLES[:4], progress=Told())
    assert [("begin False", 2), ("sent", 2)] == told
    told.clear()
    send(server, project, ARTICLES, progress=Told(), tagger=Finder())
    pairs = [(what, n) for n in (2, 2, 1) for what in ("tagged", "sent")]
    assert [("begin True", 5), *pairs] == told


# broken connections


class Proxy(ThreadingHTTPServer):
    """An HTTP proxy before the server, which does to a request what `fault` says.

    None passes it on; `dropped` closes without passing it on; `lost` closes once the server has
    answered; `late` closes at once and passes it on a little later; a number is answered.
    """

    daemon_threads = True

    def __init__(self, to: str) -> None:
        self.to = to
        self.fault: Callable[[str], str | int | None] = lambda _: None
        self.imports: list[str] = []
        super().__init__(("127.0.0.1", 0), _Passing)
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Passing(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = None
        if self.command == "POST" and "/import" in self.path:
            self.server.imports.append(self.path)
            fault = self.server.fault(self.path)
        elif self.server.fault("") == "gone":
            fault = "dropped"
        if fault == "late":
            threading.Timer(0.3, self.ask, [body]).start()
        if isinstance(fault, int):
            self.answer(fault, b"{}")
        elif fault in ("dropped", "late", "gone"):
            self.close()
        else:
            answered = self.ask(body)
            if fault == "lost":
                self.close()
            else:
                self.answer(answered.status_code, answered.content)

    def ask(self, body: bytes) -> httpx.Response:
        kept = {"authorization", "content-type"}
        headers = {k: v for k, v in self.headers.items() if k.lower() in kept}
        return httpx.request(
            self.command, self.server.to + self.path, content=body, headers=headers, timeout=60
        )

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def close(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_POST = do_PATCH = pass_on  # noqa: N815 - the names are the library's


@pytest.fixture
def proxy(running) -> Iterator[Proxy]:
    """A proxy before the real server."""
    with Proxy(running.url) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def through(proxy: Proxy, running):
    """The server, reached through the proxy."""
    return connect(proxy.url, running.token)


def once(fault: str) -> Callable[[str], str | None]:
    """A fault of the second import only."""
    imports = iter([None, fault])
    return lambda path: next(imports, None) if path else None


@pytest.mark.parametrize(
    ("fault", "there"),
    [
        ("dropped", ""),
        ("lost", ""),
        ("late", ""),
        ("lost", "there"),
    ],
)
def test_a_broken_connection_doubles_nothing(
    fault: str,
    there: str,
    *,
    server,
    through,
    proxy: Proxy,
    project: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whether or not the server took a request whose answer is lost: each article is there once.

    The same holds for predictions that are added to tasks that were there.
    """
    monkeypatch.setattr(push_module, "_MOST_ARTICLES", 2)
    if there:
        send(server, project, ARTICLES)
    proxy.fault = once(fault)
    pushed = send(through, project, ARTICLES, tagger=Finder())
    assert (0, 5, 5) if there else (5, 0, 0) == (pushed.new, pushed.present, pushed.predictions)
    assert [] == pushed.notes
    assert (Counter(a.id for a in ARTICLES), {1}) == counts(server, project)
    assert (3 if fault in ("lost", "late") else 4) == len(proxy.imports)


def test_after_a_server_went_away_the_rest_is_sent(
    server, through, proxy: Proxy, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command gives up, says what to do, and the next time sends what lacks."""
    monkeypatch.setattr(push_module, "_MOST_ARTICLES", 2)
    gone = threading.Event()

    def fault(path: str) -> str | None:
        if path and len(proxy.imports) == 2:
            gone.set()
            return "lost"
        return "gone" if gone.is_set() else None

    proxy.fault = fault
    with pytest.raises(ServerError, match="out of reach") as told:
        send(through, project, ARTICLES, tagger=Finder())
    assert "run the command again" in str(told.value)
    assert 2 == len(proxy.imports)
    pushed = send(server, project, ARTICLES, tagger=Finder())
    assert (1, 4, 0) == (pushed.new, pushed.present, pushed.predictions)
    assert (Counter(a.id for a in ARTICLES), {1}) == counts(server, project)


@pytest.mark.parametrize(("status", "times"), [(400, 1), (413, 1), (504, 1), (503, 2)])
def test_a_lasting_refusal_ends_the_push(
    status: int,
    times: int,
    *,
    server,
    through,
    proxy: Proxy,
    project: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What will not pass is not tried again; what may pass, a few times."""
    monkeypatch.setattr(push_module, "_TIMES", 2)
    proxy.fault = lambda path: status if path else None
    with pytest.raises(ServerError, match=f"with {status}: send 5 articles"):
        send(through, project, ARTICLES)
    assert times == len(proxy.imports)
    assert [] == exported(server, project)


def test_what_was_taken_and_is_not_there_is_said(through, proxy: Proxy, project: str) -> None:
    """An answer of success is no proof."""
    proxy.fault = lambda path: 201 if path else None
    with pytest.raises(ServerError, match="does not have them: a-0, a-1"):
        send(through, project, ARTICLES)


# versions and scores


def test_a_version_differs_between_two_models_and_not_between_two_places() -> None:
    """The name, and a digest of what spans and scores follow from."""
    info = {"name": "aid", "files": {"model.onnx": "1"}, "calibration": None, "folder": "a"}

    def version(**changes: Any) -> str:
        return model_version(Finder(info={**info, **changes}))

    assert re.fullmatch("aid-[0-9a-f]{8}", version())
    assert version() == version(folder="b")
    assert version() == version(scores={"dev": 1})
    others = [version(files={"model.onnx": "2"}), version(calibration={"raw": [0.5]})]
    assert 3 == len({version(), *others})
    assert model_version(Finder(info={})) != model_version(Finder(labels=("B",), info={}))


def test_a_version_of_a_checkpoint_follows_its_weights(tmp_path: Path) -> None:
    """A checkpoint has no digests of its own."""

    def version(folder: str, weights: bytes) -> str:
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "model.safetensors").write_bytes(weights)
        provenance = {"config": {"name": "aid"}}
        return model_version(
            Finder(info={"folder": str(tmp_path / folder), "provenance": provenance})
        )

    assert version("a", b"1").startswith("aid-")
    assert version("a", b"1") == version("b", b"1") != version("c", b"2")


def test_the_score_of_an_article_is_the_mean_of_its_spans() -> None:
    """Spans of people are sure."""
    span = Span(0, 1, "A", "a", 0.5)
    assert 0.75 == article_score([span, replace(span, score=None)])
    assert 1.0 == article_score([])


# the command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three articles to send, and a file that is none."""
    (tmp_path / "in").mkdir()
    for n, article in enumerate(ARTICLES[:3]):
        (tmp_path / "in" / f"{n}.txt").write_bytes(article.text.encode())
    (tmp_path / "in" / "page.html").write_bytes(b"<html></html>")
    return tmp_path / "in"


@pytest.mark.usefixtures("environment")
def test_the_command_sends_articles_with_a_models_spans(
    presstag, server, project: str, folder: Path, tiny_model: Path
) -> None:
    """It says what was sent, lists each fault, and where to annotate; exit code 1 for the fault."""
    ran = presstag("label", "push", folder, "--project", project, "--model", tiny_model)
    assert 1 == ran.code, ran.err
    version = model_version(load_bundle(tiny_model))
    assert f"3 new articles sent with suggestions of {version}, 0 were there (0 of" in ran.out
    assert "1 faults" in ran.out
    address = server.address(server.find_project(project))
    assert f"next: annotate them at {address}/data" in ran.out
    assert f"error: {folder}/page.html: no article is found in this page" in ran.err
    tasks = exported(server, project)
    assert {a.text for a in ARTICLES[:3]} == {task["data"]["text"] for task in tasks}
    assert {version} == {p.model_version for t in tasks for p in t["predictions"]}
    again = presstag("label", "push", folder / "0.txt", "--project", project, "--model", tiny_model)
    assert 0 == again.code, again.err
    assert f"0 new articles sent with suggestions of {version}, 1 were there" in again.out


@pytest.mark.usefixtures("environment")
def test_the_command_gives_everything_as_json(presstag, project: str, folder: Path) -> None:
    """Figures, faults with what to do, and notes."""
    (folder / "copy.txt").write_bytes(ARTICLES[0].text.encode())
    ran = presstag("label", "push", folder, "--project", project, "--json")
    told = json.loads(ran.out)
    assert 1 == ran.code
    assert (3, 0, 0, None) == tuple(
        told[key] for key in ("new", "present", "predictions", "model_version")
    )
    assert [f"{folder}/page.html"] == [fault["where"] for fault in told["faults"]]
    assert ["same-text"] == [note["kind"] for note in told["notes"]]
    assert project == told["title"]


@pytest.mark.usefixtures("environment")
def test_the_command_takes_columns_of_a_table(
    presstag, server, project: str, tmp_path: Path
) -> None:
    """A wrong column is exit code 1 and lists those there are."""
    path = tmp_path / "a.csv"
    path.write_text("slug,body,desk\ns-1,Acme pays,world\n", encoding="utf-8")
    ran = presstag("label", "push", path, "--project", project)
    assert 1 == ran.code
    assert "expected: one of those there are: slug, body, desk" in ran.err
    columns = ("--text-column", "body", "--id-column", "slug")
    ran = presstag("label", "push", path, "--project", project, *columns)
    assert 0 == ran.code, ran.err
    (task,) = exported(server, project)
    assert {"id": "s-1", "text": "Acme pays"} == task["data"]
    assert {"desk": "world"} == task["meta"]


@pytest.mark.usefixtures("environment")
def test_the_command_names_what_the_model_fails_on(
    presstag, project: str, folder: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The article is sent without suggestions: exit code 1."""
    from presstag.tagger import Tagger

    def broken(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(Tagger, "score_units", broken)
    ran = presstag("label", "push", folder / "0.txt", "--project", project, "--model", tiny_model)
    assert 1 == ran.code
    assert "article 0: sent without suggestions: the model fails on every article" in ran.err
    assert "1 new articles sent" in ran.out


@pytest.mark.slow
def test_two_thousand_articles_go_in_under_a_minute(server, project: str) -> None:
    """Listing, sending with suggestions, and the proof that all are there."""
    text = "Acme pays Anna. " * 8 + "The council met and talked about roads. " * 60
    articles = [Article(f"many-{n}", f"{n}. {text}") for n in range(2000)]
    begin = time.perf_counter()
    pushed = send(server, project, articles, tagger=Finder())
    assert time.perf_counter() - begin < 60
    assert 2000 == pushed.new
