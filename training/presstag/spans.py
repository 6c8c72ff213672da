"""Spans of an article, and the article itself: the two things that everything else passes on.

Offsets are half-open and count Unicode code points of the text as given, which is how Python
indexes `str` and how Label Studio stores regions: `text[span.start:span.end] == span.text`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of an article.

    Attributes:
        start: first code point.
        end: one past the last code point.
        label: what it is, e.g. `DONOR`.
        text: the words themselves.
        score: the model's probability for exactly this span, in (0, 1]; None for a person's span.
    """

    start: int
    end: int
    label: str
    text: str
    score: float | None = None

    @property
    def key(self) -> tuple[int, int, str]:
        """What strict scoring compares: start, end and label."""
        return (self.start, self.end, self.label)

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it; the score is left out where there is none."""
        found: dict[str, Any] = {
            "start": self.start,
            "end": self.end,
            "label": self.label,
            "text": self.text,
        }
        if self.score is not None:
            found["score"] = round(self.score, 4)
        return found


@dataclass(frozen=True, slots=True)
class Article:
    """A text with its spans in order, none overlapping another.

    Raises:
        ValueError: if a span is empty, lies outside the text, is not the slice that it says,
            or overlaps the span before it.
    """

    id: str
    text: str
    spans: tuple[Span, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        reached = 0
        for span in self.spans:
            if not 0 <= span.start < span.end <= len(self.text):
                raise ValueError(f"article {self.id}: {span} lies outside the text")
            if self.text[span.start : span.end] != span.text:
                raise ValueError(f"article {self.id}: {span} is not the slice of the text")
            if span.start < reached:
                raise ValueError(f"article {self.id}: {span} overlaps the span before it")
            reached = span.end


def flatten(spans: Iterable[Span]) -> tuple[list[Span], list[tuple[Span, Span]]]:
    """Resolve overlaps, so that what is left is flat and in order.

    The longer span stays; of two equally long ones the one that starts first; of two on the same
    stretch the one that came first.

    Returns:
        The spans kept, in order of the text; and each span left out with the one that it yields to.
    """
    kept: list[Span] = []
    left_out: list[tuple[Span, Span]] = []
    for span in sorted(spans, key=lambda s: (s.start - s.end, s.start)):
        rival = next((k for k in kept if span.start < k.end and k.start < span.end), None)
        if rival is None:
            kept.append(span)
        else:
            left_out.append((span, rival))
    return sorted(kept, key=lambda s: s.start), left_out
