"""The corpus that ships is what it says it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from presstag.corpus import Corpus
from presstag.corpus.check import Report, check_corpus, read_splits

ANNOTATIONS = Path(__file__).parents[1] / "annotations"
LABELS = ["AMOUNT", "DONOR", "LOCATION", "OFFICIAL", "SYSTEM"]


@pytest.fixture(scope="module")
def splits() -> Mapping[str, Corpus]:
    return read_splits(ANNOTATIONS / "aid")


@pytest.fixture(scope="module")
def report(splits: Mapping[str, Corpus]) -> Report:
    return check_corpus(splits)


def test_it_is_clean(report: Report) -> None:
    """No error and no warning: no shared sentence, no near-duplicate, no span inside a word."""
    assert [] == [p for p in report.problems if p.severity != "note"]


def test_it_is_divided_by_article(report: Report) -> None:
    """Train, dev and test, and every label in each."""
    assert ["train", "dev", "test"] == list(report.splits)
    assert [LABELS] * 3 == [list(counts.labels) for counts in report.splits.values()]


def test_it_is_large_and_varied(report: Report) -> None:
    """As many articles, words, spans and distinct forms as the README of the corpus promises."""
    together = report.together
    assert together.articles >= 1_000
    assert together.words >= 220_000
    assert together.spans >= 24_000
    least = {"DONOR": 180, "SYSTEM": 700, "OFFICIAL": 1_400, "LOCATION": 1_000}
    assert {} == {label: n for label, n in least.items() if together.surfaces[label] < n}
    assert max(share for _, share in together.frequent.values()) < 0.06


def test_dev_and_test_are_annotated_twice_and_adjudicated(splits: Mapping[str, Corpus]) -> None:
    """Two raw passes by different people, and a third annotation marked as ground truth."""
    for name in ("dev", "test"):
        for article in splits[name].articles:
            passes = splits[name].annotations[article.id]
            assert [False, False, True] == [a.ground_truth for a in passes], article.id
            assert len({a.annotator for a in passes}) == 3
            assert passes[-1].spans == article.spans


def test_every_task_says_what_it_is(splits: Mapping[str, Corpus]) -> None:
    """Voice, focus, recipient and region are known of every article."""
    fields = {"voice", "focus", "recipient", "region"}
    articles = [a for corpus in splits.values() for a in corpus.articles]
    assert [] == [a.id for a in articles if not fields <= a.meta.keys()]


def test_the_interface_has_the_labels() -> None:
    """The labelling interface offers the labels of the corpus, each in a colour of its own."""
    tree = ET.parse(ANNOTATIONS / "labeling_config.xml")  # noqa: S314 - our own file
    labels = {e.attrib["value"]: e.attrib["background"] for e in tree.iter("Label")}
    assert LABELS == sorted(labels)
    assert len(set(labels.values())) == len(labels)
