"""`presstag evaluate`: a model on annotated articles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from presstag.cli.screen import err, out, show_rejected, show_scores, table
from presstag.errors import ModelError
from presstag.tagger import Tagger


def evaluate_command(
    model: Annotated[Path, typer.Argument(help="a packed model's folder, or a checkpoint's")],
    data: Annotated[Path, typer.Argument(help="annotated articles")],
    *,
    json: Annotated[Path | None, typer.Option(help="also write the figures to this file")] = None,
) -> None:
    """Score a model on annotated articles: strict spans, by label, and seqeval's report."""
    try:
        import seqeval  # noqa: F401
    except ImportError:
        raise ModelError(
            "presstag evaluate",
            "the package seqeval is missing",
            do="pip install 'presstag[train]'",
        ) from None
    from presstag.corpus import read_corpus
    from presstag.evaluate.evaluate import evaluate
    from presstag.writing import write_json

    tagger = open_model(model)
    corpus = read_corpus(data)
    show_rejected(corpus.rejected)
    with err.status(f"tagging {len(corpus.articles)} articles"):
        evaluation = evaluate(tagger, corpus.articles)
    title = f"strict span scores of {model} on {data}, {len(corpus.articles)} articles"
    show_scores(evaluation.scores.to_dict(), title=title)
    table(
        ("label", "precision", "recall", "F1", "support"),
        [
            [
                name,
                *(f"{100 * row[key]:.1f}" for key in ("precision", "recall", "f1-score")),
                f"{row['support']:.0f}",
            ]
            for name, row in evaluation.seqeval.items()
        ],
        title="\nseqeval on words (strict, IOB2)",
    )
    if evaluation.inexpressible:
        out.print(f"{evaluation.inexpressible} gold spans cut a word: the first table misses them")
    out.print(f"{evaluation.words_per_second:,.0f} words a second")
    if json is not None:
        figures = {
            "model": str(model),
            "data": str(data),
            **evaluation.to_dict(),
            "rejected": [f.to_dict() for f in corpus.rejected],
        }
        write_json(json, figures)
        out.print(f"wrote {json}")


def open_model(model: Path) -> Tagger:
    """Open a packed model, or a checkpoint of transformers.

    Raises:
        ModelError: if the folder is neither.
    """
    from presstag.bundle import MANIFEST, load_bundle

    if (model / MANIFEST).is_file() or not (model / "config.json").is_file():
        return load_bundle(model)
    try:
        with err.status("loading torch and transformers"):
            from presstag.train.checkpoint import load_checkpoint
    except ImportError as error:
        raise ModelError(
            str(model),
            f"a checkpoint, and the package {error.name} is missing",
            do="pip install 'presstag[train]', or use the packed model.",
        ) from None
    return load_checkpoint(model)
