"""How well do others do? Train presstag and its peers on the same articles, and score them alike.

    python benchmarks/accuracy.py configs/aid.yaml [--extra NAME=FILE] [section.key=value ...]

In order of cost: a dictionary of train's forms; a CRF; presstag, as the config says, by its packed
model; transformers' `Trainer` with the settings of run_ner.py; spaCy's `ner` from scratch;
`Trainer` tuned; spaCy on the encoder of presstag. Each is trained with --seeds seeds, but for those
that leave nothing to chance. Strict F1 on dev, test and each --extra, by the characters of spans,
all by `presstag.evaluate.metrics.score_spans`; and on copies of test in capitals, in lower case and
without accents. Minutes are of training with all that chooses weights or packs, trials not among
them; words per second of tagging are measured on test, right after, whole articles one after
another as each contender takes them by default.

Nothing is chosen by test. Peers with settings to choose get six trainings on all of train, scored
on dev, one setting after another, each with seed 0, which is no seed of the table; presstag gets
none here: its config, settled by hand on dev, is taken as it is shipped. Weights are chosen on dev
where a contender's own tools do so.

Some need `pip install -c constraints.txt --group benchmarks` beside `presstag[train]`; a contender
whose packages are missing is left out, and the table says so. What is done is kept in
accuracy.json beside this file, so that an interrupted benchmark goes on. It writes accuracy.md; the
last line printed is JSON. --only names contenders, --articles takes so many of each split.

Costs with three seeds on 2 cores, reckoned from trainings on 60 articles, good to a factor of two:
dictionary, seconds; crf, 7 trainings of 2 minutes, 15 minutes; presstag, 35 minutes; trainer, 3
trainings of 22 minutes, 65 minutes; spacy, 3 trainings of 20 to 30 minutes until dev stops it, 75
minutes (a guess); trainer-tuned, 9 trainings of 22 or 37 minutes, 4 hours; spacy-minilm, 9
trainings of 24 or 36 minutes, 4 hours.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from accuracy_table import table
from peers.crf import CRF
from peers.dictionary import DICTIONARY
from peers.ground import Contender, Ground
from peers.plain_trainer import TRAINER, TRAINER_TUNED
from peers.presstag_run import presstag
from peers.rewriting import REWRITINGS, rewrite
from peers.spacy_ner import SPACY, SPACY_ENCODER

from presstag.corpus import read_corpus
from presstag.corpus.files import digest_corpus
from presstag.evaluate.metrics import score_spans
from presstag.evaluate.tagging import tag_articles
from presstag.spans import Article
from presstag.train.configfile import read_config
from presstag.train.data import load_data
from presstag.writing import write_json, write_text

HERE = Path(__file__).parent
Row = dict[str, Any]


def main() -> None:
    """Train and score what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config")
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--articles", type=int, help="of each split, for a quick look")
    parser.add_argument("--extra", action="append", default=[], metavar="NAME=FILE")
    arguments = parser.parse_intermixed_args()
    config = read_config(arguments.config, arguments.overrides)
    data = load_data(config.data)
    contenders = [DICTIONARY, CRF, presstag(config, data), TRAINER]
    contenders += [SPACY, TRAINER_TUNED, SPACY_ENCODER]
    if strange := set(arguments.only) - {c.name for c in contenders}:
        parser.error(f"--only: {', '.join(strange)}; there are {[c.name for c in contenders]}")
    splits = {name: draw(some, arguments.articles) for name, some in data.splits.items()}
    digests = dict(data.digests)
    sets = {name: splits[name] for name in ("dev", "test")}
    for extra in arguments.extra:
        name, _, file = extra.partition("=")
        sets[name] = list(read_corpus(file, labels=config.data.labels).articles)
        digests[name] = digest_corpus(Path(file))
    sets |= {name: [rewrite(a, one) for a in splits["test"]] for name, one in REWRITINGS.items()}
    ground = Ground(tuple(config.data.labels), splits["train"], splits["dev"])
    known = json.dumps([config.model_dump(), digests, arguments.articles], sort_keys=True)
    ring = Ring(ground, sets, key=hashlib.sha256(known.encode()).hexdigest()[:16])
    missing: dict[str, str] = {}
    for contender in contenders:
        if arguments.only and contender.name not in arguments.only:
            continue
        if lacking := [pip for module, pip in contender.needs.items() if not find_spec(module)]:
            missing[contender.title] = f"not installed: {', '.join(lacking)}"
        else:
            ring.play(contender, seeds=arguments.seeds)
    chosen = [c for c in contenders if any(r["contender"] == c.name for r in ring.scored)]
    write_text(HERE / "accuracy.md", table(chosen, ring.rows, sets, missing, config.data.labels))
    print(f"wrote {HERE}/accuracy.md")
    print(json.dumps({"rows": ring.rows, "missing": missing}))


