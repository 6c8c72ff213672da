from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from presstag import load
from presstag.corpus import read_corpus, write_corpus
from presstag.spans import Article
from presstag.tagger import Tagger
from presstag.train.configfile import read_config

Presstag = Callable[..., Any]
TEXT = "Report 0. “Iceland pays,” she said.\n\nIceland has no tanks of its own."


def found(text: str, model: Path) -> list[dict[str, Any]]:
    return [span.to_dict() for span in load(model)(text)]


# train


@pytest.mark.slow
def test_train_prints_scores_and_an_example_and_names_the_next_command(
    presstag: Presstag, tiny_config: Path, tmp_path: Path
) -> None:
    """A whole run: figures of both splits, a tagged article, and what to type next."""
    ran = presstag("train", tiny_config, "training.max_steps=4", "--out", tmp_path / "m")
    assert 0 == ran.code, ran.err
    for title in ("dev: strict span scores", "test: strict span scores", "article Test-0-0"):
        assert title in ran.out
    assert f"next: presstag extract {tmp_path}/m ARTICLE.txt" in ran.out
    assert "step     4/4" in ran.err
    assert (tmp_path / "m" / "manifest.json").is_file()


@pytest.mark.slow
def test_ctrl_c_ends_with_130_and_says_how_to_go_on(tiny_config: Path, tmp_path: Path) -> None:
    """An interrupt from outside, once a state is saved, leaves a run that can be resumed."""
    command = [sys.executable, "-m", "presstag.cli", "train", str(tiny_config)]
    process = subprocess.Popen(
        [*command, "training.max_steps=5000", "--out", str(tmp_path / "m")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 60
    states = tmp_path / "m" / "training"
    while not list(states.glob("checkpoint-*/trainer_state.json")) and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert 130 == process.returncode
    arguments = f"{tiny_config} training.max_steps=5000 --out {tmp_path}/m"
    assert f"stopped. Go on with: presstag train {arguments} --resume" in err
    assert "Traceback" not in err


# evaluate


@pytest.mark.parametrize("kind", ["", "checkpoint"])
def test_evaluate_scores_both_kinds_of_model(
    kind: str, presstag: Presstag, learned_model: Path, tiny_data: Path, tmp_path: Path
) -> None:
    """A packed model and a checkpoint go through the same door and give the same table."""
    target = tmp_path / "scores.json"
    ran = presstag("evaluate", learned_model / kind, tiny_data / "test.json", "--json", target)
    assert 0 == ran.code, ran.err
    assert "strict span scores" in ran.out
    assert "seqeval on words (strict, IOB2)" in ran.out
    figures = json.loads(target.read_text(encoding="utf-8"))
    expected = json.loads((learned_model / "scores.json").read_text(encoding="utf-8"))["test"]
    assert expected["micro"]["gold"] == figures["micro"]["gold"]
    assert expected["micro"]["f1"] == pytest.approx(figures["micro"]["f1"], abs=0.1)
    assert figures["micro"]["f1"] > 0.5
    assert [] == figures["rejected"]


def test_evaluate_says_how_many_gold_spans_cut_a_word(
    presstag: Presstag, tiny_model: Path, tmp_path: Path
) -> None:
    """What no model can find is counted as missed, and said."""
    path = tmp_path / "a.jsonl"
    spans = [{"start": 0, "end": 3, "label": "DONOR"}]
    path.write_text(json.dumps({"text": "Norwegians", "spans": spans}), encoding="utf-8")
    ran = presstag("evaluate", tiny_model, path)
    assert 0 == ran.code, ran.err
    assert "1 gold spans cut a word" in ran.out


def test_evaluate_shows_what_matters_first(
    presstag: Presstag, learned_model: Path, tiny_data: Path
) -> None:
    """Strict scores beside the dictionary, kinds of error, three slices, then the rest."""
    ran = presstag("evaluate", learned_model, tiny_data / "test.json")
    assert 0 == ran.code, ran.err
    titles = [
        "strict span scores",
        "dictionary",
        "too few spans to tell",
        "what became of the spans",
        "the worst slices",
        "SemEval-2013",
        "seqeval on words",
        "words a second",
    ]
    places = [ran.out.index(title) for title in titles]
    assert sorted(places) == places
    every = presstag("evaluate", learned_model, tiny_data / "test.json", "--slices").out
    assert "all slices" in every
    assert len(every.splitlines()) > len(ran.out.splitlines())
    assert "…" not in every  # on 80 columns nothing is cut


def test_evaluate_says_why_there_is_no_dictionary(
    presstag: Presstag, learned_model: Path, tiny_data: Path, tmp_path: Path
) -> None:
    """A model of an unknown origin; the articles that it learned from can be named."""
    model = tmp_path / "m"
    shutil.copytree(learned_model, model, ignore=shutil.ignore_patterns("checkpoint", "training"))
    manifest = json.loads((model / "manifest.json").read_text(encoding="utf-8"))
    manifest["provenance"] = {}
    (model / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    ran = presstag("evaluate", model, tiny_data / "test.json")
    assert 0 == ran.code, ran.err
    assert "no dictionary" in ran.out
    assert "the model does not say what it was trained on" in ran.out
    train = ("--train", tiny_data / "train.json")
    assert "no dictionary" not in presstag("evaluate", model, tiny_data / "test.json", *train).out


def test_evaluate_scores_common_labels_when_told_to(
    presstag: Presstag, learned_model: Path, tmp_path: Path
) -> None:
    """What is left out is said, with the labels."""
    path = tmp_path / "a.jsonl"
    spans = [{"start": 0, "end": 6, "label": "DONOR"}, {"start": 18, "end": 22, "label": "CITY"}]
    record = {"text": "Norway came out of Oslo."[:18] + "Oslo.", "spans": spans}
    path.write_text(json.dumps(record), encoding="utf-8")
    refused = presstag("evaluate", learned_model, path)
    assert 2 == refused.code
    assert "to do: score the labels that both have with --common-labels" in refused.err
    ran = presstag("evaluate", learned_model, path, "--common-labels")
    assert 0 == ran.code, ran.err
    assert "left out: 1 spans of CITY" in ran.err


def test_evaluate_says_that_there_is_no_gold(
    presstag: Presstag, tiny_model: Path, tmp_path: Path
) -> None:
    """An annotated article may have no span."""
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": "Nobody pays.", "spans": []}), encoding="utf-8")
    ran = presstag("evaluate", tiny_model, path)
    assert 0 == ran.code, ran.err
    assert "no gold span at all" in ran.err


def test_evaluate_exits_with_1_where_the_model_fails_on_an_article(
    presstag: Presstag, tiny_data: Path, learned_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The article is named, the rest is scored."""
    scored = Tagger.score_units

    def fragile(tagger: Tagger, texts: Sequence[str]) -> Any:
        if any("Nobody" in text for text in texts):
            raise RuntimeError("out of memory")
        return scored(tagger, texts)

    monkeypatch.setattr(Tagger, "score_units", fragile)
    ran = presstag("evaluate", learned_model, tiny_data / "test.json")
    assert 1 == ran.code
    assert "article Test-0-1: failed: RuntimeError: out of memory" in ran.err
    assert "5 articles" in ran.out


# extract


def test_extract_marks_the_spans_of_a_file(
    presstag: Presstag, learned_model: Path, tmp_path: Path
) -> None:
    """Without colours, spans stand in the text as `{LABEL|words}`, with a count below."""
    path = tmp_path / "a.txt"
    path.write_text(TEXT, encoding="utf-8")
    ran = presstag("extract", learned_model, path)
    assert 0 == ran.code, ran.err
    assert "{DONOR|Iceland} pays" in ran.out
    assert "DONOR 2" in ran.out


def test_extract_reads_standard_input(presstag: Presstag, learned_model: Path) -> None:
    """No file is one article from standard input; --json prints what `load` gives."""
    ran = presstag("extract", learned_model, "--json", stdin=TEXT.encode())
    assert 0 == ran.code, ran.err
    assert {"id": "-", "spans": found(TEXT, learned_model)} == json.loads(ran.out)


def test_extract_names_each_of_several_files(
    presstag: Presstag, learned_model: Path, tmp_path: Path
) -> None:
    """In order, one object a line, each with the file's name."""
    paths = [tmp_path / "b.txt", tmp_path / "a.txt"]
    for path in paths:
        path.write_text(TEXT, encoding="utf-8")
    ran = presstag("extract", learned_model, *paths, "--json")
    assert [str(p) for p in paths] == [json.loads(line)["id"] for line in ran.out.splitlines()]
    shown = presstag("extract", learned_model, *paths)
    assert all(str(path) in shown.out for path in paths)


def test_extract_takes_articles_and_tasks_from_lines(
    presstag: Presstag, learned_model: Path, tmp_path: Path
) -> None:
    """A line is an article or a Label Studio task; its id, or else its number, names it."""
    path = tmp_path / "a.jsonl"
    records = [{"text": TEXT}, {"id": "x", "text": ""}, {"id": 5, "data": {"text": TEXT}}]
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    ran = presstag("extract", learned_model, path, "--json")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert ["1", "x", "5"] == [line["id"] for line in lines]
    spans = found(TEXT, learned_model)
    assert [spans, [], spans] == [line["spans"] for line in lines]


def test_extract_goes_on_after_a_bad_one(
    presstag: Presstag, learned_model: Path, tmp_path: Path
) -> None:
    """Good articles are tagged, each bad one is a message, and the exit code is 2."""
    good, bad, lines = tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "c.jsonl"
    good.write_text(TEXT, encoding="utf-8")
    bad.write_bytes(b"caf\xe9")
    lines.write_text(f'{{"no": 1}}\n{{broken\n{json.dumps({"text": TEXT})}', encoding="utf-8")
    arguments = (bad, tmp_path / "absent.txt", lines, good)
    ran = presstag("extract", learned_model, *arguments, "--json")
    assert 2 == ran.code
    assert ["3", str(good)] == [json.loads(line)["id"] for line in ran.out.splitlines()]
    assert 4 == ran.err.count("error: ")
    for where in (f"{bad}, line 1", f"{tmp_path}/absent.txt", f"{lines}, line 1", "line 2"):
        assert where in ran.err


def test_names_with_brackets_are_shown_as_they_are(
    presstag: Presstag, learned_model: Path, tmp_path: Path
) -> None:
    """An id is no markup, and cannot steer the terminal."""
    path = tmp_path / "a.jsonl"
    records = [{"id": "[/b] :cat: \x1b[31m", "text": TEXT}]
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    ran = presstag("extract", learned_model, path)
    assert 0 == ran.code, ran.err
    assert "[/b] :cat: \ufffd[31m" in ran.out


# check


@pytest.fixture
def corpus(tmp_path: Path, articles: list[Article]) -> Path:
    """A folder in which dev has an article of train."""
    write_corpus(articles[:4], tmp_path / "corpus" / "train.json")
    write_corpus(articles[3:], tmp_path / "corpus" / "dev.json")
    return tmp_path / "corpus"


def test_check_exits_with_1_where_there_are_errors(presstag: Presstag, corpus: Path) -> None:
    """An article that two splits share is an error; the counts are shown all the same."""
    ran = presstag("check", corpus)
    assert 1 == ran.code
    assert "error leak" in ran.out
    assert "1 errors" in ran.out


def test_check_exits_with_0_where_there_are_only_warnings(presstag: Presstag, corpus: Path) -> None:
    """Labels that are rare are worth a look, and no error."""
    ran = presstag("check", corpus / "train.json")
    assert 0 == ran.code
    assert "warning rare-label" in ran.out


def test_check_gives_everything_as_json(presstag: Presstag, corpus: Path) -> None:
    """Counts by split, all problems, and how many of them are errors."""
    ran = presstag("check", corpus, "--json")
    report = json.loads(ran.out)
    assert 1 == ran.code
    assert {"train": 4, "dev": 3} == {k: v["articles"] for k, v in report["splits"].items()}
    assert 1 == report["errors"]
    assert "leak" in {p["kind"] for p in report["problems"]}


def test_check_takes_the_boundaries_of_a_tokenizer(
    presstag: Presstag, corpus: Path, tiny_encoder: Path
) -> None:
    """--tokenizer checks that spans meet the units that this encoder makes."""
    ran = presstag(
        "check", corpus / "train.json", "--tokenizer", tiny_encoder / "tokenizer.json", "--json"
    )
    assert 0 == ran.code, ran.err
    assert 4 == json.loads(ran.out)["splits"]["train"]["articles"]


# split


def test_split_divides_every_article_and_never_overwrites(
    presstag: Presstag, tiny_data: Path, tmp_path: Path
) -> None:
    """Three files hold all articles between them; a second time is refused."""
    arguments = ("split", tiny_data / "train.json", tmp_path / "s", "--dev", "0.2")
    ran = presstag(*arguments)
    assert 0 == ran.code, ran.err
    divided = [read_corpus(tmp_path / "s" / f"{s}.json") for s in ("train", "dev", "test")]
    expected = sorted(a.id for a in read_corpus(tiny_data / "train.json").articles)
    assert expected == sorted(a.id for c in divided for a in c.articles)
    assert f"next: presstag check {tmp_path}/s" in ran.out
    again = presstag(*arguments)
    assert 2 == again.code
    assert "name another folder" in again.err


# convert


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_convert_there_and_back_loses_nothing(
    ending: str, presstag: Presstag, tiny_data: Path, tmp_path: Path
) -> None:
    """Texts, spans and ids are the same after the way through another format."""
    there, back = tmp_path / f"there.{ending}", tmp_path / "back.json"
    assert 0 == presstag("convert", tiny_data / "dev.json", there).code
    ran = presstag("convert", there, back)
    assert f"wrote {back}: 6 articles, 13 spans\n" == ran.out
    assert read_corpus(tiny_data / "dev.json").articles == read_corpus(back).articles


def test_convert_joins_several_files(presstag: Presstag, tiny_data: Path, tmp_path: Path) -> None:
    """New articles stand behind the old ones; of a text annotated again the later spans count."""
    (tmp_path / "new").mkdir()
    first = read_corpus(tiny_data / "dev.json").articles[0]
    (tmp_path / "new" / "again.txt").write_text(first.text, encoding="utf-8")
    (tmp_path / "new" / "other.txt").write_text("{DONOR|Norway} pays.", encoding="utf-8")
    ran = presstag("convert", tiny_data / "dev.json", tmp_path / "new", tmp_path / "all.json")
    assert f"article {first.id}: annotated again as again" in ran.err
    joined = read_corpus(tmp_path / "all.json").articles
    assert [first.id, "other"] == [joined[0].id, joined[-1].id]
    assert (7, ()) == (len(joined), joined[0].spans)


def test_convert_to_columns_and_back_keeps_words_and_spans(
    presstag: Presstag, tiny_data: Path, tmp_path: Path
) -> None:
    """Columns hold no text, so that blanks change; the words of the spans stay."""
    there, back = tmp_path / "there.conll", tmp_path / "back.jsonl"
    assert 0 == presstag("convert", tiny_data / "dev.json", there).code
    assert 0 == presstag("convert", there, back).code
    before, after = read_corpus(tiny_data / "dev.json").articles, read_corpus(back).articles

    def bare(articles: tuple[Article, ...]) -> list[list[tuple[str, str]]]:
        return [[(s.label, "".join(s.text.split())) for s in a.spans] for a in articles]

    assert bare(before) == bare(after)


def test_convert_reads_a_folder_of_marked_texts(presstag: Presstag, tmp_path: Path) -> None:
    """What authors write by hand becomes tasks for Label Studio."""
    (tmp_path / "a.txt").write_text("{DONOR|Norway} pays.", encoding="utf-8")
    ran = presstag("convert", tmp_path, tmp_path / "out.json")
    assert 0 == ran.code, ran.err
    assert [("Norway", "DONOR")] == [
        (s.text, s.label) for s in read_corpus(tmp_path / "out.json").articles[0].spans
    ]


def test_convert_says_what_columns_cannot_hold(presstag: Presstag, tmp_path: Path) -> None:
    """A span inside a word takes the whole word, and that is said."""
    spans = [{"start": 0, "end": 3, "label": "DONOR"}]
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": "Norwegians", "spans": spans}), encoding="utf-8")
    ran = presstag("convert", path, tmp_path / "a.conll")
    assert 0 == ran.code
    assert "inside a word" in ran.err


# export


@pytest.mark.slow
def test_export_packs_a_checkpoint_in_another_precision(
    presstag: Presstag, tiny_model: Path, tmp_path: Path
) -> None:
    """The checkpoint's own config says all but what is overridden."""
    ran = presstag("export", tiny_model / "checkpoint", tmp_path / "m", "export.precision=fp32")
    assert 0 == ran.code, ran.err
    assert f"wrote {tmp_path}/m: fp32, strict F1 on dev" in ran.out
    assert "fp32" == load(tmp_path / "m").info["precision"]


# config


def test_config_show_prints_what_will_be_used(presstag: Presstag, tiny_config: Path) -> None:
    """The whole file with overrides, and it reads back as the same config."""
    ran = presstag("config", "show", tiny_config, "training.seed=5")
    assert 0 == ran.code, ran.err
    copy = tiny_config.with_name("shown.yaml")
    copy.write_text(ran.out, encoding="utf-8")
    assert read_config(tiny_config, ["training.seed=5"]) == read_config(copy)


def test_config_new_prints_a_file_that_loads(presstag: Presstag, tmp_path: Path) -> None:
    """Labels are taken as they are, `NO` too."""
    ran = presstag("config", "new", "--name", "x", "--labels", "NO, PLACE", "--data", "d")
    path = tmp_path / "new.yaml"
    path.write_text(ran.out, encoding="utf-8")
    config = read_config(path)
    assert ("x", ["NO", "PLACE"]) == (config.name, config.data.labels)
    assert "d/train.json" == config.data.train


def test_config_new_writes_a_file_and_never_overwrites(presstag: Presstag, tmp_path: Path) -> None:
    """Its head is the command that trains with it; a file that is there is left alone."""
    path = tmp_path / "new.yaml"
    assert 0 == presstag("config", "new", "--out", path).code
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# presstag train {path}\n")
    again = presstag("config", "new", "--out", path, "--name", "other")
    assert 2 == again.code
    assert text == path.read_text(encoding="utf-8")


# the program


def test_the_program_needs_no_torch_to_extract(learned_model: Path, tmp_path: Path) -> None:
    """`python -m presstag.cli` is the command; a packed model is tagged without torch."""
    for name in ("torch", "transformers"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('blocked')", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "presstag.cli", "extract", str(learned_model), "--json"],
        input=TEXT.encode(),
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert (0, b"") == (done.returncode, done.stderr)
    assert found(TEXT, learned_model) == json.loads(done.stdout)["spans"]


def test_help_names_every_command(presstag: Presstag) -> None:
    """`presstag --help` is where people look first."""
    ran = presstag("--help")
    assert 0 == ran.code
    for command in (
        "train",
        "evaluate",
        "compare",
        "extract",
        "check",
        "split",
        "convert",
        "export",
    ):
        assert f" {command} " in ran.out
