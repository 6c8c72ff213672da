"""What the reader of Label Studio exports takes, mends, rejects and notes."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presstag.corpus import Annotation, Corpus, read_corpus, write_corpus
from presstag.corpus.labelstudio import read_tasks
from presstag.corpus.tasks import to_task
from presstag.errors import DataError
from presstag.spans import Article, Span

LABELS = ("DONOR", "AMOUNT")
TEXT = "Belgium pledged 611 million euros."


def region(start, end, label="DONOR", *, says=None, name="r1"):
    """Build a region as the server exports it; `says` is its value.text."""
    labels = [label] if isinstance(label, str) else label
    value = {"start": start, "end": end, "labels": labels}
    if says is not None:
        value["text"] = says
    return {
        "id": name,
        "from_name": "label",
        "to_name": "text",
        "type": "labels",
        "origin": "manual",
        "value": value,
    }


def annotation(*regions, **more):
    return {"id": 7, "completed_by": 1, "was_cancelled": False, "result": list(regions), **more}


def task(*annotations, text=TEXT, name="a1", **more):
    return {"id": 1, "data": {"id": name, "text": text}, "annotations": list(annotations), **more}


def read(*tasks, labels=LABELS):
    return read_tasks(tasks, source="export.json", labels=labels)


def read_regions(*regions, text=TEXT):
    return read(task(annotation(*regions), text=text))


def keys(corpus):
    """Start, end and label of the spans of the only article."""
    (article,) = corpus.articles
    return [span.key for span in article.spans]


def faults(corpus):
    """Kind, action, article and region of each finding."""
    return [(f.kind, f.action, f.article, f.region) for f in corpus.findings]


def one_message(corpus):
    (finding,) = corpus.findings
    return finding.message


def test_good_region_is_a_span():
    """A good region becomes a span with the words of the text, and nothing is reported."""
    corpus = read_regions(region(0, 7, says="Belgium"), region(16, 33, "AMOUNT", name="r2"))
    expected = (Span(0, 7, "DONOR", "Belgium"), Span(16, 33, "AMOUNT", "611 million euros"))
    assert expected == corpus.articles[0].spans
    assert () == corpus.findings


def test_regions_out_of_order_are_sorted():
    """Regions come in the order of the annotator's clicks; spans in the order of the text."""
    corpus = read_regions(region(16, 33, "AMOUNT"), region(0, 7))
    assert [(0, 7, "DONOR"), (16, 33, "AMOUNT")] == keys(corpus)


# Offsets


@pytest.mark.parametrize(("start", "end"), [(28, 35), (34, 40), (-1, 7), (90, 99)])
def test_offsets_outside_the_text_are_rejected(start, end):
    """A region that reaches outside the text is rejected."""
    corpus = read_regions(region(start, end))
    assert [] == keys(corpus)
    assert [("past-end", "rejected", "a1", "r1")] == faults(corpus)
    assert f"DONOR {start}–{end} lies outside the text of 34 code points" == one_message(corpus)


def test_last_code_point_is_inside_the_text():
    """A region may end with the text."""
    corpus = read_regions(region(28, 34))
    assert [(28, 34, "DONOR")] == keys(corpus)
    assert [] == faults(corpus)


@pytest.mark.parametrize(("start", "end"), [(7, 0), (7, 7), (0, 0), (99, 90)])
def test_reversed_or_empty_regions_are_rejected(start, end):
    """A region that ends before it begins, or at once, is rejected."""
    corpus = read_regions(region(start, end))
    assert [] == keys(corpus)
    assert [("reversed", "rejected", "a1", "r1")] == faults(corpus)


@pytest.mark.parametrize(
    ("start", "end"),
    [(True, 7), (False, True), (0, 7.0), (1.0, 7), (None, 7), (0, None), ("0", "7")],
)
def test_offsets_that_are_no_whole_numbers_are_rejected(start, end):
    """Offsets are whole numbers; true, 1.0, null and "0" are none."""
    corpus = read_regions(region(start, end))
    assert [] == keys(corpus)
    assert [("offsets", "rejected", "a1", "r1")] == faults(corpus)
    assert f"offsets {start!r} to {end!r}" in one_message(corpus)


