"""Pictures of a report as inline SVG, and the colours of its labels.

Built as elements, so that whatever stands in them is escaped. Ink and ground are the page's.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from presstag.colours import label_fills
from presstag.evaluate.intervals import Interval

_LINE_CONTRAST = 3.0  # WCAG 2.2, 1.4.11, of a line on white
_SIDE, _LEFT, _TOP, _AREA = 330, 46, 12, 272  # of the reliability plot, in its own units


@dataclass(frozen=True, slots=True)
class LabelColour:
    """A label's colours, as `#rrggbb`.

    Attributes:
        fill: the palette's own: black text can be read on it.
        line: as dark as a line on white has to be.
    """

    fill: str
    line: str


def label_colours(labels: Sequence[str]) -> list[LabelColour]:
    """The colours of labels, in their order; after seven they begin again."""
    return [LabelColour(fill, _darken(fill)) for fill in label_fills(len(labels))]


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _darken(colour: str) -> str:
    channels = _channels(colour)
    while contrast(colour, "#ffffff") < _LINE_CONTRAST:
        channels = [0.95 * c for c in channels]
        colour = "#" + "".join(f"{round(255 * c):02x}" for c in channels)
    return colour


def _luminance(colour: str) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour)
    ]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _channels(colour: str) -> list[float]:
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def bar_svg(value: float, interval: Interval, *, mark: float | None = None) -> str:
    """Draw a figure in 0 to 1 as a bar with its interval, as wide as its place.

    Hidden from screen readers: the figures stand beside it.

    Args:
        value: the bar's end.
        interval: a line with ends.
        mark: another figure to compare with, a diamond.
    """
    svg = ET.Element("svg", {"class": "bar", "aria-hidden": "true", "width": "100%"})
    _add(svg, "rect", cls="ground", x="0", y="5", width="100%", height="12")
    _add(svg, "rect", cls="value", x="0", y="5", width=_percent(value), height="12")
    low, high = _percent(interval.low), _percent(interval.high)
    _add(svg, "line", cls="reach", x1=low, x2=high, y1="11", y2="11")
    for end in (low, high):
        _add(svg, "line", cls="reach", x1=end, x2=end, y1="6", y2="16")
    if mark is not None:
        place = ET.SubElement(svg, "svg", x=_percent(mark), y="11", overflow="visible")
        _add(place, "path", cls="mark", d="M0-6 5 0 0 6-5 0z")
    return _write(svg)


def _percent(value: float) -> str:
    return f"{100 * value:.2f}%"


def reliability_svg(curves: Mapping[str, Sequence[Mapping[str, float]]], *, name: str) -> str:
    """Plot the share of right spans over their score.

    Args:
        curves: bins (`score`, `right`) by what they are of; at most two: the first is drawn with a
            full line and full points, the other with a broken line and empty ones.
        name: what a screen reader says.
    """
    svg = ET.Element("svg", {"class": "reliability", "role": "img", "aria-label": name})
    svg.set("viewBox", f"0 0 {_SIDE} {_SIDE}")
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = _place(tick, tick)
        _add(svg, "line", cls="grid", x1=_x(0), x2=_x(1), y1=y, y2=y)
        _add(svg, "text", f"{100 * tick:.0f}", cls="tick", x=_LEFT - 6, y=y + 4, anchor="end")
        _add(svg, "text", f"{100 * tick:.0f}", cls="tick", x=x, y=_TOP + _AREA + 17)
    (x1, y1), (x2, y2) = _place(0, 0), _place(1, 1)
    _add(svg, "line", cls="perfect", x1=x1, y1=y1, x2=x2, y2=y2)
    _add(svg, "text", "score, %", cls="axis", x=_LEFT + _AREA / 2, y=_SIDE - 8)
    middle = _TOP + _AREA / 2
    _add(svg, "text", "right, %", cls="axis", x=12, y=middle, transform=f"rotate(-90 12 {middle})")
    for cls, bins in reversed(list(zip(("first", "second"), curves.values(), strict=False))):
        points = [_place(b["score"], b["right"]) for b in bins]
        _add(svg, "polyline", cls=cls, points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points))
        for x, y in points:
            _add(svg, "circle", cls=cls, cx=x, cy=y, r=4)
    return _write(svg)


def _x(score: float) -> float:
    return _LEFT + _AREA * score


def _place(score: float, right: float) -> tuple[float, float]:
    return _x(score), _TOP + _AREA * (1 - right)


def _add(parent: ET.Element, tag: str, text: str = "", *, cls: str, **attributes: Any) -> None:
    anchor = {"text-anchor": attributes.pop("anchor", "middle")} if text else {}
    plain = {k: f"{v:.1f}" if isinstance(v, float) else str(v) for k, v in attributes.items()}
    ET.SubElement(parent, tag, {"class": cls, **plain, **anchor}).text = text or None


def _write(svg: ET.Element) -> str:
    return ET.tostring(svg, encoding="unicode")
