"""The taggers that inference.py compares, each opened in a process of its own.

    python benchmarks/contenders.py serve     the contender on the first line, then commands
    python benchmarks/contenders.py first     the contender and a text: ends with its first spans
    python benchmarks/contenders.py train     spaCy's `ner` from articles, with its usual config
    python benchmarks/contenders.py size      what a pip requirement brings, in bytes

Each takes JSON on standard input and answers with a line of JSON. At the top only the standard
library is imported, so that this runs in an environment that has spaCy and no presstag, and a
process holds what its own contender needs and nothing else.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Setting = dict[str, Any]
Found = list[list[tuple[int, int, str]]]
Tag = Callable[[list[str], dict[str, Any]], Found]
"""Texts and the options of one call in; start, end and label of the spans of each text out."""


def open_contender(setting: Setting) -> tuple[Tag, Any]:
    """A contender and, where it is presstag's, its `Tagger`."""
    if setting["kind"] in {"packed", "checkpoint"}:
        tagger = _open_packed(setting) if setting["kind"] == "packed" else _open_checkpoint(setting)

        def tag(texts: list[str], _: dict[str, Any]) -> Found:
            return [[s.key for s in spans] for spans in tagger.pipe(texts)]

        return tag, tagger
    return (_open_pipeline if setting["kind"] == "pipeline" else _open_spacy)(setting), None


def _open_packed(setting: Setting) -> Any:
    from presstag import load  # noqa: PLC0415

    return load(setting["model"], threads=setting["threads"])


def _open_checkpoint(setting: Setting) -> Any:
    import torch  # noqa: PLC0415

    from presstag.tags import TagScheme  # noqa: PLC0415
    from presstag.train.checkpoint import (  # noqa: PLC0415
        checkpoint_tagger,
        read_checkpoint,
        read_window,
    )

    torch.set_num_threads(setting["threads"])
    folder = Path(setting["model"])
    model, tokenizer = read_checkpoint(folder)
    tags = [str(model.config.id2label[i]) for i in range(model.config.num_labels)]
    return checkpoint_tagger(
        model,
        tokenizer=tokenizer,
        scheme=TagScheme.from_tags(tags),
        section=read_window(folder),
        precision=setting["precision"],
    )


def _open_pipeline(setting: Setting) -> Tag:
    """The way of transformers; with `window` the text is read in windows, else it is cut off."""
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    torch.set_num_threads(setting["threads"])
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    tokenizer = transformers.AutoTokenizer.from_pretrained(setting["model"])
    stride = None
    if setting["window"]:
        tokenizer.model_max_length, stride = setting["window"], setting["overlap"]
    pipeline = transformers.pipeline(
        "token-classification",
        model=setting["model"],
        tokenizer=tokenizer,
        aggregation_strategy="first",
        stride=stride,
        dtype=torch.bfloat16 if setting["precision"] == "bf16" else torch.float32,
        device="cpu",
    )

    def tag(texts: list[str], options: dict[str, Any]) -> Found:
        batch_size = options.get("batch_size", setting["batch_size"])
        return [
            [(int(e["start"]), int(e["end"]), str(e["entity_group"])) for e in entities]
            for entities in pipeline(texts, batch_size=batch_size)
        ]

    return tag


def _open_spacy(setting: Setting) -> Tag:
    import spacy  # noqa: PLC0415

    nlp = spacy.load(setting["model"])

    def tag(texts: list[str], options: dict[str, Any]) -> Found:
        docs = nlp.pipe(texts, n_process=options.get("processes", 1))
        return [[(e.start_char, e.end_char, e.label_) for e in doc.ents] for doc in docs]

    return tag


def serve() -> None:
    """Open the contender and answer commands until there are none."""
    tag, tagger = open_contender(json.loads(sys.stdin.readline()))
    _say({})
    for line in sys.stdin:
        command = json.loads(line)
        _say(_bare(tagger, command) if command["do"] == "bare" else _timed(tag, command))


def _timed(tag: Tag, command: dict[str, Any]) -> dict[str, Any]:
    """Tag the texts `repeat` times; seconds of each, and those that the processor was at work."""
    texts, options = command["texts"], command.get("options", {})
    seconds: list[float] = []
    at_work, found = time.process_time(), []
    for _ in range(command.get("repeat", 1)):
        begin = time.perf_counter()
        found = tag(texts, options)
        seconds.append(time.perf_counter() - begin)
    at_work = time.process_time() - at_work
    spans = {"spans": found} if command["do"] == "spans" else {}
    return {"seconds": seconds, "processor": at_work, "peak": _peak_memory(), **spans}


