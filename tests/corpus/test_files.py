"""Files and folders of articles: which format a name means, and what is refused."""

import json

import pytest

from presstag.corpus import read_corpus, write_corpus
from presstag.corpus.files import read_text
from presstag.errors import DataError
from presstag.spans import Article, Span

TEXT = "Belgium pledged 611 million euros."
SPANS = (Span(0, 7, "DONOR", "Belgium"), Span(16, 33, "AMOUNT", "611 million euros"))
ARTICLE = Article("a1", TEXT, SPANS, {"url": "u"})
TASK = {
    "id": 1,
    "data": {"id": "a1", "text": TEXT},
    "annotations": [
        {
            "id": 1,
            "completed_by": 1,
            "result": [
                {"id": "r1", "type": "labels", "value": {"start": 0, "end": 7, "labels": ["DONOR"]}}
            ],
        }
    ],
}


@pytest.fixture
def file(tmp_path):
    """Write bytes or text to a file of the given name."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refusal(path):
    with pytest.raises(DataError) as caught:
        read_corpus(path)
    return caught.value


# Which format


@pytest.mark.parametrize("name", ["a.json", "a.JSON", "a.jsonl", "a.ndjson"])
def test_written_articles_are_read_back(tmp_path, name):
    """JSON formats hold articles as they are, whatever case the name is in."""
    assert [] == write_corpus([ARTICLE], tmp_path / name)
    assert (ARTICLE,) == read_corpus(tmp_path / name).articles


@pytest.mark.parametrize("name", ["a.conll", "a.iob", "a.bio"])
def test_written_columns_are_read_back(tmp_path, name):
    """Columns hold words and spans."""
    assert [] == write_corpus([ARTICLE], tmp_path / name)
    (article,) = read_corpus(tmp_path / name).articles
    assert "Belgium pledged 611 million euros ." == article.text
    assert SPANS == article.spans


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_task_a_line_is_a_label_studio_export(file, ends):
    """A .jsonl file whose lines are tasks is read as an export, blank lines passed over."""
    second = TASK | {"data": {"id": "a2", "text": TEXT}}
    path = file("a.jsonl", ends.join([json.dumps(TASK), "", json.dumps(second), ""]))
    corpus = read_corpus(path)
    assert ["a1", "a2"] == [a.id for a in corpus.articles]
    assert [SPANS[0]] * 2 == [s for a in corpus.articles for s in a.spans]
    assert {"a1", "a2"} == set(corpus.annotations)


def test_line_separators_inside_json_end_no_line(file):
    """U+2028 and U+0085 stand bare in JSON strings; only a line feed ends a line."""
    text = "One\u2028two\u2029three\u0085four\x7f"
    path = file("a.jsonl", json.dumps({"text": text}, ensure_ascii=False))
    assert [text] == [a.text for a in read_corpus(path).articles]


def test_folder_of_marked_texts_is_read(tmp_path):
    """A folder of .txt files is an article a file, in the order of their names."""
    (tmp_path / "b.txt").write_bytes(b"{DONOR|Belgium}\r\npaid")
    (tmp_path / "a.txt").write_text("\ufeffNothing", encoding="utf-8")
    (tmp_path / "notes.md").write_text("{", encoding="utf-8")
    corpus = read_corpus(str(tmp_path))
    expected = (Article("a", "Nothing"), Article("b", "Belgium\r\npaid", SPANS[:1]))
    assert expected == corpus.articles


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.conll"])
def test_labels_outside_the_scheme_are_rejected(tmp_path, name):
    """In every file format only the labels asked for are read."""
    write_corpus([ARTICLE], tmp_path / name)
    corpus = read_corpus(tmp_path / name, labels=("AMOUNT",))
    assert ["AMOUNT"] == [s.label for s in corpus.articles[0].spans]
    assert [("unknown-label", "rejected")] == [(f.kind, f.action) for f in corpus.findings]


def test_labels_outside_the_scheme_are_rejected_in_a_folder(tmp_path):
    """In marked texts only the labels asked for are read."""
    (tmp_path / "a.txt").write_text("{DONOR|Belgium} {AMOUNT|611}", encoding="utf-8")
    (tmp_path / "b.txt").write_text("{AMOUNT|611}", encoding="utf-8")
    corpus = read_corpus(tmp_path, labels=("AMOUNT",))
    assert [["611"], ["611"]] == [[s.text for s in a.spans] for a in corpus.articles]
    assert "Belgium 611" == corpus.articles[0].text
    (finding,) = corpus.findings
    expected = ("unknown-label", "rejected", "a")
    assert expected == (finding.kind, finding.action, finding.article)


# What is refused


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("a.json", "[\n  {},\n  oops\n]", "line 3, column 3"),
        ("a.json", "", "line 1, column 1"),
        ("a.jsonl", '{"text": "One"}\n\n{"text": }\n', "line 3, column 10"),
    ],
)
def test_what_is_not_json_is_refused(file, name, content, place):
    """A file that is not JSON is refused; the error names line and column."""
    path = file(name, content)
    error = refusal(path)
    assert f"{path}, {place}" == error.where
    assert error.found.startswith("not JSON: ")


@pytest.mark.parametrize(
    ("content", "kind"), [("{}", "dict"), ('"x"', "str"), ("null", "NoneType")]
)
def test_json_that_is_no_list_is_refused(file, content, kind):
    """An export is a list of tasks; JSON of another kind is refused."""
    path = file("a.json", content)
    error = refusal(path)
    assert str(path) == error.where
    assert f"JSON that holds a {kind} where the list of tasks should be" == error.found


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.conll"])
def test_what_is_not_utf8_is_refused(file, name, mark):
    """A byte that is not UTF-8 is named with its line and its offset in the file."""
    path = file(name, mark + b"One O\n\nCaf\xe9 O\n")
    error = refusal(path)
    assert f"{path}, line 3" == error.where
    assert f"byte 0xe9 at offset {10 + len(mark)} is not UTF-8" == error.found
    assert "iconv" in error.do


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps([TASK])),
        ("a.jsonl", json.dumps(TASK)),
        ("a.conll", "Belgium B-DONOR\n"),
    ],
)
def test_byte_order_mark_is_accepted(file, name, content):
    """A byte order mark at the beginning is no part of the content."""
    (article,) = read_corpus(file(name, b"\xef\xbb\xbf" + content.encode())).articles
    assert SPANS[:1] == article.spans


def test_line_ends_are_kept(file):
    """Text is read with its line ends, of which offsets count every character."""
    assert "a\r\nb\rc\n" == read_text(file("a.txt", b"a\r\nb\rc\n"))


@pytest.mark.parametrize("name", ["a.json", "a.conll", "a.docx", "folder"])
def test_missing_file_is_refused(tmp_path, name):
    """A file that is not there is said to be missing, whatever its name ends in."""
    error = refusal(tmp_path / name)
    assert (str(tmp_path / name), "no such file") == (error.where, error.found)
    assert "check the path" in error.do


@pytest.mark.parametrize("content", [b"One O\n", b"PK\x03\x04\xff"])
@pytest.mark.parametrize(("name", "ending"), [("a.docx", ".docx"), ("a", "nothing")])
def test_unknown_ending_is_refused(file, name, ending, content):
    """A file of an unknown kind is refused by its name, be it text or not."""
    error = refusal(file(name, content))
    assert f"a file that ends in {ending}" == error.found
    assert ".jsonl" in error.expected


def test_folder_without_texts_is_refused(tmp_path):
    """A folder that holds no .txt file is refused."""
    (tmp_path / "a.json").write_text("[]", encoding="utf-8")
    error = refusal(tmp_path)
    assert (str(tmp_path), "a folder without .txt files") == (error.where, error.found)


def test_stray_brace_in_a_folder_names_the_file(tmp_path):
    """An error in a marked text names its file."""
    (tmp_path / "a.txt").write_text("One {", encoding="utf-8")
    assert f"{tmp_path / 'a.txt'}, line 1" == refusal(tmp_path).where


# Writing


def test_label_studio_file_is_a_list_with_a_task_a_line(tmp_path):
    """The file is one JSON list in which each task has a line of its own."""
    write_corpus([ARTICLE, Article("a2", "Zwei\nZeilen")], tmp_path / "a.json")
    lines = (tmp_path / "a.json").read_text(encoding="utf-8").split("\n")
    assert ["[", "]", ""] == [lines[0], *lines[-2:]]
    assert ["a1", "a2"] == [json.loads(line.rstrip(","))["data"]["id"] for line in lines[1:-2]]


@pytest.mark.parametrize(
    ("name", "content"), [("a.json", "[]\n"), ("a.jsonl", ""), ("a.conll", "")]
)
def test_no_articles_are_a_file_too(tmp_path, name, content):
    """Nothing is written as an empty file of the format, and read as nothing."""
    assert [] == write_corpus([], tmp_path / name)
    assert content == (tmp_path / name).read_text(encoding="utf-8")
    assert () == read_corpus(tmp_path / name).articles


def test_same_articles_give_the_same_bytes(tmp_path):
    """A file follows from its articles alone."""
    for name in ("a.json", "b.json"):
        write_corpus(iter([ARTICLE]), tmp_path / "deep" / name)
    one, two = ((tmp_path / "deep" / name).read_bytes() for name in ("a.json", "b.json"))
    assert one == two


def test_format_asked_for_counts_more_than_the_name(tmp_path):
    """`to` decides where it is given."""
    write_corpus([ARTICLE], tmp_path / "a.txt", to="jsonl")
    assert "a1" == json.loads((tmp_path / "a.txt").read_text(encoding="utf-8"))["id"]


def test_name_that_ends_in_nothing_known_is_not_written(tmp_path):
    """A format that the name does not tell is refused, and no file is left."""
    with pytest.raises(DataError, match=r"a name that ends in \.docx"):
        write_corpus([ARTICLE], tmp_path / "a.docx")
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_repeated_ids_are_numbered_in_writing(tmp_path, name):
    """Articles of one id are written under ids of their own, and that is reported."""
    findings = write_corpus([ARTICLE, ARTICLE], tmp_path / name)
    assert [("duplicate-id", "repaired", "a1")] == [(f.kind, f.action, f.article) for f in findings]
    assert ["a1", "a1#2"] == [a.id for a in read_corpus(tmp_path / name).articles]


def test_what_columns_cannot_hold_is_reported(tmp_path):
    """Writing returns a finding for a span inside a word."""
    article = Article("a1", "Belgiums", (Span(0, 7, "DONOR", "Belgium"),))
    findings = write_corpus([article], tmp_path / "a.conll")
    assert [("inside-word", "repaired", "a1")] == [(f.kind, f.action, f.article) for f in findings]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_lone_surrogate_survives(tmp_path, name):
    """Half of a UTF-16 pair, which UTF-8 cannot write, comes back by a JSON escape."""
    article = Article("a1", "a \ud83d 😀 Acme", (Span(6, 10, "DONOR", "Acme"),))
    write_corpus([article], tmp_path / name)
    assert (article,) == read_corpus(tmp_path / name).articles
