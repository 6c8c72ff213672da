"""The spaCy component: what stands in a Doc, whatever spaCy's tokens are."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, Span

from presstag import InputError, ModelError, load
from presstag.bundle import MANIFEST, NETWORK, TOKENIZER

# A pipeline imports whatever any package here registers with spaCy; some of it uses old torch.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")

Pipeline = Callable[..., Language]
SNAPPED = "was widened to whole tokens"


@pytest.fixture
def pipeline(lookup_model: Path) -> Pipeline:
    """`pipeline(SETTING=…)`: English tokens and the component, found by its name."""

    def make(**config: Any) -> Language:
        nlp = spacy.blank("en")
        nlp.add_pipe("presstag", config={"model": str(lookup_model), **config})
        return nlp

    return make


def ents(doc: Doc) -> list[tuple[str, str]]:
    """Words and labels."""
    return [(e.text, e.label_) for e in doc.ents]


@pytest.mark.parametrize(
    "text",
    [
        "Norway sent tanks to Denmark.",
        "\r\n“Norway” 😀👩\u200d👧 sent\r\npatrol  boats;\u00a0Denmark’s tanks.\r\n\r\n",
        "e\u0301 Norway-backed patrol boats, Denmark/Norway",
        "  tanks",
        "",
        "Nobody gave anything.",
    ],
)
def test_entities_are_the_spans_of_the_tagger(
    pipeline: Pipeline, lookup_model: Path, text: str
) -> None:
    """Offsets, labels and scores, through emoji, CRLF, marks and hyphens; nothing is listed."""
    spans = load(lookup_model)(text)
    doc = pipeline()(text)
    assert [s.key for s in spans] == [(e.start_char, e.end_char, e.label_) for e in doc.ents]
    assert [s.text for s in spans] == [e.text for e in doc.ents]
    assert [s.score for s in spans] == [e._.score for e in doc.ents]
    assert ([], []) == (doc._.presstag_snapped, doc._.presstag_left_out)


def test_other_spans_have_no_score(pipeline: Pipeline) -> None:
    """The score belongs to what presstag found."""
    doc = pipeline()("Norway sent tanks.")
    assert doc[1:2]._.score is None


URL = "See norway.com now."


def test_a_span_inside_a_token_is_widened(pipeline: Pipeline) -> None:
    """An address is one token of spaCy's; both places are listed."""
    with pytest.warns(UserWarning, match=SNAPPED):
        doc = pipeline()(URL)
    assert [("norway.com", "DONOR")] == ents(doc)
    (listed,) = doc._.presstag_snapped
    score = doc.ents[0]._.score
    expected = {"start": 4, "end": 10, "label": "DONOR", "text": "norway"}
    assert {**expected, "score": round(score, 4), "snapped": [4, 14]} == listed
    assert [] == doc._.presstag_left_out


def test_widening_is_warned_of_once_a_pipe_call(pipeline: Pipeline) -> None:
    """However many documents have widened spans, in however many batches."""
    nlp = pipeline()
    for _ in range(2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            docs = list(nlp.pipe([URL, "tanks", URL, URL], batch_size=2))
        assert 1 == len([w for w in caught if SNAPPED in str(w.message)])
        assert [1, 0, 1, 1] == [len(d._.presstag_snapped) for d in docs]


@pytest.mark.filterwarnings(f"ignore:.*{SNAPPED}")
def test_of_two_spans_in_one_token_the_surer_stays(pipeline: Pipeline) -> None:
    """The other one is listed with the one that it yields to; a span group has both."""
    text = "See tanks.norway.com now."
    doc = pipeline(spans_key="presstag")(text)
    assert [("tanks.norway.com", "DONOR")] == ents(doc)
    (listed,) = doc._.presstag_left_out
    assert ("SYSTEM", 4, 20) == (listed["label"], listed["start"], listed["end"])
    assert ("DONOR", 4, 20) == tuple(listed["yields_to"][k] for k in ("label", "start", "end"))
    group = doc.spans["presstag"]
    assert [("tanks.norway.com", "SYSTEM"), ("tanks.norway.com", "DONOR")] == [
        (s.text, s.label_) for s in group
    ]
    assert 2 == len(doc._.presstag_snapped)
    assert doc.ents[0]._.score == max(group.attrs["scores"])


PIECES = [*"._-/@ \t中😀", "Norway", "denmark", "tanks", "patrol", "boats", "com", "’s"]


@pytest.mark.filterwarnings(f"ignore:.*{SNAPPED}")
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.sampled_from([*PIECES, "e\u0301", "\u200d", "\u200b", "\ufeff", "\u3000", "\r\n"]),
        max_size=20,
    )
)
def test_no_span_is_lost(pipeline: Pipeline, lookup_model: Path, pieces: list[str]) -> None:
    """Each span is within a span of the group, and an entity or listed."""
    text = "".join(pieces)
    nlp, tagger = _made(pipeline, lookup_model)
    spans, doc = tagger(text), nlp(text)
    group = list(doc.spans["presstag"])
    assert len(spans) == len(group)
    assert all(
        g.start_char <= s.start < s.end <= g.end_char and g.label_ == s.label
        for s, g in zip(spans, group, strict=True)
    )
    assert len(spans) == len(doc.ents) + len(doc._.presstag_left_out)
    cut = [s for s, g in zip(spans, group, strict=True) if (s.start, s.end) != place(g)]
    assert [s.to_dict() for s in cut] == [
        {k: v for k, v in listed.items() if k != "snapped"} for listed in doc._.presstag_snapped
    ]


