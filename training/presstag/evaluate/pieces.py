"""An annotated article cut where spans begin or end, for a page to show it in colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from presstag.evaluate.errors import Verdict
from presstag.spans import Span


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text with the same spans all along.

    Attributes:
        text: the words.
        gold: the label that people gave it, or None.
        found: the label that the model gave it, or None.
        verdicts: the numbers of those that it is part of.
        begins: the numbers of those whose first piece it is.
        ends: the numbers of those whose last piece it is.
    """

    text: str
    gold: str | None
    found: str | None
    verdicts: tuple[int, ...]
    begins: tuple[int, ...]
    ends: tuple[int, ...]


def cut_text(text: str, verdicts: Sequence[Verdict]) -> list[Piece]:
    """Cut an article's text; the pieces' texts in a row are the whole."""
    reach = [_reach(v) for v in verdicts]
    gold = [(span, number) for number, v in enumerate(verdicts) for span in v.gold]
    found = [(span, number) for number, v in enumerate(verdicts) for span in v.found]
    bounds = sorted({0, len(text), *(b for s, _ in gold + found for b in (s.start, s.end))})
    by_start = [dict(_cover(side, bounds)) for side in (gold, found)]
    pieces: list[Piece] = []
    for start, end in zip(bounds, bounds[1:], strict=False):
        sides = [cover.get(start) for cover in by_start]
        own = tuple(sorted({side[1] for side in sides if side}))
        labels = [side[0].label if side else None for side in sides]
        begins = tuple(n for n in own if reach[n][0] == start)
        ends = tuple(n for n in own if reach[n][1] == end)
        pieces.append(Piece(text[start:end], labels[0], labels[1], own, begins, ends))
    return pieces


def _reach(verdict: Verdict) -> tuple[int, int]:
    spans = verdict.gold + verdict.found
    return min(s.start for s in spans), max(s.end for s in spans)


def _cover(
    side: Sequence[tuple[Span, int]], bounds: Sequence[int]
) -> list[tuple[int, tuple[Span, int]]]:
    """Each bound that lies in a span, with the span and the number of its verdict."""
    covered: list[tuple[int, tuple[Span, int]]] = []
    place = {bound: i for i, bound in enumerate(bounds)}
    for span, number in side:
        inside = bounds[place[span.start] : place[span.end]]
        covered += [(bound, (span, number)) for bound in inside]
    return covered
