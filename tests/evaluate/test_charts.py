from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from presstag.evaluate.charts import bar_svg, contrast, label_colours, reliability_svg
from presstag.evaluate.intervals import Interval

COLOURS = label_colours("abcdefg")


def parse(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - written here


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#e69f00", "#e69f00", 1.0)],
)
def test_contrast_is_that_of_the_guidelines(one: str, other: str, expected: float) -> None:
    """Figures as checkers of WCAG give them; the order does not matter."""
    assert expected == pytest.approx(contrast(one, other), abs=0.01)
    assert contrast(one, other) == contrast(other, one)


@pytest.mark.parametrize("colour", COLOURS)
def test_colours_can_be_seen_and_read_on(colour: object) -> None:
    """Lines on white have three to one, black on a label's ground four and a half (blue: four)."""
    assert 3 <= contrast(colour.line, "#ffffff")
    assert 4 <= contrast(colour.fill, "#000000")


def test_labels_beyond_the_palette_begin_again() -> None:
    """They have names too."""
    assert 7 == len({c.fill for c in COLOURS})
    assert label_colours("abcdefgh")[7] == COLOURS[0]


def test_a_bar_ends_at_its_figure() -> None:
    """In percent of its place; the interval and the mark with it."""
    svg = parse(bar_svg(0.5, Interval(0.4, 0.625), mark=0.25))
    assert ["100%", "50.00%"] == [r.get("width") for r in svg.iter("rect")]
    assert ("40.00%", "62.50%") == (svg[2].get("x1"), svg[2].get("x2"))
    assert "25.00%" == svg.find("svg").get("x")
    assert parse(bar_svg(0.5, Interval(0.4, 0.6))).find("svg") is None


def test_a_perfect_score_lies_on_the_diagonal() -> None:
    """Where the plot's own line is; what is asked to be shown first is drawn last."""
    bins = [{"score": 0.5, "right": 0.5}]
    svg = parse(reliability_svg({"after": bins, "before": bins}, name="<name>"))
    line = next(e for e in svg if e.get("class") == "perfect")
    ends = [float(line.get(key)) for key in ("x1", "x2", "y1", "y2")]
    circles = list(svg.iter("circle"))
    assert ["second", "first"] == [c.get("class") for c in circles]
    expected = ((ends[0] + ends[1]) / 2, (ends[2] + ends[3]) / 2)
    assert expected == (float(circles[0].get("cx")), float(circles[0].get("cy")))
    assert "<name>" == svg.get("aria-label")
