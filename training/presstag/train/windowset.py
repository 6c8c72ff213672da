"""Annotated articles as a data set of windows to train on, one row a window.

The first token of a unit carries its tag, and only within the core of one window: every unit counts
once in the loss, whatever the overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import datasets
import numpy as np

from presstag.spans import Article
from presstag.tags import TagScheme
from presstag.tokens import ArticleTokenizer, Tokens
from presstag.train.config import ModelSection
from presstag.windows import plan_windows

IGNORED = -100
"""What torch's cross-entropy passes over."""

_KINDS = {
    "input_ids": datasets.List(datasets.Value("int32")),
    "token_type_ids": datasets.List(datasets.Value("int8")),
    "labels": datasets.List(datasets.Value("int16")),
    "length": datasets.Value("int32"),
}


def build_windows(
    articles: Sequence[Article],
    *,
    tokenizer: ArticleTokenizer,
    scheme: TagScheme,
    section: ModelSection,
    inputs: Sequence[str],
    folder: Path,
    processes: int = 1,
) -> datasets.Dataset:
    """Cut articles into windows with their tags, into a memory-mapped file under `folder`.

    Args:
        articles: what is cut.
        tokenizer: the encoder's.
        scheme: the tags.
        section: size and overlap of windows.
        inputs: what the encoder is fed with; the shapes of words are left out where it takes none.
        folder: for the file.
        processes: how many cut.

    Returns:
        Rows of `input_ids`, perhaps `token_type_ids`, `labels` (tag ids, -100 where a token does
        not count) and `length`.
    """
    columns = {name: kind for name, kind in _KINDS.items() if name in {*inputs, "labels", "length"}}
    datasets.disable_progress_bars()
    made: datasets.Dataset = datasets.Dataset.from_generator(
        _rows,
        features=datasets.Features(columns),
        cache_dir=str(folder),
        gen_kwargs={
            "articles": list(articles),  # the one list: processes share it out
            "tokenizer": tokenizer,
            "scheme": scheme,
            "section": section,
            "columns": tuple(columns),
        },
        num_proc=processes if 1 < processes <= len(articles) else None,
    )
    return made


def _rows(
    articles: list[Article],
    tokenizer: ArticleTokenizer,
    scheme: TagScheme,
    section: ModelSection,
    columns: tuple[str, ...],
) -> Iterator[dict[str, Any]]:
    size = section.window - tokenizer.specials
    for article in articles:
        tokens = tokenizer.encode([article.text])[0]
        tags = np.array(tag_units(article, tokens, scheme), dtype=np.int64)
        for window in plan_windows(len(tokens.ids), size=size, overlap=section.overlap):
            ids = tokenizer.window_ids(tokens, window)
            labels = np.full(len(ids), IGNORED)
            labels[tokenizer.rows_in(tokens, window)] = tags[tokens.units_in(window)]
            row = {
                "input_ids": ids.tolist(),
                "token_type_ids": tokenizer.window_shapes(tokens, window).tolist(),
                "labels": labels.tolist(),
                "length": len(ids),
            }
            yield {name: row[name] for name in columns}


def tag_units(article: Article, tokens: Tokens, scheme: TagScheme) -> list[int]:
    """The tag of each unit; a span that cuts a unit takes it whole, as near as tags come."""
    units = [(int(start), int(end)) for start, end in tokens.units]
    return scheme.encode(article.spans, units)[0]
