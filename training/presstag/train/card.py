"""The model card: README.md of a model folder, in the form that the Hugging Face hub reads.

A head in YAML for machines, with the strict test scores as a model-index, then prose for people.
Every figure comes from the run itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from presstag.evaluate.intervals import WIDE, Bootstrap
from presstag.evaluate.slices import ENOUGH, slice_scores
from presstag.spans import Article, Span
from presstag.train.config import Config
from presstag.train.encoder import MINILM

_EXAMPLES = 5
_WORST = 3
# What the card says of the encoder that comes as a package: its name on the hub, language, license.
_ENCODERS = {MINILM: ("sentence-transformers/all-MiniLM-L6-v2", "en", "apache-2.0")}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card tells of.

    Attributes:
        config: the run's.
        record: its run.json.
        scores: its scores.json: `parity`, and by split what `Evaluation.to_dict` gives.
        splits: its articles.
        found: by split, the spans that the packed model found in each article.
    """

    config: Config
    record: Mapping[str, Any]
    scores: Mapping[str, Any]
    splits: Mapping[str, Sequence[Article]]
    found: Mapping[str, Sequence[Sequence[Span]]] = field(default_factory=dict)

    @property
    def judged(self) -> str | None:
        """The split whose scores the card gives: test, or else dev; None if neither was scored."""
        return next((split for split in ("test", "dev") if split in self.scores), None)


def render_card(facts: Facts) -> str:
    """Write a model's card in Markdown, its head in YAML."""
    sections = (_about, _labels, _scores, _slices, _data, _training, _use, _limits, _reproduction)
    written = ("\n".join(section(facts)) for section in sections)
    body = "\n\n".join(section for section in written if section)
    return f"---\n{_head(facts).to_yaml()}\n---\n\n{body}\n"


def _head(facts: Facts) -> ModelCardData:
    encoder = facts.config.model.encoder
    on_hub = encoder if facts.record["encoder"]["sha256"] is None else None
    base, language, license_name = _ENCODERS.get(encoder, (on_hub, None, None))
    return ModelCardData(
        language=language,
        license=license_name,
        library_name="presstag",
        pipeline_tag="token-classification",
        tags=["presstag", "token-classification", "named-entity-recognition", "news", "onnx"],
        base_model=base,
        model_name=facts.config.name,
        eval_results=list(_results(facts)) or None,
    )


def _results(facts: Facts) -> Iterator[EvalResult]:
    split = facts.judged
    if split is not None:
        micro = facts.scores[split]["micro"]
        for metric in ("f1", "precision", "recall"):
            yield EvalResult(
                task_type="token-classification",
                task_name="Named entity recognition",
                dataset_type=facts.config.name,
                dataset_name=f"{facts.config.name}, annotated news articles",
                dataset_split=split,
                metric_type=metric,
                metric_name=f"strict micro {metric}",
                metric_value=micro[metric],
            )


def _about(facts: Facts) -> Iterable[str]:
    config = facts.config
    yield f"# {config.name}"
    yield ""
    yield (
        f"Finds {_and(config.data.labels)} in news articles. A token classifier, fine-tuned by "
        f"presstag from `{config.model.encoder}` and packed as ONNX ({config.export.precision}); "
        "it gives spans with exact character offsets, on articles of any length."
    )
    if facts.judged:
        scored = facts.scores[facts.judged]
        yield ""
        yield (
            f"**Strict F1 on {facts.judged}: "
            f"{_figure(scored['micro'], 'f1', scored.get('intervals', {}).get('micro'))}** "
            f"({scored['articles']} articles, {scored['micro']['gold']} spans)."
        )


def _labels(facts: Facts) -> Iterable[str]:
    yield "## Labels"
    yield ""
    yield "With the forms that are most frequent in train:"
    yield ""
    for label in facts.config.data.labels:
        spans = [s for a in facts.splits["train"] for s in a.spans if s.label == label]
        forms = Counter(" ".join(s.text.split()) for s in spans)
        shown = ", ".join(_code(form) for form, _ in forms.most_common(_EXAMPLES))
        yield f"- **{label}**, {len(spans):,} spans: {shown}"


def _scores(facts: Facts) -> Iterable[str]:
    yield "## Scores"
    yield ""
    if facts.judged is None:
        yield "The run scored no split (`evaluation.splits` is empty)."
        return
    scored = facts.scores[facts.judged]
    intervals = scored.get("intervals", {})
    yield (
        f"Strict: a span is right if start, end and label are those of a gold span. The packed "
        f"model on {facts.judged}, in percent"
        + (", with 95 % intervals over articles:" if intervals else ":")
    )
    if facts.judged == "dev":
        yield "These articles chose the best weights, so that new articles will score lower."
    yield ""
    yield "| label | precision | recall | F1 | gold spans |"
    yield "|---|---|---|---|---|"
    by_label = intervals.get("labels", {})
    for label, row in scored["labels"].items():
        yield _row(label.replace("|", "\\|"), row, by_label.get(label))
    yield _row("micro", scored["micro"], intervals.get("micro"))
    macro = _figure({"f1": scored["macro_f1"]}, "f1", intervals.get("macro"))
    yield f"| macro | | | {macro} | |"
    few = [name for name, i in by_label.items() if i["f1"]["high"] - i["f1"]["low"] > WIDE]
    if few:
        yield ""
        yield f"Too few spans to tell, with an interval wider than 20 points: {_and(few)}."
    parity = facts.scores["parity"]
    yield ""
    yield (
        f"On dev the packed model has an F1 of {100 * parity['packed_f1']:.1f}, the checkpoint it "
        f"was packed from {100 * parity['checkpoint_f1']:.1f}."
    )