def draw(articles: Sequence[Article], count: int | None) -> list[Article]:
    """So many of the articles, the same at each call; None for all, as they stand."""
    if count is None:
        return list(articles)
    return sorted(articles, key=lambda a: hashlib.sha256(a.id.encode()).digest())[:count]


@dataclass(frozen=True, slots=True)
class _Store:
    """The rows of all runs in a file, and those of this one among them."""

    path: Path
    key: str

    def read(self) -> list[Row]:
        return json.loads(self.path.read_text(encoding="utf-8")) if self.path.is_file() else []

    def add(self, row: Row) -> None:
        write_json(self.path, [*self.read(), row])


class Ring:
    """Trains and scores contenders, and remembers.

    A row has `scores` by set where it counts for the table, and `dev_f1` alone where it is a trial.
    """

    def __init__(self, ground: Ground, sets: Mapping[str, Sequence[Article]], *, key: str) -> None:
        """Go on from rows of the same config and data."""
        self._ground = ground
        self._sets = sets
        self._store = _Store(HERE / "accuracy.json", key)
        self.rows = [r for r in self._store.read() if r["key"] == key]

    @property
    def scored(self) -> list[Row]:
        """The rows that count."""
        return [r for r in self.rows if "scores" in r]

    def play(self, contender: Contender, *, seeds: int) -> None:
        """Choose a contender's settings on dev, then train it with each seed."""
        settings = dict(contender.settings)
        for name, values in contender.tried.items():
            f1 = {v: self._measure(contender, {**settings, name: v}, seed=0) for v in values}
            settings[name] = max(f1, key=lambda v: f1[v]["dev_f1"])
        for seed in range(1, seeds + 1 if contender.seeded else 2):
            self._measure(contender, settings, seed=seed)

    def _measure(self, contender: Contender, settings: dict[str, Any], *, seed: int) -> Row:
        """A row for these settings and this seed, trained if there is none; seed 0 is a trial."""
        same = {"contender": contender.name, "settings": settings, "seed": seed}
        for row in self.rows:
            if same.items() <= row.items():
                return row
        begin = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            tagger = contender.learn(self._ground, settings, seed=seed, folder=Path(folder))
            row = {"key": self._store.key, **same, "minutes": (time.perf_counter() - begin) / 60}
            row |= self._score(tagger, ["dev"] if seed == 0 else list(self._sets))
            del tagger  # what lies open in the folder is closed
        row["packages"] = {name: version(name) for name in ("presstag", "transformers")}
        self.rows.append(row)
        self._store.add(row)
        print(figures(row), flush=True)
        return row

    def _score(self, tagger: Any, names: Sequence[str]) -> Row:
        scores: Row = {}
        speed = 0.0
        for name in names:
            tagged = tag_articles(tagger, self._sets[name])
            gold = [a.spans for a in tagged.articles]
            scores[name] = score_spans(gold, tagged.found, labels=self._ground.labels).to_dict()
            if tagged.failures:
                raise RuntimeError(f"{name}: {tagged.failures[0]}")
            speed = tagged.words_per_second if name == "test" else speed
        f1 = scores["dev"]["micro"]["f1"]
        if "test" not in scores:
            return {"dev_f1": f1}
        return {"dev_f1": f1, "words_per_second": speed, "scores": scores}


def figures(row: Row) -> str:
    """One line for the terminal."""
    who = f"{row['contender']} seed {row['seed']} {row['settings'] or ''}".rstrip()
    speed = f", {row['words_per_second']:,.0f} words/s" if "scores" in row else ""
    return f"{who}: dev {100 * row['dev_f1']:.1f}, {row['minutes']:.1f} min{speed}"


if __name__ == "__main__":
    main()
