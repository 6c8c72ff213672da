"""What people set in Label Studio arrives in the file, and nothing else changes it."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from presstag.corpus import read_corpus
from presstag.corpus.tasks import to_prediction, to_task
from presstag.spans import Article, Span

if TYPE_CHECKING:
    from presstag.labelstudio.client import Server

Presstag = Callable[..., Any]
TEXT = "Norway gave tanks. Iceland paid for boats."
DIFFICULT = {
    "emoji": "😀 Norway 🚀gave tanks",
    "zwj": "👨‍👩‍👧 Norway 🏳️‍🌈 gave tanks",
    "combining": "Cafe\u0301 owner Jose\u0301: Norway gave tanks",
    "crlf": "first\r\n\r\nNorway\r\ngave tanks",
    "lone-cr": "first\rNorway gave\rtanks",
    "non-bmp": "𠮷𠮷 Norway 𝕏 gave tanks",
    "html": "<b>Nor</b> & &amp; <br/>Norway gave <i>tanks</i></script>",
    "blanks": "a\tb\u00a0Norway\u3000gave\u2028tanks\u2029",
    "invisible": "\ufeffa\u200bNorway\u00ad gave tanks",
    "ends": "Norway gave tanks",
}


def article(name: str, text: str) -> Article:
    """An article with its DONOR and its SYSTEM."""
    found = [(text.index(w), w, label) for w, label in (("Norway", "DONOR"), ("tanks", "SYSTEM"))]
    return Article(name, text, tuple(Span(s, s + len(w), label, w) for s, w, label in found))


def region(start: int, end: int, label: str = "DONOR", **more: Any) -> dict[str, Any]:
    """A region of `TEXT` as the editor makes one."""
    value = {"start": start, "end": end, "text": TEXT[start:end], "labels": [label]}
    return {
        "id": f"r{start}-{end}",
        "from_name": "label",
        "to_name": "text",
        "type": "labels",
        "value": value,
        **more,
    }


@dataclass
class Desk:
    """A project, the file that it is pulled to, and hands to annotate with."""

    server: Server
    title: str
    path: Path

    @property
    def number(self) -> int:
        """The project's."""
        return self.server.find_project(self.title).id

    def put(self, *tasks: dict[str, Any]) -> list[int]:
        """Import tasks; a text alone will do."""
        made = self.server.sdk.projects.import_tasks(
            id=self.number, request=list(tasks), return_task_ids=True
        )
        return list(made.task_ids)

    def put_text(self, *names: str) -> list[int]:
        """Import `TEXT` under some ids."""
        return self.put(*({"data": {"id": name, "text": TEXT}} for name in names))

    def set(self, task: int, *regions: dict[str, Any], **more: Any) -> int:
        """Annotate a task."""
        more = {"was_cancelled": False, "ground_truth": False, **more}
        return self.server.sdk.annotations.create(id=task, result=list(regions), **more).id

    def accept(self) -> None:
        """Make annotations of all predictions."""
        every = {"all": True, "excluded": []}
        self.server.sdk.actions.create(
            id="predictions_to_annotations", project=self.number, selected_items=every
        )

    def pull(self) -> Any:
        """As the command does."""
        from presstag.labelstudio.pull import pull

        return pull(self.server, self.server.find_project(self.title), self.path)

    @property
    def rows(self) -> dict[str, Any]:
        """The file's tasks by id."""
        read = json.loads(self.path.read_text("utf-8"))
        return {str(row["data"].get("id")): row for row in read}

    @property
    def lines(self) -> list[str]:
        """The file's lines."""
        return self.path.read_bytes().decode().split("\n")

    def beside(self, kind: str) -> list[Any]:
        """What stands in a file beside it; nothing where there is none."""
        path = self.path.with_name(f"export.{kind}")
        if not path.exists():
            return []
        text = path.read_text("utf-8")
        return json.loads(text) if kind == "gone.json" else list(map(json.loads, text.splitlines()))


