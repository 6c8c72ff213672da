"""Whether a corpus is fit to train and to measure with: counts, and everything that is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from presstag.corpus.files import BESIDE, FORMATS, read_corpus
from presstag.corpus.findings import Action, Corpus
from presstag.corpus.similarity import shared_sentences, similar_pairs
from presstag.corpus.split import SPLITS
from presstag.errors import DataError
from presstag.spans import Article
from presstag.tags import TagScheme
from presstag.words import find_words

RARE = 30
Severity = Literal["error", "warning", "note"]
_SEVERITIES: dict[Action, Severity] = {"rejected": "error", "repaired": "warning", "noted": "note"}
Boundaries = Callable[[str], Sequence[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something met: an error makes the corpus unfit, a warning is worth a look, a note is not."""

    severity: Severity
    kind: str
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What a split holds, or all of them together.

    Attributes:
        articles, words, spans: how many; words are what stands between blanks.
        labels: mentions by label.
        surfaces: distinct surface forms by label, as they are written.
        frequent: the most frequent form of each label, and its share of the label's mentions.
        unseen: share of each label's mentions whose form, whatever its case, stands nowhere in
            train under that label; empty for train itself and without a train split.
    """

    articles: int
    words: int
    spans: int
    labels: Mapping[str, int]
    surfaces: Mapping[str, int]
    frequent: Mapping[str, tuple[str, float]]
    unseen: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a check; `together` counts over all splits."""

    splits: Mapping[str, Counts]
    together: Counts
    problems: Sequence[Problem] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        """The problems that make the corpus unfit."""
        return [p for p in self.problems if p.severity == "error"]

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {
            "splits": {name: asdict(counts) for name, counts in self.splits.items()},
            "together": asdict(self.together),
            "problems": [asdict(p) for p in self.problems],
            "errors": len(self.errors),
        }


def read_splits(path: str | Path, *, labels: Sequence[str] | None = None) -> dict[str, Corpus]:
    """Read a folder of train, dev and test files, or one file as a single split.

    Raises:
        DataError: if the folder holds no file of a known format.
    """
    path = Path(path)
    if not path.is_dir():
        return {path.stem: read_corpus(path, labels=labels)}
    files = [
        f
        for f in sorted(path.iterdir())
        if f.suffix.lower() in FORMATS and f.is_file() and not f.name.endswith(BESIDE)
    ]
    order = {split: i for i, split in enumerate(SPLITS)}
    files.sort(key=lambda f: (order.get(f.stem, len(order)), f.name))
    if not files:
        if any(path.glob("*.txt")):
            return {path.name: read_corpus(path, labels=labels)}
        raise DataError(
            str(path),
            "a folder without a file of annotated articles",
            expected=f"train.json, dev.json, test.json, or others in {', '.join(FORMATS)}",
        )
    twice = [stem for stem, n in Counter(f.stem for f in files).items() if n > 1]
    if twice:
        raise DataError(str(path), f"several files called {twice[0]}: which is the split?")
    return {f.stem: read_corpus(f, labels=labels) for f in files}


def count_by(splits: Mapping[str, Corpus], field: str) -> dict[str, dict[str, int]]:
    """How many articles each split has with each value of a `meta` field, the most common first.

    Articles without the field count under an empty value.
    """
    counts: dict[str, Counter[str]] = {}
    for name, corpus in splits.items():
        for article in corpus.articles:
            counts.setdefault(str(article.meta.get(field, "")), Counter())[name] += 1
    common = sorted(counts.items(), key=lambda pair: (-pair[1].total(), pair[0]))
    return {value: {name: found[name] for name in splits} for value, found in common}


def check_corpus(splits: Mapping[str, Corpus], *, boundaries: Boundaries = find_words) -> Report:
    """Count what the splits hold and list what is wrong with them.

    Args:
        splits: by name; `train`, if there is one, must know every label of the others.
        boundaries: the units of a text, half-open, that spans must begin and end at: words, or
            what a tokenizer makes of them.
    """
    problems = [
        Problem(
            _SEVERITIES[f.action],
            f.kind,
            f"{name}, {f.article}" + (f", {f.region}" if f.region else ""),
            f"{f.action}: {f.message}",
        )
        for name, corpus in splits.items()
        for f in corpus.findings
    ]
    train = splits["train"].articles if "train" in splits else None
    counts = {
        name: _count(corpus.articles, train=None if name == "train" else train)
        for name, corpus in splits.items()
    }
    together = _count([a for corpus in splits.values() for a in corpus.articles])
    for name, corpus in splits.items():
        if not corpus.articles:
            problems.append(Problem("error", "empty-split", name, "no annotated article"))
        problems += _off_boundary(name, corpus, boundaries)
    problems += [*_rare(counts), *_alike(splits), *_repeated(splits)]
    return Report(counts, together, problems)


