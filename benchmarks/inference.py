"""How fast is a model in use? presstag beside transformers' pipeline and spaCy's `ner`.

    python benchmarks/inference.py configs/aid.yaml [--words 200000] [section.key=value ...]

All tag the same articles, those of dev and test over and over, on the same threads, each in a
process of its own. They take turns at chunks of articles, so that what else the machine does hits
all alike; intervals are by resampling chunks. The model is models/NAME of the config; it must have
been trained. What presstag offers besides is packed from its checkpoint for the occasion.

spaCy is taken from this environment, from --spacy-python, or else installed into a temporary one.
Its `ner` is trained once on the same train and dev, and kept in .cache beside this file.

It writes inference.md and inference.json; the last line printed is JSON. About 15 minutes on 2 idle
cores, and once 20 to train spaCy's model.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any, get_args

import numpy as np
from inference_table import figures, table
from machine import describe_machine
from workers import ask, find_ner, find_python, spacy_version, start_cold, working

from presstag.bundle import MANIFEST, NETWORK, TOKENIZER, read_manifest
from presstag.evaluate.intervals import Bootstrap, count_spans, score_intervals
from presstag.evaluate.metrics import score_spans
from presstag.spans import Article, Span
from presstag.tokens import ArticleTokenizer
from presstag.train.config import Config, ExportSection
from presstag.train.configfile import read_config
from presstag.train.data import RunData, load_data
from presstag.writing import write_json, write_text

HERE = Path(__file__).parent
BATCHES = (2, 4, 8, 16, 32)
BARE_EVERY = 5
"""In every so manieth round the forward pass is timed alone as well."""
PACKAGES = ("presstag", "onnxruntime", "tokenizers", "torch", "transformers", "numpy")
NEEDS = {
    "packed": ["presstag"],
    "checkpoint": ["presstag[train]"],
    "pipeline": ["torch", "transformers"],
    "spacy": ["spacy"],
}
Row = dict[str, Any]


def main() -> None:
    """Prepare the contenders, measure them in turn, and write the table."""
    arguments = _arguments()
    config = read_config(arguments.config, arguments.overrides)
    data = load_data(config.data)
    known = read_manifest(Path("models") / config.name).provenance.get("data", {})
    if any(known.get(split) != data.digests[split] for split in ("train", "dev")):
        raise SystemExit(
            f"models/{config.name}: trained on other articles than spaCy would be now."
        )
    machine = describe_machine(PACKAGES)
    chunks = make_chunks(
        [*data.splits["test"], *data.splits["dev"]], words=arguments.words, chunk=arguments.chunk
    )
    print(f"{len(chunks)} chunks, {sum(map(count_words, chunks))} words", flush=True)
    settings: dict[str, Row] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        python = find_python(arguments.spacy_python, folder / "environment")
        steps = arguments.spacy_steps
        ner = find_ner(python, dict(data.splits), steps=steps, folder=folder / "ner")
        settings = contenders(config, data, arguments.threads, folder)
        choose_batches(settings, chunks[0])
        settings["spaCy ner"] = {"kind": "spacy", "model": str(ner), "python": python}
        rows = measure(settings, chunks, data.splits["test"], arguments)
        for name, setting in settings.items():
            needs = ask("size", NEEDS[setting["kind"]], setting)
            rows[name] |= {"cold": [], "installed": needs["bytes"], "needs": len(needs["each"])}
            rows[name]["model"] = _size(Path(setting["model"]))
        for _ in range(arguments.cold):
            for name, setting in settings.items():
                rows[name]["cold"].append(start_cold(setting, chunks[0][0]))
        lost = cut_off(settings, _within(data.splits["test"], arguments.words))
        machine["versions"]["spaCy"] = spacy_version(python)
    found = figures(rows, [count_words(chunk) for chunk in chunks])
    store = {"machine": machine, "figures": found, "cut_off": lost, "rows": rows}
    write_json(HERE / "inference.json", store)
    write_text(HERE / "inference.md", table(store, config, arguments))
    print(f"wrote {HERE}/inference.md and inference.json")
    print(json.dumps({"figures": found, "cut_off": lost}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config")
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    parser.add_argument("--words", type=int, default=200_000, help="least words to tag")
    parser.add_argument("--chunk", type=int, default=8_000, help="words of a turn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--calls", type=int, default=20, help="single calls after each turn")
    parser.add_argument("--cold", type=int, default=7, help="new processes of each")
    parser.add_argument("--spacy-python", help="a Python that has spaCy 3.8")
    parser.add_argument("--spacy-steps", type=int, help="stop spaCy's training after so many")
    return parser.parse_intermixed_args()


def count_words(articles: Sequence[Article]) -> int:
    """Words being what stands between blanks."""
    return sum(len(a.text.split()) for a in articles)


def make_chunks(articles: Sequence[Article], *, words: int, chunk: int) -> list[list[Article]]:
    """Articles over and over in chunks of at least `chunk` words until there are `words`."""
    chunks: list[list[Article]] = [[]]
    for article in cycle(articles):
        chunks[-1].append(article)
        if count_words(chunks[-1]) >= chunk:
            words -= count_words(chunks[-1])
            if words <= 0:
                return chunks
            chunks.append([])
    raise ValueError("no articles")


def contenders(config: Config, data: RunData, threads: int, folder: Path) -> dict[str, Row]:
    """All that runs here: what presstag packs, its checkpoint in torch, and the pipeline."""
    from presstag.train.export import export_checkpoint  # noqa: PLC0415

    model = Path("models") / config.name
    manifest, checkpoint = read_manifest(model), model / "checkpoint"
    found: dict[str, Row] = {}
    for precision in get_args(ExportSection.model_fields["precision"].annotation):
        packed = model
        if precision != manifest.precision:
            packed = folder / precision
            print(f"packing {precision}", flush=True)
            export_checkpoint(
                checkpoint,
                packed,
                name=config.name,
                section=ExportSection(precision=precision),
                train=data.splits["train"],
                dev=data.splits["dev"],
                splits={},
            )
        found[f"presstag packed {precision}"] = {"kind": "packed", "model": str(packed)}
    for precision in ("fp32", "bf16"):
        setting = {"kind": "checkpoint", "model": str(checkpoint), "precision": precision}
        found[f"presstag checkpoint {precision}"] = setting
    for precision, batch in (("fp32", 1), ("fp32", None), ("bf16", None)):
        found[f"pipeline {precision}, {'batch 1' if batch else 'best batch'}"] = {
            "kind": "pipeline",
            "model": str(checkpoint),
            "precision": precision,
            "batch_size": batch,
            "window": manifest.window,
            "overlap": manifest.overlap,
        }
    return {name: {**setting, "threads": threads} for name, setting in found.items()}


def choose_batches(settings: dict[str, Row], articles: Sequence[Article]) -> None:
    """Set the batch size with which each pipeline that has none is fastest on a few articles."""
    some = list(islice(articles, 12))
    for name in [n for n, s in settings.items() if s["kind"] == "pipeline" and not s["batch_size"]]:
        setting = settings.pop(name)
        with working({name: setting}) as workers:
            worker = workers[name]
            worker.do("tag", some[:2], options={"batch_size": 1})
            took = {
                size: min(worker.do("tag", some, options={"batch_size": size}, repeat=2)["seconds"])
                for size in BATCHES
            }
        best = min(took, key=took.__getitem__)
        settings[name.replace("best batch", f"batch {best}")] = {**setting, "batch_size": best}
        print(f"{name}: {best} of {', '.join(map(str, BATCHES))}", flush=True)


def measure(
    settings: dict[str, Row],
    chunks: list[list[Article]],
    test: Sequence[Article],
    arguments: argparse.Namespace,
) -> dict[str, Row]:
    """Score each contender, which warms it up, then let them take turns at the chunks."""
    test = _within(test, arguments.words)
    single = [min(test, key=lambda a: abs(len(a.text.split()) - 300))]
    rows: dict[str, Row] = {}
    with working(settings) as workers:
        for name, worker in workers.items():
            scored = _score(test, worker.do("spans", test)["spans"])
            rows[name] = {"f1": scored, "seconds": [], "processor": [], "calls": [], "bare": []}
            print(f"{name}: F1 {100 * scored['f1']:.1f}", flush=True)
        for number, chunk in enumerate(chunks):
            for name, worker in workers.items():
                row, done = rows[name], worker.do("tag", chunk)
                row["seconds"] += done["seconds"]
                row["processor"].append(done["processor"])
                row["peak"] = done["peak"]
                row["calls"] += worker.do("tag", single, repeat=arguments.calls)["seconds"]
                if number % BARE_EVERY == 0 and name.startswith("presstag"):
                    row["bare"].append(worker.do("bare", chunk))
            shown = (f"{n} {count_words(chunk) / r['seconds'][-1]:,.0f}" for n, r in rows.items())
            print(f"{number + 1} of {len(chunks)}, words/s: {'; '.join(shown)}", flush=True)
        everything = [article for chunk in chunks for article in chunk]
        for name, worker in workers.items():
            if settings[name]["kind"] == "spacy":
                begin = time.perf_counter()
                worker.do("tag", everything, options={"processes": arguments.threads})
                rows[name]["all_at_once"] = time.perf_counter() - begin
    return rows


def _within(articles: Sequence[Article], words: int) -> list[Article]:
    """As many articles as have so many words together, one at least."""
    reached = np.cumsum([len(a.text.split()) for a in articles])
    return list(articles[: max(int((reached <= words).sum()), 1)])


def _score(articles: Sequence[Article], found: Sequence[Any]) -> Row:
    """Strict micro F1 with its interval."""
    spans = [
        [Span(start, end, label, a.text[start:end]) for start, end, label in some]
        for a, some in zip(articles, found, strict=True)
    ]
    gold = [a.spans for a in articles]
    labels = sorted({s.label for some in (*gold, *spans) for s in some})
    counts = count_spans(gold, spans, labels=labels)
    interval = score_intervals(Bootstrap.draw(len(gold)), counts, labels=labels).micro.f1
    return {"f1": score_spans(gold, spans, labels=labels).micro.f1, **interval.to_dict()}


def cut_off(settings: dict[str, Row], test: Sequence[Article]) -> Row:
    """What the pipeline loses on test where nobody asks it to read in windows."""
    name, setting = next((n, s) for n, s in settings.items() if s["kind"] == "pipeline")
    folder = Path(setting["model"])
    about = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    tokenizer = ArticleTokenizer.from_file(folder / "tokenizer.json", pad=0)
    reads, beyond = about["model_max_length"], 0
    for article, tokens in zip(test, tokenizer.encode([a.text for a in test]), strict=True):
        units = tokens.units[tokens.firsts >= reads - tokenizer.specials]
        beyond += sum(s.start >= units[0, 0] for s in article.spans) if len(units) else 0
    with working({name: {**setting, "window": None}}) as workers:
        found = workers[name].do("spans", test)["spans"]
    gold = sum(len(a.spans) for a in test)
    return {"reads": reads, "beyond": beyond, "gold": gold, "f1": _score(test, found)["f1"]}


def _size(folder: Path) -> int:
    """Bytes of a model's files; what lies in folders beside a packed model is not of it."""
    packed = (folder / MANIFEST).is_file()
    files = [folder / name for name in (MANIFEST, NETWORK, TOKENIZER)] if packed else None
    return sum(p.stat().st_size for p in files or folder.rglob("*") if p.is_file())


if __name__ == "__main__":
    main()
