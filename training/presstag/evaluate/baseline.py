"""What memory alone would give: a dictionary of the forms that train's annotations have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from presstag.spans import Article, Span
from presstag.words import find_words


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Tags the forms that it knows, whole words only, case as written.

    From left to right; where several forms begin, the longest is taken.

    Attributes:
        labels: the labels it may give.
        forms: the label of each form.
        lengths: how many words the forms have that begin with a word, most first.
    """

    labels: tuple[str, ...]
    forms: Mapping[str, str]
    lengths: Mapping[str, Sequence[int]]

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """Find the spans of each text."""
        return (self._tag(text) for text in texts)

    def _tag(self, text: str) -> list[Span]:
        words = find_words(text)
        found: list[Span] = []
        at = 0
        while at < len(words):
            span, count = self._match(text, words, at)
            found += [span] if span else []
            at += count
        return found

    def _match(
        self, text: str, words: Sequence[tuple[int, int]], at: int
    ) -> tuple[Span | None, int]:
        """The longest form that begins with a word, and how many words to move on."""
        start, end = words[at]
        for length in self.lengths.get(text[start:end], ()):
            if at + length <= len(words):
                end = words[at + length - 1][1]
                form = text[start:end]
                if form in self.forms:
                    return Span(start, end, self.forms[form], form), length
        return None, 1


def make_dictionary(articles: Iterable[Article], *, labels: Sequence[str]) -> Dictionary:
    """The dictionary of annotated articles: each form with its most frequent label.

    Of labels that are equally frequent for a form, the one that has more spans in all is taken.

    Args:
        articles: usually train.
        labels: the labels that count; spans with another are passed over.
    """
    counts: dict[str, Counter[str]] = {}
    total: Counter[str] = Counter()
    for article in articles:
        for span in article.spans:
            if span.label in labels:
                counts.setdefault(span.text, Counter())[span.label] += 1
                total[span.label] += 1
    forms = {
        form: max(found, key=lambda label: (found[label], total[label], label))
        for form, found in counts.items()
    }
    lengths: dict[str, set[int]] = {}
    for form in forms:
        if words := find_words(form):
            lengths.setdefault(form[slice(*words[0])], set()).add(len(words))
    ordered = {word: sorted(some, reverse=True) for word, some in lengths.items()}
    return Dictionary(tuple(labels), forms, ordered)
