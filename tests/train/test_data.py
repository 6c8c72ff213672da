from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from presstag import DataError
from presstag.corpus import write_corpus
from presstag.corpus.inline import read_marked
from presstag.train.config import DataSection
from presstag.train.data import load_data, write_rejected


def write(path: Path, *marked: str) -> str:
    articles = [read_marked(m, name=f"a{i}", source="test") for i, m in enumerate(marked)]
    write_corpus(articles, path)
    return str(path)


def section(folder: Path, *, train: str, dev: str = "{DONOR|Oslo}.", **rest: object) -> DataSection:
    """A section over files of one article each."""
    return DataSection.model_validate(
        {
            "train": write(folder / "train.json", train),
            "dev": write(folder / "dev.json", dev),
            "labels": ["DONOR"],
            **rest,
        }
    )


def test_splits_are_read_with_the_digest_of_their_files(tiny_data: Path) -> None:
    """SHA-256 of the bytes, a split at a time."""
    paths = {s: tiny_data / f"{s}.json" for s in ("train", "dev", "test")}
    named = {s: str(p) for s, p in paths.items()}
    data = load_data(DataSection.model_validate({**named, "labels": ["DONOR", "SYSTEM"]}))
    assert {"train": 24, "dev": 6, "test": 6} == {s: len(a) for s, a in data.splits.items()}
    digests = {s: hashlib.sha256(p.read_bytes()).hexdigest() for s, p in paths.items()}
    assert digests == data.digests
    assert () == data.rejected


def test_the_test_split_may_be_left_out(tmp_path: Path) -> None:
    """What is not there is not reported on."""
    data = load_data(section(tmp_path, train="{DONOR|Norway} pays."))
    assert ["train", "dev"] == list(data.splits)


def test_the_digest_of_a_folder_follows_its_texts(tmp_path: Path) -> None:
    """A folder of marked texts is a split too; a changed text changes its digest."""
    (tmp_path / "a.txt").write_text("{DONOR|Norway} pays.", encoding="utf-8")
    folder = DataSection(train=str(tmp_path), dev=str(tmp_path), labels=["DONOR"])
    before = load_data(folder).digests
    (tmp_path / "a.txt").write_text("{DONOR|Norway} paid.", encoding="utf-8")
    after = load_data(folder).digests
    assert before["train"] == before["dev"]
    assert before["train"] != after["train"]


@pytest.mark.parametrize("split", ["train", "dev"])
def test_a_label_that_the_config_does_not_have_is_refused(split: str, tmp_path: Path) -> None:
    """With how often, where first, and both ways out: never dropped in silence."""
    texts = {"train": "{DONOR|Norway} pays.", "dev": "{DONOR|Oslo}."}
    texts[split] = "{DONOR|Norway} and {CITY|Oslo} and {CITY|Bergen}."
    with pytest.raises(DataError) as caught:
        load_data(section(tmp_path, **texts))
    assert str(tmp_path / f"{split}.json") == caught.value.where
    assert "CITY (2 times, first in article a0)" in caught.value.found
    assert "data.ignore_labels" in caught.value.do


def test_labels_that_are_ignored_are_taken_out_everywhere(tmp_path: Path) -> None:
    """The articles stay, the spans do not count."""
    marked = "{DONOR|Norway} and {CITY|Oslo}."
    data = load_data(section(tmp_path, train=marked, dev=marked, ignore_labels=["CITY"]))
    for articles in data.splits.values():
        assert [["DONOR"]] == [[s.label for s in a.spans] for a in articles]


def test_a_label_without_a_span_in_train_is_refused(tmp_path: Path) -> None:
    """It cannot be learned, be it in dev."""
    with pytest.raises(DataError, match="no span of CITY") as caught:
        load_data(
            section(tmp_path, train="{DONOR|N} a.", dev="{CITY|N} a.", labels=["DONOR", "CITY"])
        )
    assert "(data.train)" in caught.value.where


def test_an_empty_split_says_what_was_in_it_instead(tmp_path: Path) -> None:
    """Tasks that nobody annotated are counted by kind."""
    described = section(tmp_path, train="{DONOR|Norway} pays.")
    Path(described.dev).write_text('[{"data": {"text": "a"}}]', encoding="utf-8")
    with pytest.raises(DataError, match=r"no annotated article in it \(1 × unannotated\)"):
        load_data(described)


def test_what_the_reader_rejects_is_kept_with_its_split(tmp_path: Path) -> None:
    """A region past the end is left out, and listed."""
    described = section(tmp_path, train="{DONOR|Norway} and {DONOR|Oslo} pay.")
    path = Path(described.train)
    tasks = json.loads(path.read_text(encoding="utf-8"))
    tasks[0]["annotations"][0]["result"][1]["value"].update(start=100, end=104)
    path.write_text(json.dumps(tasks), encoding="utf-8")
    data = load_data(described)
    assert [("train", "past-end")] == [(split, f.kind) for split, f in data.rejected]
    assert ["Norway"] == [s.text for s in data.splits["train"][0].spans]
    write_rejected(data.rejected, tmp_path / "rejected.jsonl")
    (line,) = (tmp_path / "rejected.jsonl").read_text(encoding="utf-8").splitlines()
    assert {"split": "train", **data.rejected[0][1].to_dict()} == json.loads(line)


def test_no_list_is_left_where_nothing_was_rejected(tmp_path: Path) -> None:
    """That of an earlier run goes away."""
    path = tmp_path / "rejected.jsonl"
    path.write_text("old\n", encoding="utf-8")
    write_rejected((), path)
    assert not path.exists()
    write_rejected((), path)