_kept: dict[Path, tuple[Language, Any]] = {}


def _made(pipeline: Pipeline, folder: Path) -> tuple[Language, Any]:
    """A pipeline and a tagger, made once for all examples."""
    if folder not in _kept:
        _kept[folder] = (pipeline(spans_key="presstag"), load(folder))
    return _kept[folder]


def place(span: Span) -> tuple[int, int]:
    """Its offsets."""
    return span.start_char, span.end_char


def before_presstag(nlp: Language, words: str, label: str) -> Language:
    """Have another component find some words first."""
    ruler: Any = nlp.add_pipe("entity_ruler", before="presstag")
    ruler.add_patterns([{"label": label, "pattern": words}])
    return nlp


def test_entities_that_are_there_stay(pipeline: Pipeline) -> None:
    """Those of presstag yield where they overlap, and only there."""
    doc = before_presstag(pipeline(), "patrol", "WALK")("Norway sent patrol boats.")
    assert [("Norway", "DONOR"), ("patrol", "WALK")] == ents(doc)
    (listed,) = doc._.presstag_left_out
    assert ("patrol boats", "WALK") == (listed["text"], listed["yields_to"]["label"])
    assert "score" not in listed["yields_to"]
    assert doc.ents[1]._.score is None


def test_overwrite_takes_their_place(pipeline: Pipeline) -> None:
    """The entity that was there is listed; those beside it stay."""
    nlp = before_presstag(pipeline(overwrite=True), "boats to", "THING")
    nlp.get_pipe("entity_ruler").add_patterns([{"label": "VERB", "pattern": "sent"}])
    doc = nlp("Norway sent patrol boats to sea.")
    assert [("Norway", "DONOR"), ("sent", "VERB"), ("patrol boats", "SYSTEM")] == ents(doc)
    (listed,) = doc._.presstag_left_out
    assert ("boats to", "THING") == (listed["text"], listed["label"])
    assert ("patrol boats", "SYSTEM") == tuple(listed["yields_to"][k] for k in ("text", "label"))


def test_a_span_group_has_scores(pipeline: Pipeline, lookup_model: Path) -> None:
    """As SpanCategorizer keeps them, in order; doc.ents is left alone."""
    nlp = before_presstag(pipeline(set_ents=False, spans_key="sc"), "boats", "THING")
    doc = nlp("Norway sent patrol boats.")
    assert [("boats", "THING")] == ents(doc)
    spans = load(lookup_model)(doc.text)
    assert [s.text for s in spans] == [s.text for s in doc.spans["sc"]]
    assert [s.score for s in spans] == doc.spans["sc"].attrs["scores"].tolist()


def test_spans_must_go_somewhere(pipeline: Pipeline) -> None:
    """The error is there when the component is added."""
    with pytest.raises(InputError, match="set_ents is off and there is no spans_key"):
        pipeline(set_ents=False)


@pytest.mark.parametrize(
    ("min_score", "labels"),
    [
        (0.0, ["DONOR", "SYSTEM"]),
        (0.9, ["DONOR"]),
        ({"DONOR": 1}, ["SYSTEM"]),
        ({"SYSTEM": 0.1, "DONOR": 0.1}, ["DONOR", "SYSTEM"]),
    ],
)
def test_spans_with_low_scores_are_left_out(
    pipeline: Pipeline, min_score: Any, labels: list[str]
) -> None:
    """By one score, or one for each label."""
    doc = pipeline(min_score=min_score)("Norway sent tanks.")
    assert labels == [e.label_ for e in doc.ents]


