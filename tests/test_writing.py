"""Files written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from presstag.writing import (
    has_surrogates,
    without_surrogates,
    write_bytes,
    write_json,
    write_text,
)

resource = pytest.importorskip("resource", reason="limits on files are of Unix")


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    """A path into folders that are not there yet is written, and nothing beside it."""
    write_bytes(tmp_path / "a" / "b" / "c.bin", b"\x00\xff")
    assert b"\x00\xff" == (tmp_path / "a" / "b" / "c.bin").read_bytes()
    assert ["c.bin"] == [p.name for p in (tmp_path / "a" / "b").iterdir()]


def test_an_old_file_is_replaced(tmp_path: Path) -> None:
    """The new content stands there alone, however long the old one was."""
    path = tmp_path / "a.txt"
    path.write_text("something much longer")
    write_text(str(path), "new")
    assert ["new"] == [p.read_text() for p in tmp_path.iterdir()]


def test_line_ends_stay_as_they_are(tmp_path: Path) -> None:
    """Nothing is translated, so that offsets hold in the file too."""
    write_text(tmp_path / "a.txt", "a\r\nb\nc\rd\u2028é")
    assert "a\r\nb\nc\rd\u2028é".encode() == (tmp_path / "a.txt").read_bytes()


def test_surrogates_become_the_replacement_character(tmp_path: Path) -> None:
    """UTF-8 has no lone surrogates; offsets stay as they were."""
    write_text(tmp_path / "a.txt", "a\ud83d b\udfff😀")
    assert "a\ufffd b\ufffd😀" == (tmp_path / "a.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("", ""),
        ("a😀\ufffd", "a😀\ufffd"),
        ("\ud800\udfff", "\ufffd\ufffd"),
        ("\udc80a", "\ufffda"),
    ],
)
def test_surrogates_are_found_and_replaced_one_by_one(text: str, clean: str) -> None:
    """A text has surrogates just when replacing them changes it, never its length."""
    assert clean == without_surrogates(text)
    assert (text != clean) == has_surrogates(text)


def test_json_is_readable_and_comes_back(tmp_path: Path) -> None:
    """Indented, letters as they are, a line end at the end."""
    write_json(tmp_path / "a.json", {"é": [1, None]})
    written = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert '{\n  "é": [\n    1,\n    null\n  ]\n}\n' == written
    assert {"é": [1, None]} == json.loads(written)


def test_a_write_cut_short_leaves_the_old_file(tmp_path: Path) -> None:
    """When the disk takes only part, the old content stands and no half file lies beside it."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_bytes(path, b"x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [b"old"] == [p.read_bytes() for p in tmp_path.iterdir()]


def test_a_folder_in_the_way_stays(tmp_path: Path) -> None:
    """A file does not take the place of a folder, and nothing is left beside it."""
    (tmp_path / "a" / "kept").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write_text(tmp_path / "a", "text")
    assert [tmp_path / "a", tmp_path / "a" / "kept"] == sorted(tmp_path.rglob("*"))


def test_what_json_cannot_hold_leaves_the_old_file(tmp_path: Path) -> None:
    """Nothing is written before all of it is known."""
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})
    with pytest.raises(TypeError):
        write_json(path, {"good": 1, "bad": object()})
    assert [{"old": 1}] == [json.loads(p.read_text()) for p in tmp_path.iterdir()]
