"""What a check of a corpus counts, and each thing that it finds wrong."""

import json

import pytest

from presstag.corpus import Corpus, Finding, write_corpus
from presstag.corpus.check import RARE, Counts, Problem, check_corpus, count_by, read_splits
from presstag.errors import DataError
from presstag.spans import Article, Span

STORY = "The council met on Tuesday and voted to repair the old bridge over the river."


def article(name, *marks, text=None):
    """Build an article of words of its own; each mark is `(label, words)`, found in the text."""
    text = text or " ".join([*(words for _, words in marks), f"{name}-x {name}-y {name}-z"])
    spans, reached = [], 0
    for label, words in marks:
        start = text.index(words, reached)
        reached = start + len(words)
        spans.append(Span(start, reached, label, words))
    return Article(name, text, tuple(spans))


def donors(prefix, n):
    """Build one article with n spans of DONOR."""
    return article(prefix, *(("DONOR", f"{prefix}Land{i}") for i in range(n)))


def check(**splits):
    return check_corpus({name: Corpus(tuple(some)) for name, some in splits.items()})


def of_kind(report, kind):
    return [p for p in report.problems if p.kind == kind]


def faults(report):
    """Severity, kind and place of each problem."""
    return [(p.severity, p.kind, p.where) for p in report.problems]


# Counts


def test_good_corpus_has_no_problems():
    """Enough spans in splits that share nothing are no problem."""
    report = check(train=[donors("t", RARE)], test=[donors("e", 1)])
    assert [] == report.problems
    assert [] == report.errors


def test_counts_are_by_split_and_label():
    """A split counts articles, words, spans, and mentions and distinct ones by label."""
    one = article("a", ("DONOR", "Belgium"), ("AMOUNT", "5 euros"), ("DONOR", "Belgium"))
    two = article("b", ("DONOR", "belgium"), text="  belgium\npaid ")
    report = check(train=[one, two], test=[article("c")])
    expected = {
        "train": Counts(
            articles=2,
            words=9,
            spans=4,
            labels={"AMOUNT": 1, "DONOR": 3},
            surfaces={"AMOUNT": 1, "DONOR": 2},
            frequent={"AMOUNT": ("5 euros", 1.0), "DONOR": ("Belgium", 2 / 3)},
        ),
        "test": Counts(articles=1, words=3, spans=0, labels={}, surfaces={}, frequent={}),
    }
    assert expected == report.splits
    assert ["train", "test"] == list(report.splits)


def test_splits_are_counted_together():
    """All splits are counted as one: a form in two of them is one form."""
    one = article("a", ("DONOR", "Belgium"))
    two = article("b", ("DONOR", "Belgium"), ("DONOR", "Chad"))
    expected = Counts(
        articles=2,
        words=9,
        spans=3,
        labels={"DONOR": 3},
        surfaces={"DONOR": 2},
        frequent={"DONOR": ("Belgium", 2 / 3)},
    )
    assert expected == check(train=[one], test=[two]).together


def test_unseen_is_the_share_of_forms_that_train_lacks():
    """A mention is unseen if train has its form, in any case, nowhere under its label."""
    train = article("t", ("DONOR", "Belgium"), ("SYSTEM", "Chad"))
    test = article(
        "e", ("DONOR", "BELGIUM"), ("DONOR", "Chad"), ("DONOR", "Peru"), ("DONOR", "Peru")
    )
    report = check(train=[train], test=[test])
    assert {"DONOR": 0.75} == report.splits["test"].unseen
    assert {} == report.splits["train"].unseen
    assert {} == report.together.unseen


def test_nothing_is_unseen_without_train():
    """Without a train split there is nothing to have been seen in."""
    assert {} == check(dev=[donors("d", 1)]).splits["dev"].unseen


# Problems


@pytest.mark.parametrize(
    ("action", "severity"),
    [("rejected", "error"), ("repaired", "warning"), ("noted", "note")],
)
def test_reader_findings_are_problems(action, severity):
    """What the reader rejected is an error, what it repaired a warning, what it noted a note."""
    finding = Finding("past-end", action, "a1", "DONOR 0–99 lies outside", "r1")
    corpus = Corpus((donors("t", RARE),), (finding,))
    report = check_corpus({"train": corpus})
    message = f"{action}: DONOR 0–99 lies outside"
    assert [Problem(severity, "past-end", "train, a1, r1", message)] == report.problems


def test_finding_without_a_region_is_placed_by_its_article():
    """A finding about a whole article names split and article."""
    finding = Finding("skipped", "noted", "a1", "skipped")
    report = check_corpus({"dev": Corpus((article("a"),), (finding,))})
    assert [("note", "skipped", "dev, a1")] == faults(report)