def _count(articles: Sequence[Article], *, train: Sequence[Article] | None = None) -> Counts:
    forms: dict[str, Counter[str]] = {}
    for span in (s for a in articles for s in a.spans):
        forms.setdefault(span.label, Counter())[span.text] += 1
    forms = dict(sorted(forms.items()))
    labels = {label: sum(found.values()) for label, found in forms.items()}
    top = {label: found.most_common(1)[0] for label, found in forms.items()}
    return Counts(
        articles=len(articles),
        words=sum(len(a.text.split()) for a in articles),
        spans=sum(labels.values()),
        labels=labels,
        surfaces={label: len(found) for label, found in forms.items()},
        frequent={label: (form, n / labels[label]) for label, (form, n) in top.items()},
        unseen={} if train is None else _unseen(forms, train),
    )


def _unseen(forms: Mapping[str, Counter[str]], train: Sequence[Article]) -> dict[str, float]:
    seen = {(s.label, s.text.casefold()) for a in train for s in a.spans}
    return {
        label: sum(n for form, n in found.items() if (label, form.casefold()) not in seen)
        / sum(found.values())
        for label, found in forms.items()
    }


def _off_boundary(name: str, corpus: Corpus, boundaries: Boundaries) -> list[Problem]:
    problems: list[Problem] = []
    for article in corpus.articles:
        scheme = TagScheme(tuple({s.label: None for s in article.spans}))
        _, inexact = scheme.encode(article.spans, boundaries(article.text))
        problems += [
            Problem(
                "warning",
                "off-boundary",
                f"{name}, {article.id}",
                f"{s.label} {s.start}–{s.end} {s.text!r:.60} begins or ends inside a word: no tags "
                "give it back, so a model cannot find it exactly",
            )
            for s in inexact
        ]
    return problems


def _rare(counts: Mapping[str, Counts]) -> list[Problem]:
    train = counts.get("train")
    if train is None:
        return []
    known = {label for c in counts.values() for label in c.labels}
    problems: list[Problem] = []
    for label in sorted(known):
        n = train.labels.get(label, 0)
        if n == 0:
            message = f"{label} is in another split but not in train: it cannot be learned"
            problems.append(Problem("error", "label-not-in-train", "train", message))
        elif n < RARE:
            message = f"{label} has {n} spans; below {RARE} it is hardly learned"
            problems.append(Problem("warning", "rare-label", "train", message))
    return problems


def _alike(splits: Mapping[str, Corpus]) -> list[Problem]:
    placed = [(name, a) for name, corpus in splits.items() for a in corpus.articles]
    problems: list[Problem] = []
    for pair in similar_pairs([a for _, a in placed]):
        (split, one), (other_split, other) = placed[pair.first], placed[pair.second]
        equal = one.text == other.text
        share = "equal texts" if equal else f"{pair.share:.0%} of the shorter one's word 5-grams"
        across = split != other_split
        problems.append(
            Problem(
                "error" if across else "warning",
                "leak" if across else "near-duplicate",
                f"{split}, {one.id}",
                f"like {other.id} in {other_split}: {share}",
            )
        )
    return problems


def _repeated(splits: Mapping[str, Corpus]) -> list[Problem]:
    placed = [(name, a) for name, corpus in splits.items() for a in corpus.articles]
    return [
        Problem(
            "warning",
            "shared-sentence",
            ", ".join(f"{placed[i][0]}, {placed[i][1].id}" for i in holders[:3])
            + (f" and {len(holders) - 3} more" if len(holders) > 3 else ""),
            f"the same sentence: {sentence:.100}",
        )
        for sentence, holders in shared_sentences([a for _, a in placed])
    ]
