"""CoNLL-2003 columns: what is read, what is refused, and what writing keeps."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presstag.corpus.conll import read_columns, to_columns
from presstag.errors import DataError
from presstag.spans import Article, Span
from presstag.words import find_words


def read(columns, **more):
    return read_columns(columns.splitlines(), source="x.conll", **more)


def spans(columns):
    (article,) = read(columns).articles
    return [(span.label, span.text) for span in article.spans]


def article_of(text, *stretches):
    """Build an article whose spans are `(start, end, label)`."""
    return Article("a1", text, tuple(Span(s, e, label, text[s:e]) for s, e, label in stretches))


# Reading


def test_tokens_are_joined_with_blanks_and_sentences_with_line_breaks():
    """The text is made of the tokens: blanks between them, a line break between sentences."""
    (article,) = read("Belgium B-DONOR\npledged O\n\nIt O\npaid O\n").articles
    expected = Article("#1", "Belgium pledged\nIt paid", (Span(0, 7, "DONOR", "Belgium"),))
    assert expected == article


def test_docstart_begins_an_article():
    """`-DOCSTART-` begins an article, whatever columns stand behind it."""
    columns = "-DOCSTART- -X- -X- O\n\nOne NN B-NP O\n\n-DOCSTART- O\nTwo NN B-NP B-DONOR\n"
    corpus = read(columns)
    assert [("#1", "One"), ("#2", "Two")] == [(a.id, a.text) for a in corpus.articles]
    assert () == corpus.findings


def test_first_column_is_the_token_and_the_last_one_the_tag():
    """Columns between token and tag are passed over."""
    assert [("DONOR", "EU")] == spans("EU NNP B-NP B-DONOR\n")


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_blank_line_ends_a_sentence(blank):
    """A line of white space ends a sentence; several end no more than one."""
    (article,) = read(f"One O\n{blank}\n{blank}\nTwo O").articles
    assert "One\nTwo" == article.text


def test_iob2_is_read():
    """In IOB2 every span begins with B-."""
    columns = "New B-LOC\nYork I-LOC\nParis B-LOC\nEU B-ORG\n"
    assert [("LOC", "New York"), ("LOC", "Paris"), ("ORG", "EU")] == spans(columns)


def test_iob1_is_read():
    """In IOB1, as CoNLL-2003 ships, B- stands only between two spans of one label."""
    columns = "New I-LOC\nYork I-LOC\nParis B-LOC\nEU I-ORG\nand O\nUN I-ORG\n"
    expected = [("LOC", "New York"), ("LOC", "Paris"), ("ORG", "EU"), ("ORG", "UN")]
    assert expected == spans(columns)


def test_sentence_ends_a_span():
    """A span does not reach into the next sentence."""
    assert [("LOC", "New"), ("LOC", "York")] == spans("New B-LOC\n\nYork I-LOC\n")


def test_label_may_hold_a_hyphen():
    """Only the first hyphen of a tag is its own."""
    assert [("WORK-OF-ART", "Guernica")] == spans("Guernica B-WORK-OF-ART\n")


def test_unknown_label_is_rejected():
    """A span with a label outside the scheme is rejected, and its neighbour is kept."""
    corpus = read("EU B-ORG\nin O\nParis B-LOC\n", labels=("LOC",))
    assert ["Paris"] == [s.text for s in corpus.articles[0].spans]
    (finding,) = corpus.findings
    expected = ("unknown-label", "rejected", "#1")
    assert expected == (finding.kind, finding.action, finding.article)
    assert "'EU': label ORG" == finding.message


@pytest.mark.parametrize(
    "line", ["Belgium", "Belgium DONOR", "Belgium B-", "Belgium X-DONOR", "a b"]
)
def test_line_without_a_tag_is_refused(line):
    """A line that does not end in a tag is refused; the error names the line."""
    with pytest.raises(DataError) as caught:
        read(f"One O\n\n{line}\n")
    assert ("x.conll, line 3", repr(line)) == (caught.value.where, caught.value.found)


@pytest.mark.parametrize("columns", ["", "\n\n", "-DOCSTART- O\n\n"])
def test_no_tokens_are_no_article(columns):
    """A file without tokens holds no article."""
    assert () == read(columns).articles


# Writing


def test_article_is_written_as_iob2():
    """Words stand on lines of their own with IOB2 tags, lines of the text as sentences."""
    article = article_of("New York pays.\nBelgium too", (0, 8, "LOC"), (15, 22, "DONOR"))
    columns, findings = to_columns(article)
    expected = "-DOCSTART- O\n\nNew B-LOC\nYork I-LOC\npays O\n. O\n\nBelgium B-DONOR\ntoo O\n\n"
    assert expected == columns
    assert [] == findings


def test_span_inside_a_word_takes_the_whole_word():
    """A span that ends inside a word becomes the word, and that is reported."""
    columns, findings = to_columns(article_of("Belgiums money", (0, 7, "DONOR")))
    assert [("DONOR", "Belgiums")] == spans(columns)
    (finding,) = findings
    assert ("inside-word", "repaired", "a1") == (finding.kind, finding.action, finding.article)
    expected = "DONOR 'Belgium' begins or ends inside a word: columns hold the whole word"
    assert expected == finding.message


@pytest.mark.parametrize("second", ["DONOR", "SYSTEM"])
def test_second_span_of_a_word_is_rejected(second):
    """Of two spans in one word columns hold the first; the other is lost and said to be."""
    article = article_of("AcmeTank and Acme", (0, 4, "DONOR"), (4, 8, second), (13, 17, second))
    columns, findings = to_columns(article)
    assert [("DONOR", "AcmeTank"), (second, "Acme")] == spans(columns)
    assert ["repaired", "rejected"] == [f.action for f in findings]
    expected = f"{second} 'Tank' begins or ends inside a word: another span has that word"
    assert expected == findings[1].message


def test_span_across_lines_stays_one_span():
    """A line break inside a span ends no sentence, which would cut the span in two."""
    columns, findings = to_columns(article_of("The New\nYork\ntimes", (4, 12, "LOC")))
    assert [("LOC", "New York")] == spans(columns)
    assert "The New York\ntimes" == read(columns).articles[0].text
    assert [] == findings


@st.composite
def articles(draw):
    """An article of arbitrary text whose spans begin and end with words."""
    alphabet = st.sampled_from("ab 1.-\n\u2028é\u0301😀\u200d") | st.characters(codec="utf-8")
    text = draw(st.text(alphabet, max_size=50))
    words = find_words(text)
    cuts = sorted(draw(st.sets(st.integers(0, len(words)), max_size=8)))
    labels = st.sampled_from(["DONOR", "AMOUNT", "A-B"])
    stretches = [
        (words[first][0], words[stop - 1][1], draw(labels))
        for first, stop in pairwise(cuts)
        if draw(st.booleans())
    ]
    return article_of(text, *stretches)


def words_of(text):
    return [text[start:end] for start, end in find_words(text)]


@settings(deadline=None)
@given(articles())
def test_spans_of_whole_words_survive(article):
    """Words, spans and labels come back; only the white space between words is lost."""
    columns, findings = to_columns(article)
    assert [] == findings
    for back in read(columns).articles:
        assert words_of(article.text) == words_of(back.text)
        assert [s.label for s in article.spans] == [s.label for s in back.spans]
        assert [words_of(s.text) for s in article.spans] == [words_of(s.text) for s in back.spans]
    assert len(read(columns).articles) == bool(words_of(article.text))


@settings(deadline=None)
@given(st.text("ab .\n", max_size=30), st.data())
def test_every_span_is_held_or_reported(text, data):
    """Whatever stretch spans cover, as many come back as are not rejected."""
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    stretches = [(s, e, "X") for s, e in pairwise(cuts) if text[s:e].strip()]
    columns, findings = to_columns(article_of(text, *stretches))
    lost = sum(f.action == "rejected" for f in findings)
    assert len(stretches) - lost == sum(len(a.spans) for a in read(columns).articles)


def test_written_columns_read_and_written_again_are_the_same():
    """Columns are stable: what was written and read is written the same."""
    columns, _ = to_columns(article_of("New York pays 5.5.\n\nEnd", (0, 8, "LOC")))
    (back,) = read(columns).articles
    assert columns == to_columns(back)[0]