def test_empty_split_is_an_error():
    """A split without an article is an error."""
    report = check(train=[donors("t", RARE)], dev=[])
    assert [("error", "empty-split", "dev")] == faults(report)


def test_label_missing_from_train_is_an_error():
    """A label that only other splits have cannot be learned."""
    report = check(train=[donors("t", RARE)], test=[article("e", ("AMOUNT", "5 euros"))])
    assert [("error", "label-not-in-train", "train")] == faults(report)
    assert report.problems[0].message.startswith("AMOUNT is in another split but not in train")


@pytest.mark.parametrize(("n", "rare"), [(1, True), (RARE - 1, True), (RARE, False)])
def test_label_with_few_spans_is_rare(n, rare):
    """A label with fewer than 30 spans in train is a warning, however many other splits have."""
    report = check(train=[donors("t", n)], test=[donors("e", RARE)])
    assert [("warning", "rare-label", "train")] * rare == faults(report)
    assert all(f"DONOR has {n} spans" in p.message for p in report.problems)


def test_without_train_no_label_is_rare():
    """A single file that is not called train is not judged as one."""
    assert [] == faults(check(articles=[donors("t", 1)]))


@pytest.mark.parametrize(
    ("text", "words"),
    [("Belgiums money", "Belgium"), ("in midBelgium", "Belgium"), ("5million euros", "million")],
)
def test_span_off_the_boundaries_is_a_warning(text, words):
    """A span that begins or ends inside a word cannot be given back by tags."""
    report = check(test=[article("a", ("DONOR", words), text=text)])
    assert [("warning", "off-boundary", "test, a")] == faults(report)
    start = text.index(words)
    where = f"DONOR {start}–{start + len(words)} {words!r} begins or ends inside a word"
    assert report.problems[0].message.startswith(where)


def test_span_at_punctuation_is_on_the_boundaries():
    """Punctuation is a word of its own, so that a span may end before it."""
    text = "“U.S.-built” (Belgium's)"
    report = check(test=[article("a", ("SYSTEM", "U.S."), ("DONOR", "Belgium"), text=text)])
    assert [] == faults(report)


def test_boundaries_can_be_a_tokenizers():
    """Another way to cut a text into units is judged by its units."""
    splits = {"test": Corpus((article("a", ("DONOR", "Belgium"), text="Belgium, too"),))}

    def at_blanks(text):
        return [(0, text.index(" ")), (text.index(" ") + 1, len(text))]

    assert [] == faults(check_corpus(splits))
    expected = [("warning", "off-boundary", "test, a")]
    assert expected == faults(check_corpus(splits, boundaries=at_blanks))


def test_equal_texts_in_two_splits_are_a_leak():
    """A test article that stands in train too is an error."""
    report = check(dev=[article("a", text=STORY)], test=[article("b", text=STORY)])
    expected = [Problem("error", "leak", "dev, a", "like b in test: equal texts")]
    assert expected == of_kind(report, "leak")
    assert expected == report.errors


def test_versions_in_two_splits_are_a_leak():
    """Versions of a story in two splits are a leak, with the share that they have in common."""
    longer = f"{STORY} The mayor was absent that day."
    report = check(dev=[article("a", text=STORY)], test=[article("b", text=longer)])
    message = "like b in test: 100% of the shorter one's word 5-grams"
    assert [Problem("error", "leak", "dev, a", message)] == of_kind(report, "leak")


def test_versions_in_one_split_are_near_duplicates():
    """Versions of a story in one split are a warning."""
    report = check(dev=[article("a", text=STORY), article("b", text=STORY.upper())])
    (problem,) = of_kind(report, "near-duplicate")
    assert ("warning", "dev, a") == (problem.severity, problem.where)
    assert problem.message.startswith("like b in dev: 100% of")
    assert [] == report.errors


def test_sentence_in_several_articles_is_a_warning():
    """A sentence that articles share is a warning; three of them are named, the rest counted."""
    own = {name: " ".join(f"{name}{k}" for k in range(40)) for name in "abcde"}
    some = [article(name, text=f"{words}. {STORY}") for name, words in own.items()]
    few, many = check(dev=some[:1], test=some[1:2]), check(dev=some[:2], test=some[2:])
    message = "the same sentence: the council met on tuesday and voted to repair the old bridge"
    assert [("warning", "shared-sentence", "dev, a, test, b")] == faults(few)
    assert few.problems[0].message.startswith(message)
    assert [("warning", "shared-sentence", "dev, a, dev, b, test, c and 2 more")] == faults(many)


