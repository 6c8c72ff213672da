"""Does the queue save annotators' work? Replay a corpus, choosing as `presstag label queue` does.

    python benchmarks/active_learning.py configs/aid.yaml [--rounds 4 --step 40] [key=value ...]

Each seed draws a pool from train and the articles to start from. From there each strategy chooses
`--step` more of the pool in each round with the model of the round before, and a new model is
trained from the encoder on all that is chosen, for as many passes over it. Nothing is chosen by a
score: the weights of the last step count, and test is only scored. Annotators pay by the word, and
a strategy may choose longer articles than another, so that F1 over words is the honest picture; F1
over articles stands beside it.

What is done is kept in active_learning.json beside this file, so that an interrupted benchmark goes
on. It writes active_learning.md and active_learning.png; the last line printed is JSON.

By default 12 trainings and 3 readings of the pool, about 20 minutes on 2 idle cores. The time grows
with seeds x (1 + 3 x rounds), and with the articles of each round.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from presstag.evaluate.metrics import score_spans
from presstag.queue import STRATEGIES, Strategy, choose, measure
from presstag.spans import Article
from presstag.tagger import Tagger
from presstag.train.config import Config
from presstag.train.configfile import read_config
from presstag.train.data import load_data
from presstag.train.encoder import find_encoder
from presstag.train.learn import learn
from presstag.writing import write_json, write_text

HERE = Path(__file__).parent
START = "start"
_SETTING = ("pool", "start", "step", "rounds", "epochs")
_WORDS_A_STEP = 500
COLOURS = dict(zip(STRATEGIES, ("#0072b2", "#d55e00", "#666666"), strict=True))
MARKERS = dict(zip(STRATEGIES, "osD", strict=True))
Row = dict[str, Any]


def main() -> None:
    """Replay what is missing, then write the table and the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config")
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    parser.add_argument("--pool", type=int, default=450, help="articles that may be chosen")
    parser.add_argument("--start", type=int, default=40, help="articles drawn at first")
    parser.add_argument("--step", type=int, default=60, help="articles chosen in a round")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=5, help="of each training, about")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_intermixed_args()
    config = read_config(arguments.config, arguments.overrides)
    data = load_data(config.data)
    setting = {name: getattr(arguments, name) for name in _SETTING}
    key = hashlib.sha256(
        json.dumps([config.model_dump(), dict(data.digests), setting], sort_keys=True).encode()
    ).hexdigest()[:16]
    store = HERE / "active_learning.json"
    replay = Replay(config, data.splits, setting, [r for r in _stored(store) if r["key"] == key])
    for seed in range(1, arguments.seeds + 1):
        for number in range(arguments.rounds + 1):
            for strategy in STRATEGIES if number else (START,):
                if replay.find(seed, strategy, number) is None:
                    row = replay.play(seed, strategy, number)
                    replay.rows.append({"key": key, **row})
                    write_json(store, replay.rows)
                    print(f"seed {seed} round {number} {strategy}: {figures(row)}", flush=True)
    rows = [r for r in replay.rows if r["seed"] <= arguments.seeds]
    gains = {s: gain(rows, s) for s in STRATEGIES if s != "random"}
    write_text(HERE / "active_learning.md", table(rows, gains, config, setting))
    draw(rows, HERE / "active_learning.png")
    print(f"wrote {HERE}/active_learning.md and active_learning.png")
    shown = [{k: v for k, v in r.items() if k not in {"chosen", "next"}} for r in rows]
    print(json.dumps({"setting": setting, "rows": shown, "gains": gains}))


def _stored(path: Path) -> list[Row]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


class Replay:
    """The rounds played so far, and how to play the next one.

    A row says which articles were chosen, what they cost, how the model did on test, and what the
    model chose next: after the start for each strategy, later for its own, in the last round
    nothing.
    """

    def __init__(
        self,
        config: Config,
        splits: Any,
        setting: dict[str, int],
        rows: list[Row],
    ) -> None:
        """Go on from rows of the same config, data and setting."""
        self.config, self.splits, self.setting, self.rows = config, splits, setting, rows
        self._source = find_encoder(config.model)

    def find(self, seed: int, strategy: str, number: int) -> Row | None:
        """The row of a round, if it was played."""
        wanted = (seed, strategy, number)
        rows = (r for r in self.rows if (r["seed"], r["strategy"], r["round"]) == wanted)
        return next(rows, None)

    def play(self, seed: int, strategy: str, number: int) -> Row:
        """Train on what the round before chose, score, and choose what comes next."""
        pool = self._pool(seed)
        if number == 0:
            chosen = [a.id for a in pool[: self.setting["start"]]]
        else:
            before = self.find(seed, strategy if number > 1 else START, number - 1)
            if before is None:
                raise ValueError(f"round {number} of {strategy} before round {number - 1}")
            chosen = before["chosen"] + before["next"][strategy]
        known = {a.id: a for a in pool}
        some = [known[name] for name in chosen]
        words = sum(len(a.text.split()) for a in some)
        steps = round(self.setting["epochs"] * words / _WORDS_A_STEP)
        settings = {"max_steps": steps, "evaluate_every": steps, "seed": seed, "patience": None}
        seeded = self.config.with_settings({f"training.{k}": v for k, v in settings.items()})
        begin = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            learned = learn(
                seeded, some, dev=self.splits["dev"][:1], source=self._source, folder=Path(folder)
            )
        learned.model.eval()
        row = {
            "seed": seed,
            "strategy": strategy,
            "round": number,
            "articles": len(some),
            "words": words,
            "test": score(learned.tagger, self.splits["test"]),
            "chosen": chosen,
            "next": {}
            if number == self.setting["rounds"]
            else self._choose_next(learned.tagger, pool, some, strategy, seed),
        }
        return {**row, "seconds": round(time.perf_counter() - begin)}

    def _pool(self, seed: int) -> list[Article]:
        """The pool of a seed, in the order of a draw: it begins with the start."""
        train = self.splits["train"]
        drawn = sorted(train, key=lambda a: hashlib.sha256(f"{seed}:{a.id}".encode()).digest())
        return drawn[: self.setting["pool"]]

    def _choose_next(
        self, tagger: Tagger, pool: list[Article], some: list[Article], strategy: str, seed: int
    ) -> dict[str, list[str]]:
        taken = {a.id for a in some}
        rest = [a for a in pool if a.id not in taken]
        choosing: Sequence[Strategy] = [s for s in STRATEGIES if strategy in {s, START}]
        doubts = None if strategy == "random" else list(measure(tagger, rest))
        found: dict[str, list[str]] = {}
        for way in choosing:
            queue = choose(rest, self.setting["step"], strategy=way, doubts=doubts, seed=seed)
            found[way] = [choice.article.id for choice in queue.chosen]
        return found


