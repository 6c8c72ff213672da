"""`presstag convert`: annotated articles between formats, and several files as one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from presstag.cli.screen import err, out, printable, show_rejected


def convert_command(
    sources: Annotated[
        list[Path],
        typer.Argument(help=".json, .jsonl, .conll files, or folders of marked .txt files"),
    ],
    target: Annotated[Path, typer.Argument(help=".json (Label Studio tasks), .jsonl or .conll")],
) -> None:
    """Read annotated articles in one format, write them in another.

    Several sources become one file. Where two hold the same text, the later one's spans count.
    """
    from presstag.corpus import join_corpora, read_corpus, write_corpus

    corpora = [read_corpus(source) for source in sources]
    corpus = corpora[0] if len(corpora) == 1 else join_corpora(corpora)
    show_rejected(corpus.rejected, most=len(corpus.rejected))
    kinds = {"annotated-again", "duplicate-id"} if len(corpora) > 1 else set()
    said = [f for f in corpus.findings if f.kind in kinds]
    said += write_corpus(corpus.articles, target, annotations=corpus.annotations)
    for finding in said:
        err.print(f"article {printable(finding.article)}: {printable(finding.message)}")
    spans = sum(len(a.spans) for a in corpus.articles)
    out.print(f"wrote {target}: {len(corpus.articles)} articles, {spans} spans")
