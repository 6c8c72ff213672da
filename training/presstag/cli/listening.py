"""Where a server of the command line listens."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from presstag.errors import InputError


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