@pytest.mark.parametrize("value", [None, [], "Belgium"])
def test_region_without_a_value_is_rejected(value):
    """A region of type labels without an object `value` has no offsets."""
    corpus = read_regions(region(0, 7) | {"value": value})
    assert [] == keys(corpus)
    assert [("offsets", "rejected", "a1", "r1")] == faults(corpus)


def test_region_that_is_no_object_is_rejected():
    """A string where a region should be is rejected, and its neighbour is read."""
    corpus = read_regions("Belgium", region(0, 7))
    assert [(0, 7, "DONOR")] == keys(corpus)
    assert [("region", "rejected", "a1", None)] == faults(corpus)


@pytest.mark.parametrize("kind", [None, [], {}, 3])
def test_region_of_a_type_that_is_no_string_is_noted(kind):
    """A type that is no string is none of ours, and does not stop the reader."""
    corpus = read_regions(region(0, 7) | {"type": kind}, region(16, 33, "AMOUNT", name="r2"))
    assert [(16, 33, "AMOUNT")] == keys(corpus)
    assert [("other-type", "noted", "a1", "r1")] == faults(corpus)


def test_region_without_an_id_is_called_by_a_question_mark():
    """A finding names a region without an id `?`."""
    nameless = region(0, 99)
    del nameless["id"]
    assert [("past-end", "rejected", "a1", "?")] == faults(read_regions(nameless))


# Blanks


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        (" Acme gave", 0, 5),
        ("Acme gave", 0, 5),
        ("\n\tAcme\u00a0gave", 0, 7),
        ("\u3000Acme\r\ngave", 0, 7),
    ],
)
def test_blanks_at_the_edges_are_trimmed(text, start, end):
    """White space at the edges of a region is cut off, and that is reported."""
    corpus = read_regions(region(start, end), text=text)
    assert ["Acme"] == [s.text for s in corpus.articles[0].spans]
    assert [("trimmed", "repaired", "a1", "r1")] == faults(corpus)


def test_blanks_inside_are_kept():
    """White space inside a region belongs to it."""
    corpus = read_regions(region(16, 27, "AMOUNT"))
    assert "611 million" == corpus.articles[0].spans[0].text
    assert [] == faults(corpus)


@pytest.mark.parametrize("blanks", [" ", " \n\t", "\u00a0\u2028"])
def test_region_of_white_space_is_rejected(blanks):
    """A region that holds only white space is no span."""
    corpus = read_regions(region(4, 4 + len(blanks)), text=f"Acme{blanks}gave")
    assert [] == keys(corpus)
    assert [("blank", "rejected", "a1", "r1")] == faults(corpus)


# value.text


def test_other_words_are_rejected():
    """A region whose value.text is not what its offsets hold is rejected."""
    corpus = read_regions(region(0, 7, says="Germany"))
    assert [] == keys(corpus)
    assert [("other-text", "rejected", "a1", "r1")] == faults(corpus)
    assert "DONOR 0–7 is 'Belgium' but says 'Germany'" == one_message(corpus)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("Acme\nCorp", "Acme\\nCorp"),
        ("Acme\r\nCorp", "Acme\\n\\nCorp"),
        ("Acme\rCorp", "Acme\\nCorp"),
        ("Acme\tCorp", "Acme Corp"),
        ("Acme\nCorp", "Acme\nCorp"),
        ("Acme \\new Corp", "Acme \\new Corp"),
    ],
)
def test_server_escapes_in_the_words_are_understood(words, says):
    """The server writes a line break as backslash-n and a tab as a blank: no other text."""
    corpus = read_regions(region(2, 2 + len(words), says=says), text=f"A {words} gave")
    assert [words] == [s.text for s in corpus.articles[0].spans]
    assert [] == faults(corpus)


def test_blank_in_the_words_is_trimmed_like_the_region():
    """The UI stores `Acme ` with its blank in offsets and words: both are trimmed."""
    corpus = read_regions(region(0, 8, says="Belgium "))
    assert [(0, 7, "DONOR")] == keys(corpus)
    assert [("trimmed", "repaired", "a1", "r1")] == faults(corpus)