@pytest.fixture
def desk(server: Server, project: str, tmp_path: Path) -> Desk:
    return Desk(server, project, tmp_path / "pulled" / "export.json")


@pytest.fixture(scope="session")
def bob(server: Server) -> int:
    """The number of a second annotator."""
    return server.sdk.users.create(email="bob@example.com", username="bob", first_name="B").id


def test_spans_are_exact_whatever_the_text_holds(desk: Desk) -> None:
    """Import, accept the suggestion, pull: texts, offsets and scores are those that were sent."""
    sent = [article(name, text) for name, text in DIFFICULT.items()]
    scored = [[Span(*s.key, s.text, 0.75) for s in a.spans] for a in sent]
    tasks = [
        {"data": {"id": a.id, "text": a.text}, "predictions": [prediction]}
        for a, spans in zip(sent, scored, strict=True)
        for prediction in [to_prediction(a, spans, model="m-1", score=0.5)]
    ]
    random.Random(3).shuffle(tasks)
    desk.put(*tasks)
    desk.accept()
    pulled = desk.pull()
    assert () == pulled.corpus.findings
    assert sorted(sent, key=lambda a: a.id) == list(read_corpus(desk.path).articles)
    for row in desk.rows.values():
        (annotation,) = row["annotations"]
        assert {"model_version": "m-1"} == annotation["prediction"]
        assert [0.75, 0.75] == [r["score"] for r in annotation["result"]]


def test_kinds_of_annotation_are_told_apart(desk: Desk, bob: int, running: Any) -> None:
    """Several annotators, ground truth, skipped, empty, drafts and untouched tasks."""
    both, judged, skipped, empty, draft, _ = desk.put_text("e", "d", "c", "b", "a", "0")
    desk.set(both, region(0, 6))
    desk.set(both, region(0, 6), region(19, 26), completed_by=bob)
    desk.set(judged, region(0, 6), ground_truth=True)
    desk.set(judged, completed_by=bob)
    desk.set(skipped, region(0, 6), was_cancelled=True)
    desk.set(empty)
    httpx.post(
        f"{running.url}/api/tasks/{draft}/drafts",
        json={"result": [region(0, 6)], "lead_time": 1},
        headers={"Authorization": f"Token {running.token}"},
    ).raise_for_status()
    pulled = desk.pull()
    assert {
        "tasks": 6,
        "annotated": 3,
        "skipped": 1,
        "untouched": 2,
        "drafts": 1,
        "empty": 2,
        "annotators": {"admin@example.com": 4, "bob@example.com": 2},
        "spans": 3,
        "new": ["b", "c", "d", "e"],
    }.items() <= pulled.to_dict().items()
    assert ["b", "c", "d", "e"] == list(desk.rows)
    assert [True] == [a["was_cancelled"] for a in desk.rows["c"]["annotations"]]
    assert [True, False] == [a["ground_truth"] for a in desk.rows["d"]["annotations"]]
    corpus = read_corpus(desk.path)
    assert {"b": 0, "d": 1, "e": 2} == {a.id: len(a.spans) for a in corpus.articles}
    kinds = {(f.article, f.kind) for f in corpus.findings}
    expected = {("c", "skipped"), ("d", "several-annotators"), ("e", "several-annotators")}
    assert expected == kinds
    assert [] == desk.beside("findings.jsonl")


@pytest.mark.usefixtures("environment")
def test_the_other_commands_read_the_file(
    desk: Desk, bob: int, presstag: Presstag, tmp_path: Path
) -> None:
    """check, agreement and split take what pull wrote, of two annotators."""
    tasks = desk.put(*(to_task(article(f"a-{n}", f"Report {n * n}. {TEXT}")) for n in range(8)))
    for task in tasks:
        desk.set(task, completed_by=bob)
    ran = presstag("label", "pull", "--project", desk.title, "--out", desk.path)
    assert (0, "") == (ran.code, ran.err), ran.err
    assert "8 of 8 tasks are annotated, 0 skipped, 0 have no annotation\n" in ran.out
    assert "annotations by admin@example.com 8, bob@example.com 8\n" in ran.out
    assert f"wrote {desk.path}, 8 articles with" in ran.out
    assert f"next: presstag check {desk.path}, presstag agreement {desk.path}\n" in ran.out
    checked = json.loads(presstag("check", desk.path.parent, "--json").out)
    assert (["export"], 8) == (list(checked["splits"]), checked["together"]["articles"])
    agreed = json.loads(presstag("agreement", desk.path, "--json").out)
    assert {"admin@example.com", "bob@example.com"} == {
        who for d in agreed["disagreements"] for who in (d["annotator"], d["other"])
    }
    assert 0 == presstag("split", desk.path, tmp_path / "split").code
    assert 8 == sum(len(read_corpus(f).articles) for f in (tmp_path / "split").iterdir())