def score(tagger: Tagger, articles: Sequence[Article]) -> dict[str, Any]:
    """Strict F1, micro and by label."""
    found = tagger.pipe(a.text for a in articles)
    scores = score_spans((a.spans for a in articles), found, labels=tagger.labels)
    return {"f1": scores.micro.f1, "labels": {k: s.f1 for k, s in scores.labels.items()}}


def figures(row: Row) -> str:
    """One line for the terminal."""
    shown = f"{row['articles']} articles, {row['words']} words, {row['seconds']} s"
    return f"{shown}: test {100 * row['test']['f1']:.1f}"


def curve(rows: Sequence[Row], seed: int, strategy: str) -> list[Row]:
    """One seed's rounds of a strategy, the start that all have in common with them."""
    of_seed = (r for r in rows if r["seed"] == seed and r["strategy"] in {strategy, START})
    return sorted(of_seed, key=lambda r: r["round"])


def gain(rows: Sequence[Row], strategy: str) -> list[float]:
    """F1 above that of random, seed by seed, at the same number of words.

    That number is the last that both have reached; between rounds F1 is read off a line over the
    logarithm of the words.
    """
    gains: list[float] = []
    for seed in sorted({r["seed"] for r in rows}):
        curves = [curve(rows, seed, s) for s in (strategy, "random")]
        words = min(c[-1]["words"] for c in curves)
        one, other = (
            float(
                np.interp(
                    np.log(words),
                    [np.log(r["words"]) for r in c],
                    [r["test"]["f1"] for r in c],
                )
            )
            for c in curves
        )
        gains.append(one - other)
    return gains


def _mean(values: Sequence[float], *, sign: str = "") -> str:
    spread = f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * statistics.fmean(values):{sign}.1f}{spread}"


def table(
    rows: Sequence[Row],
    gains: dict[Strategy, list[float]],
    config: Config,
    setting: dict[str, int],
) -> str:
    """The outcome as Markdown: mean and standard deviation over the seeds."""
    seeds = sorted({r["seed"] for r in rows})
    lines = [
        "# Choosing what to annotate",
        "",
        f"`{config.name}`, {config.model.encoder}, about {setting['epochs']} epochs a training,",
        f"a pool of {setting['pool']} articles, {len(seeds)} seeds, {os.cpu_count()} cores.",
        "Strict span F1, %, mean ± standard deviation. The strategies of a seed start from the",
        "same articles and the same model. Made by active_learning.py.",
        "",
        "| articles | strategy | words | test |",
        "|---:|---|---:|---:|",
    ]
    for number in sorted({r["round"] for r in rows}):
        for strategy in STRATEGIES if number else (START,):
            here = [r for r in rows if (r["round"], r["strategy"]) == (number, strategy)]
            words = statistics.fmean(r["words"] for r in here)
            found = _mean([r["test"]["f1"] for r in here])
            count = statistics.fmean(r["articles"] for r in here)
            lines.append(f"| {count:.0f} | {strategy} | {words:,.0f} | {found} |")
    lines += [
        "",
        "Above random with the same number of words annotated, in points of F1:",
        "",
        "| strategy | test |",
        "|---|---:|",
    ]
    lines += [f"| {s} | {_mean(values, sign='+')} |" for s, values in gains.items()]
    return "\n".join(lines) + "\n"


def draw(rows: Sequence[Row], path: Path) -> None:
    """F1 on test over words and over articles: a line a strategy, a point a seed."""
    import matplotlib as mpl  # noqa: PLC0415 - only the picture needs it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, both = plt.subplots(1, 2, figsize=(10, 4.2), sharey=True, layout="constrained")
    seeds = sorted({r["seed"] for r in rows})
    for axes, unit in zip(both, ("words", "articles"), strict=True):
        for strategy in STRATEGIES:
            rounds = zip(*(curve(rows, seed, strategy) for seed in seeds), strict=True)
            points = [[(r[unit], 100 * r["test"]["f1"]) for r in of_round] for of_round in rounds]
            means = [[statistics.fmean(v) for v in zip(*p, strict=True)] for p in points]
            style = {"color": COLOURS[strategy], "marker": MARKERS[strategy]}
            axes.plot(*zip(*means, strict=True), label=strategy, **style)
            every = [point for of_round in points for point in of_round]
            axes.scatter(*zip(*every, strict=True), alpha=0.35, s=14, **style)
        axes.set_xlabel(f"{unit} annotated")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    both[0].set_ylabel("strict span F1 on test, %")
    both[0].legend(loc="lower right", frameon=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
