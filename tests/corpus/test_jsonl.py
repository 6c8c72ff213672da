"""An article a line: what is read, what is rejected, and that writing loses nothing."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presstag.corpus import read_corpus, write_corpus
from presstag.corpus.jsonl import read_records, to_record
from presstag.errors import DataError
from presstag.spans import Article, Span

TEXT = "Belgium pledged 611 million euros."
BELGIUM = {"start": 0, "end": 7, "label": "DONOR"}


def read(*spans, text=TEXT, **more):
    record = {"id": "a1", "text": text, "spans": list(spans)}
    return read_records([record], source="x.jsonl", labels=("DONOR", "AMOUNT"), **more)


def faults(corpus):
    """Kind, action, article and region of each finding."""
    return [(f.kind, f.action, f.article, f.region) for f in corpus.findings]


def keys(corpus):
    return [span.key for span in corpus.articles[0].spans]


def test_record_is_an_article():
    """A record becomes an article with its spans in order and its meta."""
    amount = {"start": 16, "end": 33, "label": "AMOUNT", "text": "611 million euros"}
    record = {"id": 5, "text": TEXT, "spans": [amount, BELGIUM], "meta": {"url": "u"}}
    spans = (Span(0, 7, "DONOR", "Belgium"), Span(16, 33, "AMOUNT", "611 million euros"))
    corpus = read_records([record], source="x.jsonl")
    assert (Article("5", TEXT, spans, {"url": "u"}),) == corpus.articles
    assert () == corpus.findings


def test_text_alone_is_an_article():
    """A record needs a text and nothing else; its place is its id."""
    corpus = read_records([{"text": "One"}, {"id": None, "text": "Two"}], source="x.jsonl")
    assert (Article("#1", "One"), Article("#2", "Two")) == corpus.articles


@pytest.mark.parametrize("meta", [None, [], "x"])
def test_meta_that_is_no_object_is_left_out(meta):
    """Meta is an object or nothing."""
    corpus = read_records([{"text": "One", "meta": meta}], source="x.jsonl")
    assert {} == corpus.articles[0].meta


@pytest.mark.parametrize(
    "record",
    [
        "text",
        None,
        [],
        {},
        {"text": 5},
        {"text": None},
        {"text": "One", "spans": None},
        {"text": "One", "spans": {"start": 0}},
    ],
)
def test_record_that_is_no_article_is_refused(record):
    """A record without a text, or whose spans are no list, is refused by its number."""
    with pytest.raises(DataError) as caught:
        read_records([{"text": "One"}, record], source="x.jsonl")
    assert ("x.jsonl, record 2", repr(record)) == (caught.value.where, caught.value.found)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"label": "COUNTRY"}, "unknown-label"),
        ({"end": 99}, "past-end"),
        ({"start": -1}, "past-end"),
        ({"start": 7, "end": 0}, "reversed"),
        ({"end": 0}, "reversed"),
        ({"text": "Germany"}, "other-text"),
        ({"text": None}, "other-text"),
        ({"end": 8}, "blank"),
        ({"start": 7, "end": 8}, "blank"),
        ({"start": False}, "span"),
        ({"end": 7.0}, "span"),
        ({"start": None}, "span"),
        ({"label": 3}, "span"),
        ({"label": None}, "span"),
    ],
)
def test_bad_span_is_rejected(change, kind):
    """A span that cannot be taken is rejected under its kind, and its neighbour is read."""
    corpus = read({"start": 16, "end": 33, "label": "AMOUNT"}, BELGIUM | change)
    assert [(16, 33, "AMOUNT")] == keys(corpus)
    assert [(kind, "rejected", "a1", "span 2")] == faults(corpus)


@pytest.mark.parametrize("entry", [None, "Belgium", [0, 7, "DONOR"]])
def test_span_that_is_no_object_is_rejected(entry):
    """A span is an object; a list of offsets is none."""
    assert [("span", "rejected", "a1", "span 1")] == faults(read(entry))


def test_duplicate_span_is_kept_once():
    """The same span twice is one span, as in a Label Studio export."""
    corpus = read(BELGIUM, BELGIUM)
    assert [(0, 7, "DONOR")] == keys(corpus)
    assert [("duplicate", "repaired", "a1", None)] == faults(corpus)


def test_longer_of_two_overlapping_spans_is_kept():
    """Of two spans that overlap the longer one is kept."""
    corpus = read(BELGIUM | {"end": 3}, BELGIUM)
    assert [(0, 7, "DONOR")] == keys(corpus)
    assert [("overlap", "rejected", "a1", None)] == faults(corpus)


def test_repeated_ids_are_numbered():
    """Of records with one id the later ones are renamed."""
    corpus = read_records([{"id": "x", "text": t} for t in "abc"], source="x.jsonl")
    assert ["x", "x#2", "x#3"] == [a.id for a in corpus.articles]
    assert [("duplicate-id", "repaired", "x", None)] * 2 == faults(corpus)


def test_written_record_holds_the_words():
    """A record says the words of its spans, so that a reader can check the offsets."""
    article = Article("a1", TEXT, (Span(0, 7, "DONOR", "Belgium"),), {"url": "u"})
    expected = {
        "id": "a1",
        "text": TEXT,
        "spans": [{"start": 0, "end": 7, "label": "DONOR", "text": "Belgium"}],
        "meta": {"url": "u"},
    }
    assert expected == json.loads(json.dumps(to_record(article)))


@st.composite
def articles(draw):
    """An article of arbitrary text with trimmed spans, none overlapping another."""
    text = draw(st.text(st.characters(codec="utf-8") | st.just("\ud800"), max_size=60))
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
    """Articles come back as they were, line separators and lone surrogates included."""
    path = tmp_path_factory.getbasetemp() / "identity.jsonl"
    assert [] == write_corpus(some, path)
    corpus = read_corpus(path)
    assert tuple(some) == corpus.articles
    assert () == corpus.findings