FAULTS = {
    "overlap": region(20, 26),
    "reversed": region(6, 0),
    "past-end": region(40, 60),
    "unknown-label": region(8, 11, "WRONG"),
    "blank": region(6, 7),
    "trimmed": region(12, 18, "SYSTEM", origin="manual"),
    "no-label": {**region(7, 9), "value": {"start": 7, "end": 9, "labels": []}},
    "offsets": {**region(7, 9), "value": {"start": "7", "end": 9, "labels": ["DONOR"]}},
}


def test_every_fault_is_listed_and_the_rest_kept(desk: Desk) -> None:
    """The file has the regions as they are; when they are mended the list goes."""
    (task,) = desk.put_text("a")
    FAULTS["trimmed"]["value"]["end"] = 19
    FAULTS["trimmed"]["value"]["text"] = "tanks. "
    relation = {"type": "relation", "from_id": "r0-6", "to_id": "r19-26", "direction": "right"}
    regions = [region(0, 6), region(19, 26), *FAULTS.values(), relation]
    number = desk.set(task, *regions)
    pulled = desk.pull()
    assert regions == desk.rows["a"]["annotations"][0]["result"]
    assert ["Norway", "tanks.", "Iceland"] == [s.text for s in pulled.corpus.articles[0].spans]
    listed = {f["kind"]: f["action"] for f in desk.beside("findings.jsonl")}
    assert dict.fromkeys(FAULTS, "rejected") | {"trimmed": "repaired"} == listed
    assert {f.kind for f in pulled.corpus.findings} == {*FAULTS, "other-type"}
    desk.server.sdk.annotations.update(id=number, result=[region(0, 6)])
    assert desk.pull().written
    assert [] == desk.beside("findings.jsonl")


@pytest.mark.usefixtures("environment")
def test_a_second_pull_writes_nothing(desk: Desk, presstag: Presstag) -> None:
    """Not even when the server counts and dates anew; its files keep their bytes and times."""
    one, two = desk.put_text("a", "b")
    desk.set(one, region(0, 6), region(5, 9))
    desk.set(two)
    command = ("label", "pull", "--project", desk.title, "--out", desk.path)
    assert "wrote" in presstag(*command).out

    def files() -> dict[str, tuple[bytes, int]]:
        every = desk.path.parent.iterdir()
        return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in every}

    before = files()
    assert {"export.json", "export.findings.jsonl"} == set(before)
    desk.server.sdk.predictions.create(task=one, model_version="m-2", result=[region(0, 6)])
    desk.put_text("c")
    ran = presstag(*command)
    assert (0, before) == (ran.code, files())
    assert f"unchanged: {desk.path}" in ran.out
    assert "since the last pull" not in ran.out
    told = json.loads(presstag(*command, "--json").out)
    assert (False, [], [], []) == tuple(told[k] for k in ("written", "new", "changed", "gone"))


