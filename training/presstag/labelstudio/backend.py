"""The ML backend: the HTTP server that Label Studio asks for suggestions.

    GET  /health, /    that it is up, which model answers, what went wrong so far
    POST /setup        a project connects: whether its interface suits the model
    GET  /versions     the version of the model
    POST /predict      tasks in; for each, in their order, its spans as a prediction
    POST /webhook      what happened on the server; annotations count towards retraining

Label Studio stores nothing of an answer of another status than 200, nor of one with too few
results, and shows neither to anybody. So a task that cannot be tagged costs the others nothing: its
place in `results` has an `error` and no `result`. The server then stores no prediction for it, not
even an empty one, writes the reason into its own log, and asks again next time. Only where no task
of a request could be tagged is the answer a 422, which an interactive annotator gets to see.

Bodies of /setup and /webhook hold access tokens: no body is ever logged, in no part.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import secrets
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from presstag.errors import PresstagError, ServerError
from presstag.labelstudio.interface import Interface, read_interface
from presstag.labelstudio.retrain import Retrainer
from presstag.labelstudio.served import Model, Served, Work
from presstag.writing import without_surrogates

USER = "presstag"
"""What a person may type as the user name of Basic authentication; any name will do."""

_log = logging.getLogger(__name__)
# One request keeps the processor busy; a second one fills the gaps between windows.
_AT_ONCE = 2


class _Setup(BaseModel):
    project: str | int | None = None
    interface: str | None = Field(None, alias="schema")


class _Tasks(BaseModel):
    tasks: list[Any]
    project: str | int | None = None
    label_config: str | None = None


class _Annotation(BaseModel):
    task: int | None = None
    was_cancelled: bool = False


class _Project(BaseModel):
    id: int | None = None


class _Event(BaseModel):
    action: str
    annotation: _Annotation | list[_Annotation] | None = None
    project: _Project | None = None


def make_backend(
    served: Served, *, secret: str | None = None, retrainer: Retrainer | None = None
) -> FastAPI:
    """Put the ML backend together.

    Args:
        served: the model that answers.
        secret: what requests must bring as the password of HTTP Basic authentication.
        retrainer: is told of annotations; it is started and stopped with the backend.
    """
    desk = _Desk(served, retrainer)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if retrainer:
            retrainer.start()
        yield
        desk.closing.set()
        if retrainer:
            await asyncio.to_thread(retrainer.close)

    app = FastAPI(title="presstag", openapi_url=None, lifespan=lifespan)
    app.get("/")(desk.health)
    app.get("/health")(desk.health)
    app.get("/versions")(desk.versions)
    app.post("/setup")(desk.setup)
    app.post("/predict")(desk.predict)
    app.post("/webhook")(desk.webhook)
    app.exception_handler(RequestValidationError)(_malformed)
    app.exception_handler(PresstagError)(_unfit)
    if secret:
        app.add_middleware(_Guard, secret=secret)
    return app


class _Desk:
    """The endpoints. All but the tagging itself runs on the event loop, which needs no lock."""

    def __init__(self, served: Served, retrainer: Retrainer | None) -> None:
        self.closing = threading.Event()
        self._served = served
        self._retrainer = retrainer
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._predicted = 0
        self._failed = 0
        self._last_failure: str | None = None
        self._said: set[tuple[str, ...]] = set()

    async def health(self) -> dict[str, Any]:
        return {
            "status": "UP",
            "model_version": self._served.model.version,
            "predicted": self._predicted,
            "failed": self._failed,
            "last_failure": self._last_failure,
            "retraining": self._retrainer.state() if self._retrainer else None,
        }

    async def versions(self) -> dict[str, list[str]]:
        return {"versions": [self._served.model.version]}

    async def setup(self, body: _Setup) -> dict[str, str]:
        model = self._served.model
        if body.interface is not None:
            self._interface(body.interface, body.project, model)
        return {"model_version": model.version}

    async def predict(self, body: _Tasks) -> Any:
        work = Work(closing=self.closing)
        model = self._served.model
        interface = Interface(model.tagger.labels)
        if body.label_config is not None:
            interface = self._interface(body.label_config, body.project, model)
        async with self._slots:
            await asyncio.to_thread(work.tag, body.tasks, model=model, interface=interface)
        self._note(work)
        errors = [r["error"] for r in work.results if "error" in r]
        if errors and len(errors) == len(body.tasks):
            return JSONResponse({"detail": errors[:10]}, 422)
        return {"results": work.results}

    async def webhook(self, body: _Event) -> dict[str, str]:
        if self._retrainer:
            project = body.project.id if body.project else None
            entries = body.annotation if isinstance(body.annotation, list) else [body.annotation]
            tasks = {a.task for a in entries if a and a.task is not None and not a.was_cancelled}
            if body.action == "START_TRAINING":
                self._retrainer.ask(project)
            elif body.action in _ANNOTATED:
                self._retrainer.count(project, tasks)
        return {"status": "ok"}

    def _note(self, work: Work) -> None:
        failed = sum(map(len, work.failures.values()))
        self._failed += failed
        self._predicted += len(work.results) - failed
        for reason, names in work.failures.items():
            self._last_failure = f"{names[-1]}: {reason}"
            _log.error("no suggestions for %s: %s", ", ".join(names), reason)

    def _interface(self, xml: str, project: str | int | None, model: Model) -> Interface:
        """Read a project's interface; labels that it lacks are named once.

        Raises:
            ServerError: if spans of this model cannot be marked with it.
        """
        where = f"the labelling interface of project {str(project).partition('.')[0]!r:.40}"
        interface = read_interface(xml, where=where)
        lacking = [label for label in model.tagger.labels if label not in interface.labels]
        if len(lacking) == len(model.tagger.labels):
            raise ServerError(
                where,
                f"has the labels {', '.join(interface.labels):.200}",
                expected=f"one of the model's at least: {', '.join(lacking)}",
                do="add them to the interface, or serve a model with these labels.",
            )
        if lacking and (where, *lacking) not in self._said:
            self._said.add((where, *lacking))
            _log.warning("%s lacks %s: such spans are not suggested", where, ", ".join(lacking))
        return interface


_ANNOTATED = {"ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED"}


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    """What is wrong with a body and where, without what stands there."""
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    found = [{"loc": list(f["loc"]), "msg": f["msg"], "type": f["type"]} for f in faults]
    said = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in found)
    _log.warning("%s refused: %.300s", request.url.path, said)
    return JSONResponse({"detail": found}, 422)


async def _unfit(request: Request, error: Exception) -> JSONResponse:
    said = without_surrogates(str(error))
    _log.error("%s refused: %s", request.url.path, said)
    return JSONResponse({"detail": said}, 422)


class _Guard:
    """Turns away whoever does not have the secret, before a body is read."""

    def __init__(self, app: ASGIApp, secret: str) -> None:
        self._app = app
        self._secret = secret.encode()
        self._said: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._knows(Headers(scope=scope)):
            self._say(scope["path"])
            asked = {"WWW-Authenticate": 'Basic realm="presstag"'}
            refusal = JSONResponse({"detail": "the secret is missing or wrong"}, 401, asked)
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _knows(self, headers: Headers) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")
        try:
            password = base64.b64decode(given, validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return False
        return kind.lower() == "basic" and secrets.compare_digest(password, self._secret)

    def _say(self, path: str) -> None:
        advice = _WEBHOOK if path == "/webhook" else _REFUSED
        if advice not in self._said:
            self._said.add(advice)
            _log.warning(advice)


_REFUSED = (
    "a request without the secret, or with a wrong one, was refused: in Label Studio give the "
    f"model Basic Authentication, with the secret as its password and {USER} as the user"
)
_WEBHOOK = (
    "an event without the secret, or with a wrong one, was refused and does not count: Label "
    "Studio makes the webhook without the model's authentication; in the project's Settings, "
    "Webhooks, give it the header Authorization with the value: Basic and, after a blank, "
    f"{USER}:SECRET in Base64"
)
