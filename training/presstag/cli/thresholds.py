"""What `presstag evaluate --target-precision` shows: from which score on to trust a label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from presstag.cli.screen import err, out, table
from presstag.errors import DataError, ModelError
from presstag.spans import Article, Span
from presstag.tagger import Tagger

if TYPE_CHECKING:
    from presstag.evaluate.intervals import Interval
    from presstag.evaluate.thresholds import Effect, Threshold


def show_thresholds(
    tagger: Tagger,
    articles: Sequence[Article],
    predicted: Sequence[Sequence[Span]],
    *,
    labels: Sequence[str],
    precision: float,
    dev: Path | None = None,
) -> dict[str, Any]:
    """Find thresholds on dev, show what they give on other articles and what recall they cost.

    Args:
        tagger: the model.
        articles: what it is judged on.
        predicted: what it found there, an article at a time.
        labels: which to show.
        precision: the wished one, in 0 to 1.
        dev: articles to find thresholds on; None takes those that the model was chosen on.

    Returns:
        All that is shown, as JSON writes it.

    Raises:
        DataError: if dev cannot be read or has no article.
        ModelError: if the model does not say which articles it was chosen on.
    """
    from presstag.evaluate.intervals import Bootstrap
    from presstag.evaluate.thresholds import judge_thresholds

    path = dev or _recorded_dev(tagger)
    known = _read_dev(path, labels)
    thresholds = _find(tagger, known, labels=labels, precision=precision)
    effects = judge_thresholds(
        [a.spans for a in articles],
        predicted,
        thresholds=thresholds,
        bootstrap=Bootstrap.draw(len(articles)),
    )
    shared = len({a.text for a in articles} & {a.text for a in known})
    _print(effects, title=f"{100 * precision:g} % precision, by thresholds of {path}")
    least = {label: t.score for label, t in thresholds.items() if t.reached}
    options = [
        f"--min-score {quote(f'{x}={_score(score)}')}" for x, score in least.items() if score
    ]
    if options:
        out.print(f"to use them: presstag extract … {' '.join(options)}")
    if shared:
        out.print(f"{shared} of these articles are in {path} too, which flatters the figures")
    return {
        "target_precision": precision,
        "dev": str(path),
        "dev_articles": len(known),
        "shared_articles": shared,
        "min_score": least,
        "labels": {label: effect.to_dict() for label, effect in effects.items()},
    }


def _read_dev(path: Path, labels: Sequence[str]) -> tuple[Article, ...]:
    from presstag.corpus import read_corpus

    known = read_corpus(path, labels=labels).articles  # other labels play no part
    if not known:
        raise DataError(str(path), "no annotated article in it to find thresholds on")
    return known


def _find(
    tagger: Tagger, known: Sequence[Article], *, labels: Sequence[str], precision: float
) -> dict[str, Threshold]:
    from presstag.evaluate.thresholds import find_thresholds

    with err.status(f"tagging {len(known)} articles of dev"):
        found = list(tagger.pipe(a.text for a in known))
    gold = [a.spans for a in known]
    return find_thresholds(gold, found, labels=labels, precision=precision)


def _recorded_dev(tagger: Tagger) -> Path:
    from presstag.corpus.files import digest_corpus

    provenance = tagger.info.get("provenance") or {}
    name = provenance.get("config", {}).get("data", {}).get("dev")
    where, do = str(tagger.info.get("folder", "the model")), "name annotated articles: --dev FILE"
    if name is None:
        raise ModelError(where, "no record of the articles that it was chosen on", do=do)
    path = Path(name)
    if not path.exists():
        found = f"chosen on {name}, which is not there"
        raise ModelError(where, found, expected=f"the file; it counts from {Path.cwd()}", do=do)
    if digest_corpus(path) != provenance.get("data", {}).get("dev"):
        err.print(f"{name} is no longer the file that the model was chosen on")
    return path


def _print(effects: dict[str, Effect], *, title: str) -> None:
    rows = [_row(label, effect) for label, effect in effects.items() if effect.threshold.reached]
    if rows:
        columns = ("label", "from score", "precision", "recall", "recall lost")
        table(columns, rows, title=f"\n{title}")
    else:
        out.print(f"\n{title}: no label reaches it")
    for label, effect in effects.items():
        if not effect.threshold.reached:
            out.print(f"{label}: {_nearest(effect.threshold)}")


def _row(label: str, effect: Effect) -> list[str]:
    passing = effect.passing
    return [
        label,
        _score(effect.threshold.score),
        _figure(passing.precision, effect.intervals.precision) if passing.predicted else "–",
        _figure(passing.recall, effect.intervals.recall) if passing.gold else "–",
        _figure(effect.recall_lost, effect.lost) if passing.gold else "–",
    ]


def _score(score: float) -> str:
    """Rounded down: a threshold is the score of a span, which must still pass."""
    return f"{math.floor(1e4 * score) / 1e4:.4f}"


def _figure(value: float, interval: Interval) -> str:
    return f"{100 * value:.1f} ({100 * interval.low:.0f}–{100 * interval.high:.0f})"


def _nearest(threshold: Threshold) -> str:
    from presstag.evaluate.thresholds import LEAST

    if not threshold.dev.predicted:
        return f"no threshold: fewer than {LEAST} spans found on dev, or none of them right"
    return (
        f"no threshold reaches it on dev; the nearest is {100 * threshold.dev.precision:.1f} from "
        f"score {_score(threshold.score)} on, with recall {100 * threshold.dev.recall:.1f}"
    )
