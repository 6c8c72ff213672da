"""The ML backend, asked over HTTP and by a real Label Studio."""

from __future__ import annotations

import base64
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("label_studio_sdk")

import httpx
import uvicorn
from fastapi import FastAPI
from label_studio_sdk.core.api_error import ApiError

from presstag import load
from presstag.labelstudio import served as served_module
from presstag.labelstudio.backend import make_backend
from presstag.labelstudio.interface import Interface, labelling_interface
from presstag.labelstudio.retrain import Retrainer
from presstag.labelstudio.served import Served, Work
from presstag.tagger import Tagger

TEXTS = (
    "Report 0. “Iceland pays,” she said.\n\nIceland has no tanks of its own.",
    "😀 Norway sends tanks 👨‍👩‍👧 from Denmark; 𠮷𠮷 Norway pays for drones.",
    "Tanks from Denmark\r\nand field kitchens from Norway arrived by rail.\r\nIceland pays.",
    "<b>Norway</b> &amp; <i>Denmark</i> will send two patrol boats &lt;to&gt; Lusitania.",
    "Norway\u00a0gave\u3000tanks\tand\u2028Denmark gave cafe\u0301 drones. Iceland pays.",
)
OTHER = """
<View>
  <Labels name="kind" toName="body"><Label value="SYSTEM"/><Label value="DONOR"/></Labels>
  <Text name="body" value="$article"/>
</View>
"""
SECRET = "s3:cr et"  # noqa: S105 - of a test
ONLY_DONOR = labelling_interface(["DONOR", "CITY"])
BOTH = labelling_interface(["DONOR", "SYSTEM"])


