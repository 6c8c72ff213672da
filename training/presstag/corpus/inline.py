"""Plain text with marks in place: `{LABEL|words}` is one span, everything else is literal.

The form in which articles are written by hand: an author sees text and spans at once.
"""

from __future__ import annotations

import re

from presstag.errors import DataError
from presstag.spans import Article, Span

_MARK = re.compile(r"\{([^{}|\s]+)\|([^{}]+)\}")


def read_marked(marked: str, *, name: str, source: str) -> Article:
    """Read one article.

    Raises:
        DataError: if a brace belongs to no mark, or a mark has blanks at its edge.
    """
    text, spans, reached = "", list[Span](), 0
    for match in [*_MARK.finditer(marked), None]:
        literal = marked[reached : match.start() if match else len(marked)]
        if stray := re.search(r"[{}]", literal):
            line = marked.count("\n", 0, reached + stray.start()) + 1
            around = marked[reached + stray.start() :][:40]
            raise DataError(
                f"{source}, line {line}", f"a stray brace: {around!r}", expected="{LABEL|words}"
            )
        text += literal
        if match is None:
            break
        label, words = match.groups()
        if words != words.strip():
            line = marked.count("\n", 0, match.start()) + 1
            raise DataError(f"{source}, line {line}", f"blanks at the edge of {match[0]!r}")
        spans.append(Span(len(text), len(text) + len(words), label, words))
        text += words
        reached = match.end()
    return Article(name, text, tuple(spans))
