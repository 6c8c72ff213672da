"""How training went, as a picture: the losses, F1 on dev and the learning rate over the steps.

Three panels share one axis of steps, and a line through all of them marks the step whose weights
were kept. The colours are Okabe and Ito's, which colour-blind people can tell apart; lines differ
in their strokes too.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from presstag.writing import write_bytes

if TYPE_CHECKING:
    from presstag.train.fit import Course

_WIDTH, _HEIGHT, _DPI = 8.0, 7.2, 100  # 800 x 720 pixels
_INK = "#222222"
_BLUE, _ORANGE, _GREEN, _PINK = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
_PLAIN: dict[Any, Any] = {
    "font.size": 11,
    "svg.fonttype": "none",  # text stays text: small, and it can be found and read aloud
    "svg.hashsalt": "presstag",  # the same course gives the same file
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK
    ),
}


def write_curves(course: Course, path: str | Path) -> None:
    """Draw a course as a PNG, 800 pixels wide."""
    with mpl.rc_context(_PLAIN):
        written = io.BytesIO()
        _draw(course).savefig(written, format="png")
    write_bytes(path, written.getvalue())


def curves_svg(course: Course) -> str:
    """Draw a course as an `<svg>` element to stand in a page.

    It needs nothing from outside, takes the width that it is given, and its ink is the page's
    `currentColor`, on no ground of its own. Its ids begin with `curves-`.
    """
    with mpl.rc_context(_PLAIN):
        written = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        _draw(course).savefig(written, format="svg", transparent=True, metadata=nothing)
    svg = written.getvalue()
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    # Their style sheet would hold for the whole page: the root says the same for itself.
    svg = re.sub(r"<style.*?</style>|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # Another picture of the page may have the same ids.
    svg = re.sub(r'(\bid="|href="#|url\(#)', r"\1curves-", svg)
    box = re.search(r'viewBox="[^"]*"', svg)
    head = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'{box[0] if box else ""} role="img" aria-label="{_describe(course)}" '
        f'style="width:100%;max-width:{_WIDTH * _DPI:.0f}px;height:auto;stroke-linejoin:round">'
    )
    return head + svg[svg.index(">") + 1 :].strip()


def _describe(course: Course) -> str:
    return (
        f"Training loss, dev loss, dev F1 and learning rate over the steps; the best weights, with "
        f"dev F1 {100 * course.best_dev_f1:.1f}, were those of step {course.best_step}"
    )


def _draw(course: Course) -> Figure:
    figure = Figure(figsize=(_WIDTH, _HEIGHT), dpi=_DPI, layout="constrained")
    panels = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 1.5))
    loss, f1, rate = panels
    _line(loss, course.history, "loss", label="train", color=_BLUE, linestyle="-")
    _line(loss, course.history, "eval_loss", label="dev", color=_ORANGE, linestyle="--", marker="o")
    loss.set_ylabel("loss")
    _line(f1, course.history, "eval_f1", color=_GREEN, linestyle="-", marker="o", scale=100)
    f1.set_ylabel("dev F1, %")
    _line(rate, course.history, "learning_rate", color=_PINK, linestyle="-")
    rate.set_ylabel("learning rate")
    rate.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    rate.set_xlabel("step")
    for panel in panels:
        _finish(panel, course.best_step)
    _mark_best(f1, course)
    if loss.get_legend_handles_labels()[0]:
        loss.legend(frameon=False)
    return figure


def _line(
    panel: Axes,
    history: list[dict[str, float]],
    key: str,
    *,
    scale: float = 1.0,
    marker: str = "",
    **style: Any,
) -> None:
    points = _points(history, key)
    if points:
        values = [scale * value for value in points.values()]
        alone = "o" if len(points) == 1 else marker
        panel.plot(list(points), values, marker=alone, markersize=4, linewidth=1.8, **style)


def _points(history: list[dict[str, float]], key: str) -> Mapping[int, float]:
    return {int(entry["step"]): entry[key] for entry in history if key in entry}


def _finish(panel: Axes, best_step: int) -> None:
    panel.axvline(best_step, color=_INK, linewidth=1, linestyle=":")
    panel.grid(axis="y", color="#888888", alpha=0.3)
    panel.spines[["top", "right"]].set_visible(False)
    if len(panel.lines) == 1:  # the mark alone: a run of a few steps logs no training loss
        panel.text(0.5, 0.5, "nothing logged", transform=panel.transAxes, ha="center", va="center")
        panel.set_yticks([])


def _mark_best(panel: Axes, course: Course) -> None:
    best = 100 * course.best_dev_f1
    panel.plot([course.best_step], [best], marker="*", markersize=15, color=_ORANGE, zorder=3)
    in_last_half = course.best_step > max((e["step"] for e in course.history), default=0) / 2
    panel.annotate(
        f"best: {best:.1f} at step {course.best_step}",
        (course.best_step, best),
        xytext=(-12 if in_last_half else 12, -22),
        textcoords="offset points",
        ha="right" if in_last_half else "left",
    )