# Offset units

EMOJI = "😀 Anna works for Acme, 🚀 Acme Labs"


def test_utf16_offsets_are_converted():
    """An old export's offsets, recognised by the words, become code points."""
    corpus = read_regions(region(18, 22, says="Acme"), text=EMOJI)
    assert (Span(17, 21, "DONOR", "Acme"),) == corpus.articles[0].spans
    assert [("utf16", "repaired", "a1", "r1")] == faults(corpus)
    assert "DONOR 18–22 counts UTF-16 units; it is 17–21" == one_message(corpus)


def test_utf16_offset_at_the_end_of_the_text_is_converted():
    """UTF-16 offsets past the last code point are inside a text with emoji."""
    units = len(EMOJI.encode("utf-16-le")) // 2
    corpus = read_regions(region(units - 4, units, says="Labs"), text=EMOJI)
    assert [(len(EMOJI) - 4, len(EMOJI), "DONOR")] == keys(corpus)
    assert [("utf16", "repaired", "a1", "r1")] == faults(corpus)


def test_utf16_is_recognised_by_an_emoji_inside_the_last_words():
    """An emoji inside the last words moves their end past the last code point."""
    corpus = read_regions(region(5, 15, says="Acme🚀Labs"), text="Team Acme🚀Labs")
    assert [(5, 14, "DONOR")] == keys(corpus)
    assert [("utf16", "repaired", "a1", "r1")] == faults(corpus)


def test_utf16_counts_for_the_whole_annotation():
    """Where words show UTF-16, a region that does not say its words is converted too."""
    said, silent = region(18, 22, says="Acme"), region(27, 31, "AMOUNT", name="r2")
    corpus = read_regions(said, silent, text=EMOJI)
    assert ["Acme", "Acme"] == [s.text for s in corpus.articles[0].spans]
    expected = [("utf16", "repaired", "a1", "r1"), ("utf16", "repaired", "a1", "r2")]
    assert expected == faults(corpus)


def test_utf16_region_before_the_emoji_is_not_reported():
    """A region that the unit does not move is taken as it is."""
    regions = region(0, 4, says="Acme"), region(8, 13, "AMOUNT", says="fives", name="r2")
    corpus = read_regions(*regions, text="Acme 😀 fives")
    assert [(0, 4, "DONOR"), (7, 12, "AMOUNT")] == keys(corpus)
    assert [("utf16", "repaired", "a1", "r2")] == faults(corpus)


def test_code_points_with_emoji_are_left_alone():
    """Today's export counts code points: with emoji before the entity nothing is moved."""
    regions = region(17, 21, says="Acme"), region(25, 34, says="Acme Labs", name="r2")
    corpus = read_regions(*regions, text=EMOJI)
    assert ["Acme", "Acme Labs"] == [s.text for s in corpus.articles[0].spans]
    assert [] == faults(corpus)


def test_code_points_without_words_are_left_alone():
    """Without words to tell the unit, offsets count code points."""
    corpus = read_regions(region(17, 21), text=EMOJI)
    assert (Span(17, 21, "DONOR", "Acme"),) == corpus.articles[0].spans
    assert [] == faults(corpus)


def test_one_wrong_region_does_not_make_an_export_utf16():
    """A tie between code points and UTF-16 goes to code points."""
    regions = region(17, 21, says="Acme"), region(27, 31, says="Acme", name="r2")
    corpus = read_regions(*regions, text=EMOJI)
    assert [(17, 21, "DONOR")] == keys(corpus)
    assert [("other-text", "rejected", "a1", "r2")] == faults(corpus)


@settings(deadline=None)
@given(st.text(st.sampled_from("aé 😀𝕏\n"), min_size=1, max_size=20), st.data())
def test_utf16_offsets_come_back_as_code_points(text, data):
    """Whatever stands before a word, its UTF-16 offsets give the word back."""
    words = data.draw(st.sampled_from(["Acme", "Acme🚀Labs", "Zürich"]))
    whole = text + words
    units = len(text.encode("utf-16-le")) // 2
    end = len(whole.encode("utf-16-le")) // 2
    corpus = read_regions(region(units, end, says=words), text=whole)
    assert [(len(text), len(whole), "DONOR")] == keys(corpus)


