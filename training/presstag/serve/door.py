"""What a request must keep to before its body is read as JSON: size, time, and a place for it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Limits:
    """What the service takes.

    Attributes:
        bytes: largest body of a request.
        texts: most texts of a request.
        requests: most requests that are read, wait or are tagged at once.
        seconds: longest time from the first byte of a request to its answer.
    """

    bytes: int = 2_000_000
    texts: int = 256
    requests: int = 64
    seconds: float = 30.0


@dataclass(slots=True)
class Counts:
    """How many requests there were: `under_way` now, `served` with spans since the start."""

    under_way: int = 0
    served: int = 0


class Door:
    """Turns away requests that are too many, too large or too slow.

    It gives what lies behind it `state["until"]`: when the time of a request is up, in seconds of
    the monotonic clock.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits, counts: Counts) -> None:
        self._app = app
        self._limits = limits
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as ASGI asks."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] != "POST":
            await self._app(scope, receive, _no_sniffing(send))
        elif self._counts.under_way >= self._limits.requests:
            detail = f"busy: {self._counts.under_way} requests are under way; ask again"
            refusal = JSONResponse({"detail": detail}, 503, {"Retry-After": "1"})
            await refusal(scope, receive, _no_sniffing(send))
        else:
            until = time.monotonic() + self._limits.seconds
            scope.setdefault("state", {})["until"] = until
            body = _Body(receive, limits=self._limits, until=until, length=_length(scope))
            self._counts.under_way += 1
            try:
                await self._app(scope, body.receive, _no_sniffing(send))
            finally:
                self._counts.under_way -= 1


class _Body:
    """A body while it comes in."""

    def __init__(self, receive: Receive, *, limits: Limits, until: float, length: int) -> None:
        self._receive = receive
        self._limits = limits
        self._until = until
        self._size = 0
        self._length = length
        self._whole = False

    async def receive(self) -> Message:
        """The next part.

        Raises:
            HTTPException: 413 if the body is too large, 408 if it comes too slowly.
        """
        if self._whole:
            return await self._receive()
        self._check_size(self._length)
        left = max(0.0, self._until - time.monotonic())
        try:
            message = await asyncio.wait_for(self._receive(), left)
        except TimeoutError:
            detail = f"the request did not come in within {self._limits.seconds:g} s"
            raise HTTPException(408, detail) from None
        self._size += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        self._check_size(self._size)
        return message

    def _check_size(self, size: int) -> None:
        if size > self._limits.bytes:
            most = f"at most {self._limits.bytes:,} bytes"
            raise HTTPException(413, f"the body is too large: {most}; send it in parts")


def _length(scope: Scope) -> int:
    """What a request says its body has; 0 where it does not."""
    said = Headers(scope=scope).get("content-length", "")
    return int(said) if said.isascii() and said.isdigit() else 0


def _no_sniffing(send: Send) -> Send:
    async def send_with_header(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["X-Content-Type-Options"] = "nosniff"
        await send(message)

    return send_with_header
