"""The packed model on disk: a folder with the network, the tokenizer and a manifest.

    model.onnx        int64 input_ids and attention_mask, and token_type_ids where the encoder takes
                      the shapes of words by them (windows x tokens) -> logits
    tokenizer.json    as the tokenizers library writes it
    manifest.json     format number, labels, window, digests of the files, scores, provenance,
                      calibration

Everything is checked before use, so that a damaged or foreign folder says so at once.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeGuard

from presstag.errors import ModelError
from presstag.tagger import Calibration, Tagger
from presstag.tags import TagScheme
from presstag.tokens import ArticleTokenizer, Batch, Floats
from presstag.writing import write_bytes, write_json

FORMAT = 1
MANIFEST, NETWORK, TOKENIZER = "manifest.json", "model.onnx", "tokenizer.json"
_INPUTS = ["attention_mask", "input_ids", "token_type_ids"]
_AGAIN = "export the model again."


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
    write_json(folder / MANIFEST, {"format": FORMAT, **asdict(manifest), "files": digests})


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
        raise ModelError(str(path), found, do="copy the whole folder again.") from None
    except ValueError:
        raise ModelError(str(path), "damaged: not JSON", do=_AGAIN) from None
    if not isinstance(read, dict) or type(read.get("format")) is not int:
        expected = f"format {FORMAT} or older"
        raise ModelError(str(path), "no format number", expected=expected, do=_AGAIN)
    if read.pop("format") > FORMAT:
        raise ModelError(
            str(path),
            "written by a newer presstag in a format that this one does not know",
            expected=f"format {FORMAT} or older",
            do="pip install --upgrade presstag",
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
        raise ModelError(str(path), f"missing or of a wrong type: {', '.join(wrong)}", do=_AGAIN)
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
    network = _read_checked(folder, NETWORK, manifest)
    _read_checked(folder, TOKENIZER, manifest)
    tokenizer = ArticleTokenizer.from_file(folder / TOKENIZER, pad=manifest.pad)
    scheme = TagScheme(tuple(manifest.labels))
    if manifest.window - tokenizer.specials <= manifest.overlap or manifest.overlap < 0:
        found = f"window {manifest.window} with overlap {manifest.overlap}"
        expected = "a window above the overlap"
        raise ModelError(str(folder / MANIFEST), found, expected=expected, do=_AGAIN)
    try:
        calibration = manifest.span_calibration()
    except ValueError as error:
        expected = "raw and calibrated: as many of each, rising, in 0 to 1"
        found = f"calibration: {error}"
        raise ModelError(str(folder / MANIFEST), found, expected=expected, do=_AGAIN) from None
    return Tagger(
        _Network(network, folder / NETWORK, outputs=len(scheme.tags), threads=threads),
        tokenizer=tokenizer,
        scheme=scheme,
        window=manifest.window,
        overlap=manifest.overlap,
        calibration=calibration,
        info={"folder": str(folder), **asdict(manifest)},
    )


def _is_numbers(value: Any) -> TypeGuard[list[float]]:
    return isinstance(value, list) and all(type(x) in (int, float) for x in value)


def _read_checked(folder: Path, name: str, manifest: Manifest) -> bytes:
    path = folder / name
    try:
        content = path.read_bytes()
    except OSError as error:
        found = f"cannot be read: {error.strerror}"
        raise ModelError(str(path), found, do="copy the whole folder again.") from None
    digest, expected = hashlib.sha256(content).hexdigest(), manifest.files.get(name)
    if digest != expected:
        raise ModelError(
            str(path),
            f"SHA-256 {digest}",
            expected=f"{expected}, as {MANIFEST} says",
            do="the file is damaged or of another model: copy the folder or export again.",
        )
    return content


class _Network:
    """onnxruntime's session as a `Forward`."""

    def __init__(self, content: bytes, path: Path, *, outputs: int, threads: int | None) -> None:
        import onnxruntime  # noqa: PLC0415 - only a packed model needs it

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads is not None:
            options.intra_op_num_threads = threads
        providers = ["CPUExecutionProvider"]
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=providers)
        except Exception as error:  # noqa: BLE001 - the library's own exceptions share no base of their own
            reason = str(error).splitlines()[0]
            found = f"onnxruntime cannot load it: {reason:.200}"
            raise ModelError(str(path), found, do=_AGAIN) from None
        self._inputs = sorted(i.name for i in self._session.get_inputs())
        if self._inputs not in (["attention_mask", "input_ids"], _INPUTS):
            found = f"a network that wants {self._inputs}"
            expected = "input_ids and attention_mask, or token_type_ids too"
            raise ModelError(str(path), found, expected=expected, do=_AGAIN)
        shape = self._session.get_outputs()[0].shape
        if shape[-1:] != [outputs]:
            found = f"a network with outputs {shape}"
            expected = f"{outputs} a token, as {MANIFEST} has labels"
            raise ModelError(str(path), found, expected=expected, do=_AGAIN)

    def __call__(self, batch: Batch) -> Floats:
        logits: Floats = self._session.run(None, batch.feed(self._inputs))[0]
        return logits
