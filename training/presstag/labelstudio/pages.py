"""The article in a saved web page: main text, title, date, author and address."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path

import trafilatura

from presstag.errors import InputError

PAGES = {".html", ".htm", ".mhtml", ".mht"}
_META = ("title", "date", "author", "url")


def read_page(path: Path) -> tuple[str, dict[str, str]]:
    """The main text of a page that a browser saved, and what the page says of itself.

    The text is what trafilatura takes for the article, a paragraph a line; the page says in which
    encoding it is.

    Raises:
        InputError: if the file cannot be read, or holds no article.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from None
    address = None
    if path.suffix.lower() in {".mhtml", ".mht"}:
        content, address = _unpack(content)
    try:
        page = trafilatura.bare_extraction(
            content, url=address, with_metadata=True, include_comments=False
        )
    except Exception as error:  # noqa: BLE001 - parsers of foreign HTML raise what they like
        raise InputError(str(path), f"not readable as HTML: {type(error).__name__}") from None
    if page is None or isinstance(page, dict) or not (page.text or "").strip():
        raise InputError(
            str(path),
            "no article is found in this page",
            do="save its text as a .txt file.",
        )
    found = {name: getattr(page, name) for name in _META}
    return str(page.text), {name: str(value) for name, value in found.items() if value}


def _unpack(content: bytes) -> tuple[bytes, str | None]:
    """The HTML of a page saved as a single file (MHTML), and its address."""
    saved = email.message_from_bytes(content, policy=email.policy.default)
    page = saved.get_body(("html",))
    held = page.get_payload(decode=True) if page is not None else None
    address = saved["Snapshot-Content-Location"]
    return held if isinstance(held, bytes) else b"", str(address) if address else None
