"""The service: what it answers at which address.

    POST /extract        texts in, spans out
    GET  /health         that it is up, which model answers
    GET  /               a page to try the model on
    GET  /openapi.json   the schema of all this

There is no /docs: FastAPI's page loads scripts from elsewhere. No text is ever logged.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Body, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse

import presstag
from presstag.bundle import NETWORK
from presstag.serve.door import Counts, Door, Limits
from presstag.serve.page import make_page
from presstag.serve.schema import EXAMPLES, REFUSALS, Asked, Health, OneText, Results, Spans
from presstag.serve.turns import Failure, Turns, Work
from presstag.spans import Span
from presstag.tagger import Tagger
from presstag.writing import json_line


def make_app(tagger: Tagger, limits: Limits | None = None, *, workers: int = 1) -> FastAPI:
    """Put the service together.

    Args:
        tagger: the model that answers.
        limits: what requests must keep to.
        workers: how many texts are tagged at once, besides long ones.
    """
    limits = limits or Limits()
    counts = Counts()
    turns = Turns(tagger, workers=workers)
    desk = _Desk(tagger, turns, limits=limits, counts=counts)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        turns.close()

    app = FastAPI(
        title="presstag",
        description=f"Spans of news articles, by the model {desk.name}.",
        version=presstag.__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.get("/", response_class=HTMLResponse, summary="A page to try the model on")(desk.page)
    app.get("/health", response_model=Health, summary="Whether the service is up")(desk.health)
    app.post(
        "/extract",
        response_model=Spans | Results,
        responses=REFUSALS,
        summary="Find the spans of one text, or of several",
        description=f"At most {limits.texts} texts and {limits.bytes:,} bytes in a request, and "
        f"{limits.seconds:g} s for it. `text` is answered with `spans`, `texts` with `results`.",
    )(desk.extract)
    app.exception_handler(RequestValidationError)(_malformed)
    app.exception_handler(400)(_unreadable)
    app.add_middleware(Door, limits=limits, counts=counts)
    texts = app.openapi()["components"]["schemas"]["ManyTexts"]["properties"]["texts"]
    texts["maxItems"] = limits.texts
    return app


class _Desk:
    """The endpoints. They run on the event loop, which needs no lock."""

    def __init__(self, tagger: Tagger, turns: Turns, *, limits: Limits, counts: Counts) -> None:
        self.name = str(tagger.info.get("name") or "model")
        self._tagger = tagger
        self._turns = turns
        self._limits = limits
        self._counts = counts
        self._page = make_page(self.name, tagger.labels)
        self._started = time.monotonic()

    async def page(self) -> HTMLResponse:
        return HTMLResponse(self._page.html, headers=self._page.headers)

    async def health(self) -> dict[str, Any]:
        files = self._tagger.info.get("files") or {}
        return {
            "status": "ok",
            "model": {
                "name": self.name,
                "digest": files.get(NETWORK),
                "labels": list(self._tagger.labels),
            },
            "presstag": presstag.__version__,
            "uptime": round(time.monotonic() - self._started, 1),
            "requests_served": self._counts.served,
            "requests_under_way": self._counts.under_way,
        }

    async def extract(
        self, asked: Annotated[Asked, Body(openapi_examples=EXAMPLES)], request: Request
    ) -> Response:
        texts = [asked.text] if isinstance(asked, OneText) else asked.texts
        if len(texts) > self._limits.texts:
            most = f"at most {self._limits.texts} in one request"
            raise HTTPException(422, f"texts: {len(texts)} texts; {most}; send them in parts")
        work = Work(texts, until=request.state.until)
        results = await self._wait(work, request)
        if results is None:
            return Response(status_code=499)  # nobody reads it
        shown = [_shown(result, min_score=asked.min_score) for result in results]
        if isinstance(asked, OneText):
            if isinstance(results[0], Failure):
                raise HTTPException(500, results[0].reason)
            self._counts.served += 1
            return _json(shown[0])
        self._counts.served += 1
        return _json({"results": shown})

    async def _wait(self, work: Work, request: Request) -> list[list[Span] | Failure] | None:
        """The results of a work; None if the client went away meanwhile."""
        done = asyncio.wrap_future(work.done)
        gone = asyncio.create_task(_gone(request))
        self._turns.add(work)
        try:
            left = max(0.0, request.state.until - time.monotonic())
            either: set[asyncio.Future[Any]] = {done, gone}
            await asyncio.wait(either, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            work.give_up()
        if done.done():
            return done.result()
        if gone.done():
            return None
        detail = f"not tagged within {self._limits.seconds:g} s; send less text in one request"
        raise HTTPException(504, detail)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _shown(result: list[Span] | Failure, *, min_score: float) -> dict[str, Any]:
    if isinstance(result, Failure):
        return {"error": result.reason}
    return {"spans": [s.to_dict() for s in result if (s.score or 0.0) >= min_score]}


async def _malformed(_: Request, error: Exception) -> Response:
    """What is wrong with a body and where, without what stands there."""
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    if faults and faults[0]["type"] == "json_invalid":
        reason, place = faults[0]["ctx"]["error"], faults[0]["loc"][-1]
        return _json({"detail": f"the body is not JSON: {reason} at {place}"}, 400)
    # The place begins with "body" and the kind of body.
    said = [f"{'.'.join(map(str, f['loc'][2:])) or 'the body':.80}: {f['msg']}" for f in faults]
    more = f"; and {len(said) - 5} more" if len(said) > 5 else ""
    return _json({"detail": "; ".join(said[:5]) + more}, 422)


async def _unreadable(_: Request, __: Exception) -> Response:
    """What FastAPI makes of bytes that are no text, and of brackets without end."""
    return _json({"detail": "the body is not JSON in UTF-8, or nested too deeply"}, 400)


def _json(content: Any, status: int = 200) -> Response:
    # JSON can say lone surrogates, which a text may hold; FastAPI's own writer cannot.
    return Response(json_line(content), status, media_type="application/json")
