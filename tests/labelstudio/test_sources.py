from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from presstag.corpus import write_corpus
from presstag.labelstudio.sources import Sources, read_sources, text_id
from presstag.spans import Article, Span

STORY = (
    "Norway will send two patrol boats 😀 &amp; more to Lusitania, the minister said in Oslo.",
    "Denmark gave tanks and field kitchens, which arrived by rail; the parliament was silent.",
)
PAGE = f"""<!doctype html><html><head><meta charset="ENCODING"><title>Boats | The Daily</title>
<meta property="og:title" content="Norway sends boats"><meta name="author" content="Ann Lee">
<meta property="og:url" content="https://example.org/a/1">
<meta property="article:published_time" content="2025-03-04T10:00:00Z"></head><body>
<nav><a href="/">Home</a><a href="/world">World</a></nav>
<article><h1>Norway sends boats</h1><p>{STORY[0]}</p><p>{STORY[1]}</p></article>
<footer>All rights reserved.</footer></body></html>"""


def make(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def read_one(folder: Path, name: str, content: str | bytes, **columns: str) -> Sources:
    """What a file of this name and content holds."""
    return read_sources([make(folder, {name: content}) / name], **columns)


def lines(*records: object) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def texts(sources: Sources) -> dict[str, str]:
    return {article.id: article.text for article in sources.articles}


# texts and ids


def test_a_text_file_is_an_article_exactly_as_it_is(tmp_path: Path) -> None:
    """Line ends, blanks at the ends and odd characters stay; only the byte order mark goes."""
    text = " One\r\ntwo\rthree\u2028four \U00020bb7 e\u0301 👨‍👩‍👧\t\xa0<b>&amp;</b>\n\n"
    read = read_one(tmp_path, "a story.txt", b"\xef\xbb\xbf" + text.encode())
    assert ({"a story": text}, (), ()) == (texts(read), read.faults, read.notes)


def test_a_folder_holds_a_mixture_in_order(tmp_path: Path) -> None:
    """Files of folders within it too; hidden files, and those that belong to a saved page, not."""
    files = {
        "b.txt": "B",
        "a/c.TXT": "C",
        "d.jsonl": lines({"id": "d", "text": "D"}),
        "e.csv": "id,text\ne,E\n",
        "f.html": PAGE.replace("ENCODING", "utf-8"),
        "f_files/advert.html": PAGE.replace("boats", "adverts"),
        ".hidden.txt": "no",
    }
    read = read_sources([make(tmp_path, files)])
    assert ["c", "b", "d", "e", "f"] == [a.id for a in read.articles]
    assert ((), ()) == (read.faults, read.notes)


def test_other_files_of_a_folder_are_noted_and_named_ones_are_faults(tmp_path: Path) -> None:
    """A picture beside articles costs nothing; a file that somebody names is wanted."""
    make(tmp_path, {"a.txt": "A", "b.docx": "B"})
    read = read_sources([tmp_path])
    assert [("other-file", str(tmp_path / "b.docx"))] == [(n.kind, n.article) for n in read.notes]
    assert () == read.faults
    named = read_sources([tmp_path / "b.docx", tmp_path / "none.txt", tmp_path / "a.txt"])
    assert {"a": "A"} == texts(named)
    first, second = map(str, named.faults)
    assert "b.docx: a name that ends in .docx" in first
    assert "expected: one that ends in .txt" in first
    assert "none.txt: no such file" in second


def test_a_record_without_an_id_gets_one_from_its_text(tmp_path: Path) -> None:
    """The same text gives the same id wherever it stands."""
    read = read_one(tmp_path, "a.jsonl", lines({"text": "A"}, {"text": "B", "id": ""}))
    assert {text_id("A"): "A", text_id("B"): "B"} == texts(read)
    assert texts(read) == texts(read_one(tmp_path, "b.csv", "text\nB\nA\n"))
    assert 16 == len(text_id("A"))


def test_two_texts_under_one_id_are_a_fault(tmp_path: Path) -> None:
    """The first stays; the message says where both are."""
    read = read_sources([make(tmp_path, {"1/a.txt": "A", "2/a.txt": "another"})])
    assert {"a": "A"} == texts(read)
    (fault,) = read.faults
    assert f"{tmp_path}/2/a.txt: another text has the id a: {tmp_path}/1/a.txt" in str(fault)


def test_the_same_text_is_taken_once(tmp_path: Path) -> None:
    """Under its own id or another; the second is noted."""
    read = read_sources([make(tmp_path, {"a.txt": "A", "b.txt": "A", "c/a.txt": "A"})])
    assert {"a": "A"} == texts(read)
    assert () == read.faults
    assert [("same-text", "b"), ("same-text", "a")] == [(n.kind, n.article) for n in read.notes]
    assert "b.txt: the same text as a" in read.notes[0].message


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"text": " \n\u2028"}, "an empty text"),
        ({"text": "a\0b"}, "the text holds the character NUL"),
        ({"text": "a\ud83d"}, "the text holds half of a UTF-16 pair"),
        ({"text": "a", "by": "\0"}, "what stands beside the text holds the character NUL"),
        ({"text": "a", "by": {"\udc00": 1}}, "what stands beside the text holds half"),
        ({"text": "a", "id": "\ud800"}, "the id, or what stands beside the text holds half"),
        ({"text": "a", "size": float("nan")}, "infinite or none at all"),
        ({"text": 5}, "text is a int"),
        ({"body": "a"}, "no text; there are body"),
        ({"text": "a", "id": 1.5}, "id is a float"),
        ({"text": "a", "id": True}, "id is a bool"),
        (["a"], "a list"),
    ],
)
def test_what_no_server_can_keep_is_a_fault(record: object, reason: str, tmp_path: Path) -> None:
    """It is named with its line, and the line after it is read."""
    read = read_one(tmp_path, "a.jsonl", lines(record, {"id": "b", "text": "B"}))
    assert {"b": "B"} == texts(read)
    (fault,) = read.faults
    assert f"{tmp_path}/a.jsonl, line 1" == fault.where
    assert reason in fault.found


