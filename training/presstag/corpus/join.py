"""Several corpora as one, so that new annotations are learned from beside the old ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from presstag.corpus.findings import Annotation, Corpus, Finding, unique_ids
from presstag.spans import Article


def join_corpora(corpora: Iterable[Corpus]) -> Corpus:
    """Put the articles of several corpora together, in order.

    An article that stands in an earlier corpus, known by its text, takes its place and id there and
    the later one's spans, annotations and meta: it was annotated again. Other texts under one id
    keep apart under new ids. Both are noted among the findings.
    """
    articles: list[Article] = []
    kept: list[tuple[Annotation, ...]] = []
    findings: list[Finding] = []
    places: dict[str, int] = {}
    for corpus in corpora:
        findings += corpus.findings
        earlier = dict(places)
        for article in corpus.articles:
            annotations = tuple(corpus.annotations.get(article.id, ()))
            place = earlier.get(article.text)
            if place is None:
                places[article.text] = len(articles)
                articles.append(article)
                kept.append(annotations)
                continue
            first = articles[place]
            message = f"annotated again as {article.id}: the later spans count"
            findings.append(Finding("annotated-again", "noted", first.id, message))
            articles[place] = replace(first, spans=article.spans, meta=article.meta)
            kept[place] = annotations
    named = unique_ids(articles, findings)
    pairs = zip((a.id for a in named), kept, strict=True)
    return Corpus(tuple(named), tuple(findings), {name: some for name, some in pairs if some})