def test_labels_are_the_models(pipeline: Pipeline) -> None:
    """They are shown with those of other components."""
    assert ["DONOR", "SYSTEM"] == pipeline().pipe_labels["presstag"]


def test_a_missing_model_is_an_error_when_it_is_needed(tmp_path: Path, pipeline: Pipeline) -> None:
    """The message is presstag's own."""
    nlp = pipeline(model=str(tmp_path / "no"))
    assert [] == nlp.pipe_labels["presstag"]
    with pytest.raises(ModelError, match="no such model folder"):
        nlp("Norway")


TEXTS = [f"{n} Norway 😀 sent patrol boats\r\nto Denmark." for n in range(25)]


def seen(doc: Doc) -> list[tuple[int, int, str, float]]:
    """Entities with their scores."""
    return [(e.start_char, e.end_char, e.label_, e._.score) for e in doc.ents]


# Python 3.12 and newer warn of any fork beside threads.
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize("n_process", [1, 2])
def test_pipe_works_in_batches_and_processes(pipeline: Pipeline, n_process: int) -> None:
    """In order, as one by one, scores and span groups too; the model was used before."""
    nlp = pipeline(spans_key="presstag", batch_size=4)
    expected = [nlp(text) for text in TEXTS]
    docs = list(nlp.pipe(TEXTS, batch_size=10, n_process=n_process))
    assert [seen(d) for d in expected] == [seen(d) for d in docs]
    assert 3 == len(seen(docs[0]))
    for one, other in zip(expected, docs, strict=True):
        scores = one.spans["presstag"].attrs["scores"]
        assert scores.tolist() == other.spans["presstag"].attrs["scores"].tolist()


@pytest.mark.filterwarnings(f"ignore:.*{SNAPPED}")
def test_what_is_listed_survives_on_disk(pipeline: Pipeline) -> None:
    """A Doc as bytes keeps scores and lists."""
    nlp = pipeline()
    doc = nlp("See tanks.norway.com now.")
    other = Doc(nlp.vocab).from_bytes(doc.to_bytes())
    for kept in ("presstag_snapped", "presstag_left_out"):
        assert doc._.get(kept) == other._.get(kept) != []
    assert seen(doc) == seen(other)


def test_a_pipeline_on_disk_has_its_model(
    pipeline: Pipeline, lookup_model: Path, tmp_path: Path
) -> None:
    """It works, settings and all, where the model's own folder is gone."""
    model = Path(shutil.copytree(lookup_model, tmp_path / "model"))
    nlp = pipeline(model=str(model), min_score={"SYSTEM": 0.5}, spans_key="presstag")
    expected = [seen(d) for d in nlp.pipe(TEXTS)]
    nlp.to_disk(tmp_path / "saved")
    assert {MANIFEST, NETWORK, TOKENIZER} == {
        f.name for f in (tmp_path / "saved" / "presstag").iterdir()
    }
    shutil.rmtree(model)
    moved = (tmp_path / "saved").rename(tmp_path / "moved")
    other = spacy.load(moved)
    assert expected == [seen(d) for d in other.pipe(TEXTS)]
    assert {"SYSTEM": 0.5} == dict(other.get_pipe_config("presstag")["min_score"])
    other.to_disk(tmp_path / "again")
    assert expected == [seen(d) for d in spacy.load(tmp_path / "again").pipe(TEXTS)]


def test_another_model_in_the_folder_is_not_saved(
    pipeline: Pipeline, lookup_model: Path, tmp_path: Path
) -> None:
    """What goes to disk is what was used."""
    model = Path(shutil.copytree(lookup_model, tmp_path / "model"))
    nlp = pipeline(model=str(model))
    nlp("Norway")
    (model / NETWORK).write_bytes(b"another")
    with pytest.raises(ModelError, match="SHA-256"):
        nlp.to_disk(tmp_path / "saved")


def test_a_failing_document_goes_to_the_handler(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with spaCy's own components, a handler may log a batch and go on."""
    nlp = pipeline()
    component: Any = nlp.get_pipe("presstag")
    failed: list[str] = []
    nlp.set_error_handler(lambda *called: failed.extend(doc.text for doc in called[2]))
    annotate = component._annotate

    def fail(doc: Doc, found: Any) -> None:
        if doc.text == "bad":
            raise ValueError(doc.text)
        annotate(doc, found)

    monkeypatch.setattr(component, "_annotate", fail)
    docs = nlp.pipe(["tanks", "bad", "boats", "Norway"], batch_size=2)
    assert (["boats", "Norway"], ["tanks", "bad"]) == ([d.text for d in docs], failed)
