"""Would more articles help? Train on 1/8, 1/4, 1/2 and all of train, three seeds each, and draw F1.

    python benchmarks/learning_curve.py configs/aid.yaml [--extra NAME=FILE] [section.key=value ...]

Each seed takes nested parts of train, drawn by article. What is done is kept in learning_curve.json
beside this file, so that an interrupted benchmark goes on. It writes learning_curve.md and
learning_curve.png; the last line printed is JSON. A seed costs as much as 1.9 trainings on all
articles. --extra adds annotated articles to score on, as .jsonl.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from presstag.corpus import read_corpus
from presstag.evaluate.metrics import score_spans
from presstag.spans import Article
from presstag.tagger import Tagger
from presstag.train.config import Config
from presstag.train.configfile import read_config
from presstag.train.data import load_data
from presstag.train.encoder import find_encoder
from presstag.train.learn import learn
from presstag.writing import write_json, write_text

HERE = Path(__file__).parent
PARTS = (0.125, 0.25, 0.5, 1.0)
Row = dict[str, Any]


def main() -> None:
    """Measure what is missing, then write the table and the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config")
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--extra", action="append", default=[], metavar="NAME=FILE")
    arguments = parser.parse_intermixed_args()
    config = read_config(arguments.config, arguments.overrides)
    data = load_data(config.data)
    sets = {split: list(data.splits[split]) for split in ("dev", "test")}
    for extra in arguments.extra:
        name, _, file = extra.partition("=")
        sets[name] = list(read_corpus(file, labels=config.data.labels).articles)
    store = HERE / "learning_curve.json"
    key = hashlib.sha256(
        json.dumps([config.model_dump(), dict(data.digests)], sort_keys=True).encode()
    ).hexdigest()[:16]
    rows: list[Row] = [r for r in _stored(store) if r["key"] == key]
    for seed in range(1, arguments.seeds + 1):
        for part in PARTS:
            if not any(r["seed"] == seed and r["part"] == part for r in rows):
                row = measure(config, list(data.splits["train"]), sets, part=part, seed=seed)
                rows.append({"key": key, **row})
                write_json(store, rows)
                print(f"{part:6.3f} seed {seed}: {figures(row)}", flush=True)
    rows.sort(key=lambda r: (r["part"], r["seed"]))
    write_text(HERE / "learning_curve.md", table(rows, list(sets), config))
    draw(rows, list(sets), HERE / "learning_curve.png")
    print(f"wrote {HERE}/learning_curve.md and learning_curve.png")
    print(json.dumps({"rows": rows, "fits": {name: fit(rows, name) for name in sets}}))


def _stored(path: Path) -> list[Row]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def measure(
    config: Config, train: list[Article], sets: dict[str, list[Article]], *, part: float, seed: int
) -> Row:
    """Train on a part of train, score on every set."""
    source = find_encoder(config.model)
    drawn = sorted(train, key=lambda a: hashlib.sha256(f"{seed}:{a.id}".encode()).digest())
    some = drawn[: round(part * len(drawn))]
    seeded = config.model_copy(
        update={"training": config.training.model_copy(update={"seed": seed})}
    )
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        learned = learn(seeded, some, dev=sets["dev"], source=source, folder=Path(folder))
    seconds = time.perf_counter() - begin
    learned.model.eval()
    return {
        "part": part,
        "seed": seed,
        "articles": len(some),
        "words": sum(len(a.text.split()) for a in some),
        "seconds": round(seconds),
        "scores": {name: score(learned.tagger, articles) for name, articles in sets.items()},
    }


def score(tagger: Tagger, articles: Sequence[Article]) -> dict[str, Any]:
    """Strict F1, micro and by label, and micro by the articles' `focus` and `voice`."""
    found = list(tagger.pipe(a.text for a in articles))
    slices: dict[str, list[int]] = defaultdict(list)
    for i, article in enumerate(articles):
        for field in ("focus", "voice"):
            if field in article.meta:
                slices[f"{field} {article.meta[field]}"].append(i)
    whole = score_spans((a.spans for a in articles), found, labels=tagger.labels)
    by_slice = {
        name: score_spans(
            (articles[i].spans for i in where), [found[i] for i in where], labels=tagger.labels
        )
        for name, where in sorted(slices.items())
    }
    return {
        "f1": whole.micro.f1,
        "labels": {label: s.f1 for label, s in whole.labels.items()},
        "slices": {name: {"f1": s.micro.f1, "gold": s.micro.gold} for name, s in by_slice.items()},
    }