def _bare(tagger: Any, command: dict[str, Any]) -> dict[str, Any]:
    """Time the whole tagger and only the forward pass on the windows that it made, in turn."""
    forward, windows = tagger._forward, []  # noqa: SLF001
    tagger._forward = lambda batch: windows.append(batch) or forward(batch)  # noqa: SLF001
    list(tagger.pipe(command["texts"]))
    tagger._forward = forward  # noqa: SLF001
    whole = alone = 0.0
    for _ in range(2):
        begin = time.perf_counter()
        list(tagger.pipe(command["texts"]))
        middle = time.perf_counter()
        for batch in windows:
            forward(batch)
        whole += middle - begin
        alone += time.perf_counter() - middle
    return {"whole": whole, "forward": alone}


def _peak_memory() -> int | None:
    """The largest resident size that this process has had, in bytes."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    return int(found[1]) * 1024 if found else None


def first() -> None:
    """Open a contender and tag one text."""
    job = json.loads(sys.stdin.readline())
    tag, _ = open_contender(job["setting"])
    _say({"spans": len(tag([job["text"]], {})[0])})


def train() -> None:
    """Train spaCy's `ner` on articles, `efficiency` as spaCy proposes it for a processor."""
    import spacy  # noqa: PLC0415
    from spacy.cli.init_config import init_config  # noqa: PLC0415
    from spacy.cli.train import train as train_spacy  # noqa: PLC0415
    from spacy.tokens import DocBin  # noqa: PLC0415

    job = json.loads(sys.stdin.readline())
    folder, nlp, paths = Path(job["folder"]), spacy.blank("en"), {}
    for split in ("train", "dev"):
        docs = DocBin()
        for text, spans in job[split]:
            doc = nlp.make_doc(text)
            # A span that cuts one of spaCy's tokens takes the whole token.
            made = [doc.char_span(a, b, label=c, alignment_mode="expand") for a, b, c in spans]
            doc.ents = spacy.util.filter_spans([span for span in made if span is not None])
            docs.add(doc)
        paths[f"paths.{split}"] = str(folder / f"{split}.spacy")
        docs.to_disk(paths[f"paths.{split}"])
    config = init_config(lang="en", pipeline=["ner"], optimize="efficiency", silent=True)
    config.to_disk(folder / "config.cfg")
    steps = {"training.max_steps": job["steps"]} if job["steps"] else {}
    train_spacy(folder / "config.cfg", folder, overrides={**paths, **steps})
    _say({"spacy": spacy.__version__})


def size() -> None:
    """Add up the files of all distributions that requirements bring, numpy left out."""
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415
    from importlib.util import find_spec  # noqa: PLC0415

    from packaging.requirements import Requirement  # noqa: PLC0415

    rest = [Requirement(r) for r in json.loads(sys.stdin.readline())]
    seen: set[tuple[str, str]] = set()
    sizes: dict[str, int] = {}
    while rest:
        wanted = rest.pop()
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # another one serves in its place, or it is asked for elsewhere only
        for extra in ("", *wanted.extras):
            if name == "numpy" or (name, extra) in seen:
                continue
            seen.add((name, extra))
            sizes[name] = sum(file.size or 0 for file in found.files or ())
            needs = [Requirement(r) for r in found.requires or ()]
            rest += [n for n in needs if n.marker is None or n.marker.evaluate({"extra": extra})]
    spec = find_spec("presstag") if "presstag" in sizes else None
    if spec and spec.origin and not any("presstag/__init__" in str(f) for f in _files("presstag")):
        sources = Path(spec.origin).parent.rglob("*")  # installed in place: RECORD names no source
        sizes["presstag"] = sum(p.stat().st_size for p in sources if _is_source(p))
    _say({"bytes": sum(sizes.values()), "each": sizes})


def _files(name: str) -> list[Any]:
    from importlib.metadata import distribution  # noqa: PLC0415

    return list(distribution(name).files or ())


def _is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    sys.stdout = sys.stderr  # what libraries print must not stand between the answers
    {"serve": serve, "first": first, "train": train, "size": size}[sys.argv[1]]()
