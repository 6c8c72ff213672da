"""A packed model as a wheel: data that pip installs, and an entry point by which it is found.

The wheel is written here, by the rules of packaging.python.org for binary distributions (1.0): a
zip file with the model, METADATA, WHEEL, entry_points.txt and RECORD. It holds no code.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from presstag import __version__
from presstag.bundle import MANIFEST, NETWORK, TOKENIZER, Manifest, load_bundle, read_manifest
from presstag.errors import InputError, ModelError
from presstag.installed import GROUP, normalise
from presstag.writing import without_surrogates, write_bytes

PREFIX = "presstag-"
_CARD = "README.md"
_PLAIN_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# PEP 440 in its normal form, without epochs and local parts.
_NUMBER = "(0|[1-9][0-9]*)"
_VERSION = re.compile(
    rf"{_NUMBER}(\.{_NUMBER})*((a|b|rc){_NUMBER})?(\.post{_NUMBER})?(\.dev{_NUMBER})?"
)
_PICTURE = re.compile(r"^!\[.*\]\(.*\)$\n*", re.MULTILINE)
_HEAD = re.compile(r"\A---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)


def build_wheel(
    folder: str | Path, out: str | Path, *, name: str | None = None, version: str | None = None
) -> Path:
    """Write a wheel that holds a packed model, which is opened and checked first.

    The same model gives the same bytes, wherever zlib compresses alike.

    Args:
        folder: the packed model; its card, if there is one, describes the package.
        out: the folder that gets the wheel.
        name: of the package; None is presstag- and the model's own name. What follows presstag-
            is the name that `presstag.load` takes once it is installed.
        version: of the package; None is the date on which training began, as `dated_version` has
            it, so that pip takes the model that was trained last.

    Returns:
        The wheel's path.

    Raises:
        ModelError: if the model is incomplete or damaged, or has no date and no version is given.
        InputError: if pip could not take the name or the version.
    """
    folder = Path(folder)
    load_bundle(folder)
    manifest = read_manifest(folder)
    short = _short_name(manifest.name, name)
    version = _version(manifest, version, folder / MANIFEST)
    package = normalise(PREFIX + short).replace("-", "_")
    about = f"{package}-{version}.dist-info"
    card = folder / _CARD
    told = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    files = {f"{package}/{n}": (folder / n).read_bytes() for n in (MANIFEST, NETWORK, TOKENIZER)}
    files[f"{about}/METADATA"] = _metadata(short, version, manifest, told).encode()
    files[f"{about}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: presstag {__version__}\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n"
    ).encode()
    files[f"{about}/entry_points.txt"] = f"[{GROUP}]\n{short} = {package}\n".encode()
    files[f"{about}/RECORD"] = _record(files, f"{about}/RECORD").encode()
    path = Path(out) / f"{package}-{version}-py3-none-any.whl"
    write_bytes(path, _zip(files))
    return path


def dated_version(manifest: Manifest) -> str | None:
    """When training began, in UTC, as a version: year.month.day.time; None if it is not known.

    The time is hours and minutes as one number: 2026.11.25.1407.
    """
    try:
        begun = datetime.fromisoformat(manifest.provenance["begun"])
    except (KeyError, TypeError, ValueError):
        return None
    at = begun.replace(tzinfo=UTC) if begun.tzinfo is None else begun.astimezone(UTC)
    return f"{at.year}.{at.month}.{at.day}.{100 * at.hour + at.minute}"


def _short_name(own: str, given: str | None) -> str:
    """What stands behind presstag- in the package's name."""
    package = normalise(PREFIX + own if given is None else given)
    short = package.removeprefix(PREFIX)
    if short == package or not _PLAIN_NAME.fullmatch(short):
        where = "--name" if given is not None else "the model's name"
        raise InputError(
            where,
            repr(own if given is None else given),
            expected=f"{PREFIX if given is not None else ''}NAME, "
            "NAME being letters, digits and single hyphens",
            do=f"choose another, e.g. --name {PREFIX}aid",
        )
    return short


def _version(manifest: Manifest, given: str | None, path: Path) -> str:
    if given is None:
        dated = dated_version(manifest)
        if dated is None:
            found = "no date of training to take a version from"
            raise ModelError(str(path), found, do="give one, e.g. --version 1.0.0")
        return dated
    if not _VERSION.fullmatch(given):
        expected = "a version as PEP 440 writes it, e.g. 1.2.0 or 1.2.0rc1"
        raise InputError("--version", repr(given), expected=expected)
    return given


def _metadata(short: str, version: str, manifest: Manifest, card: str) -> str:
    """METADATA: a head for pip, then the card without its own head and without pictures."""
    head = _HEAD.match(card)
    licensed = re.search(r"^license: *(\S+) *$", head[1], re.MULTILINE) if head else None
    summary = " ".join(f"A presstag model for {', '.join(manifest.labels)}".split())
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {PREFIX}{short}",
        f"Version: {version}",
        f"Summary: {summary:.500}",
        *([f"License: {licensed[1]}"] if licensed else []),
        f"Requires-Dist: presstag>={__version__}",
        "Description-Content-Type: text/markdown",
    ]
    use = f'Installed, it is `presstag.load("{short}")`, or `presstag extract {short} article.txt`.'
    body = _PICTURE.sub("", card[head.end() :] if head else card).strip()
    return without_surrogates("\n".join([*lines, "", use, "", body]).rstrip() + "\n")


def _record(files: Mapping[str, bytes], own: str) -> str:
    """RECORD: path, SHA-256 and size of each file, and its own path."""
    rows = []
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(content)}\n")
    return "".join([*rows, f"{own},,\n"])


def _zip(files: Mapping[str, bytes]) -> bytes:
    """The files in their order, all of one date and mode."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path)  # of 1980, as far back as zip goes
            entry.create_system = 3  # Unix, wherever this runs
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return written.getvalue()
