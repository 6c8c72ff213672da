from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard

from presstag.spans import Article, Span
from presstag.train.card import Facts, render_card
from presstag.train.configfile import read_config
from presstag.train.data import load_data
from presstag.train.encoder import MINILM


@pytest.fixture(scope="module")
def facts(learned_model: Path) -> Facts:
    """What the learned model's run left."""
    config = read_config(learned_model / "checkpoint" / "config.yaml")
    record, scores = (
        json.loads((learned_model / name).read_text(encoding="utf-8"))
        for name in ("checkpoint/run.json", "scores.json")
    )
    return Facts(config, record, scores, load_data(config.data).splits)


def head(card: str) -> dict[str, Any]:
    """The YAML above the prose."""
    _, text, _ = card.split("---\n", 2)
    read: dict[str, Any] = yaml.safe_load(text)
    return read


def test_training_writes_the_card_beside_the_model(learned_model: Path, facts: Facts) -> None:
    """README.md is the card of this run, and a hub's own reader takes it."""
    written = (learned_model / "README.md").read_text(encoding="utf-8")
    assert render_card(facts) == written
    assert "token-classification" == ModelCard(written).data.pipeline_tag


def test_the_head_has_the_strict_test_scores(facts: Facts) -> None:
    """As a model-index, with the split that they are of."""
    (index,) = head(render_card(facts))["model-index"]
    assert "tiny" == index["name"]
    (result,) = index["results"]
    assert "test" == result["dataset"]["split"]
    micro = facts.scores["test"]["micro"]
    expected = {key: micro[key] for key in ("f1", "precision", "recall")}
    assert expected == {m["type"]: m["value"] for m in result["metrics"]}


def test_the_head_names_base_language_and_license_of_the_default_encoder(facts: Facts) -> None:
    """They are known of no other encoder, and then left out; a name on the hub is the base."""
    model = facts.config.model

    def headed(encoder: str, digest: str | None) -> dict[str, Any]:
        config = facts.config.model_copy(
            update={"model": model.model_copy(update={"encoder": encoder})}
        )
        record = {**facts.record, "encoder": {"name": encoder, "sha256": digest}}
        return head(render_card(replace(facts, config=config, record=record)))

    known = headed(MINILM, "0" * 64)
    assert ("en", "apache-2.0") == (known["language"], known["license"])
    assert "sentence-transformers/all-MiniLM-L6-v2" == known["base_model"]
    assert not {"language", "license", "base_model"} & set(headed("/folder", "0" * 64))
    assert "some/encoder" == headed("some/encoder", None)["base_model"]


def test_labels_come_with_examples_from_train(facts: Facts) -> None:
    """The most frequent forms first, with the number of spans."""
    card = render_card(facts)
    assert "- **DONOR**, 28 spans: `Norway`, `Iceland`, `Denmark`" in card


def test_examples_are_no_markup(facts: Facts) -> None:
    """Words of an article show as words, be they HTML, backticks or broken over lines."""
    forms = ("<b>x</b>", "a`b", "two\nlines")
    articles = [Article(f, f, (Span(0, len(f), "DONOR", f),)) for f in forms]
    card = render_card(replace(facts, splits={**facts.splits, "train": articles}))
    assert "`<b>x</b>`, `` a`b ``, `two lines`" in card


@pytest.fixture
def bare(facts: Facts) -> Facts:
    """The same without intervals."""
    scored = {k: v for k, v in facts.scores["test"].items() if k != "intervals"}
    return replace(facts, scores={**facts.scores, "test": scored})


def test_every_label_has_its_scores_and_counts(bare: Facts) -> None:
    """In percent, as scores.json has them."""
    row = bare.scores["test"]["labels"]["SYSTEM"]
    figures = " | ".join(f"{100 * row[key]:.1f}" for key in ("precision", "recall", "f1"))
    assert f"| SYSTEM | {figures} | {row['gold']} |" in render_card(bare)


