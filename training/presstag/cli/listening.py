"""How a server of the command line listens and answers."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from ipaddress import ip_address
from types import FrameType
from typing import TYPE_CHECKING

from presstag.errors import InputError

if TYPE_CHECKING:
    from fastapi import FastAPI


def listen(host: str, port: int) -> socket.socket:
    """Take an address and a port.

    Raises:
        InputError: if they cannot be had.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise InputError(
            "--host and --port",
            f"cannot listen on {host}, port {port}: {error.strerror}",
            do="choose another --port.",
        ) from None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def web_address(host: str, port: int) -> str:
    """What a browser takes."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def answer(app: FastAPI, listening: socket.socket, *, patience: int) -> None:
    """Answer until Ctrl-C or SIGTERM; requests under way then have `patience` seconds.

    Requests are not logged: their addresses and bodies may hold what is not for a log.
    """
    import uvicorn

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    settings = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=patience,
    )
    # uvicorn raises the signal again once it has stopped: a stop that was asked for is no failure.
    signal.signal(signal.SIGTERM, _end)
    uvicorn.Server(settings).run(sockets=[listening])


def _end(_: int, __: FrameType | None) -> None:
    sys.exit(0)
