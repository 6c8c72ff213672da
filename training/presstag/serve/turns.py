"""The texts of many requests, tagged by a few threads, each request in its turn.

There is no batching: a packed model runs windows one by one, so that a text's scores do not depend
on its neighbours, and a batch of 16 texts took the time of 16 texts. What pays is to keep every
core busy with a text of its own.

Requests take turns text by text, so that a request with many texts does not hold up one with a
single text. Texts that take long have a lane and threads of their own; all lanes share the cores.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from presstag.spans import Span
from presstag.tagger import Tagger
from presstag.writing import without_surrogates

LONG = 20_000
"""From so many code points on, a text goes to the lane of the long ones."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the model could not tag a text."""

    reason: str


class _GivenUp(Exception):
    """Nobody waits for the spans any more; caught where texts are tagged."""


class Work:
    """The texts of one request and what comes of them.

    Attributes:
        texts: as they came.
        done: is resolved with a result for each text, in their order: its spans, or a failure. It
            stays open where the work is given up.
    """

    def __init__(self, texts: Sequence[str], *, until: float) -> None:
        """Take texts, one at least; `until`, on the monotonic clock, they are waited for."""
        self.texts = texts
        self.done: Future[list[list[Span] | Failure]] = Future()
        self._results: dict[int, list[Span] | Failure] = {}
        self._lock = threading.Lock()
        self._until = until
        self._given_up = False

    @property
    def over(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._given_up or time.monotonic() > self._until

    def give_up(self) -> None:
        """Let texts that wait wait no more, and what is under way end at its next window."""
        self._given_up = True

    def tag(self, place: int, tagger: Tagger) -> None:
        """Tag one of the texts; whatever a model raises costs this text only."""
        result: list[Span] | Failure
        try:
            result = tagger.interruptible(self._check)(self.texts[place])
        except _GivenUp:
            return
        except Exception as error:  # noqa: BLE001 - of any model
            said = (str(error).splitlines() or [""])[0]
            reason = f"the model failed on this text: {type(error).__name__}: {said:.200}"
            result = Failure(without_surrogates(reason))
        with self._lock:
            self._results[place] = result
            last = len(self._results) == len(self.texts)
        if last:
            self.done.set_result([self._results[i] for i in range(len(self.texts))])

    def _check(self) -> None:
        if self.over:
            raise _GivenUp


class Turns:
    """Tags the texts of works on threads of its own until it is closed."""

    def __init__(self, tagger: Tagger, *, workers: int) -> None:
        """Start `workers` threads, and half as many for long texts, one at least."""
        self._short = _Lane(tagger, threads=workers)
        self._long = _Lane(tagger, threads=max(1, workers // 2))

    def add(self, work: Work) -> None:
        """Have the texts of a work tagged."""
        places: tuple[deque[int], deque[int]] = (deque(), deque())
        for place, text in enumerate(work.texts):
            places[len(text) >= LONG].append(place)
        self._short.add(work, places[False])
        self._long.add(work, places[True])

    def close(self) -> None:
        """Begin no text any more."""
        self._short.close()
        self._long.close()


class _Lane:
    """Threads that take one text at a time from the work whose turn it is."""

    def __init__(self, tagger: Tagger, *, threads: int) -> None:
        self._tagger = tagger
        self._waiting: deque[tuple[Work, deque[int]]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        for _ in range(threads):
            # A daemon, so that a long text does not hold up the end of the process.
            threading.Thread(target=self._run, daemon=True).start()

    def add(self, work: Work, places: deque[int]) -> None:
        with self._changed:
            if places:
                self._waiting.append((work, places))
                self._changed.notify(len(places))

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _run(self) -> None:
        while (taken := self._take()) is not None:
            work, place = taken
            work.tag(place, self._tagger)

    def _take(self) -> tuple[Work, int] | None:
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return None
                work, places = self._waiting.popleft()
                if work.over:
                    continue
                place = places.popleft()
                if places:
                    self._waiting.append((work, places))
                return work, place
