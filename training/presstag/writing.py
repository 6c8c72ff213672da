"""Files written beside and renamed into place, so that nobody finds half of one."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
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


def json_line(value: Any) -> str:
    """One value as one line of JSON; with a lone surrogate in it, in ASCII with escapes."""
    line = json.dumps(value, ensure_ascii=False)
    # UTF-8 has no lone surrogates; JSON escapes do.
    return line if not has_surrogates(line) else json.dumps(value)


def write_json_list(path: str | Path, rows: Iterable[Any]) -> None:
    """Replace a file by a JSON list with a row a line, so that a changed row is a changed line."""
    lines = ",\n".join(json_line(row) for row in rows)
    write_text(path, f"[\n{lines}\n]\n" if lines else "[]\n")


def write_json_lines(path: str | Path, rows: Iterable[Any]) -> None:
    """Replace a file by a JSON value a line."""
    write_text(path, "".join(json_line(row) + "\n" for row in rows))