def test_escapes_in_a_text_are_no_nul(tmp_path: Path) -> None:
    r"""A text, or what stands beside it, may spell out \u0000."""
    record = {"id": "a", "text": r"write \u0000", "by": r"C:\u0000"}
    read = read_one(tmp_path, "a.jsonl", lines(record))
    assert ({"a": r"write \u0000"}, ()) == (texts(read), read.faults)


def test_a_file_that_is_not_utf8_is_a_fault(tmp_path: Path) -> None:
    """The byte and its line are named; the rest of the folder is read."""
    read = read_sources([make(tmp_path, {"a.txt": b"one\ncaf\xe9", "b.txt": "B"})])
    assert {"b": "B"} == texts(read)
    assert "a.txt, line 2: byte 0xe9 at offset 7 is not UTF-8" in str(read.faults[0])


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
def test_a_file_without_articles_is_a_fault(name: str, tmp_path: Path) -> None:
    """Whoever names a file expects something of it; so does who names a folder."""
    read = read_one(tmp_path, name, {"a.json": "[]", "a.csv": "text\n"}.get(name, "\n"))
    assert ["no articles in it"] == [fault.found for fault in read.faults]
    (tmp_path / "empty").mkdir()
    assert ["no articles in it"] == [f.found for f in read_sources([tmp_path / "empty"]).faults]


# records


def test_fields_beside_the_text_become_meta(tmp_path: Path) -> None:
    """Of a record those of its own; meta of its own is taken as it is."""
    record = {"id": 7, "text": "A", "date": "2025", "meta": {"by": ["Ann", None]}}
    read = read_one(tmp_path, "a.ndjson", lines(record))
    assert (Article("7", "A", (), {"date": "2025", "by": ["Ann", None]}),) == read.articles


