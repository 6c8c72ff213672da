from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("label_studio_sdk", reason="of the label-studio extra")

from hypothesis import given
from hypothesis import strategies as st

from presstag.colours import label_fills
from presstag.errors import ServerError
from presstag.labelstudio.interface import Interface, labelling_interface, read_interface

ROOT = Path(__file__).parents[2]
AID = ["DONOR", "AMOUNT", "SYSTEM", "OFFICIAL", "LOCATION"]
# What XML can hold: no control characters.
PRINTABLE = st.characters(codec="utf-8", exclude_categories=["C", "Z"])


def test_the_interface_in_annotations_is_the_one_that_is_written() -> None:
    """What people paste by hand and what `presstag label new` makes differ by a comment."""
    kept = (ROOT / "annotations" / "labeling_config.xml").read_text(encoding="utf-8")
    _, _, below = kept.partition("-->\n")
    assert below == labelling_interface(AID)


@given(st.lists(st.text(PRINTABLE, min_size=1), min_size=1, unique=True))
def test_what_is_written_is_read_back(labels: list[str]) -> None:
    """Any labels, in their order, those that XML has to escape too."""
    assert Interface(tuple(labels)) == read_interface(labelling_interface(labels))


def test_after_ten_labels_there_are_no_keys_left() -> None:
    """Colours begin again after seven; every key is given once."""
    labels = [f"L{i}" for i in range(12)]
    written = labelling_interface(labels)
    assert 10 == written.count("hotkey=")
    assert 2 == written.count(f'background="{label_fills(1)[0]}"')
    assert tuple(labels) == read_interface(written).labels


def test_names_and_the_field_of_the_text_are_the_project_s() -> None:
    """Other elements, aliases and comments do not disturb; an alias is what regions say."""
    xml = """<!-- mine --><View><Header value="$title"/>
      <Text name="body" value="$article" granularity="word"/>
      <Choices name="topic" toName="body"><Choice value="X"/></Choices>
      <Labels name="ner" toName="body"><View><Label value="A"/></View><Label value="B" alias="b"/>
      </Labels><Relations/></View>"""
    expected = Interface(("A", "b"), "ner", "body", "article", "word")
    assert expected == read_interface(xml)


def test_whole_words_are_noted() -> None:
    """An interface that snaps to words can be used, and its note says what that costs."""
    assert "whole words" in Interface(("A",), granularity="word").note
    assert "" == Interface(("A",)).note


ONE = '<Labels name="l" toName="t"><Label value="A"/></Labels>'
TEXT = '<Text name="t" value="$x"/>'
CHOICES = '<Choices name="c" toName="t"><Choice value="A"/></Choices>'
ANOTHER = '<Labels name="m" toName="t"><Label value="B"/></Labels>'
BOTH = '<Labels name="l" toName="t,u"><Label value="A"/></Labels>'
ADDRESS = '<Text name="t" value="$x" valueType="url"/>'


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ("<", "cannot be read: "),
        ("", "marks no spans; it has nothing to annotate with"),
        (CHOICES + TEXT, "marks no spans; it has Choices c"),
        (ONE + ANOTHER + TEXT, "has 2 Labels elements: l, m"),
        (ONE, "Labels l points to t, which is not there"),
        (ONE + '<HyperText name="t" value="$x"/>', "Labels l points to a HyperText"),
        (BOTH + TEXT + '<Text name="u" value="$y"/>', "Labels l points to 2 elements: t, u"),
        ('<Labels name="l" toName="t"/>' + TEXT, "Labels l has no Label"),
        (ONE + '<Text name="t" value="Hello"/>', "Text t always shows 'Hello'"),
        (ONE + ADDRESS, "Text t shows what an address leads to"),
    ],
)
def test_an_interface_for_something_else_is_refused(inside: str, found: str) -> None:
    """Each says what it found and what to do, and no other exception comes through."""
    with pytest.raises(ServerError) as caught:
        read_interface(f"<View>{inside}</View>", where="project 7")
    assert "project 7" == caught.value.where
    assert found in caught.value.found
    assert "presstag label new" in caught.value.do
