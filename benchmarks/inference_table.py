"""What inference.py measured: its figures, with intervals by resampling chunks, as a table."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
from machine import head

from presstag.evaluate.intervals import Bootstrap
from presstag.train.config import Config

Row = dict[str, Any]
_MB = 1e6


def figures(rows: dict[str, Row], words: Sequence[int]) -> dict[str, Row]:
    """Each contender's figures; `ratio` is its speed by that of the fastest pipeline.

    Args:
        rows: what was measured, by contender.
        words: of each chunk.
    """
    bootstrap = Bootstrap.draw(len(words))
    drawn_words = bootstrap.sums(np.array(words, dtype=np.float64))
    drawn = {name: bootstrap.sums(np.array(row["seconds"])) for name, row in rows.items()}
    took = {name: sum(row["seconds"]) for name, row in rows.items()}
    best = min((name for name in rows if name.startswith("pipeline")), key=took.__getitem__)
    found: dict[str, Row] = {}
    for name, row in rows.items():
        whole, forward = (sum(b[key] for b in row["bare"]) for key in ("whole", "forward"))
        low, middle, high = (float(x) for x in np.quantile(row["calls"], (0.0, 0.5, 0.99)))
        found[name] = {
            "words_per_second": round(sum(words) / took[name]),
            "words_per_second_interval": _middle(drawn_words / drawn[name], digits=0),
            "ratio": round(took[best] / took[name], 3),
            "ratio_interval": _middle(drawn[best] / drawn[name], digits=3),
            "cores": round(sum(row["processor"]) / took[name], 2),
            "milliseconds": {
                "least": round(1000 * low, 2),
                "p50": round(1000 * middle, 2),
                "p99": round(1000 * high, 2),
            },
            "peak_mb": round((row["peak"] or 0) / _MB),
            "cold_seconds": round(statistics.median(row["cold"]), 2),
            "installed_mb": round(row["installed"] / _MB),
            "model_mb": round(row["model"] / _MB, 1),
            "whole_by_forward": round(whole / forward, 3) if forward else None,
            "f1": {key: round(value, 4) for key, value in row["f1"].items()},
        }
        if "all_at_once" in row:
            found[name]["words_per_second_all_at_once"] = round(sum(words) / row["all_at_once"])
    return found


def _middle(values: Any, *, digits: int) -> list[float]:
    return [round(float(x), digits) for x in np.quantile(values, (0.025, 0.975))]


def table(store: Row, config: Config, arguments: argparse.Namespace) -> str:
    """The outcome as Markdown."""
    found: dict[str, Row] = store["figures"]
    chunks = len(next(iter(store["rows"].values()))["seconds"])
    best = next(n for n, r in found.items() if n.startswith("pipeline") and r["ratio"] == 1.0)
    of_all = f"{arguments.words:,} words of dev and test"
    lines = [
        "# Speed of use",
        "",
        f"`{config.name}`, {arguments.threads} threads, at least {of_all} in {chunks} chunks that",
        "the taggers took turns at, each in a process of its own; 95 % intervals by resampling",
        f"chunks. {head(store['machine'])}",
        "Made by inference.py.",
        "",
        f"| tagger | words/s | by the words/s of {best} | strict F1 on test |",
        "|---|---:|---:|---:|",
    ]
    for name, row in found.items():
        (low, high), (less, more) = row["words_per_second_interval"], row["ratio_interval"]
        f1 = [f"{100 * row['f1'][key]:.1f}" for key in ("f1", "low", "high")]
        lines.append(
            f"| {name} | {row['words_per_second']:,} ({low:,.0f} to {high:,.0f}) | "
            f"{row['ratio']:.2f} ({less:.2f} to {more:.2f}) | {f1[0]} ({f1[1]} to {f1[2]}) |"
        )
    columns = ("p50, ms", "p99, ms", "cores", "peak, MB", "cold, s", "installed, MB", "model, MB")
    columns = (*columns, "whole / forward")
    lines += [
        "",
        f"One article of 300 words in one call: p50 and p99 of {chunks * arguments.calls} calls.",
        "Cores: the processor's time by the clock's. Peak: the largest resident memory. Cold: from",
        f"a new process to its first spans, median of {arguments.cold}. Installed: what pip brings",
        "for it beyond Python and numpy. Whole / forward: the tagger's time by that of",
        "its forward pass on the same windows.",
        "",
        f"| tagger | {' | '.join(columns)} |",
        "|---|" + "---:|" * len(columns),
    ]
    for name, row in found.items():
        ms, by = row["milliseconds"], row["whole_by_forward"]
        lines.append(
            f"| {name} | {ms['p50']:.1f} | {ms['p99']:.1f} | {row['cores']:.2f} | "
            f"{row['peak_mb']} | {row['cold_seconds']:.2f} | {row['installed_mb']} | "
            f"{row['model_mb']:.1f} | {f'{by:.3f}' if by else ''} |"
        )
    return "\n".join([*lines, "", *_notes(store, arguments)]) + "\n"


def _notes(store: Row, arguments: argparse.Namespace) -> list[str]:
    lost, found = store["cut_off"], store["figures"]
    behind = f"{lost['beyond']} of {lost['gold']} gold spans of test"
    lines = [
        "- The pipeline reads windows as long as presstag's, by its own `stride`, and joins word",
        "  pieces by the first. It does not tell the checkpoint how words are written.",
        f"- Left to itself the pipeline reads {lost['reads']} tokens at once, though the",
        f"  checkpoint has learned from fewer, and nothing behind them: {behind} stand there,",
        f"  and strict F1 is {100 * lost['f1']:.1f}.",
    ]
    for name, row in found.items():
        if (speed := row.get("words_per_second_all_at_once")) is not None:
            lines += [
                f"- {name}, all words in one `nlp.pipe` with `n_process={arguments.threads}`:",
                f"  {speed:,} words/s.",
            ]
    return lines
