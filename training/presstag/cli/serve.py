"""`presstag serve`: a model as an HTTP service."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from presstag.cli.listening import answer, is_loopback, listen, web_address
from presstag.cli.screen import err, out, printable
from presstag.errors import InputError


def serve_command(
    model: Annotated[Path, typer.Argument(help="a model's folder, or an installed model's name")],
    *,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    max_bytes: Annotated[int, typer.Option(min=1, help="largest body of a request")] = 2_000_000,
    max_texts: Annotated[int, typer.Option(min=1, help="most texts of a request")] = 256,
    max_requests: Annotated[
        int, typer.Option(min=1, help="most requests under way; more are asked to come again")
    ] = 64,
    timeout: Annotated[float, typer.Option(min=0.1, help="seconds for a request")] = 30.0,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="texts tagged at once; they share the cores; default: one for each core"
        ),
    ] = None,
) -> None:
    """Answer texts with spans over HTTP, and show a page to try the model on.

    Ctrl-C or SIGTERM stop it: requests under way are finished first.
    """
    _need_packages()
    with err.status("loading"):
        from presstag import load
        from presstag.serve.app import make_app
        from presstag.serve.door import Limits

        cores = os.cpu_count() or 1
        workers = workers or cores
        tagger = load(model, threads=max(1, cores // workers))
        limits = Limits(bytes=max_bytes, texts=max_texts, requests=max_requests, seconds=timeout)
        app = make_app(tagger, limits, workers=workers)
    listening = listen(host, port)
    shown = web_address(host, port)
    out.print(f"{printable(str(model))} answers at {shown}")
    out.print(f"next: open {shown} in a browser, or send texts to {shown}/extract")
    if not is_loopback(host):
        err.print("note: whoever reaches this address can use the model: there is no password")
    answer(app, listening, patience=int(timeout) + 5)


def _need_packages() -> None:
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        found = f"the package {error.name} is missing"
        raise InputError("presstag serve", found, do="pip install 'presstag[serve]'") from None
