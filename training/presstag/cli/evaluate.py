"""`presstag evaluate`: a model on annotated articles."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from presstag.cli import judgement
from presstag.cli.screen import err, out, printable, show_rejected
from presstag.cli.thresholds import show_thresholds
from presstag.errors import InputError, ModelError
from presstag.tagger import Tagger

if TYPE_CHECKING:
    from presstag.evaluate.judge import Judgement
    from presstag.spans import Article


def evaluate_command(
    model: Annotated[
        Path,
        typer.Argument(
            help="folder of a packed model or a checkpoint, or an installed model's name"
        ),
    ],
    data: Annotated[Path, typer.Argument(help="annotated articles")],
    *,
    train: Annotated[
        Path | None,
        typer.Option(help="the articles it learned from; default: those that it names itself"),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="also write all figures to this file")] = None,
    html: Annotated[
        Path | None, typer.Option(help="also write a page to look at: figures, every mention")
    ] = None,
    slices: Annotated[bool, typer.Option("--slices", help="list every slice")] = False,
    common_labels: Annotated[
        bool, typer.Option("--common-labels", help="score only labels that model and data have")
    ] = False,
    target_precision: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="find each label's lowest score with this precision on dev"
        ),
    ] = None,
    dev: Annotated[
        Path | None,
        typer.Option(help="for --target-precision; default: the dev that the model names itself"),
    ] = None,
) -> None:
    """Score a model on annotated articles: figures with intervals, errors, where it is weak.

    An article that the model fails on is named and left out: exit code 1.
    """
    begin = time.perf_counter()
    need_packages("presstag evaluate")
    if dev and target_precision is None:
        raise InputError("--dev", "without a precision", do="add --target-precision, e.g. 0.95")
    from presstag.corpus import read_corpus
    from presstag.evaluate.judge import judge
    from presstag.writing import write_json

    tagger = open_model(model)
    corpus = read_corpus(data)
    show_rejected(corpus.rejected)
    learned, why_not = _read_train(tagger, train)
    with err.status(f"tagging and judging {len(corpus.articles)} articles"):
        judged = judge(tagger, corpus.articles, train=learned, common_labels=common_labels)
    judgement.show(judged, title=f"strict span scores of {model} on {data}", all_slices=slices)
    if target_precision is not None:
        thresholds = show_thresholds(
            tagger,
            judged.articles,
            judged.evaluation.predicted,
            labels=judged.labels,
            precision=target_precision,
            dev=dev,
        )
    if why_not:
        out.print(f"no dictionary, and no seen and unseen forms: {why_not}; --train names it")
    judgement.show_speed(judged, seconds=time.perf_counter() - begin)
    if json is not None:
        figures = {
            "model": str(model),
            "data": str(data),
            **judged.to_dict(),
            "thresholds": thresholds if target_precision is not None else None,
            "no_dictionary": why_not,
            "rejected": [f.to_dict() for f in corpus.rejected],
        }
        write_json(json, figures)
        out.print(f"wrote {json}")
    if html is not None:
        _write_page(html, judged, tagger, names=(str(model), str(data)), train=(learned, why_not))
    if judged.failures:
        raise typer.Exit(1)


def _write_page(
    path: Path,
    judged: Judgement,
    tagger: Tagger,
    *,
    names: tuple[str, str],
    train: tuple[tuple[Article, ...] | None, str],
) -> None:
    from presstag.evaluate.report import make_report
    from presstag.writing import write_text

    model, data = names
    learned, why_not = train
    page = make_report(
        judged, model=model, data=data, info=tagger.info, train=learned, no_train=why_not
    )
    write_text(path, page)
    out.print(f"wrote {path}")


def need_packages(command: str) -> None:
    """Say so at once if what judging needs is not installed.

    Raises:
        ModelError: with the package that is missing.
    """
    try:
        import nervaluate  # noqa: F401
        import seqeval  # noqa: F401
    except ImportError as error:
        raise ModelError(
            command,
            f"the package {error.name} is missing",
            do="pip install 'presstag[train]'",
        ) from None


def _read_train(tagger: Tagger, named: Path | None) -> tuple[tuple[Article, ...] | None, str]:
    """The articles that a model learned from; or None and why not."""
    from presstag.corpus import read_corpus
    from presstag.evaluate.learned_from import find_train

    path = named or find_train(tagger.info)
    if isinstance(path, str):
        return None, printable(path)
    return read_corpus(path).articles, ""


def open_model(model: Path) -> Tagger:
    """Open a packed model, by its folder or the name it is installed under, or a checkpoint.

    Raises:
        ModelError: if it is neither.
    """
    from presstag.bundle import MANIFEST, load_bundle
    from presstag.installed import find_model

    model = find_model(model)
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
