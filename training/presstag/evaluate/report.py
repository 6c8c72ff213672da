"""A judgement as a page: one HTML file that needs nothing from outside.

The page is `report.html.j2` with `report.css` and `report.js` put into it. Figures, pictures and
articles are there without the script; it adds the filters. Text of articles is escaped by Jinja,
and a content security policy lets no other script run and nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from jinja2 import Environment, StrictUndefined

import presstag
from presstag.evaluate.calibration import judge_spans, measure_reliability
from presstag.evaluate.charts import bar_svg, label_colours, reliability_svg
from presstag.evaluate.errors import KINDS, NOTHING, Verdict, count_errors
from presstag.evaluate.intervals import Interval
from presstag.evaluate.judge import Judgement
from presstag.evaluate.pieces import lowest_score, show_article
from presstag.evaluate.semeval import WAYS
from presstag.evaluate.slices import ENOUGH, slice_keys
from presstag.spans import Article, Span
from presstag.writing import without_surrogates

if TYPE_CHECKING:
    from presstag.train.fit import Course

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_WORST = 10
_SIGNS = {"right": "✓", "missed": "○", "spurious": "✗", "wrong label": "⇄", "too short": "⇥"} | {
    "too long": "↦", "split": "∥", "merged": "∪",
}  # fmt: skip
_MEANINGS = {
    "right": "bounds and label are those that people marked",
    "missed": "people marked it, the model did not",
    "spurious": "the model marked it, people did not",
    "wrong label": "both marked it, under different labels",
    "too short": "right label, but words are lacking or moved",
    "too long": "right label, but words too many",
    "split": "one mention found as several",
    "merged": "several mentions found as one",
}


def make_report(
    judged: Judgement,
    *,
    model: str,
    data: str,
    info: Mapping[str, Any] | None = None,
    train: Sequence[Article] | None = None,
    no_train: str = "",
) -> str:
    """Make the page.

    Args:
        judged: what to show.
        model: what it is called.
        data: what they are called.
        info: what the model says of itself, a tagger's `info`.
        train: what the judgement was given as such.
        no_train: why it was given nothing, as half a sentence.
    """
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    environment.filters |= {"percent": _percent, "percents": _percents}
    context = report_context(judged, model=model, data=data, info=info or {}, train=train)
    script = _asset("report.js")
    page = environment.from_string(_asset("report.html.j2")).render(
        **context,
        no_train=no_train,
        bar=bar_svg,
        style=_asset("report.css"),
        script=script,
        digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    # No control character is part of the page, and HTML has no way to write them.
    return without_surrogates(_CONTROL.sub("\ufffd", page))


def report_context(
    judged: Judgement,
    *,
    model: str,
    data: str,
    info: Mapping[str, Any],
    train: Sequence[Article] | None = None,
) -> dict[str, Any]:
    """What the page shows, in the words of its template."""
    slices = _verdict_slices(judged, train)
    colours = label_colours(judged.labels)
    return {
        "model": model,
        "data": data,
        "judged": judged,
        "labels": judged.labels,
        "colours": colours,
        "place": {label: i for i, label in enumerate(judged.labels)},
        "kinds": KINDS,
        "ways": WAYS,
        "meanings": _MEANINGS,
        "signs": _SIGNS,
        "nothing": NOTHING,
        "worst": _WORST,
        "enough": ENOUGH,
        "wide": _wide(judged),
        "groups": _slice_groups(judged),
        "most_wrong": _most(judged.errors.kinds, without="right"),
        "most_confused": _most(judged.errors.confusion),
        "plots": _plots(judged, info),
        "curves": _curves(info),
        "facts": _facts(judged, info),
        "articles": [
            show_article(*pair) for pair in zip(judged.articles, judged.verdicts, strict=True)
        ],
        "filters": _filters(judged, slices),
    }


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _percents(interval: Interval) -> str:
    return f"{100 * interval.low:.1f}–{100 * interval.high:.1f}"


def _asset(name: str) -> str:
    return resources.files("presstag.evaluate").joinpath(name).read_text("utf-8")


def _wide(judged: Judgement) -> list[str]:
    """The labels of which there are too few spans to tell, and all of them if need be."""
    intervals = judged.evaluation.intervals
    wide = [label for label, own in intervals.labels.items() if own.f1.wide]
    return wide + (["all labels together"] if intervals.micro.f1.wide else [])


def _most(table: Mapping[str, Mapping[Any, int]], *, without: str = "") -> int:
    """The largest count of a table that is not of right spans, 1 at least: its darkest cell."""
    return (
        max(
            (
                n
                for row, cells in table.items()
                for name, n in cells.items()
                if name not in {row, without}
            ),
            default=1,
        )
        or 1
    )


def _slice_groups(judged: Judgement) -> dict[str, list[tuple[int, str]]]:
    """The numbers and names of slices by what the data was divided by."""
    groups: dict[str, list[tuple[int, str]]] = {}
    for number, part in enumerate(judged.slices):
        groups.setdefault(part.by.removeprefix("meta."), []).append((number, part.value))
    return {by: sorted(some, key=lambda s: s[1]) for by, some in sorted(groups.items())}


def _verdict_slices(judged: Judgement, train: Sequence[Article] | None) -> list[list[list[int]]]:
    """For each verdict of each article, the numbers of the slices that its spans are in."""
    place = {(part.by, part.value): i for i, part in enumerate(judged.slices)}
    keys = slice_keys(judged.articles, train=train) if judged.slices else {}

    def numbers(i: int, spans: Iterable[Span]) -> list[int]:
        parts = {(by, key(i, span)) for span in spans for by, key in keys.items()}
        return sorted(place[part] for part in parts if part in place)

    return [
        [numbers(i, v.gold + v.found) for v in verdicts]
        for i, verdicts in enumerate(judged.verdicts)
    ]


def _filters(judged: Judgement, slices: list[list[list[int]]]) -> dict[str, Any]:
    """What the script chooses mentions by.

    A verdict is a row: its kind and its label by their numbers, the pairs of the confusion that it
    counts in, the lowest score of its found spans or null, the slices that it is in, its words.
    """
    names = (*judged.labels, NOTHING)
    pairs: dict[str, int] = {}

    def row(verdict: Verdict, own: list[int]) -> list[Any]:
        confusion = count_errors([verdict], labels=judged.labels).confusion
        cells = [f"{a} → {b}" for a in names for b in names if confusion[a][b]]
        return [
            KINDS.index(verdict.kind),
            judged.labels.index(verdict.label),
            [pairs.setdefault(cell, len(pairs)) for cell in cells],
            lowest_score(verdict),
            own,
            verdict.surface,
        ]

    rows = [
        [row(*pair) for pair in zip(verdicts, own, strict=True)]
        for verdicts, own in zip(judged.verdicts, slices, strict=True)
    ]
    return {"kinds": KINDS, "labels": judged.labels, "pairs": list(pairs), "articles": rows}


def _plots(judged: Judgement, info: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Reliability: of the scores on these articles, and what the model's manifest says."""
    own = judge_spans((a.spans for a in judged.articles), judged.evaluation.predicted)
    plots = (
        [_plot("these articles", {"scores": measure_reliability(own).to_dict()})]
        if len(own)
        else []
    )
    recorded = (info.get("calibration") or {}).get("reliability") or {}
    for split, found in recorded.items():
        names = {"after": "calibrated", "before": "raw"}
        plots.append(
            _plot(
                f"{split}, when it was packed",
                {n: found[k] for k, n in names.items() if k in found},
            )
        )
    return plots


