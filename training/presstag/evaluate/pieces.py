"""An annotated article as a page shows it: cut where spans begin or end, each mention judged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from presstag.evaluate.errors import NOTHING, Verdict
from presstag.spans import Article, Span

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


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
    for start, end in pairwise(bounds):
        sides = [cover.get(start) for cover in by_start]
        own = tuple(sorted({side[1] for side in sides if side}))
        labels = [side[0].label if side else None for side in sides]
        begins = tuple(n for n in own if reach[n][0] == start)
        ends = tuple(n for n in own if reach[n][1] == end)
        pieces.append(Piece(text[start:end], labels[0], labels[1], own, begins, ends))
    return pieces


def lowest_score(verdict: Verdict) -> float | None:
    """The lowest score of the found spans, in (0, 1]; None where none was found or scored."""
    scores = [s.score for s in verdict.found if s.score is not None]
    return round(min(scores), 3) if scores else None


def show_article(article: Article, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """What the page says of an article, in the words of its template."""
    wrong = sum(v.kind != "right" for v in verdicts)
    language = str(article.meta.get("lang") or article.meta.get("language") or "")
    return {
        "id": article.id,
        "meta": {k: v for k, v in article.meta.items() if isinstance(v, str | int | float)},
        "language": language if _LANGUAGE.fullmatch(language) else "",
        "words": len(article.text.split()),
        "right": len(verdicts) - wrong,
        "wrong": wrong,
        "pieces": cut_text(article.text, verdicts),
        "chips": [_chip(v) for v in verdicts],
    }


def _chip(verdict: Verdict) -> dict[str, str]:
    """What stands behind a mention, and what is said of it in full."""
    labels = verdict.label
    if verdict.kind == "wrong label":
        labels = f"{verdict.gold[0].label} → {verdict.found[0].label}"
    title = f"people: {_quote(verdict.gold)}; model: {_quote(verdict.found)}"
    if verdict.kind == "right":
        title = f"right{_score(verdict.found[0])}"
    return {"kind": verdict.kind, "labels": labels, "title": title}


def _quote(spans: Sequence[Span]) -> str:
    return ", ".join(f"{s.label} “{s.text}”{_score(s)}" for s in spans) or NOTHING


def _score(span: Span) -> str:
    return "" if span.score is None else f", score {100 * span.score:.1f}"


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