# Labels


def test_unknown_label_is_rejected():
    """A label outside the scheme is rejected."""
    corpus = read_regions(region(0, 7, "COUNTRY"))
    assert [] == keys(corpus)
    assert [("unknown-label", "rejected", "a1", "r1")] == faults(corpus)
    assert "COUNTRY" in one_message(corpus)


def test_any_label_is_known_without_a_scheme():
    """Without a list of labels every label is taken."""
    corpus = read(task(annotation(region(0, 7, "COUNTRY"))), labels=None)
    assert [(0, 7, "COUNTRY")] == keys(corpus)
    assert [] == faults(corpus)


def test_several_labels_with_one_known_give_a_span():
    """Of several labels on a region the only known one counts."""
    corpus = read_regions(region(0, 7, ["COUNTRY", "DONOR"]))
    assert [(0, 7, "DONOR")] == keys(corpus)
    assert [("several-labels", "repaired", "a1", "r1")] == faults(corpus)


def test_several_known_labels_are_rejected():
    """A region with two labels of the scheme is no flat span."""
    corpus = read_regions(region(0, 7, ["DONOR", "AMOUNT"]))
    assert [] == keys(corpus)
    assert [("several-labels", "rejected", "a1", "r1")] == faults(corpus)


@pytest.mark.parametrize("labels", [[], None, [3], {"DONOR": 1}])
def test_region_without_a_label_is_rejected(labels):
    """The server keeps regions without labels; they are no spans."""
    corpus = read_regions(region(0, 7, labels))
    assert [] == keys(corpus)
    assert [("no-label", "rejected", "a1", "r1")] == faults(corpus)


# Duplicates and overlaps


def test_duplicate_region_is_kept_once():
    """The same span twice is one span."""
    corpus = read_regions(region(0, 7), region(0, 7, name="r2"))
    assert [(0, 7, "DONOR")] == keys(corpus)
    assert [("duplicate", "repaired", "a1", None)] == faults(corpus)


def test_longer_of_two_overlapping_spans_is_kept():
    """Of two spans that overlap the longer one is kept, whichever came first."""
    corpus = read_regions(region(16, 19, "AMOUNT"), region(16, 33, "AMOUNT", name="r2"))
    assert [(16, 33, "AMOUNT")] == keys(corpus)
    assert [("overlap", "rejected", "a1", None)] == faults(corpus)
    assert one_message(corpus).startswith(
        "AMOUNT 16–19 '611' overlaps AMOUNT 16–33 '611 million euros', which is kept"
    )


def test_first_of_two_equally_long_spans_is_kept():
    """Of two equally long spans the one that starts first is kept."""
    corpus = read_regions(region(2, 7, "AMOUNT"), region(0, 5, name="r2"))
    assert [(0, 5, "DONOR")] == keys(corpus)
    assert [("overlap", "rejected", "a1", None)] == faults(corpus)


@pytest.mark.parametrize("labels", [("DONOR", "AMOUNT"), ("AMOUNT", "DONOR")])
def test_first_of_two_labels_on_one_stretch_is_kept(labels):
    """Of two spans on one stretch the one that came first is kept."""
    corpus = read_regions(*(region(0, 7, label) for label in labels))
    assert [(0, 7, labels[0])] == keys(corpus)
    assert [("overlap", "rejected", "a1", None)] == faults(corpus)


def test_spans_that_touch_are_both_kept():
    """A span may begin where another ends."""
    corpus = read_regions(region(0, 3), region(3, 7, "AMOUNT"))
    assert [(0, 3, "DONOR"), (3, 7, "AMOUNT")] == keys(corpus)
    assert [] == faults(corpus)


# Entries that are no spans


def test_relation_is_noted():
    """A relation between regions has no value and no id: it is noted."""
    relation = {"type": "relation", "from_id": "r1", "to_id": "r2", "direction": "right"}
    corpus = read_regions(region(0, 7), relation)
    assert [(0, 7, "DONOR")] == keys(corpus)
    assert [("other-type", "noted", "a1", None)] == faults(corpus)