def test_a_changed_annotation_is_a_changed_line(desk: Desk) -> None:
    """One, and the pull names the task; a new one is one line more."""
    numbers = [desk.set(task, region(0, 6)) for task in desk.put_text("a", "b", "c")]
    desk.pull()
    before = desk.lines
    desk.server.sdk.annotations.update(id=numbers[1], result=[region(0, 6), region(19, 26)])
    pulled = desk.pull()
    assert ((), ("b",), ()) == (pulled.new, pulled.changed, pulled.gone)
    assert [2] == [
        i for i, pair in enumerate(zip(before, desk.lines, strict=True)) if len({*pair}) > 1
    ]
    before = desk.lines
    desk.set(*desk.put_text("aa"))
    pulled = desk.pull()
    assert (("aa",), ()) == (pulled.new, pulled.changed)
    assert before == [*desk.lines[:2], *desk.lines[3:]]


@pytest.mark.usefixtures("environment")
def test_what_is_gone_from_the_project_is_kept_beside(desk: Desk, presstag: Presstag) -> None:
    """Deleted tasks and those without annotations are named; annotated again they come back."""
    one, two, three = desk.put_text("a", "b", "c")
    numbers = [desk.set(task, region(0, 6)) for task in (one, two, three)]
    desk.pull()
    before = desk.rows
    desk.server.sdk.tasks.delete(str(two))
    desk.server.sdk.annotations.delete(numbers[2])
    ran = presstag("label", "pull", "--project", desk.title, "--out", desk.path)
    assert "since the last pull: 0 new, 0 changed, 2 gone\n" in ran.out
    assert f"gone, and kept in {desk.path.with_name('export.gone.json')}: b, c\n" in ran.out
    assert (["a"], [before["b"], before["c"]]) == (list(desk.rows), desk.beside("gone.json"))
    assert not desk.pull().written
    assert ["export"] == list(
        json.loads(presstag("check", desk.path.parent, "--json").out)["splits"]
    )
    desk.set(three, region(19, 26))
    assert ("c",) == desk.pull().new
    assert (["a", "c"], [before["b"]]) == (list(desk.rows), desk.beside("gone.json"))
    desk.set(*desk.put_text("b"))
    desk.pull()
    assert (["a", "b", "c"], []) == (list(desk.rows), desk.beside("gone.json"))
    assert not desk.path.with_name("export.gone.json").exists()


def test_the_model_stays_known_when_predictions_are_deleted(desk: Desk) -> None:
    """Its version stands with the annotation that began with its suggestion."""
    suggested = {"model_version": "m-1", "result": [region(0, 6, score=0.5)]}
    desk.put({"data": {"id": "a", "text": TEXT}, "predictions": [suggested]})
    desk.accept()
    desk.set(*desk.put_text("b"), region(0, 6))
    desk.pull()
    for prediction in desk.server.sdk.predictions.list(project=desk.number):
        desk.server.sdk.predictions.delete(prediction.id)
    assert not desk.pull().written
    found = {name: row["annotations"][0].get("prediction") for name, row in desk.rows.items()}
    assert {"a": {"model_version": "m-1"}, "b": None} == found


def test_a_text_under_another_name_is_written_as_text(server: Server, tmp_path: Path) -> None:
    """A field called text takes its place: nothing is lost."""
    from presstag.labelstudio.interface import labelling_interface

    interface = labelling_interface(["DONOR"]).replace("$text", "$body")
    made = server.sdk.projects.create(title="another name", label_config=interface)
    try:
        desk = Desk(server, "another name", tmp_path / "export.json")
        tasks = desk.put(
            {"data": {"text": "a headline", "body": TEXT}, "meta": {"voice": "agency"}},
            {"data": {"body": TEXT}},
        )
        for task in tasks:
            desk.set(task, region(0, 6))
        pulled = desk.pull()
        one, two = json.loads(desk.path.read_text("utf-8"))
        assert {"text": TEXT, "body": "a headline"} == one["data"]
        assert ({"text": TEXT}, {"voice": "agency"}) == (two["data"], one["meta"])
        assert ["Norway", "Norway"] == [s.text for a in pulled.corpus.articles for s in a.spans]
        assert list(map(str, tasks)) == [a.id for a in read_corpus(desk.path).articles]
    finally:
        server.sdk.projects.delete(made.id)