def _plot(name: str, measured: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    said = ", ".join(f"{what} {_percent(m['error'])}" for what, m in measured.items())
    title = f"Share of right spans over their score on {name}; calibration error in points: {said}"
    bins = {what: m["bins"] for what, m in measured.items()}
    return {"name": name, "measured": measured, "svg": reliability_svg(bins, name=title)}


def _curves(info: Mapping[str, Any]) -> str:
    course = (info.get("provenance") or {}).get("course")
    if not course:
        return ""
    from presstag.train.curves import curves_svg  # noqa: PLC0415 - brings matplotlib

    # As recorded; the class itself would bring torch.
    return curves_svg(cast("Course", SimpleNamespace(**course)))


def _facts(judged: Judgement, info: Mapping[str, Any]) -> dict[str, str]:
    """What the foot of the page says of model and data."""
    provenance = info.get("provenance") or {}
    facts = {
        "articles": f"{len(judged.articles):,}",
        "words": f"{sum(len(a.text.split()) for a in judged.articles):,}",
        "speed": f"{judged.evaluation.words_per_second:,.0f} words a second",
        "name": info.get("name"),
        "weights": info.get("precision"),
        "encoder": (provenance.get("encoder") or {}).get("name"),
        "trained on": ((provenance.get("config") or {}).get("data") or {}).get("train"),
        "trained": str(provenance.get("begun") or "")[:10],
        "commit": str(provenance.get("commit") or "")[:12],
        "presstag": presstag.__version__,
    }
    return {name: str(fact) for name, fact in facts.items() if fact}