@pytest.mark.parametrize("kind", ["choices", "textarea", "rating"])
def test_answer_about_the_whole_text_is_noted(kind):
    """Choices, text areas and ratings are about the text, not spans of it."""
    answer = {"id": "c1", "type": kind, "value": {kind: ["yes"]}}
    corpus = read_regions(region(0, 7), answer)
    assert [(0, 7, "DONOR")] == keys(corpus)
    assert [("other-type", "noted", "a1", "c1")] == faults(corpus)
    assert kind in one_message(corpus)


@pytest.mark.parametrize("kind", ["hypertextlabels", "paragraphlabels"])
def test_region_in_html_is_rejected(kind):
    """A region that counts within HTML elements is lost, so it is rejected and not just noted."""
    html = {"id": "h1", "type": kind, "value": {"start": "/p[1]/text()[1]", "startOffset": 0}}
    corpus = read_regions(html)
    assert [] == keys(corpus)
    assert [("other-type", "rejected", "a1", "h1")] == faults(corpus)


# Which annotations count


def test_skipped_task_is_no_article():
    """A task that the annotator skipped is no article, even if it holds regions."""
    corpus = read(task(annotation(region(0, 7), was_cancelled=True)))
    assert () == corpus.articles
    assert [("skipped", "noted", "a1", None)] == faults(corpus)


def test_skipping_annotator_leaves_the_other_one():
    """Where one annotator skipped a task, the other one's spans count."""
    skipped = annotation(was_cancelled=True, completed_by=2, updated_at="2026-09-09")
    corpus = read(task(skipped, annotation(region(0, 7))))
    assert [(0, 7, "DONOR")] == keys(corpus)
    assert [] == faults(corpus)


def test_empty_annotation_is_an_article_without_spans():
    """An annotation of nothing says that there is nothing: an article with no spans."""
    corpus = read(task(annotation()))
    assert (Article("a1", TEXT),) == corpus.articles
    assert () == corpus.findings


@pytest.mark.parametrize("more", [{"annotations": []}, {"annotations": None}, {}])
def test_task_without_annotations_is_no_article(more):
    """A task that nobody annotated is no article: it says nothing."""
    corpus = read({"id": 1, "data": {"id": "a1", "text": TEXT}, **more})
    assert () == corpus.articles
    assert [("unannotated", "noted", "a1", None)] == faults(corpus)
    assert "no annotation: no data" == one_message(corpus)


@pytest.mark.parametrize("key", ["drafts", "predictions"])
@pytest.mark.parametrize("whole", [True, False])
def test_drafts_and_predictions_are_no_data(key, whole):
    """A task with only drafts or predictions is no article, be they whole or ids."""
    corpus = read(task(**{key: [annotation(region(0, 7))] if whole else [2]}))
    assert () == corpus.articles
    assert [("unannotated", "noted", "a1", None)] == faults(corpus)
    assert f"only {key}: no data" == one_message(corpus)


def test_drafts_and_predictions_beside_an_annotation_are_ignored():
    """Spans come from the annotation alone."""
    extra = [annotation(region(16, 33, "AMOUNT"))]
    corpus = read(task(annotation(region(0, 7)), drafts=extra, predictions=extra))
    assert [(0, 7, "DONOR")] == keys(corpus)
    assert [] == faults(corpus)


def test_ground_truth_wins():
    """Of several annotations the one marked as ground truth counts, old as it may be."""
    truth = annotation(region(0, 7), completed_by=1, ground_truth=True, updated_at="2026-01-01")
    newer = annotation(completed_by=2, updated_at="2026-02-02")
    corpus = read(task(truth, newer))
    assert [(0, 7, "DONOR")] == keys(corpus)
    assert [("several-annotators", "noted", "a1", None)] == faults(corpus)
    assert "2 annotations; that of annotator 1 counts" == one_message(corpus)


@pytest.mark.parametrize("times", [("2026-01-01", "2026-02-02"), ("2026-02-02", "2026-01-01")])
def test_last_updated_annotation_wins(times):
    """Without ground truth the annotation updated last counts, wherever it stands."""
    one, two = (
        annotation(region(start, end), completed_by=who, updated_at=time)
        for who, start, end, time in [(1, 0, 7, times[0]), (2, 16, 33, times[1])]
    )
    corpus = read(task(one, two))
    assert [(0, 7, "DONOR") if times[0] > times[1] else (16, 33, "DONOR")] == keys(corpus)
    assert [("several-annotators", "noted", "a1", None)] == faults(corpus)


