"""Windows over a long sequence."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presstag.windows import Window, plan_windows


@st.composite
def plans(draw: st.DrawFn) -> tuple[int, int, int]:
    """A length, a size, an overlap below the size."""
    size = draw(st.integers(1, 60))
    return draw(st.integers(0, 400)), size, draw(st.integers(0, size - 1))


def test_an_empty_article_has_no_window() -> None:
    """Nothing to read, nothing to decide."""
    assert [] == plan_windows(0, size=8, overlap=2)


@pytest.mark.parametrize("length", [1, 7, 8])
def test_what_fits_is_one_window(length: int) -> None:
    """An article no longer than a window is read and decided at once."""
    assert [Window(0, length, 0, length)] == plan_windows(length, size=8, overlap=2)


def test_neighbours_decide_half_of_what_they_share() -> None:
    """Two windows of four over six tokens share two, and each decides one of them."""
    expected = [Window(0, 4, 0, 3), Window(2, 6, 3, 6)]
    assert expected == plan_windows(6, size=4, overlap=2)


@given(plans())
def test_cores_cover_every_token_once(plan: tuple[int, int, int]) -> None:
    """Cores follow one another without gap or overlap, and none is empty."""
    length, size, overlap = plan
    windows = plan_windows(length, size=size, overlap=overlap)
    assert list(range(length)) == [i for w in windows for i in range(w.core_start, w.core_stop)]
    assert all(w.core_start < w.core_stop for w in windows)


@given(plans())
def test_windows_lie_in_the_article_around_their_cores(plan: tuple[int, int, int]) -> None:
    """A window reads what it decides, no more than its size, and nothing beyond the article."""
    length, size, overlap = plan
    for w in plan_windows(length, size=size, overlap=overlap):
        assert 0 <= w.start <= w.core_start <= w.core_stop <= w.stop <= length
        assert w.stop - w.start <= size


@given(plans())
def test_neighbours_share_at_least_the_overlap(plan: tuple[int, int, int]) -> None:
    """So that a token has half an overlap of context on each side, where the article has it."""
    length, size, overlap = plan
    windows = plan_windows(length, size=size, overlap=overlap)
    for a, b in pairwise(windows):
        assert a.stop - b.start >= overlap
        assert min(a.stop - a.core_stop, b.core_start - b.start) >= overlap // 2


@given(plans())
def test_windows_are_few_and_of_one_length(plan: tuple[int, int, int]) -> None:
    """One window fewer could not cover the article; all windows are equally long."""
    length, size, overlap = plan
    windows = plan_windows(length, size=size, overlap=overlap)
    fewer = len(windows) - 1
    assert fewer < 1 or fewer * size - (fewer - 1) * overlap < length
    assert len({w.stop - w.start for w in windows}) <= 1


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (-1, 0), (4, 4), (4, 5), (4, -1)])
def test_impossible_sizes_are_refused(size: int, overlap: int) -> None:
    """A window has at least a token, and its overlap lies below its size."""
    with pytest.raises(ValueError, match=f"size {size} and overlap {overlap}"):
        plan_windows(10, size=size, overlap=overlap)