def test_errors_are_the_problems_that_make_it_unfit():
    """Report.errors leaves the warnings out."""
    report = check(train=[donors("t", 1)], dev=[], test=[])
    assert ["empty-split", "empty-split", "rare-label"] == [p.kind for p in report.problems]
    assert ["empty-split", "empty-split"] == [p.kind for p in report.errors]


def test_report_is_written_as_json():
    """A report is an object of splits, problems and the number of errors."""
    report = check(train=[donors("t", 2)], dev=[])
    written = json.loads(json.dumps(report.to_dict()))
    train = {
        "articles": 1,
        "words": 5,
        "spans": 2,
        "labels": {"DONOR": 2},
        "surfaces": {"DONOR": 2},
        "frequent": {"DONOR": ["tLand0", 0.5]},
        "unseen": {},
    }
    assert ["train", "dev"] == list(written["splits"])
    assert train == written["splits"]["train"]
    assert train == written["together"]
    expected = {
        "severity": "error",
        "kind": "empty-split",
        "where": "dev",
        "message": "no annotated article",
    }
    assert expected == written["problems"][0]
    assert 2 == len(written["problems"])
    assert 1 == written["errors"]


# Reading splits


def test_splits_of_a_folder_are_its_files(tmp_path):
    """A folder's files are splits by name: train, dev and test first, then the others."""
    for name in ("extra.json", "dev.jsonl", "test.conll", "train.json"):
        write_corpus([donors(name[0], 1)], tmp_path / name)
    (tmp_path / "README.md").write_text("x", encoding="utf-8")
    (tmp_path / "raw.json").mkdir()
    splits = read_splits(tmp_path)
    assert ["train", "dev", "test", "extra"] == list(splits)
    assert [1, 1, 1, 1] == [len(corpus.articles) for corpus in splits.values()]


def test_one_file_is_one_split(tmp_path):
    """A file is a split called by its name."""
    write_corpus([donors("a", 1)], tmp_path / "news.json")
    assert ["news"] == list(read_splits(str(tmp_path / "news.json")))


def test_folder_of_marked_texts_is_one_split(tmp_path):
    """A folder of .txt files is a split called by the folder's name."""
    (tmp_path / "a.txt").write_text("{DONOR|Belgium} paid", encoding="utf-8")
    splits = read_splits(tmp_path)
    assert {tmp_path.name: ["a"]} == {k: [a.id for a in v.articles] for k, v in splits.items()}


@pytest.mark.parametrize("name", ["train.json", "train.jsonl", "train.conll"])
def test_labels_outside_the_scheme_are_rejected(tmp_path, name):
    """The labels asked for hold in every split, in a folder as in a file."""
    write_corpus([article("a", ("DONOR", "Belgium"), ("COUNTRY", "Chad"))], tmp_path / name)
    for path in (tmp_path, tmp_path / name):
        (corpus,) = read_splits(path, labels=("DONOR",)).values()
        assert ["unknown-label"] == [f.kind for f in corpus.rejected]


def test_folder_without_articles_is_refused(tmp_path):
    """A folder without a file of a known format is refused."""
    (tmp_path / "README.md").write_text("x", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_splits(tmp_path)
    assert str(tmp_path) == caught.value.where
    assert "a folder without a file of annotated articles" == caught.value.found


def test_split_in_two_formats_is_refused(tmp_path):
    """Two files of one name leave open which is the split."""
    for name in ("train.json", "train.jsonl", "dev.json"):
        write_corpus([donors("a", 1)], tmp_path / name)
    with pytest.raises(DataError, match="several files called train"):
        read_splits(tmp_path)


def test_missing_folder_is_refused(tmp_path):
    """A path that is not there is said to be missing."""
    with pytest.raises(DataError, match="no such file"):
        read_splits(tmp_path / "aid")


def test_articles_are_counted_by_a_field_of_their_meta():
    """Values in order of how common they are; articles without the field count as empty."""
    some = [Article(f"a{i}", "x", meta={"voice": v}) for i, v in enumerate(["agency", "op-ed"])]
    splits = {"train": Corpus((*some, Article("b", "y"))), "dev": Corpus((some[1],))}
    expected = {
        "op-ed": {"train": 1, "dev": 1},
        "": {"train": 1, "dev": 0},
        "agency": {"train": 1, "dev": 0},
    }
    assert expected == count_by(splits, "voice")
    assert list(expected) == list(count_by(splits, "voice"))
