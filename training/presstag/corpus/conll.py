"""CoNLL-2003 columns: a token and its tag on a line, a blank line after a sentence.

The columns hold no text, so that reading joins tokens with blanks and sentences with line
breaks, and writing cuts articles into words. Tags may be IOB1 (as CoNLL-2003 ships) or IOB2; IOB2
is written. The format is Tjong Kim Sang and De Meulder 2003; `-DOCSTART-` begins an article.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from presstag.corpus.findings import Action, Corpus, Finding, keep_known
from presstag.errors import DataError
from presstag.spans import Article, Span
from presstag.tags import OUTSIDE, TagScheme
from presstag.words import find_words

# A no-break space belongs to a token; only blanks and tabs part columns.
_COLUMN = re.compile(r"[^ \t\r\n]+")


def read_columns(
    lines: Iterable[str], *, source: str, labels: Collection[str] | None = None
) -> Corpus:
    """Read articles from lines.

    Raises:
        DataError: if a line has no tag, or a tag is not O, B-… or I-….
    """
    articles: list[Article] = []
    findings: list[Finding] = []
    for number, sentences in enumerate(_documents(lines, source), start=1):
        name = f"#{number}"
        text, spans = _assemble(sentences)
        article, unknown = keep_known(Article(name, text, tuple(spans)), labels)
        articles.append(article)
        findings += unknown
    return Corpus(tuple(articles), tuple(findings))


Sentence = list[tuple[str, str]]


def _documents(lines: Iterable[str], source: str) -> Iterator[list[Sentence]]:
    document: list[Sentence] = []
    sentence: Sentence = []
    for number, line in enumerate(lines, start=1):
        columns = line.split()
        starts_document = bool(columns) and columns[0] == "-DOCSTART-"
        if (not columns or starts_document) and sentence:
            document.append(sentence)
            sentence = []
        if starts_document and document:
            yield document
            document = []
        if not columns or starts_document:
            continue
        tag = columns[-1]
        if len(columns) < 2 or not (tag == "O" or (tag[:2] in {"B-", "I-"} and tag[2:])):
            raise DataError(
                f"{source}, line {number}",
                f"{line.rstrip()!r:.80}",
                expected="a token and, in the last column, its tag: O, B-LABEL or I-LABEL",
            )
        sentence.append((columns[0], tag))
    if sentence:
        document.append(sentence)
    if document:
        yield document


def _assemble(sentences: list[Sentence]) -> tuple[str, list[Span]]:
    text, found = "", list[tuple[int, int, str]]()
    for sentence in sentences:
        text += "\n" if text else ""
        label = ""
        for i, (token, tag) in enumerate(sentence):
            text += " " if i else ""
            start = len(text)
            text += token
            if tag == "O":
                label = ""
            elif tag[0] == "I" and tag[2:] == label:
                found[-1] = (found[-1][0], len(text), label)
            else:
                label = tag[2:]
                found.append((start, len(text), label))
    return text, [Span(start, end, label, text[start:end]) for start, end, label in found]


def to_columns(article: Article) -> tuple[str, list[Finding]]:
    """Write an article as columns, a line of the text as a sentence.

    A line break inside a span ends no sentence: readers take a span for two there.

    Returns:
        The columns; and a finding for each span that begins or ends inside a word, which columns
        cannot hold exactly: they hold the whole word, or nothing if another span has that word.
    """
    scheme = TagScheme(tuple(dict.fromkeys(s.label for s in article.spans)))
    words = find_words(article.text)
    tags, inexact = scheme.encode(article.spans, words)
    rows = ["-DOCSTART- O", ""]
    reached = 0
    for (start, end), tag in zip(words, tags, strict=True):
        within = tag != OUTSIDE and tag % 2 == 0
        if "\n" in article.text[reached:start] and not within:
            rows.append("")
        rows.append(f"{article.text[start:end]} {scheme.tags[tag]}")
        reached = end
    held = [(words[run.first][0], words[run.stop - 1][1]) for run in scheme.runs(tags)]
    return "\n".join(rows) + "\n\n", _inside_words(article, inexact, held)


def _inside_words(
    article: Article, inexact: list[Span], held: list[tuple[int, int]]
) -> list[Finding]:
    """A finding for each inexact span; `held` are the stretches that the tags draw, in order."""
    findings: list[Finding] = []
    drawn = iter([*held, (len(article.text), len(article.text))])
    start, end = next(drawn)
    for span in article.spans:
        kept = start < span.end and span.start < end
        if kept:
            start, end = next(drawn)
        if span in inexact:
            outcome = "columns hold the whole word" if kept else "another span has that word"
            message = f"{span.label} {span.text!r:.60} begins or ends inside a word: {outcome}"
            action: Action = "repaired" if kept else "rejected"
            findings.append(Finding("inside-word", action, article.id, message))
    return findings