def _slices(facts: Facts) -> Iterable[str]:
    """The worst parts of test with enough spans, if there are any."""
    if "test" not in facts.found:
        return
    articles = facts.splits["test"]
    found, draws = facts.found["test"], Bootstrap.draw(len(articles))
    parts = slice_scores(articles, found, bootstrap=draws, train=facts.splits["train"])
    worst = [part for part in parts if part.score.gold >= ENOUGH][:_WORST]
    if not worst:
        return
    yield "## Where it is weak"
    yield ""
    yield (
        f"The parts of test with the lowest F1, of those with {ENOUGH} gold spans or more, in "
        "percent, with 95 % intervals over articles:"
    )
    yield ""
    yield "| part | precision | recall | F1 | gold spans |"
    yield "|---|---|---|---|---|"
    for part in worst:
        name = _code(f"{part.by}: {part.value}").replace("|", "\\|")
        yield _row(name, part.score.to_dict(), part.intervals.to_dict())


def _data(facts: Facts) -> Iterable[str]:
    yield "## Data"
    yield ""
    yield "| split | articles | words | spans | file | SHA-256 |"
    yield "|---|---|---|---|---|---|"
    for split, articles in facts.splits.items():
        words = sum(len(a.text.split()) for a in articles)
        spans = sum(len(a.spans) for a in articles)
        file = getattr(facts.config.data, split)
        digest = facts.record["data"][split]
        yield f"| {split} | {len(articles):,} | {words:,} | {spans:,} | `{file}` | `{digest}` |"


def _training(facts: Facts) -> Iterable[str]:
    course, training = facts.record["course"], facts.config.training
    settings = ", ".join(
        f"{key.replace('_', ' ')} {value}"
        for key, value in training.model_dump().items()
        if value is not None
    )
    yield "## Training"
    yield ""
    yield (
        f"The weights of step {course['best_step']}, which had the best strict F1 on dev "
        f"({100 * course['best_dev_f1']:.1f}); {course['seconds']:.0f} s of training. "
        f"Windows of {facts.config.model.window} tokens that overlap by "
        f"{facts.config.model.overlap}; every word counts once."
    )
    yield ""
    yield f"Settings: {settings}. All of them stand in `checkpoint/config.yaml`."
    yield ""
    yield "![Loss, dev F1 and learning rate over the steps](curves.png)"


def _use(facts: Facts) -> Iterable[str]:
    folder = f"models/{facts.config.name}"
    yield "## How to use it"
    yield ""
    yield "```bash"
    yield f"presstag extract {folder} article.txt --json"
    yield "```"
    yield ""
    yield "```python"
    yield "from presstag import load"
    yield ""
    yield f'tagger = load("{folder}")  # or the folder that huggingface_hub.snapshot_download gave'
    yield 'for span in tagger("The text of an article."):'
    yield "    print(span.start, span.end, span.label, span.text, span.score)"
    yield "```"
    yield ""
    yield "`checkpoint/` opens in transformers as an `AutoModelForTokenClassification` too; the way"
    yield "from its tags to spans is then the caller's."


def _limits(facts: Facts) -> Iterable[str]:
    yield "## Intended use and limits"
    yield ""
    yield (
        "Meant for reading news in bulk: counting, searching and preparing what a person then "
        "checks. Not meant for deciding anything about people without one."
    )
    yield ""
    yield (
        "- It knows articles like those of train. Other languages, other kinds of text and other "
        "topics were not scored."
    )
    yield "- It says what is written, not whether it is true."
    split = facts.judged
    if split and (rows := [r for r in facts.scores[split]["labels"].items() if r[1]["gold"]]):
        label, row = min(rows, key=lambda r: float(r[1]["f1"]))
        yield (
            f"- On {split} it missed {100 - 100 * row['recall']:.0f} % of its weakest label, "
            f"{label}, and {100 - 100 * row['precision']:.0f} % of what it gave as {label} was "
            "wrong."
        )


def _reproduction(facts: Facts) -> Iterable[str]:
    record = facts.record
    versions = ", ".join(f"{name} {found}" for name, found in record["versions"].items() if found)
    yield "## How to make it again"
    yield ""
    yield "```bash"
    yield f"presstag reproduce models/{facts.config.name}"
    yield "```"
    yield ""
    yield f"- commit: {record['commit'] or 'unknown: not trained in a git repository'}"
    yield f"- versions: {versions}, Python {record['python']}, on {record['machine']}"
    yield f"- encoder: `{record['encoder']['name']}`, SHA-256 {record['encoder']['sha256']}"
    yield f"- begun: {record['begun']}"


def _row(name: str, row: Mapping[str, Any], intervals: Mapping[str, Any] | None) -> str:
    figures = (_figure(row, key, intervals) for key in ("precision", "recall", "f1"))
    return f"| {name} | {' | '.join(figures)} | {row['gold']} |"


def _figure(row: Mapping[str, Any], key: str, intervals: Mapping[str, Any] | None) -> str:
    """A figure in percent, with its interval where there is one."""
    shown = f"{100 * row[key]:.1f}"
    if not intervals:
        return shown
    low, high = (100 * intervals[key][end] for end in ("low", "high"))
    return f"{shown} ({low:.1f} to {high:.1f})"


def _code(text: str) -> str:
    """Mark text as code, so that nothing in it is markup."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _and(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
