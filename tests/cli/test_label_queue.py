"""`presstag label queue` on files: what is listed, what is written, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from presstag.corpus import read_corpus
from presstag.queue import STRATEGIES

Presstag = Callable[..., Any]

TEXTS = {
    "boats": "Norway will send two patrol boats to Lusitania, the minister said on Tuesday.",
    "bridge": "The council met on Wednesday and voted to repair the old bridge over the river.",
    "rail": "Tanks from Denmark and field kitchens from Norway arrived by rail in the night.",
    "copy": "NORWAY will send two patrol boats to Lusitania, the minister said on Tuesday!",
    "cafe": "A café owner in Bergen 😀 bought drones with the money of the Bergen Rotary Club.",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five articles, two of them the same story."""
    folder = tmp_path / "articles"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_chosen_are_listed_and_written_in_order(
    strategy: str, presstag: Presstag, tiny_model: Path, folder: Path, tmp_path: Path
) -> None:
    """The file holds the articles as they were read, ready to be pushed; a copy is left out."""
    target = tmp_path / "next.jsonl"
    options = ("--model", tiny_model, "--strategy", strategy, "--out", target)
    ran = presstag("label", "queue", folder, *options)
    assert 0 == ran.code, ran.err
    written = read_corpus(target).articles
    names = [a.id for a in written]
    assert 4 == len(set(names))
    assert not {"boats", "copy"} <= set(names)
    assert {a.id: a.text for a in written} == {name: TEXTS[name] for name in names}
    places = [ran.out.index(f" {name}  ") for name in names]
    assert sorted(places) == places
    assert "chose 4 of 5 articles, " in ran.out
    assert "a version of " in ran.out
    assert f"wrote {target}" in ran.out
    assert f"next: presstag label push --project NAME {target}" in ran.out
    assert ("spans wrong and" in ran.out) == (strategy != "random")


def test_json_gives_the_reasons(presstag: Presstag, tiny_model: Path, folder: Path) -> None:
    """One object and nothing else: scores, expected errors, the nearest one, what was left out."""
    ran = presstag("label", "queue", folder, "--model", tiny_model, "-n", 3, "--json")
    assert 0 == ran.code, ran.err
    found = json.loads(ran.out)
    assert 3 == len(found["chosen"])
    first, second, _ = found["chosen"]
    assert (None, 0) == (first["nearest"], first["likeness"])
    assert second["nearest"] == first["id"]
    for choice in found["chosen"]:
        assert choice["score"] > 0
        cost = choice["words"] + 30
        assert choice["score"] == pytest.approx(
            100 * (choice["wrong"] + choice["missed"]) / cost, abs=0.01
        )
    assert (5, 0, [], []) == tuple(
        found[key] for key in ("candidates", "in_project", "blank", "faults")
    )


def test_the_same_seed_draws_the_same_without_a_model(
    presstag: Presstag, folder: Path, tmp_path: Path
) -> None:
    """Drawing at random asks no model, so that it serves before there is one."""
    options = ("--strategy", "random", "-n", 2, "--json", "--model", tmp_path / "none")
    drawn = {
        seed: [presstag("label", "queue", folder, *options, "--seed", seed).out for _ in range(2)]
        for seed in range(4)
    }
    assert all(one == other for one, other in drawn.values())
    assert len({one for one, _ in drawn.values()}) > 1


def test_what_cannot_be_read_is_named_and_the_rest_is_chosen_from(
    presstag: Presstag, tiny_model: Path, folder: Path
) -> None:
    """Exit code 1, after the list."""
    (folder / "broken.txt").write_bytes(b"\xff\xfe\x00")
    (folder / "empty.txt").write_bytes(b"")
    ran = presstag("label", "queue", folder, "--model", tiny_model)
    assert 1 == ran.code
    assert "chose 4 of 5 articles" in ran.out
    assert "broken.txt" in ran.err
    assert "empty.txt" in ran.err
    assert "Traceback" not in ran.err


def test_where_nothing_is_left_nothing_is_written(
    presstag: Presstag, tiny_model: Path, tmp_path: Path
) -> None:
    """An empty folder is a fault, and no file is made."""
    (tmp_path / "nothing").mkdir()
    target = tmp_path / "next.jsonl"
    options = ("--model", tiny_model, "--out", target)
    ran = presstag("label", "queue", tmp_path / "nothing", *options)
    assert 1 == ran.code
    assert "no articles in it" in ran.err
    assert "no article left to choose" in ran.out
    assert not target.exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "neither ARTICLES nor --project"),
        (("a.txt", "--strategy", "uncertain"), "uncertainty+diversity, uncertainty, random"),
        (("a.txt", "--out", "next.csv"), "one that ends in .jsonl"),
        (("a.txt", "--model", "nowhere"), "nowhere"),
    ],
)
def test_arguments_that_do_not_do(
    arguments: tuple[str, ...],
    expected: str,
    presstag: Presstag,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is a message and exit code 2."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("Norway gave tanks.", encoding="utf-8")
    ran = presstag("label", "queue", *arguments)
    assert 2 == ran.code
    assert expected in ran.err
    assert "Traceback" not in ran.err
