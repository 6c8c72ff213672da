from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from presstag.train.curves import curves_svg, write_curves
from presstag.train.fit import Course

HISTORY = [
    {"step": 10, "loss": 2.0, "learning_rate": 1e-4},
    {"step": 15, "eval_loss": 0.9, "eval_f1": 0.41},
    {"step": 20, "loss": 0.6, "learning_rate": 2e-4},
    {"step": 30, "loss": 0.3, "learning_rate": 1e-4},
    {"step": 30, "eval_loss": 0.5, "eval_f1": 0.78},
    {"step": 45, "eval_loss": 0.6, "eval_f1": 0.75},
]
COURSE = Course(HISTORY, best_step=30, best_dev_f1=0.78, seconds=9.0, tokens_per_second=1e3)
SHORT = Course([], best_step=1, best_dev_f1=0.0, seconds=1.0, tokens_per_second=1.0)


def texts(svg: str) -> list[str]:
    """What can be read in a picture."""
    elements = read(svg).iter("{http://www.w3.org/2000/svg}text")
    return ["".join(element.itertext()).strip() for element in elements]


def read(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - written here


def test_the_picture_is_a_png_of_800_pixels(tmp_path: Path) -> None:
    """Wide enough to be read where a README shows it."""
    write_curves(COURSE, tmp_path / "curves.png")
    written = (tmp_path / "curves.png").read_bytes()
    assert b"\x89PNG" == written[:4]
    assert (800, 720) == struct.unpack(">II", written[16:24])


def test_the_same_course_gives_the_same_files(tmp_path: Path) -> None:
    """No time of day stands in them."""
    for name in ("a.png", "b.png"):
        write_curves(COURSE, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert curves_svg(COURSE) == curves_svg(COURSE)


def test_each_curve_is_named_and_the_best_step_marked() -> None:
    """Losses of train and dev, F1, rate; and at which step the weights were taken."""
    shown = texts(curves_svg(COURSE))
    expected = {"loss", "dev F1, %", "learning rate", "step", "train", "dev"}
    assert set() == expected - set(shown)
    assert "best: 78.0 at step 30" in shown
    assert "nothing logged" not in shown


@pytest.mark.parametrize("course", [SHORT, Course(HISTORY[1:2], 15, 0.41, 1.0, 1.0)])
def test_a_course_of_a_few_steps_is_drawn(course: Course, tmp_path: Path) -> None:
    """A panel for which nothing was logged says so."""
    write_curves(course, tmp_path / "curves.png")
    assert "nothing logged" in texts(curves_svg(course))


def test_the_svg_stands_in_any_page() -> None:
    """One element: nothing from outside, no style sheet, ids of its own, the page's ink, a name."""
    svg = curves_svg(COURSE)
    root = read(svg)
    assert root.tag.endswith("}svg")
    assert {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"} == set(
        re.findall(r"http[^\"]*", svg)
    )
    assert "<style" not in svg
    assert "currentColor" in svg
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert ids
    assert [] == [i for i in ids if not str(i).startswith("curves-")]
    assert set(re.findall(r"(?:href=\"#|url\(#)([^\")]*)", svg)) <= set(ids)
    assert "dev F1 78.0" in str(root.get("aria-label"))


def test_drawing_leaves_pyplot_and_its_settings_alone(tmp_path: Path) -> None:
    """A program that draws pictures of its own finds everything as it was."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    before = dict(mpl.rcParams)
    write_curves(COURSE, tmp_path / "curves.png")
    curves_svg(COURSE)
    assert before == dict(mpl.rcParams)
    assert [] == plt.get_fignums()
