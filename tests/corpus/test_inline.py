"""Text with marks in place: what is a mark, what is literal, what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presstag.corpus.inline import read_marked
from presstag.errors import DataError
from presstag.spans import Article, Span


def read(marked):
    return read_marked(marked, name="a1", source="a1.txt")


def test_marks_become_spans():
    """A mark is a span of its words; everything else stays as it is."""
    article = read("😀 {DONOR|Belgium} pledged {AMOUNT|611 million euros}.\n")
    spans = (Span(2, 9, "DONOR", "Belgium"), Span(18, 35, "AMOUNT", "611 million euros"))
    assert Article("a1", "😀 Belgium pledged 611 million euros.\n", spans) == article


@pytest.mark.parametrize("text", ["", "Nothing here.", " a | b \r\n\t"])
def test_text_without_marks_is_literal(text):
    """Without braces the text is taken as it is, blanks and bars included."""
    assert Article("a1", text) == read(text)


def test_marks_may_touch():
    """A mark may begin where another ends."""
    assert [(0, 3, "A"), (3, 5, "B")] == [s.key for s in read("{A|one}{B|二つ}").spans]


def test_words_may_hold_bars_and_line_breaks():
    """Behind the first bar everything but braces belongs to the words."""
    assert "x|y\nz" == read("{A|x|y\nz}").spans[0].text


@pytest.mark.parametrize(
    ("bad", "shown"),
    [
        ("a { b", "'{ b'"),
        ("a } b", "'} b'"),
        ("{A|}", "'{A|}'"),
        ("{|x}", "'{|x}'"),
        ("{A B|x}", "'{A B|x}'"),
        ("{A}", "'{A}'"),
        ("{A|x{B|y}}", "'{A|x{B|y}}'"),
    ],
)
def test_stray_brace_is_refused(bad, shown):
    """A brace that belongs to no mark is refused; the error names the line and shows it."""
    with pytest.raises(DataError) as caught:
        read(f"{{A|one}}\ntwo\n{bad}")
    assert "a1.txt, line 3" == caught.value.where
    assert f"a stray brace: {shown}" == caught.value.found


@pytest.mark.parametrize("words", [" x", "x ", "\nx", "x\u00a0", " "])
def test_blank_at_the_edge_of_a_mark_is_refused(words):
    """Blanks at the edge of a mark are a slip of the author's."""
    with pytest.raises(DataError) as caught:
        read(f"one\n{{A|{words}}}")
    assert "a1.txt, line 2" == caught.value.where
    assert "blanks at the edge" in caught.value.found


PIECES = st.lists(
    st.tuples(
        st.sampled_from(["", "DONOR", "Größe", "A-1"]),
        st.text(st.characters(codec="utf-8", exclude_characters="{}"), max_size=8),
    ),
    max_size=6,
)


@settings(deadline=None)
@given(PIECES)
def test_marks_are_read_back(pieces):
    """Marking stretches of any text and reading it gives the text and the stretches."""
    marked, text, expected = "", "", []
    for label, words in pieces:
        if label and words and words == words.strip():
            expected.append((len(text), len(text) + len(words), label))
            marked += f"{{{label}|{words}}}"
        else:
            marked += words
        text += words
    article = read(marked)
    assert text == article.text
    assert expected == [s.key for s in article.spans]
