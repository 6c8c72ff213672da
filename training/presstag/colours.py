"""The colours of labels: the same on the terminal, in reports and in Label Studio."""

from __future__ import annotations

# Okabe and Ito's palette, which colour-blind people can tell apart; black can be read on each.
_PALETTE = ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#0072b2")


def label_fills(count: int) -> list[str]:
    """The colours of so many labels, in their order; after seven they begin again."""
    return [_PALETTE[i % len(_PALETTE)] for i in range(count)]
