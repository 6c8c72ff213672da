"""Copies of articles that are written otherwise, each character at its place."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from presstag.spans import Article, Span


def rewrite(article: Article, one: Callable[[str], str]) -> Article:
    """Put `one(c)` for each character, or leave it where that is not one character."""
    text = "".join(new if len(new := one(c)) == 1 else c for c in article.text)
    spans = tuple(Span(s.start, s.end, s.label, text[s.start : s.end]) for s in article.spans)
    return Article(article.id, text, spans, article.meta)


def without_accent(character: str) -> str:
    """A letter without the marks on it: e for é."""
    base, *marks = list(unicodedata.normalize("NFD", character))
    return base if all(unicodedata.combining(mark) for mark in marks) else character


REWRITINGS = {
    "test in capitals": str.upper,
    "test in lower case": str.lower,
    "test without accents": without_accent,
}