def test_higher_id_wins_a_tie():
    """Annotations of one moment follow their id."""
    corpus = read(task(annotation(region(0, 7), id=9), annotation(id=8)))
    assert [(0, 7, "DONOR")] == keys(corpus)


def test_last_updated_ground_truth_wins():
    """Of two annotations marked as ground truth the one updated last counts."""
    old = annotation(ground_truth=True, updated_at="2026-01-01T00:00:00Z")
    new = annotation(region(0, 7), ground_truth=True, updated_at="2026-01-02T00:00:00Z")
    plain = annotation(updated_at="2026-01-03T00:00:00Z")
    assert [(0, 7, "DONOR")] == keys(read(task(old, new, plain)))


def test_every_annotation_is_kept():
    """Corpus.annotations holds every annotator's spans, in the order of the file."""
    one = annotation(region(0, 7), completed_by=1, ground_truth=True)
    two = annotation(completed_by={"id": 2, "email": "bob@example.com"})
    three = annotation(completed_by={"id": 3})
    four = annotation(completed_by=None)
    belgium = Span(0, 7, "DONOR", "Belgium")
    expected = (
        Annotation("bob@example.com", ()),
        Annotation("3", ()),
        Annotation("unknown", ()),
        Annotation("1", (belgium,), ground_truth=True),
    )
    assert {"a1": expected} == read(task(one, two, three, four)).annotations


def test_completions_of_old_exports_are_annotations():
    """Label Studio before 1.0 called annotations completions."""
    old = {"id": 1, "data": {"text": TEXT}, "completions": [{"id": 1, "result": [region(0, 7)]}]}
    corpus = read(old)
    assert [(0, 7, "DONOR")] == keys(corpus)
    assert [] == faults(corpus)


def test_annotations_that_are_no_list_are_rejected():
    """A task whose annotations are no list is no article."""
    corpus = read(task() | {"annotations": {"result": []}})
    assert () == corpus.articles
    assert [("annotations", "rejected", "a1", None)] == faults(corpus)


@pytest.mark.parametrize("broken", [7, {}, {"result": None}, {"result": "x"}])
def test_annotation_without_a_result_is_rejected(broken):
    """An annotation without a list `result` is rejected; the one beside it counts."""
    corpus = read(task(broken, annotation(region(0, 7))))
    assert [(0, 7, "DONOR")] == keys(corpus)
    assert [("annotations", "rejected", "a1", None)] == faults(corpus)


# Tasks


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"id": "a1", "text": 611}, "data.text is a int: 611"),
        ({"id": "a1", "text": None}, "data.text is missing"),
        ({"id": "a1", "body": TEXT}, "data.text is missing"),
    ],
)
def test_task_without_a_text_is_rejected(data, says):
    """A task whose text is a number or missing is rejected; the export is read on."""
    corpus = read(task(annotation()) | {"data": data}, task(annotation(region(0, 7)), name="a2"))
    assert ["a2"] == [a.id for a in corpus.articles]
    assert [("text", "rejected", "a1", None)] == faults(corpus)
    assert one_message(corpus).startswith(says)


def test_empty_text_is_an_article():
    """An annotated empty text is an article."""
    assert (Article("a1", ""),) == read(task(annotation(), text="")).articles


def test_text_under_another_key_is_read():
    """The field that holds the text can be named."""
    tasks = [task(annotation(region(0, 7))) | {"data": {"body": TEXT, "id": "a1"}}]
    corpus = read_tasks(tasks, source="x", text_key="body")
    assert TEXT == corpus.articles[0].text


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        ("Belgium", "a str"),
        (None, "a NoneType"),
        ([], "a list"),
        ({}, "an object with the keys (none)"),
        ({"id": 1, "text": TEXT}, "an object with the keys id, text"),
        ({"id": 1, "data": TEXT}, "an object with the keys id, data"),
    ],
)
def test_what_is_no_task_is_refused(bad, found):
    """A list of something else than tasks is no export; the error counts to the culprit."""
    with pytest.raises(DataError) as caught:
        read(task(annotation()), bad)
    assert ("export.json, task 2", found) == (caught.value.where, caught.value.found)
    assert "choose Export, then JSON" in caught.value.do


