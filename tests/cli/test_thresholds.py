"""What `presstag evaluate --target-precision` and `presstag extract --min-score` show."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from presstag import DataError, ModelError, load
from presstag.cli.thresholds import _score, show_thresholds
from presstag.corpus import read_corpus, write_corpus
from presstag.corpus.files import digest_corpus
from presstag.spans import Article, Span

LABELS = ("DONOR", "SYSTEM")


class Oracle:
    """A tagger that gives right spans a score of 0.9 and adds a wrong SYSTEM of 0.6 to each."""

    labels = LABELS

    def __init__(self, articles: Iterable[Article], **info: Any) -> None:
        self.info = info
        self._gold = {a.text: a.spans for a in articles}

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        for text in texts:
            right = [Span(s.start, s.end, s.label, s.text, 0.9) for s in self._gold[text]]
            yield [*right, Span(len(text) - 1, len(text), "SYSTEM", text[-1], 0.6)]


@pytest.fixture
def shown(
    tmp_path: Path, articles: list[Article], capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[dict[str, Any], str]]:
    """A function that shows the oracle's thresholds: what is returned and what is printed."""
    copies = [Article(f"{n}-{a.id}", f"{a.text} {n}", a.spans) for n in range(4) for a in articles]
    dev = tmp_path / "dev.json"
    write_corpus(copies, dev)

    def show(precision: float, *, judged: list[Article] = articles) -> tuple[dict[str, Any], str]:
        tagger: Any = Oracle([*copies, *judged])
        found = list(tagger.pipe(a.text for a in judged))
        written = show_thresholds(
            tagger, judged, found, labels=LABELS, precision=precision, dev=dev
        )
        return written, capsys.readouterr().out

    return show


def test_thresholds_are_shown_by_label(shown: Callable[..., tuple[dict[str, Any], str]]) -> None:
    """DONOR needs none; SYSTEM loses its wrong spans, and no recall."""
    written, printed = shown(0.95)
    assert (0.95, 24, 0) == tuple(
        written[key] for key in ("target_precision", "dev_articles", "shared_articles")
    )
    assert {"DONOR": 0.0, "SYSTEM": 0.9} == {k: v["score"] for k, v in written["labels"].items()}
    system = written["labels"]["SYSTEM"]
    assert (1.0, 0.0) == (system["passing"]["precision"], system["recall_lost"])
    assert {"DONOR": 0.0, "SYSTEM": 0.9} == written["min_score"]
    assert "95 % precision, by thresholds of" in printed
    assert "to use them: presstag extract … --min-score SYSTEM=0.9000\n" in printed
    assert "recall lost" in printed
    assert (6, 12) == (system["passing"]["predicted"], system["all"]["predicted"])
    row = next(line.split() for line in printed.splitlines() if line.startswith("SYSTEM"))
    assert ["0.9000", "100.0", "(61–100)", "100.0", "(61–100)", "0.0", "(0–0)"] == row[1:]
    assert written == json.loads(json.dumps(written))


def test_a_label_that_reaches_nothing_is_said(
    tmp_path: Path, articles: list[Article], capsys: pytest.CaptureFixture[str]
) -> None:
    """With too few spans on dev no threshold is named, for either label."""
    write_corpus(articles, tmp_path / "dev.json")
    tagger: Any = Oracle(read_corpus(tmp_path / "dev.json").articles)
    found = list(tagger.pipe(a.text for a in articles))
    dev = tmp_path / "dev.json"
    written = show_thresholds(tagger, articles, found, labels=LABELS, precision=0.9, dev=dev)
    printed = capsys.readouterr().out
    assert "90 % precision, by thresholds of" in printed
    assert "no label reaches it" in printed
    assert {} == written["min_score"]
    assert "DONOR: no threshold: fewer than 20 spans found on dev" in printed
    assert [False, False] == [row["reached"] for row in written["labels"].values()]
    assert 6 == written["shared_articles"]
    assert "6 of these articles are in" in printed


