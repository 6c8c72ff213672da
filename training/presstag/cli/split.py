"""`presstag split`: one file of annotated articles into train, dev and test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from presstag.cli.screen import out, show_rejected
from presstag.errors import InputError


def split_command(
    data: Annotated[Path, typer.Argument(help="annotated articles")],
    folder: Annotated[Path, typer.Argument(help="gets train, dev and test")],
    *,
    dev: Annotated[float, typer.Option(help="share of the articles for dev")] = 0.1,
    test: Annotated[float, typer.Option(help="share of the articles for test")] = 0.15,
    seed: Annotated[int, typer.Option(help="another seed, another division")] = 13,
) -> None:
    """Divide articles into train, dev and test; versions of one story stay together."""
    from presstag.corpus import read_corpus, write_corpus
    from presstag.corpus.split import split_articles

    there = [str(p) for p in (folder / f"{s}.json" for s in ("train", "dev", "test")) if p.exists()]
    if there:
        raise InputError(str(folder), f"{', '.join(there)} are there", do="name another folder.")
    corpus = read_corpus(data)
    show_rejected(corpus.rejected)
    try:
        divided = split_articles(corpus.articles, dev=dev, test=test, seed=seed)
    except ValueError as error:
        raise InputError("--dev and --test", str(error)) from None
    for name, articles in divided.items():
        write_corpus(articles, folder / f"{name}.json", annotations=corpus.annotations)
        out.print(f"{name:<6}{len(articles):>6} articles → {folder / name}.json")
    out.print(f"next: presstag check {folder}")