@dataclass(frozen=True)
class Up:
    """A backend that runs, and the model that it serves."""

    url: str
    served: Served
    http: httpx.Client

    def predict(self, *texts: Any, **more: Any) -> httpx.Response:
        """Ask for suggestions, as Label Studio does."""
        tasks = [{"id": n, "data": {"text": text}} for n, text in enumerate(texts, start=1)]
        return self.http.post("/predict", json={"tasks": tasks, "label_config": BOTH, **more})

    def health(self) -> dict[str, Any]:
        return self.http.get("/health").json()


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """An app on a free port of loopback; its address."""
    place = socket.create_server(("127.0.0.1", 0))
    settings = uvicorn.Config(app, log_config=None, access_log=False, ws="none")
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
    thread.start()
    try:
        until = time.monotonic() + 30
        while not server.started and thread.is_alive() and time.monotonic() < until:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{place.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(40)
        place.close()


@contextmanager
def serving(tagger: Tagger, **options: Any) -> Iterator[Up]:
    """A backend with a model, and a client for it."""
    served = Served(tagger)
    with (
        listening(make_backend(served, **options)) as url,
        httpx.Client(base_url=url, timeout=60) as http,
    ):
        yield Up(url, served, http)


@pytest.fixture(scope="session")
def tagger(learned_model: Path) -> Tagger:
    """A model that finds spans of DONOR and SYSTEM."""
    return load(learned_model)


@pytest.fixture(scope="module")
def shared(tagger: Tagger) -> Iterator[Up]:
    """A backend for all tests that leave it as it was."""
    with serving(tagger) as running:
        yield running


@pytest.fixture
def up(tagger: Tagger) -> Iterator[Up]:
    """A backend without a secret."""
    with serving(tagger) as running:
        yield running


def places(regions: Sequence[Any]) -> list[tuple[int, int, str]]:
    """Start, end and label of regions."""
    return [(r["value"]["start"], r["value"]["end"], r["value"]["labels"][0]) for r in regions]


def expected_places(tagger: Tagger, text: str) -> list[tuple[int, int, str]]:
    """The same of the model's own spans."""
    return [span.key for span in tagger(text)]


def test_each_span_is_where_the_model_found_it(shared: Up, tagger: Tagger) -> None:
    """Offsets count code points in emoji, CRLF, markup and unusual blanks; words are the slice."""
    results = shared.predict(*TEXTS).json()["results"]
    assert [expected_places(tagger, t) for t in TEXTS] == [places(r["result"]) for r in results]
    assert all(expected_places(tagger, t) for t in TEXTS)
    for text, result in zip(TEXTS, results, strict=True):
        for region in result["result"]:
            value = region["value"]
            assert text[value["start"] : value["end"]] == value["text"]
            assert 0 < region["score"] <= 1
        assert shared.served.model.version == result["model_version"]


def test_a_bad_task_costs_the_others_nothing(
    up: Up, tagger: Tagger, caplog: pytest.LogCaptureFixture
) -> None:
    """One answer a task, in order; the bad ones have a reason and no result, and are logged."""
    good = [TEXTS[0], TEXTS[1], TEXTS[2]]
    response = up.predict(good[0], None, good[1], 12, good[2])
    results = response.json()["results"]
    assert (200, 5) == (response.status_code, len(results))
    tagged = [results[i]["result"] for i in (0, 2, 4)]
    assert [expected_places(tagger, t) for t in good] == [places(r) for r in tagged]
    assert not any("result" in results[i] for i in (1, 3))
    assert "task 2: data.text is missing; expected a text" == results[1]["error"]
    assert "no suggestions for task 4: data.text is a int; expected a text" in caplog.messages
    health = up.health()
    assert (3, 2) == (health["predicted"], health["failed"])
    assert health["last_failure"].startswith("task 4: ")


def test_a_request_without_one_good_task_is_refused(shared: Up) -> None:
    """An interactive annotator sees that something is wrong."""
    response = shared.predict(None)
    assert 422 == response.status_code
    assert ["task 1: data.text is missing; expected a text"] == response.json()["detail"]


def test_a_task_that_the_model_fails_on_is_named(
    up: Up, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the model raises, the other tasks are answered."""
    scored = Tagger.score_units

    def fragile(tagger: Tagger, texts: Sequence[str]) -> Any:
        if any("Lusitania" in text for text in texts):
            raise MemoryError("too much")
        return scored(tagger, texts)

    monkeypatch.setattr(Tagger, "score_units", fragile)
    results = up.predict(*TEXTS).json()["results"]
    assert [True, True, True, False, True] == ["result" in r for r in results]
    assert "no suggestions for task 4: the model failed: MemoryError: too much" in caplog.messages


def test_what_is_not_reached_in_time_is_left_for_the_next_request(
    shared: Up, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Label Studio would throw away an answer that comes too late, and all that is in it."""
    tag = Tagger.__call__

    def slow(tagger: Tagger, text: str) -> Any:
        time.sleep(0.2)
        return tag(tagger, text)

    monkeypatch.setattr(Tagger, "__call__", slow)
    monkeypatch.setattr(served_module, "_SECONDS", 0.3)
    results = shared.predict(*TEXTS).json()["results"]
    assert [True, True, False, False, False] == ["result" in r for r in results]
    assert "retrieve predictions again" in results[-1]["error"]


def test_a_stop_does_not_wait_for_a_long_request(tagger: Tagger) -> None:
    """The tasks that are left are answered with the reason."""
    closing = threading.Event()
    closing.set()
    work = Work(closing=closing)
    model = Served(tagger).model
    work.tag([{"data": {"text": TEXTS[0]}}], model=model, interface=Interface(tagger.labels))
    assert "the 1. task: the backend stops; ask again once it is back" == work.results[0]["error"]


def test_names_come_from_the_interface_of_the_project(shared: Up, tagger: Tagger) -> None:
    """Other element names, another field of the task."""
    tasks = [{"id": 1, "data": {"article": TEXTS[0], "text": "Norway"}}]
    response = shared.http.post("/predict", json={"tasks": tasks, "label_config": OTHER})
    regions = response.json()["results"][0]["result"]
    assert expected_places(tagger, TEXTS[0]) == places(regions)
    assert {("kind", "body")} == {(r["from_name"], r["to_name"]) for r in regions}


def test_labels_that_the_interface_lacks_are_left_out_and_named_once(
    up: Up, tagger: Tagger, caplog: pytest.LogCaptureFixture
) -> None:
    """They could not be shown; two requests make one line in the log."""
    for _ in range(2):
        response = up.predict(TEXTS[0], label_config=ONLY_DONOR, project="7.1")
        regions = response.json()["results"][0]["result"]
        expected = [p for p in expected_places(tagger, TEXTS[0]) if p[2] == "DONOR"]
        assert expected == places(regions)
    lines = [m for m in caplog.messages if "lacks" in m]
    assert [
        "the labelling interface of project '7' lacks SYSTEM: such spans are not suggested"
    ] == (lines)


@pytest.mark.parametrize("path", ["/setup", "/predict"])
@pytest.mark.parametrize(
    ("interface", "reason"),
    [
        (labelling_interface(["CITY"]), "expected: one of the model's at least: DONOR, SYSTEM"),
        ("<View></View>", "marks no spans"),
        ("", "labelling interface"),
        ("<View><Labels", "labelling interface"),
        ("\ud800", "labelling interface"),
        ("&#0;" * 9, "labelling interface"),
        ("<!DOCTYPE a [<!ENTITY b 'b'>]><View>&b;</View>", "labelling interface"),
    ],
)
def test_an_interface_that_does_not_fit_is_refused_with_the_reason(
    path: str, interface: str, reason: str, shared: Up
) -> None:
    """A project that could never show a suggestion is told so when it connects."""
    body = {"tasks": [{"data": {"text": "a"}}], "schema": interface, "label_config": interface}
    response = shared.http.post(
        path, content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert 422 == response.status_code
    assert reason in response.json()["detail"]


BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"3",
    b'"a"',
    b"\xff\xfe",
    b"{}",
    b'{"tasks": null}',
    b'{"tasks": {}}',
    b'{"tasks": "a"}',
    b'{"tasks": [], "label_config": 3}',
    b'{"tasks": [1, null, [], "a", {}, {"data": 1}, {"data": []}]}',
    b'{"tasks": [{"id": {"a": ["\\ud800"]}, "data": {"text": ["a"]}}]}',
    b'{"tasks": [{"id": "\\ud800\\n", "data": {"text": null}}]}',
    b'{"tasks": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"tasks": [], "project": ' + b"9" * 5000 + b"}",
    b'{"schema": 3}',
    b'{"schema": []}',
    b'{"action": null}',
    b'{"action": 3}',
    b'{"action": "ANNOTATION_CREATED", "annotation": 3}',
    b'{"action": "ANNOTATION_CREATED", "annotation": {"task": "a"}}',
    b'{"action": "ANNOTATION_CREATED", "annotation": [{"task": []}], "project": {"id": {}}}',
]


@pytest.mark.parametrize("path", ["/setup", "/predict", "/webhook"])
@pytest.mark.parametrize("body", BODIES, ids=[str(b[:40]) for b in BODIES])
def test_malformed_bodies_never_break_the_backend(path: str, body: bytes, shared: Up) -> None:
    """They are refused with a reason, or taken for what they are; nothing of them is repeated."""
    response = shared.http.post(path, content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in {200, 400, 422}
    if response.status_code != 200:
        assert response.json()["detail"]


def test_no_tasks_are_no_results(shared: Up) -> None:
    """An empty list is an answer."""
    assert {"results": []} == shared.http.post("/predict", json={"tasks": []}).json()


def test_half_of_a_utf16_pair_does_not_move_offsets(shared: Up, tagger: Tagger) -> None:
    """A text that UTF-8 cannot write is tagged as if U+FFFD stood there."""
    text = "\ud800 " + TEXTS[0]
    body = json.dumps({"tasks": [{"data": {"text": text}}], "label_config": BOTH})
    response = shared.http.post(
        "/predict", content=body, headers={"Content-Type": "application/json"}
    )
    expected = expected_places(tagger, text.replace("\ud800", "\ufffd"))
    assert expected == places(response.json()["results"][0]["result"])


def test_health_answers_while_articles_are_tagged(shared: Up) -> None:
    """Label Studio gives shared on /health after a second and takes the backend for gone."""
    with ThreadPoolExecutor(8) as pool:
        busy = [pool.submit(shared.predict, *TEXTS * 40) for _ in range(6)]
        time.sleep(0.1)
        waited = []
        while not all(b.done() for b in busy):
            begun = time.perf_counter()
            assert "UP" == shared.health()["status"]
            waited.append(time.perf_counter() - begun)
    assert waited
    assert max(waited) < 0.8


def test_unknown_addresses_and_versions(shared: Up) -> None:
    """GET / is /health; /versions lists the one model; there is no schema to read."""
    assert shared.health() == shared.http.get("/").json()
    assert {"versions": [shared.served.model.version]} == shared.http.get("/versions").json()
    assert [404] * 3 == [
        shared.http.get(p).status_code for p in ("/docs", "/redoc", "/openapi.json")
    ]


# the secret


def test_requests_without_the_secret_are_turned_away(tagger: Tagger) -> None:
    """On every address, before the body is read; any user name will do."""
    with serving(tagger, secret=SECRET) as up:
        wrong = [None, ("presstag", "s3:cr e"), ("presstag", ""), (SECRET, "presstag")]
        for auth in wrong:
            for path in ("/", "/health", "/versions", "/docs"):
                assert 401 == up.http.get(path, auth=auth).status_code
            for path in ("/setup", "/predict", "/webhook"):
                assert 401 == up.http.post(path, auth=auth, content=b"{").status_code
        for value in ("Basic", "Basic %%%", f"Bearer {SECRET}", "Basic \u00e9".encode("latin-1")):
            assert 401 == up.http.get("/", headers={"Authorization": value}).status_code
        for user in ("presstag", "", "x"):
            assert 200 == up.http.get("/health", auth=(user, SECRET)).status_code


# another model


def test_answers_are_whole_while_the_model_is_swapped(tagger: Tagger, tiny_model: Path) -> None:
    """Every answer is the old model's or the new one's, with its version, and none fails."""
    other = load(tiny_model)
    expected = {
        Served(model).model.version: [expected_places(model, t) for t in TEXTS]
        for model in (tagger, other)
    }
    assert 2 == len(expected)
    with serving(tagger) as up, ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(up.predict, *TEXTS) for _ in range(60)]
        for _ in range(10):
            up.served.swap(other)
            time.sleep(0.02)
            up.served.swap(tagger)
            time.sleep(0.02)
        up.served.swap(other)
        last = up.predict(*TEXTS)
        answers = [a.result() for a in asked]
    assert {200} == {a.status_code for a in answers}
    seen = set()
    for answer in [*answers, last]:
        results = answer.json()["results"]
        (version,) = {r["model_version"] for r in results}
        assert expected[version] == [places(r["result"]) for r in results]
        seen.add(version)
    assert set(expected) == seen
    assert Served(other).model.version == last.json()["results"][0]["model_version"]


# Label Studio


@dataclass(frozen=True)
class Connected:
    """A project whose suggestions come from a backend."""

    sdk: Any
    id: int

    def add(self, *texts: Any, key: str = "text") -> list[int]:
        """Make tasks; their numbers."""
        tasks = [{"data": {key: text}} for text in texts]
        made = self.sdk.projects.import_tasks(id=self.id, request=tasks, return_task_ids=True)
        return list(made.task_ids)

    def connect(self, up: Up, **options: Any) -> Any:
        """Make the backend the project's."""
        return self.sdk.ml.create(project=self.id, url=up.url, title="presstag", **options)

    def retrieve(self) -> None:
        """Have the server ask for suggestions."""
        every = {"all": True, "excluded": []}
        action = "retrieve_tasks_predictions"
        self.sdk.actions.create(id=action, project=self.id, selected_items=every)

    def predictions(self) -> dict[int, list[Any]]:
        """What the server keeps, by task."""
        kept: dict[int, list[Any]] = {}
        for prediction in self.sdk.predictions.list(project=self.id):
            kept.setdefault(prediction.task, []).append(prediction)
        return kept


@pytest.fixture
def connected(server: Any, project: str) -> Connected:
    """A new project."""
    return Connected(server.sdk, server.find_project(project).id)


def test_label_studio_keeps_exact_suggestions(up: Up, tagger: Tagger, connected: Connected) -> None:
    """Connect, retrieve, list: every span of every text, at its place, from this version."""
    numbers = connected.add(*TEXTS)
    backend = connected.connect(up)
    assert up.served.model.version == backend.model_version
    connected.retrieve()
    kept = connected.predictions()
    assert set(numbers) == set(kept)
    for number, text in zip(numbers, TEXTS, strict=True):
        (prediction,) = kept[number]
        assert expected_places(tagger, text) == places(prediction.result)
        assert up.served.model.version == prediction.model_version
    assert [up.served.model.version] == connected.sdk.ml.list_model_versions(backend.id).versions


def test_label_studio_asks_again_only_about_the_bad_task(
    up: Up, tagger: Tagger, connected: Connected
) -> None:
    """Nothing is kept of it, not even an empty prediction; the others are as ever."""
    first, bad, last = connected.add(TEXTS[0], 12, TEXTS[1])
    connected.connect(up)
    connected.retrieve()
    assert {first, last} == set(connected.predictions())
    connected.sdk.tasks.update(id=bad, data={"text": TEXTS[2]})
    connected.retrieve()
    kept = connected.predictions()
    assert {first: 1, bad: 1, last: 1} == {number: len(found) for number, found in kept.items()}
    assert expected_places(tagger, TEXTS[2]) == places(kept[bad][0].result)
    assert 3 == up.health()["predicted"]


def test_label_studio_asks_again_after_a_swap(
    up: Up, tiny_model: Path, connected: Connected
) -> None:
    """A new version is asked about every task, the same one about none."""
    (number,) = connected.add(TEXTS[0])
    connected.connect(up)
    connected.retrieve()
    connected.retrieve()
    versions = [up.served.model.version]
    assert versions == [p.model_version for p in connected.predictions()[number]]
    versions.append(up.served.swap(load(tiny_model)))
    connected.retrieve()
    assert versions == sorted(
        (p.model_version for p in connected.predictions()[number]), key=versions.index
    )


def test_label_studio_shows_an_annotator_what_it_asks_for(
    up: Up, tagger: Tagger, connected: Connected, running: Any
) -> None:
    """The interactive way: suggestions for one task, or an error that says that there are none."""
    good, bad = connected.add(TEXTS[1], 12)
    backend = connected.connect(up, is_interactive=True)

    def ask(task: int) -> dict[str, Any]:
        url = f"{running.url}/api/ml/{backend.id}/interactive-annotating"
        head = {"Authorization": f"Token {running.token}"}
        return httpx.post(url, json={"task": task}, headers=head, timeout=60).json()

    assert expected_places(tagger, TEXTS[1]) == places(ask(good)["data"]["result"])
    answer = ask(bad)
    assert "data" not in answer
    assert "422" in answer["errors"][0]


def test_label_studio_uses_the_interface_of_the_project(
    up: Up, tagger: Tagger, server: Any
) -> None:
    """Element names and the field of the text are those that the project has."""
    made = server.sdk.projects.create(title="other names", label_config=OTHER)
    try:
        connected = Connected(server.sdk, made.id)
        (number,) = connected.add(TEXTS[1], key="article")
        connected.connect(up)
        connected.retrieve()
        (prediction,) = connected.predictions()[number]
        assert expected_places(tagger, TEXTS[1]) == places(prediction.result)
        names = {(r["from_name"], r["to_name"]) for r in prediction.result}
        assert {("kind", "body")} == names
    finally:
        server.sdk.projects.delete(made.id)


def test_label_studio_does_not_connect_a_project_that_does_not_fit(
    up: Up, server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason stands in the log, for the server does not show it."""
    made = server.sdk.projects.create(title="cities", label_config=labelling_interface(["CITY"]))
    try:
        with pytest.raises(ApiError) as refused:
            Connected(server.sdk, made.id).connect(up)
        assert 400 == refused.value.status_code
    finally:
        server.sdk.projects.delete(made.id)
    assert any("expected: one of the model's at least" in m for m in caplog.messages)


@pytest.fixture
def counting(connected: Connected) -> Retrainer:
    """What counts annotations of the project, and is too patient to train."""

    def unused(_: Any) -> Any:
        raise AssertionError

    return Retrainer(
        Path("absent.yaml"), project=connected.id, after=1000, pull=unused, swap=unused
    )


def annotate(connected: Connected, *tasks: int, **more: Any) -> list[Any]:
    """Annotate tasks with nothing."""
    create = connected.sdk.annotations.create
    return [create(id=task, result=[], **more) for task in tasks]


def test_annotations_are_counted_by_task(
    tagger: Tagger, connected: Connected, counting: Retrainer, server: Any
) -> None:
    """Once each, however often it is annotated; skipped tasks and other projects do not count."""
    other = server.sdk.projects.create(title="other project", label_config=BOTH)
    with serving(tagger, retrainer=counting) as up:
        strange = Connected(server.sdk, other.id)
        tasks = connected.add(*TEXTS)
        for project in (connected, strange):
            project.connect(up)
        annotate(strange, *strange.add(TEXTS[0]))
        server.sdk.projects.delete(other.id)
        (made, _) = annotate(connected, *tasks[:2])
        annotate(connected, tasks[0])
        connected.sdk.annotations.update(id=made.id, result=[])
        annotate(connected, tasks[2], was_cancelled=True)
        assert {"annotated": 2, "after": 1000, "doing": "waiting", "last": None} == (
            up.health()["retraining"]
        )


def test_a_flood_of_events_is_answered(tagger: Tagger, counting: Retrainer) -> None:
    """Hundreds at once, of every kind that there is; each distinct task counts once."""
    project = {"id": counting._project, "token": "x"}

    def event(n: int) -> dict[str, Any]:
        many = n % 2
        one = {"id": n, "task": n % 50, "result": [], "project": project["id"]}
        action = "ANNOTATIONS_CREATED" if many else "ANNOTATION_UPDATED"
        return {"action": action, "annotation": [one] if many else one, "project": project}

    with serving(tagger, retrainer=counting) as up, ThreadPoolExecutor(8) as pool:
        events = [event(n) for n in range(400)] + [{"action": "TASKS_CREATED", "tasks": [{}]}]
        posted = [pool.submit(up.http.post, "/webhook", json=e) for e in events]
        assert {200} == {p.result().status_code for p in posted}
        assert 50 == up.health()["retraining"]["annotated"]


def test_label_studio_signs_in_with_the_secret(
    tagger: Tagger, connected: Connected, counting: Retrainer, caplog: pytest.LogCaptureFixture
) -> None:
    """Basic Authentication comes with all but annotations; for those the webhook gets a header."""
    (number,) = connected.add(TEXTS[0])
    with serving(tagger, secret=SECRET, retrainer=counting) as up:
        given = {"auth_method": "BASIC_AUTH", "basic_auth_user": "presstag"}
        for wrong in ({}, {**given, "basic_auth_pass": "wrong"}):
            with pytest.raises(ApiError) as refused:
                connected.connect(up, **wrong)
            assert 400 == refused.value.status_code
        backend = connected.connect(up, **given, basic_auth_pass=SECRET)
        assert [up.served.model.version] == (
            connected.sdk.ml.list_model_versions(backend.id).versions
        )
        connected.retrieve()
        assert expected_places(tagger, TEXTS[0]) == places(
            connected.predictions()[number][0].result
        )
        up.http.auth = ("presstag", SECRET)
        connected.sdk.ml.train(id=backend.id)  # the config is absent, so that it fails at once
        until = time.monotonic() + 30
        while up.health()["retraining"]["last"] is None and time.monotonic() < until:
            time.sleep(0.05)
        assert "absent.yaml" in up.health()["retraining"]["last"]["failed"]
        annotate(connected, number)
        assert 0 == up.health()["retraining"]["annotated"]
        assert any("webhook" in m and "header Authorization" in m for m in caplog.messages)
        (hook,) = connected.sdk.webhooks.list(project=connected.id)
        value = base64.b64encode(f"presstag:{SECRET}".encode()).decode()
        head = {"Authorization": f"Basic {value}"}
        connected.sdk.webhooks.update(id=hook.id, url=hook.url, headers=head)
        annotate(connected, number)
        assert 1 == up.health()["retraining"]["annotated"]


def test_no_token_is_ever_logged(
    tagger: Tagger, connected: Connected, running: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the creator's, of /setup, nor the invitation's, of events; at the finest level."""
    caplog.set_level(logging.DEBUG)
    tokens = [running.token, "an-invitation"]
    with serving(tagger) as up:
        connected.connect(up)
        annotate(connected, *connected.add(TEXTS[0]))
        for path in ("/setup", "/predict", "/webhook"):
            for wrong in ({}, {"schema": tokens[0], "action": 1, "tasks": tokens}):
                body = {"access_token": tokens[0], "project": {"token": tokens[1]}, **wrong}
                up.http.post(f"{path}?token={tokens[0]}", json=body)
    ours = [r for r in caplog.records if r.name.startswith(("presstag", "uvicorn", "fastapi"))]
    assert ours
    assert [] == [m for m in (r.getMessage() for r in ours) for t in tokens if t in m]
