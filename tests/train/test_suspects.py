"""Annotations that a model does not believe in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from presstag import load
from presstag.corpus import read_corpus
from presstag.spans import Article, Span
from presstag.train.config import Config
from presstag.train.configfile import read_config
from presstag.train.encoder import find_encoder
from presstag.train.suspects import Suspect, deal, examine, find_suspects, write_suspects


@pytest.fixture
def config(tiny_config: Path) -> Config:
    """A run of two steps."""
    return read_config(tiny_config, ["training.max_steps=2"])


@pytest.fixture
def known(learned_model: Path, dev: list[Article]) -> Article:
    """An article with spans that the learned model finds as they are annotated."""
    tagger = load(learned_model)
    return next(a for a in dev if len(a.spans) > 1 and not examine(tagger, a).disputes)


def test_a_missing_span_is_disputed(learned_model: Path, known: Article) -> None:
    """What the model finds and nobody annotated comes with the model's score."""
    poorer = replace(known, spans=known.spans[1:])
    (dispute,) = examine(load(learned_model), poorer).disputes
    assert () == dispute.annotated
    assert known.spans[0].key == dispute.found[0].key
    assert dispute.found[0].score == dispute.confidence


def test_a_span_that_the_model_does_not_see_is_disputed(
    learned_model: Path, known: Article
) -> None:
    """The confidence is the probability that no word there belongs to a span."""
    end = known.text.index(" ")
    start = next(i for i in (0,) if all(s.start >= end for s in known.spans))
    added = Span(start, end, "DONOR", known.text[start:end])
    (dispute,) = examine(load(learned_model), replace(known, spans=(added, *known.spans))).disputes
    assert ((added,), ()) == (dispute.annotated, dispute.found)
    assert 0.5 < dispute.confidence <= 1


def test_spans_that_overlap_are_one_dispute(learned_model: Path, known: Article) -> None:
    """Another label on the same words shows both versions side by side."""
    first = known.spans[0]
    other = "SYSTEM" if first.label == "DONOR" else "DONOR"
    wrong = replace(known, spans=(replace(first, label=other), *known.spans[1:]))
    (dispute,) = examine(load(learned_model), wrong).disputes
    assert [other] == [s.label for s in dispute.annotated]
    assert [first.label] == [s.label for s in dispute.found]


def test_every_article_is_held_out_once(articles: list[Article]) -> None:
    """Folds cover the articles, differ by one at most, and follow from the ids alone."""
    folds = deal(articles, 4)
    assert sorted(a.id for a in articles) == sorted(a.id for fold in folds for a in fold)
    assert {1, 2} == {len(fold) for fold in folds}
    assert folds == deal(articles[::-1], 4)


def test_no_article_is_judged_by_a_model_that_saw_it(
    config: Config, tiny_data: Path, tmp_path: Path
) -> None:
    """Each fold trains anew; the most certain dispute comes first, and all are written."""
    train = list(read_corpus(tiny_data / "train.json").articles)
    dev = read_corpus(tiny_data / "dev.json").articles
    suspects = find_suspects(
        config, train, dev=dev, source=find_encoder(config.model), folds=2, progress=None
    )
    certain = [s.disputes[0].confidence for s in suspects]
    assert sorted(certain, reverse=True) == certain
    assert len(suspects) == len({s.article.id for s in suspects}) > 0
    write_suspects(suspects, tmp_path / "suspects.json")
    tasks = read_corpus(tmp_path / "suspects.json")
    assert [s.article.spans for s in suspects] == [a.spans for a in tasks.articles]
    assert [len(s.disputes) for s in suspects] == [len(a.meta["disputes"]) for a in tasks.articles]


def test_the_models_version_is_a_prediction(known: Article, tmp_path: Path) -> None:
    """In Label Studio the annotation and the model's spans stand side by side."""
    import json

    from presstag.train.suspects import Dispute

    found = replace(known.spans[0], score=0.75)
    suspect = Suspect(replace(known, spans=()), (found,), (Dispute((), (found,), 0.75),))
    write_suspects([suspect], tmp_path / "suspects.json")
    (task,) = json.loads((tmp_path / "suspects.json").read_text(encoding="utf-8"))
    assert [] == task["annotations"][0]["result"]
    (prediction,) = task["predictions"]
    assert (0.75, 0.75) == (prediction["score"], prediction["result"][0]["score"])
    assert found.text == prediction["result"][0]["value"]["text"]


def test_one_fold_is_refused(config: Config, articles: list[Article]) -> None:
    """There must be others to learn from."""
    source = find_encoder(config.model)
    with pytest.raises(ValueError, match="1 folds for 6 articles"):
        find_suspects(config, articles, dev=articles, source=source, folds=1)
