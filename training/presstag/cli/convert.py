"""`presstag convert`: annotated articles from one format to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from presstag.cli.screen import err, out, printable, show_rejected


def convert_command(
    source: Annotated[
        Path, typer.Argument(help=".json, .jsonl, .conll, or a folder of marked .txt files")
    ],
    target: Annotated[Path, typer.Argument(help=".json (Label Studio tasks), .jsonl or .conll")],
) -> None:
    """Read annotated articles in one format, write them in another."""
    from presstag.corpus import read_corpus, write_corpus

    corpus = read_corpus(source)
    show_rejected(corpus.rejected, most=len(corpus.rejected))
    for finding in write_corpus(corpus.articles, target, annotations=corpus.annotations):
        err.print(f"article {finding.article}: {printable(finding.message)}")
    spans = sum(len(a.spans) for a in corpus.articles)
    out.print(f"wrote {target}: {len(corpus.articles)} articles, {spans} spans")
