"""The page at /: one file without outside assets, and the headers that hold it to that."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from presstag.colours import label_fills

_FILE = Path(__file__).with_name("page.html")


@dataclass(frozen=True, slots=True)
class Page:
    """The page, and what is sent with it."""

    html: str
    headers: dict[str, str]


def make_page(model: str, labels: Sequence[str]) -> Page:
    """Fill in what the page must know of a model.

    Its own script and style are let in by their digests, and nothing else is.
    """
    html = _FILE.read_text("utf-8")
    script, style = (_digest(html, tag) for tag in ("script", "style"))
    facts = {"model": model, "labels": dict(zip(labels, label_fills(len(labels)), strict=True))}
    # As JSON in an element: no text can end the element early.
    shown = json.dumps(facts).replace("<", "\\u003c")
    policy = (
        f"default-src 'none'; script-src '{script}'; style-src '{style}'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    return Page(html.replace("{{facts}}", shown, 1), headers)


def _digest(html: str, tag: str) -> str:
    (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    digest = hashlib.sha256(content.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
