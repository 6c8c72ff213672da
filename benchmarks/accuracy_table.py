"""The table of accuracy.py."""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from peers.ground import Contender
from peers.rewriting import REWRITINGS

from presstag.spans import Article

Row = dict[str, Any]
Sets = Mapping[str, Sequence[Article]]


def table(
    contenders: Sequence[Contender],
    rows: Sequence[Row],
    sets: Sets,
    missing: Mapping[str, str],
    labels: Sequence[str],
) -> str:
    """The outcome as Markdown: mean and standard deviation over the seeds.

    Args:
        contenders: those that were scored.
        rows: trials and scores.
        sets: what was scored on.
        missing: who was not, and why.
        labels: of the scheme.
    """
    plain = [name for name in sets if name not in REWRITINGS]
    lines = [
        "# Accuracy",
        "",
        f"Strict span F1, %, mean ± standard deviation over the seeds; {os.cpu_count()} cores.",
        "Settings and weights are chosen on dev. Made by accuracy.py.",
        "",
        *_heading("contender", "seeds", *plain, "minutes to train", "words/s"),
    ]
    by_contender = {c.title: _scored(rows, c) for c in contenders}
    for title, some in by_contender.items():
        cells = [_micro(some, name) for name in plain]
        minutes = _range(f"{r['minutes']:.1f}" for r in some)
        speed = f"{statistics.fmean(r['words_per_second'] for r in some):,.0f}"
        lines.append(_line(title, _seeds(contenders, title, some), *cells, minutes, speed))
    lines += [_line(title, why, *[""] * (len(plain) + 2)) for title, why in missing.items()]
    for name in plain:
        lines += ["", f"## {name}", "", *_heading("contender", "micro", *labels)]
        for title, some in by_contender.items():
            cells = [_mean([_f1(r, name, label) for r in some]) for label in labels]
            lines.append(_line(title, _micro(some, name), *cells))
    lines += ["", "## Written otherwise", "", *_words_changed(sets)]
    lines += ["", *_heading("contender", "test", *REWRITINGS)]
    for title, some in by_contender.items():
        lines.append(_line(title, *(_micro(some, name) for name in ("test", *REWRITINGS))))
    return "\n".join([*lines, *_trials(contenders, rows)]) + "\n"


def _scored(rows: Sequence[Row], contender: Contender) -> list[Row]:
    """A contender's rows that count, with the settings that were chosen last."""
    its = [r for r in rows if r["contender"] == contender.name and "scores" in r]
    return [r for r in its if r["settings"] == its[-1]["settings"]]


def _seeds(contenders: Sequence[Contender], title: str, some: Sequence[Row]) -> str:
    (contender,) = (c for c in contenders if c.title == title)
    return str(len(some)) if contender.seeded else "none"


def _f1(row: Row, name: str, label: str) -> float:
    return float(row["scores"][name]["labels"][label]["f1"])


def _micro(rows: Sequence[Row], name: str) -> str:
    return _mean([r["scores"][name]["micro"]["f1"] for r in rows])


def _mean(values: Sequence[float]) -> str:
    spread = f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * statistics.fmean(values):.1f}{spread}"


def _range(values: Any) -> str:
    ordered = sorted(values, key=float)
    return "–".join(dict.fromkeys((ordered[0], ordered[-1])))


def _heading(first: str, *rest: str) -> list[str]:
    return [_line(first, *rest), "|---|" + "---:|" * len(rest)]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _words_changed(sets: Sets) -> list[str]:
    """How many words of test each copy has otherwise."""
    said: list[str] = []
    for name in REWRITINGS:
        pairs = zip(sets["test"], sets[name], strict=True)
        words = [w for a, b in pairs for w in zip(a.text.split(), b.text.split(), strict=True)]
        changed = sum(one != other for one, other in words)
        said.append(f"{name} {changed:,} of {len(words):,}")
    return [f"Words that differ: {'; '.join(said)}."]


def _trials(contenders: Sequence[Contender], rows: Sequence[Row]) -> list[str]:
    """What was tried on dev."""
    lines: list[str] = []
    for contender in contenders:
        tried = [r for r in rows if r["contender"] == contender.name and "scores" not in r]
        tried.sort(key=lambda r: -r["dev_f1"])
        lines += [
            _line(
                contender.title,
                ", ".join(f"{k} {v:g}" for k, v in r["settings"].items()),
                f"{100 * r['dev_f1']:.1f}",
                f"{r['minutes']:.1f}",
            )
            for r in tried
        ]
    heading = ["", "## Trials", "", *_heading("contender", "settings", "dev", "minutes")]
    return [*heading, *lines] if lines else []
