"""A linear-chain CRF over features of words (Lafferty et al. 2001), by CRFsuite.

The features are those of sklearn-crfsuite's tutorial without its parts of speech, which articles
do not bring; and prefixes, longer suffixes, shapes and pairs of words, over two words on each side.
python-crfsuite is what sklearn-crfsuite wraps. A sequence is an article.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from peers.ground import Contender, Ground, Settings, tag_words, word_spans

from presstag.spans import Span
from presstag.tags import TagScheme
from presstag.words import find_words

ITERATIONS = 200
_WINDOW = (-2, -1, 0, 1, 2)


class CrfTagger:
    """A trained CRF as a tagger."""

    def __init__(self, tagger: Any, scheme: TagScheme) -> None:
        """Wrap pycrfsuite's tagger."""
        self._tagger = tagger
        self._scheme = scheme
        self.labels = scheme.labels

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """Find the spans of each text."""
        for text in texts:
            words = find_words(text)
            tags = [int(t) for t in self._tagger.tag(features([text[a:b] for a, b in words]))]
            yield word_spans(text, words, tags, self._scheme)


def learn(ground: Ground, settings: Settings, *, seed: int, folder: Path) -> CrfTagger:  # noqa: ARG001
    """Train by L-BFGS, which leaves nothing to chance."""
    import pycrfsuite  # noqa: PLC0415 - only this contender needs it

    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    for article in ground.train:
        words, tags = tag_words(article, ground.scheme)
        trainer.append(features([article.text[a:b] for a, b in words]), [str(t) for t in tags])
    trainer.set_params(
        {
            **settings,
            "max_iterations": ITERATIONS,
            "feature.possible_transitions": True,
        }
    )
    path = str(folder / "model.crfsuite")
    trainer.train(path)
    tagger = pycrfsuite.Tagger()
    tagger.open(path)
    return CrfTagger(tagger, ground.scheme)


def features(words: Sequence[str]) -> list[list[str]]:
    """The features of each word: its own, and those of its neighbours by their distance."""
    own = [_features(word) for word in words]
    rows: list[list[str]] = []
    for i in range(len(words)):
        row = ["bias"]
        for at in _WINDOW:
            if 0 <= i + at < len(words):
                some = own[i + at] if abs(at) < 2 else own[i + at][:3]
                row += [f"{at}:{feature}" for feature in some]
            else:
                row.append(f"{at}:outside")
        for at in (-1, 0):
            if 0 <= i + at < len(words) - 1:
                row.append(f"{at}:pair={words[i + at].lower()} {words[i + at + 1].lower()}")
        rows.append(row)
    return rows


def _features(word: str) -> list[str]:
    lower = word.lower()
    shape = re.sub(r"[^\W\d_]", "x", re.sub("[A-ZÀ-Þ]", "X", re.sub(r"\d", "d", word)))
    short = re.sub(r"(.)\1+", r"\1", shape)
    return [
        f"lower={lower}",
        f"shape={short}",
        f"title={word.istitle()}",
        f"upper={word.isupper()}",
        f"digit={word.isdigit()}",
        f"long-shape={shape}",
        *(f"prefix={lower[:n]}" for n in (2, 3, 4)),
        *(f"suffix={lower[-n:]}" for n in (2, 3, 4)),
    ]


CRF = Contender(
    name="crf",
    title="CRF",
    learn=learn,
    settings={"c1": 0.1, "c2": 0.03},
    tried={"c1": (0.03, 0.1, 0.3), "c2": (0.003, 0.01, 0.03, 0.1)},
    seeded=False,
    needs={"pycrfsuite": "python-crfsuite"},
)
