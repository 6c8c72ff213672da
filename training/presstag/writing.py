"""Files written beside and renamed into place, so that nobody finds half of one."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


def write_bytes(path: str | Path, content: bytes) -> None:
    """Replace a file by `content`, or leave it as it was; folders on the way are made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_text(path: str | Path, content: str) -> None:
    """Replace a file by UTF-8 text, line ends as they are. Each lone surrogate becomes U+FFFD."""
    write_bytes(path, without_surrogates(content).encode())


def has_surrogates(text: str) -> bool:
    """Whether a text holds halves of UTF-16 pairs, which UTF-8 cannot write."""
    return _SURROGATE.search(text) is not None


def without_surrogates(text: str) -> str:
    """Put U+FFFD for each lone surrogate; offsets stay as they are."""
    return _SURROGATE.sub("\ufffd", text)


def write_json(path: str | Path, content: Any) -> None:
    """Replace a file by indented JSON."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")