def figures(row: Row) -> str:
    """One line for the terminal."""
    shown = "  ".join(f"{name} {100 * s['f1']:.1f}" for name, s in row["scores"].items())
    return f"{row['articles']} articles, {row['words']} words, {row['seconds']} s: {shown}"


def fit(rows: Sequence[Row], name: str) -> dict[str, float]:
    """Least squares of log(1 - F1) over log(words): the power, and F1 at twice the words."""
    x = [math.log(r["words"]) for r in rows]
    y = [math.log(max(1 - r["scores"][name]["f1"], 1e-6)) for r in rows]
    mx, my = statistics.fmean(x), statistics.fmean(y)
    spread = sum((a - mx) ** 2 for a in x)
    power = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / spread if spread else 0.0
    twice = my + power * (max(x) + math.log(2) - mx)
    return {"power": round(power, 3), "f1_at_twice": round(1 - math.exp(twice), 4)}


def _mean(values: Sequence[float]) -> str:
    spread = f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * statistics.fmean(values):.1f}{spread}"


def table(rows: Sequence[Row], names: Sequence[str], config: Config) -> str:
    """The outcome as Markdown: mean and standard deviation over the seeds."""
    parts = sorted({r["part"] for r in rows})
    labels, seeds = list(config.data.labels), len({r["seed"] for r in rows})
    lines = [
        "# Learning curve",
        "",
        f"`{config.name}`, {config.model.encoder}, {config.training.epochs:g} epochs,",
        f"{seeds} seeds, {os.cpu_count()} cores. Strict span F1, %, mean ± standard deviation.",
        "Made by learning_curve.py.",
    ]
    for name in names:
        found = fit(rows, name)
        lines += [
            "",
            f"## {name}",
            "",
            f"| part | articles | words | micro | {' | '.join(labels)} |",
            "|" + "---:|" * (4 + len(labels)),
        ]
        for part in parts:
            here = [r for r in rows if r["part"] == part]
            words = statistics.fmean(r["words"] for r in here)
            scores = [r["scores"][name] for r in here]
            cells = [_mean([s["labels"][label] for s in scores]) for label in labels]
            lines.append(
                f"| {part:g} | {here[0]['articles']} | {words:,.0f} | "
                f"{_mean([s['f1'] for s in scores])} | {' | '.join(cells)} |"
            )
        lines += [
            "",
            f"Errors fall with the power {found['power']} of the words:",
            f"twice the words would give about {100 * found['f1_at_twice']:.1f}.",
        ]
        last = [r["scores"][name]["slices"] for r in rows if r["part"] == parts[-1]]
        if last and last[0]:
            lines += ["", "| slice, all of train | spans | micro |", "|---|---:|---:|"]
            worst = sorted(last[0], key=lambda s: statistics.fmean(x[s]["f1"] for x in last))
            lines += [
                f"| {s} | {last[0][s]['gold']} | {_mean([x[s]['f1'] for x in last])} |"
                for s in worst
                if last[0][s]["gold"] >= 50
            ]
    return "\n".join(lines) + "\n"


def draw(rows: Sequence[Row], names: Sequence[str], path: Path) -> None:
    """F1 over words, one line a set, one point a seed."""
    import matplotlib as mpl  # noqa: PLC0415 - only the picture needs it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    parts = sorted({r["part"] for r in rows})
    styles = zip(names, ("#0072b2", "#d55e00", "#009e73"), "osD", (5, -11, -3), strict=False)
    for name, colour, marker, aside in styles:
        words = [statistics.fmean(r["words"] for r in rows if r["part"] == p) for p in parts]
        means = [
            100 * statistics.fmean(r["scores"][name]["f1"] for r in rows if r["part"] == p)
            for p in parts
        ]
        axes.plot(words, means, color=colour, marker=marker, label=name)
        axes.scatter(
            [r["words"] for r in rows],
            [100 * r["scores"][name]["f1"] for r in rows],
            color=colour,
            alpha=0.35,
            s=14,
        )
        axes.annotate(
            f"{means[-1]:.1f}",
            (words[-1], means[-1]),
            textcoords="offset points",
            xytext=(8, aside),
            color=colour,
        )
    axes.set_xscale("log", base=2)
    ticks = [statistics.fmean(r["words"] for r in rows if r["part"] == p) for p in parts]
    axes.set_xticks(ticks, [f"{t:,.0f}" for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel("words in train")
    axes.set_ylabel("strict span F1, %")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