@pytest.mark.usefixtures("environment")
def test_nothing_annotated_writes_nothing(desk: Desk, presstag: Presstag) -> None:
    """And says so; the folder is not made either."""
    desk.put_text("a")
    ran = presstag("label", "pull", "--project", desk.title, "--out", desk.path)
    assert (0, "") == (ran.code, ran.err)
    assert "nobody has annotated anything" in ran.out
    assert not desk.path.parent.exists()


@pytest.mark.usefixtures("environment")
def test_another_file_is_not_overwritten(desk: Desk, presstag: Presstag, tmp_path: Path) -> None:
    """What is none of Label Studio's tasks stays as it is: a message, exit code 2."""
    path = tmp_path / "other.json"
    for content in (b"no JSON", b"{}", b'[{"text": "a"}]', b'[{"data": {}}]', b"\xff"):
        path.write_bytes(content)
        ran = presstag("label", "pull", "--project", desk.title, "--out", path)
        assert (2, "") == (ran.code, ran.out)
        assert "holds no tasks of Label Studio" in ran.err
        assert [content] == [p.read_bytes() for p in tmp_path.iterdir()]


@pytest.mark.usefixtures("environment")
def test_the_default_place_is_named_after_the_project(
    server: Server,
    presstag: Presstag,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever its title holds, it stays below annotations/; a number finds it as well."""
    from presstag.labelstudio.interface import labelling_interface

    monkeypatch.chdir(tmp_path)
    made = server.sdk.projects.create(
        title="../aid: é/1", label_config=labelling_interface(["DONOR"])
    )
    try:
        (task,) = Desk(server, "../aid: é/1", tmp_path).put_text("a")
        server.sdk.annotations.create(id=task, result=[], was_cancelled=False)
        ran = presstag("label", "pull", "--project", made.id)
        assert 0 == ran.code, ran.err
        assert ["annotations/aid-é-1/export.json"] == [
            str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.json")
        ]
    finally:
        server.sdk.projects.delete(made.id)


@pytest.mark.usefixtures("environment")
def test_a_place_that_cannot_be_written_is_named(
    desk: Desk, presstag: Presstag, tmp_path: Path
) -> None:
    """A file where a folder should be: a message, exit code 2."""
    desk.set(*desk.put_text("a"))
    (tmp_path / "file").write_text("", encoding="utf-8")
    path = tmp_path / "file" / "export.json"
    ran = presstag("label", "pull", "--project", desk.title, "--out", path)
    assert (2, "") == (ran.code, ran.out)
    assert f"error: {path}: cannot be written: " in ran.err


def test_tasks_stand_in_an_order_that_stays() -> None:
    """Numbers by their size, then names, then tasks without an id of theirs; each once by name."""
    pytest.importorskip("label_studio_sdk")
    from presstag.labelstudio.rows import by_name, place

    own = [2, 10, "10", "a", "a", None, None]
    rows = [
        {"id": number, "data": {} if name is None else {"id": name}, "annotations": []}
        for number, name in enumerate(own, start=5)
    ]
    shuffled = random.Random(1).sample(rows, len(rows))
    assert rows == sorted(shuffled, key=place)
    assert ["2", "10", "10", "a", "a", "10", "11"] == [name[1] for name in by_name(rows)]


@dataclass
class Proxy:
    """A way to the server that can be made to fail.

    Attributes:
        faults: by the beginning of a path, what befalls its next calls: a status, or `cut` for a
            connection that breaks off in the middle of the answer.
        asked: the paths asked for.
    """

    url: str
    faults: dict[str, list[int | str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def fault(self, path: str) -> int | str | None:
        """What befalls this call."""
        self.asked.append(path)
        coming = next((f for start, f in self.faults.items() if path.startswith(start)), [])
        return coming.pop(0) if coming else None


@pytest.fixture
def proxy(running: Any) -> Iterator[Proxy]:
    proxy = Proxy("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fault = proxy.fault(self.path)
            if isinstance(fault, int):
                status, body = fault, b"<html>Sorry</html>"
            else:
                status, body = self.forward()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if fault == "cut" else body)

        def forward(self) -> tuple[int, bytes]:
            headers = {"Authorization": self.headers["Authorization"]}
            answer = httpx.get(running.url + self.path, headers=headers, timeout=60)
            return answer.status_code, answer.content

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        proxy.url = f"http://127.0.0.1:{served.server_port}"
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield proxy
        served.shutdown()
        thread.join()


@pytest.fixture
def through(
    desk: Desk, proxy: Proxy, presstag: Presstag, running: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Any]:
    """Pull the desk's project by the command, through the proxy."""
    monkeypatch.setenv("LABEL_STUDIO_URL", proxy.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", running.token)
    return lambda: presstag("label", "pull", "--project", desk.title, "--out", desk.path)


@pytest.mark.parametrize(
    "case",
    [
        ("/api/projects/{}/export", ["cut"] * 4, "out of reach: export project"),
        ("/api/users", ["cut", 502, 500, 500], "the server failed with 500: list users"),
    ],
)
def test_a_failing_server_leaves_the_file(
    case: tuple[str, list[int | str], str], desk: Desk, proxy: Proxy, through: Callable[[], Any]
) -> None:
    """One message and exit code 2; the file is as it was; once the server is back a rerun works."""
    path, faults, said = case
    one, two = desk.put_text("a", "b")
    desk.set(one, region(0, 6))
    desk.pull()
    before = desk.path.read_bytes()
    desk.set(two, region(0, 6))
    proxy.faults[path.format(desk.number)] = faults
    ran = through()
    assert (2, "") == (ran.code, ran.out)
    assert 1 == ran.err.count("error: ")
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert {desk.path: before} == {p: p.read_bytes() for p in desk.path.parent.iterdir()}
    ran = through()
    assert (0, "") == (ran.code, ran.err)
    assert "since the last pull: 1 new, 0 changed, 0 gone" in ran.out


def test_a_broken_connection_is_tried_again(
    desk: Desk, proxy: Proxy, through: Callable[[], Any]
) -> None:
    """Each of the calls that a pull makes; the user hears nothing of it."""
    suggested = {"model_version": "m-1", "result": [region(0, 6, score=0.5)]}
    desk.put({"data": {"id": "a", "text": TEXT}, "predictions": [suggested]})
    desk.accept()
    calls = (
        f"/api/projects/{desk.number}/export",
        "/api/projects/?",
        "/api/users",
        "/api/predictions",
    )
    proxy.faults = {call: ["cut"] for call in calls}
    ran = through()
    assert (0, "") == (ran.code, ran.err)
    assert {"model_version": "m-1"} == desk.rows["a"]["annotations"][0]["prediction"]
    assert {} == {call: left for call, left in proxy.faults.items() if left}


def test_who_may_not_see_the_others_gets_their_numbers(
    desk: Desk, bob: int, proxy: Proxy, through: Callable[[], Any]
) -> None:
    """Where the server refuses to list them."""
    desk.set(*desk.put_text("a"), completed_by=bob)
    proxy.faults["/api/users"] = [403]
    assert 0 == through().code
    assert bob == desk.rows["a"]["annotations"][0]["completed_by"]


@pytest.mark.slow
def test_two_thousand_tasks_take_less_than_a_minute(desk: Desk) -> None:
    """With eight spans each, and suggestions that they came from."""
    import time

    text = TEXT * 40
    regions = [
        {**region(0, 6), "id": f"r{n}", "value": {"start": at, "end": at + 6, "labels": ["DONOR"]}}
        for n, at in enumerate(range(0, 8 * len(TEXT), len(TEXT)))
    ]
    suggested = {"model_version": "m-1", "result": regions}
    desk.put(
        *(
            {"data": {"id": f"{n:04}", "text": text}, "predictions": [suggested]}
            for n in range(2000)
        )
    )
    desk.accept()
    began = time.monotonic()
    pulled = desk.pull()
    took = time.monotonic() - began
    assert (2000, 16_000) == (len(pulled.new), pulled.to_dict()["spans"])
    assert took < 60
