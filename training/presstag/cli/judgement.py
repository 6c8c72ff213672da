"""What `presstag evaluate` prints of a judgement, what matters first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.text import Text

from presstag.cli.screen import err, out, printable, table

if TYPE_CHECKING:
    from presstag.evaluate.intervals import Interval, Intervals
    from presstag.evaluate.judge import Judgement
    from presstag.evaluate.metrics import Score
    from presstag.evaluate.slices import Slice
    from presstag.evaluate.tagging import Failure

_WORST = 3
_NAME = 29
_SHORT = {"wrong label": "label", "too short": "short", "too long": "long"}


def percent(share: float) -> str:
    """A share in percent, without the sign."""
    return f"{100 * share:.1f}"


def percents(interval: Interval) -> str:
    """An interval in percent."""
    return f"{100 * interval.low:.1f}–{100 * interval.high:.1f}"


def show_failures(failures: Iterable[Failure]) -> None:
    """Name the articles that a model failed on."""
    for failure in failures:
        err.print(f"article {printable(failure.article)}: failed: {printable(failure.reason)}")


def show_notes(judged: Judgement) -> None:
    """Say on standard error what was not scored, or means less than it seems."""
    show_failures(judged.failures)
    for label, count in judged.left_out.items():
        err.print(f"left out: {count} spans of {label}, which model and data do not share")
    if judged.without_gold and judged.evaluation.scores.micro.gold:
        lacking = ", ".join(judged.without_gold)
        scored = [label for label in judged.without_gold if label in judged.labels]
        found = sum(judged.evaluation.scores.labels[label].predicted for label in scored)
        if scored:
            err.print(
                f"no gold span of {lacking}: the {found} found count as wrong; if it was not "
                "annotated at all, score the others alone with --common-labels"
            )
    if not judged.evaluation.scores.micro.gold:
        err.print("no gold span at all: whatever was found is wrong; recall and F1 say nothing")


def show(judged: Judgement, *, title: str, all_slices: bool) -> None:
    """Print the tables, and on standard error what was not scored."""
    show_notes(judged)
    _show_strict(judged, f"{title}, {len(judged.articles)} articles")
    _show_kinds(judged)
    slices = judged.slices if all_slices else judged.slices[:_WORST]
    _show_slices(slices, title="all slices" if all_slices else "the worst slices")
    _show_semeval(judged)
    _show_seqeval(judged)
    if number := judged.evaluation.inexpressible:
        out.print(f"{number} gold spans cut a word: all tables but seqeval's miss them")


def show_speed(judged: Judgement, *, seconds: float) -> None:
    """Print how fast tagging was, and how long all of it took."""
    speed = judged.evaluation.words_per_second
    out.print(
        f"{speed:,.0f} words a second; {seconds:.1f} s in all, {judged.seconds:.1f} s for judging"
    )


def _show_strict(judged: Judgement, title: str) -> None:
    scores, intervals = judged.evaluation.scores, judged.evaluation.intervals
    baseline = judged.baseline.scores if judged.baseline else None
    known = {label: score.f1 for label, score in baseline.labels.items()} if baseline else {}
    columns = ["label", "F1", "95 %", "precision", "recall", "gold", "found"]
    rows = [
        _row(label, score, intervals.labels[label], known.get(label))
        for label, score in scores.labels.items()
    ]
    macro = (scores.macro, intervals.macro.f1, scores.macro_precision, scores.macro_recall)
    rows += [
        _row("micro", scores.micro, intervals.micro, baseline.micro.f1 if baseline else None),
        ["macro", percent(macro[0]), percents(macro[1]), percent(macro[2]), percent(macro[3])],
    ]
    rows[-1] += ["", "", *([percent(baseline.macro)] if baseline else [])]
    table([*columns, *(["dictionary"] if baseline else [])], rows, title=title, gap=1)
    wide = [label for label, own in intervals.labels.items() if own.f1.wide]
    wide += ["micro"] if intervals.micro.f1.wide else []
    if wide:
        out.print(f"too few spans to tell (interval wider than 20 points): {', '.join(wide)}")


def _row(name: str, score: Score, own: Intervals, baseline: float | None) -> list[str]:
    return [
        name,
        percent(score.f1),
        percents(own.f1),
        percent(score.precision),
        percent(score.recall),
        f"{score.gold:,}",
        f"{score.predicted:,}",
        *([] if baseline is None else [percent(baseline)]),
    ]


def _show_kinds(judged: Judgement) -> None:
    kinds = judged.errors.kinds
    names = list(next(iter(kinds.values()), {}))
    rows = [[label, *(f"{n:,}" for n in row.values())] for label, row in kinds.items()]
    total = [sum(row[name] for row in kinds.values()) for name in names]
    rows.append(["all", *(f"{n:,}" for n in total)])
    columns = ("label", *(_SHORT.get(name, name) for name in names))
    table(columns, rows, title="\nwhat became of the spans", gap=1)


def _show_slices(slices: Iterable[Slice], *, title: str) -> None:
    rows = [
        _row(
            _shorten(printable(f"{s.by.removeprefix('meta.')}: {s.value}")),
            s.score,
            s.intervals,
            None,
        )
        for s in slices
    ]
    if rows:
        columns = ("slice", "F1", "95 %", "precision", "recall", "gold", "found")
        table(columns, rows, title=f"\n{title}", gap=1)


def _shorten(name: str) -> str:
    """A name that leaves room for the figures on a screen of 80 columns."""
    name = " ".join(name.split())
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"


def _show_semeval(judged: Judgement) -> None:
    rows = [
        [
            way,
            percent(score.f1),
            percents(score.intervals.f1),
            percent(score.precision),
            percent(score.recall),
        ]
        for way, score in judged.semeval.micro.items()
        if way != "strict"
    ]
    columns = ("SemEval-2013", "F1", "95 %", "precision", "recall")
    table(columns, rows, title="\nspans forgiven their label, bounds, or either", gap=1)


def _show_seqeval(judged: Judgement) -> None:
    rows = [
        [
            name,
            percent(score.f1),
            percents(score.intervals.f1),
            percent(score.precision),
            percent(score.recall),
            f"{score.gold:,}",
        ]
        for name, score in judged.evaluation.on_words.items()
    ]
    if rows:
        columns = ("label", "F1", "95 %", "precision", "recall", "gold")
        table(columns, rows, title="\nseqeval on words (strict, IOB2)", gap=1)
    out.print(Text())
