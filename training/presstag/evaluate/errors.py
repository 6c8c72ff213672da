"""What kind of error each wrong span is.

Gold and found spans that overlap, directly or through others, form a group. A group of several gold
and several found spans is cut at its weakest overlap (of different labels before the same label,
fewer characters before more, the earlier before the later) until no part has several of both. Each
part is one verdict:

    gold    found
    one     one     right, wrong label (whatever the bounds), too long (the found span is longer),
                    or too short (any other span of the same label)
    one     none    missed
    none    one     spurious
    one     many    split
    many    one     merged
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from presstag.spans import Span

Kind = Literal[
    "right", "missed", "spurious", "wrong label", "too short", "too long", "split", "merged"
]
KINDS: tuple[Kind, ...] = (
    "right", "missed", "spurious", "wrong label", "too short", "too long", "split", "merged",
)  # fmt: skip
NOTHING = "nothing"
"""The other side of a missed or a spurious span in the confusion of labels."""
_MOST = 10


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a gold span, of a found span, or of some that overlap.

    Attributes:
        kind: one of `KINDS`.
        gold: the gold spans, in order: none where spurious, several where merged, else one.
        found: the found spans, in order: none where missed, several where split, else one.
    """

    kind: Kind
    gold: tuple[Span, ...]
    found: tuple[Span, ...]

    @property
    def label(self) -> str:
        """The label that it is counted under: the (first) gold span's, or the found one's."""
        return (self.gold or self.found)[0].label

    @property
    def surface(self) -> str:
        """The words that it is listed under: from the (first) gold span, or the found one."""
        return (self.gold or self.found)[0].text

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {
            "kind": self.kind,
            "gold": [s.to_dict() for s in self.gold],
            "found": [s.to_dict() for s in self.found],
        }


@dataclass(frozen=True, slots=True)
class Surface:
    """Words that met with the same kind of error `count` times."""

    text: str
    label: str
    count: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {"text": self.text, "label": self.label, "count": self.count}


@dataclass(frozen=True, slots=True)
class ErrorTables:
    """Verdicts counted.

    Attributes:
        kinds: verdicts by label and kind; every kind is there.
        confusion: spans by gold label and found label, `NOTHING` being either. A row adds up to the
            gold spans of its label, a column to the found ones: of a split or merged group, the two
            spans that share most characters are a pair, and the others stand against nothing.
        surfaces: the most frequent words of each kind but `right`.
    """

    kinds: dict[str, dict[Kind, int]]
    confusion: dict[str, dict[str, int]]
    surfaces: dict[Kind, tuple[Surface, ...]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {
            "kinds": self.kinds,
            "confusion": self.confusion,
            "surfaces": {k: [s.to_dict() for s in found] for k, found in self.surfaces.items()},
        }


def give_verdicts(gold: Sequence[Span], found: Sequence[Span]) -> list[Verdict]:
    """Judge the spans of one article; each gold and each found span stands in one verdict.

    Args:
        gold: flat and in order, as an article has them.
        found: flat and in order, as a tagger gives them.

    Returns:
        In order of the text.
    """
    links = _links(gold, found)
    parts: list[tuple[list[int], list[int]]] = []
    waiting = _groups(range(len(gold)), range(len(found)), links)
    while waiting:
        people, model = waiting.pop()
        if len(people) < 2 or len(model) < 2:
            parts.append((people, model))
            continue
        own = [link for link in links if link[0] in people]
        weakest = min(own, key=lambda link: (_strength(gold[link[0]], found[link[1]]), link))
        links.remove(weakest)
        own.remove(weakest)
        waiting += _groups(people, model, own)
    verdicts = [_judge([gold[i] for i in a], [found[j] for j in b]) for a, b in parts]
    return sorted(verdicts, key=lambda v: min(s.start for s in v.gold + v.found))


def count_errors(verdicts: Iterable[Verdict], *, labels: Sequence[str]) -> ErrorTables:
    """Count verdicts into tables with a row for each of `labels`."""
    kinds: dict[str, dict[Kind, int]] = {label: dict.fromkeys(KINDS, 0) for label in labels}
    names = (*labels, NOTHING)
    confusion = {name: dict.fromkeys(names, 0) for name in names}
    surfaces: dict[Kind, Counter[tuple[str, str]]] = {k: Counter() for k in KINDS if k != "right"}
    for verdict in verdicts:
        kinds[verdict.label][verdict.kind] += 1
        for one, other in _pairs(verdict):
            confusion[one][other] += 1
        if verdict.kind != "right":
            surfaces[verdict.kind][verdict.surface, verdict.label] += 1
    frequent = {
        kind: tuple(Surface(*key, count) for key, count in found.most_common(_MOST))
        for kind, found in surfaces.items()
    }
    return ErrorTables(kinds, confusion, frequent)


def _links(gold: Sequence[Span], found: Sequence[Span]) -> list[tuple[int, int]]:
    """Which gold and found spans overlap, by their numbers."""
    links: list[tuple[int, int]] = []
    first = 0
    for i, span in enumerate(gold):
        while first < len(found) and found[first].end <= span.start:
            first += 1
        j = first
        while j < len(found) and found[j].start < span.end:
            links.append((i, j))
            j += 1
    return links


def _groups(
    gold: Iterable[int], found: Iterable[int], links: Sequence[tuple[int, int]]
) -> list[tuple[list[int], list[int]]]:
    """The spans that hang together: numbers of gold and of found ones."""
    group_of: dict[tuple[bool, int], tuple[list[int], list[int]]] = {}
    for i in gold:
        group_of[False, i] = ([i], [])
    for j in found:
        group_of[True, j] = ([], [j])
    for i, j in links:
        one, other = group_of[False, i], group_of[True, j]
        if one is not other:
            for mine, theirs in zip(one, other, strict=True):
                mine.extend(theirs)
            group_of.update({(False, k): one for k in other[0]})
            group_of.update({(True, k): one for k in other[1]})
    different = {id(group): group for group in group_of.values()}
    return [(sorted(a), sorted(b)) for a, b in different.values()]


def _strength(one: Span, other: Span) -> tuple[bool, int]:
    return one.label == other.label, min(one.end, other.end) - max(one.start, other.start)


def _judge(gold: list[Span], found: list[Span]) -> Verdict:
    return Verdict(_kind(gold, found), tuple(gold), tuple(found))


def _kind(gold: list[Span], found: list[Span]) -> Kind:
    if not (gold and found):
        return "missed" if gold else "spurious"
    if len(gold) + len(found) > 2:
        return "split" if len(found) > 1 else "merged"
    (one,), (other,) = gold, found
    if one.label != other.label:
        return "wrong label"
    if one.key == other.key:
        return "right"
    return "too long" if other.end - other.start > one.end - one.start else "too short"


def _pairs(verdict: Verdict) -> list[tuple[str, str]]:
    """Gold label and found label of each span, as the confusion counts them."""
    together = [(g, f) for g in verdict.gold for f in verdict.found]
    if not together:
        missed = [(g.label, NOTHING) for g in verdict.gold]
        return missed + [(NOTHING, f.label) for f in verdict.found]
    best = max(together, key=lambda pair: _strength(*pair)[1])
    return [
        (best[0].label, best[1].label),
        *((g.label, NOTHING) for g in verdict.gold if g is not best[0]),
        *((NOTHING, f.label) for f in verdict.found if f is not best[1]),
    ]
