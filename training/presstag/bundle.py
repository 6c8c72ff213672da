"""The packed model on disk: a folder with the network, the tokenizer and a manifest.

    model.onnx        int64 input_ids and attention_mask, and token_type_ids where the encoder takes
                      the shapes of words by them (windows x tokens) -> logits
    tokenizer.json    as the tokenizers library writes it
    manifest.json     format number and the presstag that reads it, labels, window, digests of the
                      files, scores, provenance, calibration

Everything is checked before use, so that a damaged or foreign folder says so at once.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeGuard

from presstag.errors import ModelError
from presstag.network import AGAIN, WHOLE, Network, read_checked
from presstag.tagger import Calibration, Tagger
from presstag.tags import TagScheme
from presstag.tokens import ArticleTokenizer
from presstag.writing import write_bytes, write_json

FORMAT = 1
READER = ">=0.1.0"
"""The versions of presstag that read this format, as pip writes it: what an older one advises."""
MANIFEST, NETWORK, TOKENIZER = "manifest.json", "model.onnx", "tokenizer.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a packed model says of itself.

    Attributes:
        name: what the model is called.
        labels: in the order of the network's outputs.
        window: most tokens shown at once, special tokens included.
        overlap: tokens that neighbouring windows share at least.
        pad: the token id that fills up a window.
        precision: of the network's weights, e.g. `int8`.
        files: SHA-256 by file name.
        scores: strict span scores by split, and how far the network is from its checkpoint.
        provenance: how the model was made.
        calibration: `raw` and `calibrated`, the points of a `Calibration`; without them spans keep
            their raw scores. `spans` is how many of dev it was fitted on, or would have been;
            `reliability` says by split how far scores are from the truth before and after. None
            for a model that was packed without looking.
    """

    name: str
    labels: list[str]
    window: int
    overlap: int
    pad: int
    precision: str
    files: dict[str, str]
    scores: dict[str, Any]
    provenance: dict[str, Any]
    calibration: dict[str, Any] | None = None

    def span_calibration(self) -> Calibration | None:
        """What the spans' scores go through; None where they stay raw.

        Raises:
            ValueError: if the points are no calibration.
        """
        if self.calibration is None or not {"raw", "calibrated"} & set(self.calibration):
            return None
        raw, calibrated = (self.calibration.get(key) for key in ("raw", "calibrated"))
        if not _is_numbers(raw) or not _is_numbers(calibrated):
            raise ValueError("raw and calibrated are not two lists of numbers")
        return Calibration(tuple(raw), tuple(calibrated))


def write_bundle(folder: str | Path, manifest: Manifest, *, network: bytes, tokenizer: str) -> None:
    """Write a packed model; the manifest comes last, so that a mixture of two does not load."""
    folder = Path(folder)
    files = {NETWORK: network, TOKENIZER: tokenizer.encode()}
    for name, content in files.items():
        write_bytes(folder / name, content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    head = {"format": FORMAT, "presstag": READER}
    write_json(folder / MANIFEST, {**head, **asdict(manifest), "files": digests})


def read_manifest(folder: str | Path) -> Manifest:
    """Read and check a packed model's manifest.

    Raises:
        ModelError: if it is missing, damaged, or of a newer format.
    """
    path = Path(folder) / MANIFEST
    train = "make one with: presstag train configs/aid.yaml"
    if not Path(folder).is_dir():
        raise ModelError(str(folder), "no such model folder", do=train)
    try:
        read = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ModelError(str(folder), f"no {MANIFEST} in it: no packed model", do=train) from None
    except OSError as error:
        found = f"cannot be read: {error.strerror}"
        raise ModelError(str(path), found, do=WHOLE) from None
    except ValueError:
        raise ModelError(str(path), "damaged: not JSON", do=AGAIN) from None
    if not isinstance(read, dict) or type(read.get("format")) is not int:
        expected = f"format {FORMAT} or older"
        raise ModelError(str(path), "no format number", expected=expected, do=AGAIN)
    if read["format"] > FORMAT:
        reader = str(read.get("presstag"))
        known = re.fullmatch(r">=\d[\w.]*", reader, re.ASCII)
        wanting = f"'presstag{reader}'" if known else "presstag"
        raise ModelError(
            str(path),
            "written by a newer presstag in a format that this one does not know",
            expected=f"format {FORMAT} or older",
            do=f"pip install --upgrade {wanting}",
        )
    wanted: dict[str, type] = {
        "name": str, "labels": list, "window": int, "overlap": int, "pad": int,
        "precision": str, "files": dict, "scores": dict, "provenance": dict,
    }  # fmt: skip
    wrong = [key for key, kind in wanted.items() if type(read.get(key)) is not kind]
    if "labels" not in wrong and not all(isinstance(label, str) for label in read["labels"]):
        wrong.append("labels")
    if not isinstance(read.get("calibration"), dict | None):
        wrong.append("calibration")
    if wrong:
        raise ModelError(str(path), f"missing or of a wrong type: {', '.join(wrong)}", do=AGAIN)
    return Manifest(**{key: read[key] for key in wanted}, calibration=read.get("calibration"))


def load_bundle(folder: str | Path, *, threads: int | None = None) -> Tagger:
    """Open a packed model.

    Args:
        folder: where it is.
        threads: how many the network may use; None leaves it to onnxruntime (all cores).

    Raises:
        ModelError: if a file is missing, is not the one that the manifest names, or does not load.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    read_checked(folder / TOKENIZER, manifest.files.get(TOKENIZER))
    tokenizer = ArticleTokenizer.from_file(folder / TOKENIZER, pad=manifest.pad)
    scheme = TagScheme(tuple(manifest.labels))
    if manifest.window - tokenizer.specials <= manifest.overlap or manifest.overlap < 0:
        found = f"window {manifest.window} with overlap {manifest.overlap}"
        expected = "a window above the overlap"
        raise ModelError(str(folder / MANIFEST), found, expected=expected, do=AGAIN)
    try:
        calibration = manifest.span_calibration()
    except ValueError as error:
        expected = "raw and calibrated: as many of each, rising, in 0 to 1"
        found = f"calibration: {error}"
        raise ModelError(str(folder / MANIFEST), found, expected=expected, do=AGAIN) from None
    return Tagger(
        Network(
            folder / NETWORK,
            manifest.files.get(NETWORK),
            outputs=len(scheme.tags),
            threads=threads,
        ),
        tokenizer=tokenizer,
        scheme=scheme,
        window=manifest.window,
        overlap=manifest.overlap,
        calibration=calibration,
        info={"folder": str(folder), **asdict(manifest)},
    )


def _is_numbers(value: Any) -> TypeGuard[list[float]]:
    return isinstance(value, list) and all(type(x) in (int, float) for x in value)
