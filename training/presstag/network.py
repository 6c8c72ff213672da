"""The network of a packed model on onnxruntime, one session a process.

A session does not survive a fork: its threads stay behind in the parent, a lock of theirs may be
held for good, and even dropping the inherited session can hang. So a forked child leaves it alone
and opens one of its own when the first batch comes, as a copy that was unpickled in another process
does: from the same file, which must still have the same digest.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakSet

from presstag.errors import ModelError
from presstag.tokens import Batch, Floats

_INPUTS = ["attention_mask", "input_ids", "token_type_ids"]
AGAIN = "export the model again."
WHOLE = "copy or install the whole model again."


class Network:
    """A network file as a `Forward`; to be shared between threads, forked and pickled."""

    def __init__(
        self, path: str | Path, digest: str | None, *, outputs: int, threads: int | None
    ) -> None:
        """Open a network.

        Args:
            path: an ONNX file.
            digest: its SHA-256.
            outputs: scores that it must give a token.
            threads: how many it may use; None leaves it to onnxruntime (all cores).

        Raises:
            ModelError: if it cannot be read, is another file, or is no such network.
        """
        self._path = Path(path).absolute()
        self._digest = digest
        self._outputs = outputs
        self._threads = threads
        self._opening = Lock()
        self._session: Any = self._open()
        self._inputs = _check(self._session, self._path, outputs=outputs)
        _networks.add(self)
        _watch_forks()

    def __call__(self, batch: Batch) -> Floats:
        """Score a batch: windows x tokens x tags, as logits."""
        session = self._session
        if session is None:
            with self._opening:
                session = self._session = self._session or self._open()
        logits: Floats = session.run(None, batch.feed(self._inputs))[0]
        return logits

    def __reduce__(self) -> tuple[object, ...]:
        return (_reopen, (self._path, self._digest, self._outputs, self._threads))

    def __deepcopy__(self, memo: dict[int, Any]) -> Network:
        return self

    def leave_to_parent(self) -> None:
        """Let go of the session, which is another process's, without ever dropping it."""
        if self._session is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._session))
        self._session = None
        self._opening = Lock()

    def _open(self) -> Any:
        turn_telemetry_off()
        import onnxruntime  # noqa: PLC0415 - only a packed model needs it

        content = read_checked(self._path, self._digest)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if self._threads is not None:
            options.intra_op_num_threads = self._threads
        providers = ["CPUExecutionProvider"]
        try:
            return onnxruntime.InferenceSession(content, options, providers=providers)
        except Exception as error:  # noqa: BLE001 - its own exceptions share no base of their own
            reason = str(error).splitlines()[0]
            found = f"onnxruntime cannot load it: {reason:.200}"
            raise ModelError(str(self._path), found, do=AGAIN) from None


def turn_telemetry_off() -> None:
    """Keep onnxruntime, if it is not imported yet, from reporting its use to its makers.

    From version 1.29 on it does, from a thread that keeps forked children from ending. Who has set
    ORT_DISABLE_TELEMETRY decides.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def read_checked(path: Path, digest: str | None) -> bytes:
    """Read a file of a packed model.

    Raises:
        ModelError: if that fails, or if it has not that SHA-256.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        found = f"cannot be read: {error.strerror}"
        raise ModelError(str(path), found, do=WHOLE) from None
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise ModelError(
            str(path),
            f"SHA-256 {found}",
            expected=f"{digest}, as manifest.json says",
            do="the file is damaged or of another model: copy, install or export it again.",
        )
    return content


def _check(session: Any, path: Path, *, outputs: int) -> list[str]:
    """The network's inputs, in order; a ModelError if it is none of ours."""
    inputs = sorted(i.name for i in session.get_inputs())
    if inputs not in (["attention_mask", "input_ids"], _INPUTS):
        found = f"a network that wants {inputs}"
        expected = "input_ids and attention_mask, or token_type_ids too"
        raise ModelError(str(path), found, expected=expected, do=AGAIN)
    shape = session.get_outputs()[0].shape
    if shape[-1:] != [outputs]:
        found = f"a network with outputs {shape}"
        expected = f"{outputs} a token, as manifest.json has labels"
        raise ModelError(str(path), found, expected=expected, do=AGAIN)
    return inputs


_networks: WeakSet[Network] = WeakSet()


@cache
def _watch_forks() -> None:
    if hasattr(os, "register_at_fork"):  # where there is no fork, none is watched
        os.register_at_fork(after_in_child=_leave_all)


def _leave_all() -> None:
    for network in _networks:
        network.leave_to_parent()


# A pool sends its function along with every task: the last one stays open.
@lru_cache(maxsize=1)
def _reopen(path: Path, digest: str | None, outputs: int, threads: int | None) -> Network:
    return Network(path, digest, outputs=outputs, threads=threads)