def test_the_nearest_precision_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wish beyond reach is answered with what there is."""
    texts = [f"UN {n}" for n in range(21)]
    gold = [
        Article(text, text, (Span(0, 2, "DONOR", "UN"),) if n < 19 else ())
        for n, text in enumerate(texts)
    ]
    write_corpus(gold, tmp_path / "dev.jsonl")
    tagger: Any = Oracle([])
    tagger._gold = dict.fromkeys(texts, (Span(0, 2, "DONOR", "UN"),))
    show_thresholds(
        tagger, gold, [[]] * 21, labels=LABELS, precision=0.95, dev=tmp_path / "dev.jsonl"
    )
    nearest = "no threshold reaches it on dev; the nearest is 90.5 from score 0.0000 on"
    assert f"DONOR: {nearest}, with recall 100.0" in capsys.readouterr().out


def test_dev_is_what_the_models_record_names(tmp_path: Path, articles: list[Article]) -> None:
    """Without --dev, the articles that the model was chosen on."""
    dev = str(tmp_path / "chosen.json")
    write_corpus(articles, dev)
    tagger: Any = Oracle(articles, provenance={"config": {"data": {"dev": dev}}})
    assert dev == show_thresholds(tagger, articles, [[]] * 6, labels=LABELS, precision=0.9)["dev"]


@pytest.mark.parametrize(
    ("provenance", "found"),
    [
        ({}, "no record of the articles that it was chosen on"),
        ({"config": {"data": {"dev": "gone.json"}}}, "chosen on gone.json, which is not there"),
    ],
)
def test_a_model_without_dev_wants_it_named(provenance: dict[str, Any], found: str) -> None:
    """The error says how."""
    tagger: Any = Oracle([], folder="models/x", provenance=provenance)
    with pytest.raises(ModelError) as caught:
        show_thresholds(tagger, [], [], labels=LABELS, precision=0.9)
    assert ("models/x", found) == (caught.value.where, caught.value.found)
    assert "name annotated articles: --dev FILE" == caught.value.do


def test_an_empty_dev_is_refused(tmp_path: Path) -> None:
    """No threshold is better than a threshold of nothing."""
    (tmp_path / "dev.json").write_text("[]", encoding="utf-8")
    tagger: Any = Oracle([])
    with pytest.raises(DataError, match="no annotated article in it"):
        show_thresholds(tagger, [], [], labels=LABELS, precision=0.9, dev=tmp_path / "dev.json")


def test_extract_leaves_out_spans_below_a_score(
    presstag: Callable[..., Any], learned_model: Path
) -> None:
    """A span with just that score stays; JSON keeps the scores."""
    text = "Report 0. “Iceland pays,” she said.\n\nIceland has no tanks of its own."
    spans = load(learned_model)(text)
    middle = sorted(s.score or 0 for s in spans)[len(spans) // 2]
    ran = presstag("extract", learned_model, "--json", "--min-score", middle, stdin=text.encode())
    assert 0 == ran.code, ran.err
    kept = [s.to_dict() for s in spans if (s.score or 0) >= middle]
    assert 0 < len(kept) < len(spans)
    assert kept == json.loads(ran.out)["spans"]


def test_extract_takes_a_score_for_each_label(
    presstag: Callable[..., Any], learned_model: Path
) -> None:
    """A label's own score goes before that of all labels."""
    text = "Report 0. “Iceland pays,” she said.\n\nIceland has no tanks of its own."
    spans = load(learned_model)(text)
    assert set(LABELS) == {s.label for s in spans}
    options = ("--min-score", "0", "--min-score", "DONOR=1")
    ran = presstag("extract", learned_model, "--json", *options, stdin=text.encode())
    assert 0 == ran.code, ran.err
    assert [s.to_dict() for s in spans if s.label == "SYSTEM"] == json.loads(ran.out)["spans"]


@pytest.mark.parametrize(("exact", "shown_"), [(0.91376, "0.9137"), (1.0, "1.0000")])
def test_a_threshold_is_shown_rounded_down(exact: float, shown_: str) -> None:
    """The span whose score it is passes what is shown."""
    assert shown_ == _score(exact)


@pytest.mark.parametrize("score", ["1.5", "-0.1", "high", "nan", "DONOR=2", "=", "NOBODY=0.5"])
def test_a_score_outside_0_to_1_is_refused(
    presstag: Callable[..., Any], learned_model: Path, score: str
) -> None:
    """Scores are probabilities."""
    ran = presstag("extract", learned_model, "--min-score", score)
    assert 2 == ran.code
    assert "--min-score" in ran.err


def test_evaluate_shows_and_writes_thresholds(
    presstag: Callable[..., Any], learned_model: Path, tiny_data: Path, tmp_path: Path
) -> None:
    """With --target-precision, on the articles that the model was chosen on or on --dev."""
    figures = tmp_path / "figures.json"
    command = ("evaluate", learned_model, tiny_data / "test.json", "--json", figures)
    for dev, named in (("dev", ()), ("train", ("--dev", tiny_data / "train.json"))):
        ran = presstag(*command, "--target-precision", "0.8", *named)
        assert 0 == ran.code, ran.err
        assert f"80 % precision, by thresholds of {tiny_data}/{dev}.json" in ran.out
        written = json.loads(figures.read_text(encoding="utf-8"))["thresholds"]
        assert (0.8, str(tiny_data / f"{dev}.json")) == (
            written["target_precision"],
            written["dev"],
        )
    assert 0 == presstag(*command).code
    assert json.loads(figures.read_text(encoding="utf-8"))["thresholds"] is None


def test_dev_without_a_precision_is_refused(
    presstag: Callable[..., Any], learned_model: Path, tiny_data: Path
) -> None:
    """It would do nothing, in silence."""
    data = tiny_data / "test.json"
    ran = presstag("evaluate", learned_model, data, "--dev", data)
    assert 2 == ran.code
    assert "--dev: without a precision" in ran.err


def test_a_dev_that_changed_is_said(
    tmp_path: Path, articles: list[Article], capsys: pytest.CaptureFixture[str]
) -> None:
    """It may hold articles that the model learned from."""
    dev = str(tmp_path / "chosen.json")
    write_corpus(articles, dev)
    record = {"config": {"data": {"dev": dev}}, "data": {"dev": digest_corpus(Path(dev))}}
    for provenance, said in ((record, False), ({**record, "data": {"dev": "0" * 64}}, True)):
        tagger: Any = Oracle(articles, provenance=provenance)
        show_thresholds(tagger, articles, [[]] * 6, labels=LABELS, precision=0.9)
        message = "is no longer the file that the model was chosen on"
        assert said == (message in capsys.readouterr().err)
