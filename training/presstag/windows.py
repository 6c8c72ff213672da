"""Cut a long sequence of tokens into overlapping windows.

An encoder reads a limited number of tokens. A window shows it some of them; the core of a window
is the part that the window decides. Cores meet without gap or overlap: every token is scored, and
is trained on, exactly once, with context on both sides wherever the article has some.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open ranges over the tokens of an article: what is read, and what is decided."""

    start: int
    stop: int
    core_start: int
    core_stop: int


def plan_windows(length: int, *, size: int, overlap: int) -> list[Window]:
    """Cover `length` tokens with the fewest windows, all of nearly the same length.

    Args:
        length: number of tokens of the article.
        size: most tokens in a window, at least 1.
        overlap: tokens that neighbouring windows share at least, below `size`.

    Returns:
        Windows in order; none for an empty article.
    """
    if size < 1 or not 0 <= overlap < size:
        raise ValueError(f"window size {size} and overlap {overlap}: need 0 <= overlap < size")
    if length <= 0:
        return []
    if length <= size:
        return [Window(0, length, 0, length)]
    count = -((overlap - length) // (size - overlap))
    # The shortest common length that still covers everything with this overlap.
    extent = -(-(length + (count - 1) * overlap) // count)
    starts = [i * (length - extent) // (count - 1) for i in range(count)]
    # Neighbours share the tokens between one's start and the other's stop: each decides half.
    cuts = [0, *((a + extent + b) // 2 for a, b in pairwise(starts)), length]
    return [Window(start, start + extent, cuts[i], cuts[i + 1]) for i, start in enumerate(starts)]