def test_json_min_export_is_recognised():
    """A JSON_MIN export is refused by its name."""
    row = {
        "id": 1,
        "text": TEXT,
        "label": [{"start": 0, "end": 7, "text": "Belgium", "labels": ["DONOR"]}],
        "annotator": 1,
        "annotation_id": 3,
        "created_at": "2026-01-01T00:00:00Z",
    }
    with pytest.raises(DataError, match="JSON_MIN"):
        read(row)


def test_id_is_that_of_the_data_then_the_task_then_the_place():
    """An article is called by data.id, else by the task's id, else by its place in the file."""
    whole = task(annotation(), name="story-1")
    of_task = {"id": 42, "data": {"text": TEXT}, "annotations": [annotation()]}
    nameless = {"data": {"text": TEXT}, "annotations": [annotation()]}
    assert ["story-1", "42", "#3"] == [a.id for a in read(whole, of_task, nameless).articles]


def test_null_id_is_no_id():
    """An id of null counts as none."""
    corpus = read(task(annotation(), name=None), task(annotation(), name=None) | {"id": None})
    assert ["1", "#2"] == [a.id for a in corpus.articles]


def test_repeated_ids_are_numbered():
    """Of articles with one id the later ones are renamed, and so are their annotations."""
    corpus = read(task(annotation(region(0, 7))), task(annotation()), task(annotation()))
    assert ["a1", "a1#2", "a1#3"] == [a.id for a in corpus.articles]
    assert [("duplicate-id", "repaired", "a1", None)] * 2 == faults(corpus)
    assert [1, 0, 0] == [len(corpus.annotations[a.id][0].spans) for a in corpus.articles]


def test_renaming_never_meets_another_id():
    """A new name for a repeated id is one that no article has."""
    names = ["a1", "a1#2", "a1", "a1"]
    corpus = read(*(task(annotation(), name=name) for name in names))
    assert ["a1", "a1#2", "a1#3", "a1#4"] == [a.id for a in corpus.articles]
    assert {a.id for a in corpus.articles} == set(corpus.annotations)


def test_other_fields_are_meta():
    """What stands beside the text, and the task's meta, go with the article."""
    data = {"id": "a1", "text": TEXT, "url": "https://example.com/1", "date": "2026-01-01"}
    corpus = read(task(annotation()) | {"data": data, "meta": {"date": "2026-02-02"}})
    expected = {"url": "https://example.com/1", "date": "2026-02-02"}
    assert expected == corpus.articles[0].meta


def test_finding_is_written_as_json():
    """A finding is an object of its five fields."""
    (finding,) = read_regions(region(7, 0)).findings
    expected = {
        "kind": "reversed",
        "action": "rejected",
        "article": "a1",
        "message": "DONOR 7–0: it ends before it begins, or holds nothing",
        "region": "r1",
    }
    assert expected == json.loads(json.dumps(finding.to_dict()))


def test_rejected_findings_are_those_that_cost_something():
    """Corpus.rejected leaves out what was repaired or noted."""
    corpus = read_regions(region(7, 0), region(0, 8, name="r2"), {"type": "relation"})
    assert {"rejected", "repaired", "noted"} == {f.action for f in corpus.findings}
    assert ["reversed"] == [f.kind for f in corpus.rejected]


# Writing


def test_task_is_ready_to_import():
    """A written task has data, meta and one annotation that is not ground truth by accident."""
    article = Article("a1", TEXT, (Span(0, 7, "DONOR", "Belgium"),), {"url": "u"})
    written = to_task(article, [Annotation("4", article.spans)])
    (result,) = written["annotations"]
    (piece,) = result["result"]
    assert {"id": "a1", "text": TEXT} == written["data"]
    assert {"url": "u"} == written["meta"]
    assert (4, False, False) == (
        result["completed_by"],
        result["was_cancelled"],
        result["ground_truth"],
    )
    assert ("label", "text", "labels") == (piece["from_name"], piece["to_name"], piece["type"])
    assert {"start": 0, "end": 7, "text": "Belgium", "labels": ["DONOR"]} == piece["value"]