def test_tasks_of_label_studio_are_read_without_their_spans(tmp_path: Path) -> None:
    """Their data counts; that spans are left out is said once a file."""
    article = Article("x", "Norway pays", (Span(0, 6, "DONOR", "Norway"),), {"by": "Ann"})
    path = tmp_path / "tasks.json"
    write_corpus([article, Article("y", "Nobody")], path)
    read = read_sources([path])
    assert (Article("x", "Norway pays", (), {"by": "Ann"}), Article("y", "Nobody")) == read.articles
    assert "2 records come with annotations, which are not sent" in read.notes[0].message
    task = {"id": 12, "data": {"text": "A", "desk": "x"}, "project": 3, "created_at": "2025"}
    assert (Article("12", "A", (), {"desk": "x"}),) == read_one(
        tmp_path, "a.jsonl", lines(task)
    ).articles


def test_records_of_presstag_are_read_without_their_spans(tmp_path: Path) -> None:
    """What presstag itself writes as .jsonl can be sent."""
    path = tmp_path / "a.jsonl"
    write_corpus([Article("x", "Norway pays", (Span(0, 6, "DONOR", "Norway"),))], path)
    read = read_sources([path])
    assert (Article("x", "Norway pays"),) == read.articles
    assert ["spans"] == [note.kind for note in read.notes]


def test_lines_that_are_no_json_are_faults(tmp_path: Path) -> None:
    """Each with its number; U+2028 within a line does not end it."""
    good = json.dumps({"id": "a", "text": "A\u2028B"}, ensure_ascii=False)
    deep = "[" * 100_000
    read = read_one(tmp_path, "a.jsonl", f"{good}\n{{broken\n\n{deep}\n")
    assert {"a": "A\u2028B"} == texts(read)
    assert ["line 2", "line 4"] == [fault.where.split(", ")[1] for fault in read.faults]
    for content in ("{broken", '{"text": "A"}'):
        assert 1 == len(read_one(tmp_path, "a.json", content).faults)


# tables


def test_a_table_keeps_texts_with_line_breaks_and_other_columns(tmp_path: Path) -> None:
    """Quoted cells are taken as they are; the other columns are meta."""
    table = 'id,headline,text\r\n1,"Hi, you","One\r\n""two"" \rthree "\r\n\r\n,x,Four\r\n'
    read = read_one(tmp_path, "a.csv", b"\xef\xbb\xbf" + table.encode())
    expected = (
        Article("1", 'One\r\n"two" \rthree ', (), {"headline": "Hi, you"}),
        Article(text_id("Four"), "Four", (), {"headline": "x"}),
    )
    assert (expected, ()) == (read.articles, read.faults)


@pytest.mark.parametrize(("name", "mark"), [("a.tsv", "\t"), ("a.csv", ";"), ("a.csv", "\t")])
def test_the_first_row_says_what_separates_columns(name: str, mark: str, tmp_path: Path) -> None:
    """Spreadsheets of many countries write semicolons into .csv files."""
    read = read_one(tmp_path, name, f"id{mark}text\na{mark}one, two\n")
    assert {"a": "one, two"} == texts(read)


def test_columns_can_be_named(tmp_path: Path) -> None:
    """Text and id may stand in any column, and in any field of a record."""
    columns = {"text_column": "body", "id_column": "slug"}
    read = read_one(tmp_path, "a.csv", "slug,id,body\ns,1,A\n", **columns)
    assert (Article("s", "A", (), {"id": "1"}),) == read.articles
    record = {"data": {"slug": "t", "body": "B", "text": "no"}, "id": 5}
    read = read_one(tmp_path, "a.jsonl", lines(record), **columns)
    assert (Article("t", "B", (), {"text": "no"}),) == read.articles


def test_a_wrong_column_lists_those_there_are(tmp_path: Path) -> None:
    """For the text and for the id."""
    read = read_one(tmp_path, "a.csv", "slug,body\ns,A\n")
    (fault,) = read.faults
    assert "a.csv: no column text" in str(fault)
    assert "expected: one of those there are: slug, body" in str(fault)
    assert "--text-column" in str(fault)
    read = read_one(tmp_path, "a.csv", "slug,text\ns,A\n", id_column="number")
    assert "no column number" in str(read.faults[0])
    assert "--id-column" in str(read.faults[0])
    assert "two columns of one name" in str(read_one(tmp_path, "a.csv", "text,text\nA,B").faults[0])
    assert "empty table" in str(read_one(tmp_path, "a.csv", "").faults[0])


