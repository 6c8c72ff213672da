"""What training.py measured, as a table and a picture."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from machine import head

from presstag.train.config import Config

NEAR = 0.98
"""The share of a final F1 that counts as reaching it."""
COLOURS = ("#0072b2", "#d55e00")
Row = dict[str, Any]


def minutes_to(points: Sequence[Row], f1: float) -> float | None:
    """Minutes of training until dev F1 first was so high, on lines between points."""
    before = {"seconds": 0.0, "f1": 0.0}
    for point in points if f1 > 0 else ():
        if point["f1"] >= f1:
            part = (f1 - before["f1"]) / (point["f1"] - before["f1"])
            seconds: float = before["seconds"] + part * (point["seconds"] - before["seconds"])
            return round(seconds / 60, 2)
        before = point
    return None


def summarise(rows: Sequence[Row]) -> list[Row]:
    """Each run's figures; both runs of a seed are held against the better final F1 too."""
    found: list[Row] = []
    for row in rows:
        final = row["points"][-1]["f1"]
        best = max(r["points"][-1]["f1"] for r in rows if r["seed"] == row["seed"])
        found.append(
            {
                **{k: row[k] for k in ("way", "seed", "tokens_per_second", "words_per_second")},
                "minutes": round(row["points"][-1]["seconds"] / 60, 2),
                "f1": final,
                "minutes_to_own": minutes_to(row["points"], NEAR * final),
                "minutes_to_better": minutes_to(row["points"], NEAR * best),
            }
        )
    return found


def _mean(values: Sequence[float | None], *, digits: int = 1) -> str:
    known = [v for v in values if v is not None]
    if len(known) < len(values):
        return "not reached" if not known else f"{len(known)} of {len(values)} runs"
    spread = f" ± {statistics.stdev(known):,.{digits}f}" if len(known) > 1 else ""
    return f"{statistics.fmean(known):,.{digits}f}{spread}"


def table(rows: Sequence[Row], found: Sequence[Row], config: Config, points: int) -> str:
    """The outcome as Markdown: mean and standard deviation over the seeds."""
    ways, seeds = list(dict.fromkeys(r["way"] for r in rows)), len({r["seed"] for r in rows})
    columns = ("tokens/s", "words/s", "minutes", "final dev F1", "minutes to 98 % of it")
    lines = [
        "# Speed of training",
        "",
        f"`{config.name}`, {config.model.encoder}, {config.training.epochs:g} epochs,",
        f"seeds: {seeds}. Dev F1 (strict, %) was measured {points} times an epoch; the times are",
        "without that and without saving. Tokens without padding; words that the loss counts.",
        head(rows[0]["machine"]),
        "Made by training.py.",
        "",
        f"| | {' | '.join(columns)} | minutes to 98 % of the better one |",
        "|---|" + "---:|" * (len(columns) + 1),
    ]
    for way in ways:
        here = [f for f in found if f["way"] == way]
        cells = [
            _mean([f["tokens_per_second"] for f in here], digits=0),
            _mean([f["words_per_second"] for f in here], digits=0),
            _mean([f["minutes"] for f in here]),
            _mean([100 * f["f1"] for f in here]),
            _mean([f["minutes_to_own"] for f in here]),
            _mean([f["minutes_to_better"] for f in here]),
        ]
        lines.append(f"| {way} | {' | '.join(cells)} |")
    one, other = (next(r for r in rows if r["way"] == way) for way in ways)
    learned = f"{other['words']:,} of {one['words']:,}"
    lines += [
        "",
        "`Trainer` is run as run_ner.py does by default: fp32, the encoder's own dropout, AdamW",
        "with a rate of 5e-5 that falls linearly, batches of 8 articles padded to the longest,",
        f"each cut off after 512 tokens: it learns from {learned} words.",
        "Its model is scored by presstag's tagger with windows of 512 tokens, so that nothing of",
        "dev is cut off.",
    ]
    return "\n".join(lines) + "\n"


def draw(rows: Sequence[Row], path: Path) -> None:
    """Dev F1 over minutes of training: a line a run."""
    import matplotlib as mpl  # noqa: PLC0415 - only the picture needs it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    ways = list(dict.fromkeys(r["way"] for r in rows))
    for way, colour, marker in zip(ways, COLOURS, "os", strict=True):
        for number, row in enumerate(r for r in rows if r["way"] == way):
            axes.plot(
                [p["seconds"] / 60 for p in row["points"]],
                [100 * p["f1"] for p in row["points"]],
                color=colour,
                marker=marker,
                markersize=4,
                alpha=0.8,
                label=None if number else way,
            )
    axes.set_xlabel("minutes of training")
    axes.set_ylabel("strict span F1 on dev, %")
    axes.set_xlim(left=0)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