def test_every_annotator_survives_a_round_trip(tmp_path):
    """Several annotations are written and read back, and the same one counts."""
    tasks = [task(annotation(region(0, 7)), annotation(region(16, 19), id=9), annotation())]
    tasks[0]["annotations"][0]["updated_at"] = "2026-01-02T03:04:05Z"
    for entry, who in zip(
        tasks[0]["annotations"], (1, {"email": "b@example.org"}, "c"), strict=True
    ):
        entry["completed_by"] = who
    before = read_tasks(tasks, source="export.json")
    write_corpus(before.articles, tmp_path / "again.json", annotations=before.annotations)
    after = read_corpus(tmp_path / "again.json")
    assert before.annotations == after.annotations
    assert before.articles == after.articles
    assert 3 == len(after.annotations["a1"])


def test_region_ids_are_stable_and_differ():
    """The same span of the same article has the same region id; another span has another."""
    spans = (Span(0, 7, "DONOR", "Belgium"), Span(16, 19, "AMOUNT", "611"))

    def ids(name):
        written = to_task(Article(name, TEXT, spans))
        return [piece["id"] for piece in written["annotations"][0]["result"]]

    assert ids("a1") == ids("a1")
    assert 4 == len({*ids("a1"), *ids("a2")})


@st.composite
def articles(draw):
    """An article of arbitrary text with trimmed spans, none overlapping another."""
    text = draw(st.text(st.characters(codec="utf-8"), max_size=60))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    spans = []
    for start, end in pairwise(cuts):
        words = text[start:end].strip()
        if words and draw(st.booleans()):
            left = text.index(words, start)
            label = draw(st.sampled_from(["DONOR", "AMOUNT", "Größe"]))
            spans.append(Span(left, left + len(words), label, words))
    meta = draw(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5)))
    return Article(draw(st.text(max_size=8)), text, tuple(spans), meta)


@settings(deadline=None)
@given(st.lists(articles(), max_size=4, unique_by=lambda a: a.id))
def test_write_then_read_is_the_identity(tmp_path_factory, some):
    """Articles written as tasks come back as they were, with nothing to report."""
    path = tmp_path_factory.getbasetemp() / "identity.json"
    assert [] == write_corpus(some, path)
    corpus = read_corpus(path)
    assert tuple(some) == corpus.articles
    assert () == corpus.findings


# Anything at all

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 50) | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["start", "end", "labels", "text", "x"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"type": st.just("labels") | ANY_JSON},
            optional={
                "id": ANY_JSON,
                "value": ANY_JSON
                | st.fixed_dictionaries(
                    {
                        "start": st.integers(-3, 50) | ANY_JSON,
                        "end": st.integers(-3, 50) | ANY_JSON,
                        "labels": st.just(["DONOR"]) | ANY_JSON,
                    },
                    optional={"text": ANY_JSON},
                ),
            },
        )
        | ANY_JSON,
        max_size=6,
    )
)
def test_every_region_is_a_span_or_a_finding(regions):
    """Whatever a region holds, it is read or reported; nothing is lost in silence."""
    corpus = read_regions(*regions, text="  Belgium 😀 pledged 611 million euros.\n")
    (article,) = corpus.articles
    dropped = [f for f in corpus.findings if f.action != "repaired" or f.kind == "duplicate"]
    assert len(regions) == len(article.spans) + len(dropped)


def test_empty_export_is_an_empty_corpus():
    """An export of no tasks holds no articles and no findings."""
    assert Corpus(()) == read()


def test_findings_follow_the_file():
    """Findings stand in the order of the tasks, each with its own article."""
    corpus = read(
        task(annotation(region(7, 0)), name="a1"),
        task(annotation(region(0, 99)), name="a2"),
    )
    assert [("reversed", "a1"), ("past-end", "a2")] == [
        (f.kind, f.article) for f in corpus.findings
    ]