def test_rows_that_do_not_fit_are_faults(tmp_path: Path) -> None:
    """Each with its line, counting line breaks within cells; the rows around it are read."""
    table = 'id,text\na,"A\nA"\nb,B,c\nd\ne,E\n'
    read = read_one(tmp_path, "a.csv", table)
    assert {"a": "A\nA", "e": "E"} == texts(read)
    assert [("line 4", "3 fields"), ("line 5", "1 fields")] == [
        (fault.where.split(", ")[1], fault.found) for fault in read.faults
    ]


def test_nothing_is_guessed_behind_a_broken_quote(tmp_path: Path) -> None:
    """Rows before it are read; that the others are not is said with the line."""
    for broken in ('b,"B\nc,C\nd,D\n', 'b,"B" C\nd,D\n'):
        read = read_one(tmp_path, "a.csv", f"id,text\na,A\n{broken}")
        assert {"a": "A"} == texts(read)
        (fault,) = read.faults
        assert "a.csv, line 3: broken: " in str(fault)
        assert "nothing is read from here on" in str(fault)


def test_a_cell_may_hold_a_long_article(tmp_path: Path) -> None:
    """The csv module's own limit of 128 kB does not count."""
    text = "word " * 40_000
    assert {"a": text} == texts(read_one(tmp_path, "a.csv", f"id,text\na,{text}\n"))


# pages


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "windows-1252"])
def test_a_page_gives_its_main_text_and_what_it_says_of_itself(
    encoding: str, tmp_path: Path
) -> None:
    """Menus and footers are left out; the page says in which encoding it is."""
    page = PAGE.replace("ENCODING", encoding).replace("😀", "é" if "12" in encoding else "😀")
    (article,) = read_one(tmp_path, "boats.html", page.encode(encoding)).articles
    expected = [p.replace("&amp;", "&") for p in STORY]
    assert expected == article.text.replace("é", "😀").split("\n")[-2:]
    assert "Home" not in article.text
    assert "rights" not in article.text
    assert ("boats", "2025-03-04") == (article.id, article.meta["date"])
    assert "Norway sends boats" == article.meta["title"]
    assert "Ann Lee" == article.meta["author"]
    assert "https://example.org/a/1" == article.meta["url"]


def test_a_page_saved_as_a_single_file_is_read(tmp_path: Path) -> None:
    """MHTML, as Chrome and Edge write it; its head has the address."""
    head = (
        "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://example.org/b\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/related; type="text/html"; boundary="XX"\r\n'
        "\r\n--XX\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    page = PAGE.replace("ENCODING", "utf-8").replace('property="og:url"', 'property="none"')
    content = head + page.replace("\n", "\r\n") + "\r\n--XX--\r\n"
    (article,) = read_one(tmp_path, "b.mhtml", content).articles
    assert article.text.endswith(STORY[1])
    assert "https://example.org/b" == article.meta["url"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", b""),
        ("a.html", b"<html><body><script>var a = 1</script></body></html>"),
        ("a.htm", b"\x00\x01\xff\xfe\x00"),
        ("a.mhtml", b"no head"),
        ("a.mht", b"Content-Type: multipart/related; boundary=X\r\n\r\n--X--"),
    ],
)
def test_a_page_without_an_article_is_a_fault(name: str, content: bytes, tmp_path: Path) -> None:
    """It is named, and the rest of the folder is read."""
    read = read_sources([make(tmp_path, {name: content, "b.txt": "B"})])
    assert {"b": "B"} == texts(read)
    assert [(str(tmp_path / name), "no article is found in this page")] == [
        (fault.where, fault.found) for fault in read.faults
    ]
