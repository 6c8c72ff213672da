"""CoNLL-2003 columns: a token and its tag on a line, a blank line after a sentence.

The columns hold no text, so that reading joins tokens with blanks and sentences with line
breaks, and writing cuts articles into words. Tags may be IOB1 (as CoNLL-2003 ships) or IOB2; IOB2
is written. The format is Tjong Kim Sang and De Meulder 2003; `-DOCSTART-` begins an article.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from presstag.corpus.findings import Corpus, Finding
from presstag.errors import DataError
from presstag.spans import Article, Span
from presstag.tags import TagScheme
from presstag.words import find_words


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
        known = tuple(s for s in spans if labels is None or s.label in labels)
        findings += [
            Finding("unknown-label", "rejected", name, f"{s.text!r:.60}: label {s.label}")
            for s in spans
            if s not in known
        ]
        articles.append(Article(name, text, known))
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

    Returns:
        The columns; and a finding for each span that begins or ends inside a word, which columns
        cannot hold exactly.
    """
    scheme = TagScheme(tuple(dict.fromkeys(s.label for s in article.spans)))
    words = find_words(article.text)
    tags, inexact = scheme.encode(article.spans, words)
    rows = ["-DOCSTART- O", ""]
    reached = 0
    for (start, end), tag in zip(words, tags, strict=True):
        if "\n" in article.text[reached:start]:
            rows.append("")
        rows.append(f"{article.text[start:end]} {scheme.tags[tag]}")
        reached = end
    message = "begins or ends inside a word: columns hold the whole word"
    return "\n".join(rows) + "\n\n", [
        Finding("inside-word", "repaired", article.id, f"{s.label} {s.text!r:.60} {message}")
        for s in inexact
    ]
