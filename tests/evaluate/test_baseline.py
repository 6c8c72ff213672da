from __future__ import annotations

from presstag.corpus.inline import read_marked
from presstag.evaluate.baseline import Dictionary, make_dictionary
from presstag.spans import Article

LABELS = ("DONOR", "SYSTEM")


def marked(text: str) -> Article:
    return read_marked(text, name="a", source="here")


def found(dictionary: Dictionary, text: str) -> list[tuple[str, str]]:
    (spans,) = dictionary.pipe([text])
    assert all(text[s.start : s.end] == s.text for s in spans)
    return [(s.text, s.label) for s in spans]


def test_forms_of_train_are_found_again_as_they_are_written() -> None:
    """Whole words, with their case."""
    dictionary = make_dictionary([marked("{DONOR|Oman} gave {SYSTEM|radar sets}.")], labels=LABELS)
    text = "Oman and OMAN and Omanis saw radar sets, radar set and (Oman)."
    assert [("Oman", "DONOR"), ("radar sets", "SYSTEM"), ("Oman", "DONOR")] == (
        found(dictionary, text)
    )


def test_the_longest_form_is_taken() -> None:
    """And the next one begins behind it."""
    articles = [marked("{SYSTEM|field gun} {SYSTEM|field gun crew} {SYSTEM|crew} {SYSTEM|gun}")]
    dictionary = make_dictionary(articles, labels=LABELS)
    assert ["field gun crew", "field gun", "gun", "crew"] == [
        text for text, _ in found(dictionary, "field gun crew field gun gun crew")
    ]


def test_a_form_has_its_most_frequent_label() -> None:
    """Of equally frequent ones that of more spans in all; other schemes' labels do not count."""
    articles = [
        marked("{DONOR|Patria} {DONOR|Patria} {SYSTEM|Patria} {SYSTEM|Kongsberg}"),
        marked("{DONOR|Kongsberg} {SYSTEM|tank} {SYSTEM|tank} {CITY|Oslo}"),
    ]
    dictionary = make_dictionary(articles, labels=LABELS)
    assert {"Patria": "DONOR", "Kongsberg": "SYSTEM", "tank": "SYSTEM"} == dictionary.forms


def test_an_empty_dictionary_finds_nothing() -> None:
    """And no text is no trouble."""
    assert [[], []] == list(make_dictionary([], labels=LABELS).pipe(["Oman.", ""]))