def test_intervals_stand_beside_the_scores_where_the_run_has_them(bare: Facts) -> None:
    """A wide one says that its label has too few spans to tell."""
    narrow, wide = {"low": 0.5, "high": 0.6}, {"low": 0.25, "high": 0.75}
    three = ("precision", "recall", "f1")
    intervals = {
        "micro": dict.fromkeys(three, narrow),
        "macro": dict.fromkeys(three, narrow),
        "labels": {"DONOR": dict.fromkeys(three, narrow), "SYSTEM": dict.fromkeys(three, wide)},
    }
    scored = {**bare.scores["test"], "intervals": intervals}
    card = render_card(replace(bare, scores={**bare.scores, "test": scored}))
    system = 100 * scored["labels"]["SYSTEM"]["f1"]
    assert f"{system:.1f} (25.0 to 75.0) | {scored['labels']['SYSTEM']['gold']} |" in card
    assert "with an interval wider than 20 points: SYSTEM." in card
    assert f"**Strict F1 on test: {100 * scored['micro']['f1']:.1f} (50.0 to 60.0)**" in card


def test_a_run_without_test_is_judged_on_dev_and_says_so(facts: Facts) -> None:
    """A score of the articles that chose the weights is no score of new articles."""
    scores = {key: facts.scores[key] for key in ("parity", "dev")}
    card = render_card(replace(facts, scores=scores))
    assert "dev" == head(card)["model-index"][0]["results"][0]["dataset"]["split"]
    assert "new articles will score lower" in card


def test_a_run_that_scored_nothing_has_a_card(facts: Facts) -> None:
    """Without a model-index, and with the reason."""
    card = render_card(replace(facts, scores={"parity": facts.scores["parity"]}))
    assert "model-index" not in head(card)
    assert "`evaluation.splits` is empty" in card


def test_data_digests_versions_and_commit_are_told(facts: Facts) -> None:
    """Everything that makes the run again."""
    card = render_card(facts)
    for told in (
        *facts.record["data"].values(),
        facts.record["encoder"]["sha256"],
        f"torch {facts.record['versions']['torch']}",
        str(facts.record["commit"]),
        "presstag reproduce models/tiny",
        "| train | 24 |",
        "learning rate 0.01",
    ):
        assert told in card, told


WEAK = "## Where it is weak"


@pytest.fixture
def many(facts: Facts) -> Facts:
    """Sixty test articles with two spans each, of which only the long one is found."""
    long, short = Span(0, 14, "DONOR", "Danish cabinet"), Span(20, 25, "DONOR", "Spain")
    articles = [Article(str(i), "Danish cabinet gave Spain", (long, short)) for i in range(60)]
    return replace(
        facts, splits={**facts.splits, "test": articles}, found={"test": [[long]] * len(articles)}
    )


def test_the_three_worst_parts_of_test_stand_with_their_intervals(many: Facts) -> None:
    """The worst first, each with the gold spans that it has."""
    card = render_card(many)
    _, _, below = card.partition(WEAK)
    rows = [line for line in below.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    assert 3 == len(rows)
    names = ["part of article: last third", "span length: 1 word"]
    assert [f"`{name}`" for name in names] == [row.split(" | ")[0][2:] for row in rows[:2]]
    assert all(re.search(r"\| 0\.0 \(0\.0 to \d+\.\d\) \| 60 \|$", row) for row in rows[:2])
    assert re.search(r"\| 66\.7 \(\d+\.\d to \d+\.\d\) \| 120 \|$", rows[2])


def test_parts_with_few_spans_are_not_called_weak(many: Facts) -> None:
    """Nothing is said where no part has enough, or what was found is not known."""
    few = replace(
        many,
        splits={**many.splits, "test": many.splits["test"][:20]},
        found={"test": many.found["test"][:20]},
    )
    assert WEAK in render_card(many)
    assert WEAK not in render_card(few)
    assert WEAK not in render_card(replace(many, found={}))
