"""The BIO tag scheme: spans to tags, scores to the best legal tags, tags to spans.

`B-X` begins a span of label X, `I-X` continues it, `O` is outside (IOB2: Ramshaw and Marcus 1995,
Tjong Kim Sang and Veenstra 1999). Tags stand for units: stretches of text, one after another,
each decided once. Tag ids are fixed by the order of the labels: O is 0, the B and I of label k are
2k+1 and 2k+2.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from presstag.spans import Span

OUTSIDE = 0


@dataclass(frozen=True, slots=True)
class Run:
    """Units `first` up to but not including `stop` form one span of label number `label`."""

    first: int
    stop: int
    label: int


@dataclass(frozen=True, slots=True)
class TagScheme:
    """The tags of a list of labels."""

    labels: tuple[str, ...]

    @property
    def tags(self) -> tuple[str, ...]:
        """Names in order of tag id: `O`, `B-…`, `I-…`, …"""
        return ("O", *(f"{edge}-{label}" for label in self.labels for edge in "BI"))

    @classmethod
    def from_tags(cls, tags: Sequence[str]) -> TagScheme:
        """The scheme whose `tags` are these.

        Raises:
            ValueError: if they are not O, then B- and I- of each label in turn.
        """
        scheme = cls(tuple(tag[2:] for tag in tags if tag.startswith("B-")))
        if list(scheme.tags) != list(tags):
            raise ValueError(f"tags {list(tags)} are not those of a BIO scheme in order")
        return scheme

    def encode(
        self, spans: Iterable[Span], units: Sequence[tuple[int, int]]
    ) -> tuple[list[int], list[Span]]:
        """Tag the units that flat spans cover.

        A span that begins or ends inside a unit takes the whole unit, unless another span has it.

        Returns:
            A tag id for each unit; and the spans that the tags do not give back exactly.
        """
        starts = [start for start, _ in units]
        ends = [end for _, end in units]
        tags = [OUTSIDE] * len(units)
        inexact: list[Span] = []
        for span in spans:
            first, stop = bisect_right(ends, span.start), bisect_left(starts, span.end)
            while first < stop and tags[first] != OUTSIDE:
                first += 1
            if first >= stop:
                inexact.append(span)
                continue
            begin = 2 * self.labels.index(span.label) + 1
            tags[first:stop] = [begin, *[begin + 1] * (stop - first - 1)]
            if (starts[first], ends[stop - 1]) != (span.start, span.end):
                inexact.append(span)
        return tags, inexact

    def decode(self, scores: Sequence[Sequence[float]]) -> list[int]:
        """Find the legal tag sequence with the highest sum of scores (Viterbi 1967).

        Legal means that `I-X` follows `B-X` or `I-X` only. Transitions cost nothing else, so a
        step needs the best tag before it and two comparisons a label rather than all pairs.

        Args:
            scores: units x tags, log-probabilities or logits.

        Returns:
            A tag id for each unit.
        """
        inside = range(2, 2 * len(self.labels) + 1, 2)
        best: list[float] = [0.0] + [-math.inf] * (2 * len(self.labels))
        came_from: list[list[int]] = []
        for row in scores:
            top = max(range(len(best)), key=best.__getitem__)
            reach = best[top]
            origin = [top] * len(best)
            step = [reach + score for score in row]
            for i in inside:
                before = i if best[i] > best[i - 1] else i - 1
                origin[i] = before
                step[i] = best[before] + row[i]
            came_from.append(origin)
            best = step
        path: list[int] = []
        if came_from:
            tag = max(range(len(best)), key=best.__getitem__)
            for origin in reversed(came_from):
                path.append(tag)
                tag = origin[tag]
            path.reverse()
        return path

    def runs(self, tags: Sequence[int]) -> list[Run]:
        """The spans that tags draw, as runs of units; an `I-X` after no `X` begins one."""
        runs: list[Run] = []
        first, label = 0, -1
        for i, tag in enumerate([*tags, OUTSIDE]):
            continues = tag and tag % 2 == 0 and (tag - 1) // 2 == label
            if continues:
                continue
            if label >= 0:
                runs.append(Run(first, i, label))
            first, label = i, (tag - 1) // 2 if tag else -1
        return runs
