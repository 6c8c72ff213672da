"""`presstag compare`: two models, or two groups of models, on the same annotated articles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from presstag.cli.evaluate import need_packages, open_model
from presstag.cli.judgement import percent, show_failures
from presstag.cli.screen import err, out, show_rejected, table
from presstag.errors import InputError

if TYPE_CHECKING:
    from presstag.evaluate.compare import Comparison, Difference
    from presstag.evaluate.tagging import Tagged
    from presstag.spans import Article


def compare_command(
    a: Annotated[
        str, typer.Argument(help="a model's folder or name; several, with commas, are a group")
    ],
    b: Annotated[str, typer.Argument(help="the model, or group, to compare with it")],
    data: Annotated[Path, typer.Argument(help="annotated articles")],
    *,
    json: Annotated[Path | None, typer.Option(help="also write all figures to this file")] = None,
    common_labels: Annotated[
        bool, typer.Option("--common-labels", help="compare only labels that all of them have")
    ] = False,
) -> None:
    """Say whether one model is better than another on this data, or that it cannot tell.

    Several seeds of one config are a group: presstag compare a1,a2,a3 b1,b2,b3 DATA. An article
    that a model fails on is named and left out for all: exit code 1.
    """
    need_packages("presstag compare")
    from presstag.corpus import read_corpus
    from presstag.evaluate.compare import compare_found
    from presstag.writing import write_json

    groups = (_folders(a, "A"), _folders(b, "B"))
    corpus = read_corpus(data)
    show_rejected(corpus.rejected)
    found, labels = _tag(groups, corpus.articles, common_labels=common_labels)
    failures = list(dict.fromkeys(f for side in found for tagged in side for f in tagged.failures))
    articles = found[0][0].articles
    with err.status(f"comparing on {len(articles)} articles"):
        one, other = ([tagged.found for tagged in side] for side in found)
        comparison = compare_found(articles, one, other, labels=labels)
    show_failures(failures)
    _show(comparison, a, b, data)
    if json is not None:
        figures = {
            "a": [str(m) for m in groups[0]],
            "b": [str(m) for m in groups[1]],
            "data": str(data),
            **comparison.to_dict(),
            "sentence": _sentence(comparison),
            "failed": [f.to_dict() for f in failures],
            "rejected": [f.to_dict() for f in corpus.rejected],
        }
        write_json(json, figures)
        out.print(f"wrote {json}")
    if failures:
        raise typer.Exit(1)


def _folders(given: str, name: str) -> list[Path]:
    """The folders that an argument names; one whose name has a comma is one."""
    if given and Path(given).is_dir():
        return [Path(given)]
    folders = [Path(part) for part in given.split(",") if part]
    if not folders or len(folders) < given.count(",") + 1:
        expected = "a model's folder or name, or several with commas between them"
        raise InputError(name, repr(given), expected=expected)
    return folders


def _tag(
    groups: Sequence[Sequence[Path]], articles: Sequence[Article], *, common_labels: bool
) -> tuple[list[list[Tagged]], tuple[str, ...]]:
    """Tag with every model; what is given back has the same articles and labels for all.

    Raises:
        DataError: if articles or labels do not fit.
        ModelError: if a model does not load, or no article is left that all could tag.
    """
    from presstag.evaluate.judge import scored_labels
    from presstag.evaluate.tagging import keep_labels, tag_articles

    taggers = {model: open_model(model) for group in groups for model in group}
    labels = scored_labels(list(taggers.values()), articles, common_labels=common_labels)
    tagged: dict[Path, Tagged] = {}
    for model, tagger in taggers.items():
        with err.status(f"tagging {len(articles)} articles with {model}"):
            tagged[model] = tag_articles(tagger, articles)
    failed = {f.article for found in tagged.values() for f in found.failures}
    sides = [[keep_labels(tagged[m], labels, without=failed) for m in group] for group in groups]
    if not sides[0][0].articles:
        raise InputError("the models", "on every article one of them fails")
    return sides, labels


def _show(comparison: Comparison, a: str, b: str, data: Path) -> None:
    out.print(f"A is {a}\nB is {b}")
    rows = [_row(found, f"{found.corrected_p:.4f}") for found in comparison.labels]
    rows.append(_row(comparison.micro, ""))
    title = f"\nstrict F1 on {data}, {comparison.articles} articles"
    columns = ("label", "A", "B", "B − A", "95 %", "p", "p, Holm", "gold")
    table(columns, rows, title=title, gap=1)
    out.print(f"\n{_sentence(comparison)}")


def _row(found: Difference, corrected: str) -> list[str]:
    return [
        found.name,
        percent(found.a),
        percent(found.b),
        f"{100 * found.difference:+.1f}",
        f"{100 * found.interval.low:+.1f} to {100 * found.interval.high:+.1f}",
        f"{found.p:.4f}",
        corrected,
        f"{found.gold:,}",
    ]


def _sentence(comparison: Comparison) -> str:
    micro, better = comparison.micro, comparison.better
    sign = -1 if better == "A" else 1
    low, high = sorted(100 * sign * bound for bound in (micro.interval.low, micro.interval.high))
    if better is None:
        return (
            f"These {comparison.articles} articles cannot tell which is better: B is "
            f"{100 * micro.difference:+.1f} points of micro F1 from A, 95 % interval "
            f"{low:+.1f} to {high:+.1f}, p = {micro.p:.4f}."
        )
    other = "B" if better == "A" else "A"
    return (
        f"{better} is better than {other} on this data, by {100 * abs(micro.difference):.1f} "
        f"points of micro F1: 95 % interval {low:.1f} to {high:.1f}, p = {micro.p:.4f}."
    )
