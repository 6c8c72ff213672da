"""Text in, spans out: with networks whose answers are known, and with a packed one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from presstag import InputError, Span, Tagger, load
from presstag.tagger import Calibration
from presstag.tags import TagScheme
from presstag.tokens import ArticleTokenizer, Batch, Floats
from presstag.words import find_words

SCHEME = TagScheme(("DONOR", "SYSTEM"))
PIECES = [
    "Norway", "Denmark", "two", "patrol", "boats", "tanks", "the", "minister", "155", ",", ".", " ",
    " ", " ", "\r\n", "\u2028", "e\u0301", "😀", "\x00", "\ud800", "שלום", "[SEP]", "x" * 120, "“",
]  # fmt: skip
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(PIECES),
        st.text(st.characters(codec=None, exclude_categories=()), max_size=4),
    ),
    max_size=30,
).map("".join)
fuzz = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])


class Lookup:
    """A network without context: a token's scores are the row of its id, wherever it stands."""

    def __init__(self, table: Floats) -> None:
        self.table = table
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, batch: Batch) -> Floats:
        self.shapes.append(batch.ids.shape)
        scores: Floats = self.table[batch.ids]
        return scores


@pytest.fixture(scope="module")
def tokenizer(tiny_encoder: Path) -> ArticleTokenizer:
    """The tiny encoder's."""
    return ArticleTokenizer.from_file(tiny_encoder / "tokenizer.json", pad=0)


def random_table(seed: int, *, scale: float = 2.0) -> Floats:
    """Scores of every token of the tiny vocabulary, at random."""
    random = np.random.default_rng(seed)
    return (scale * random.standard_normal((300, len(SCHEME.tags)))).astype(np.float32)


def known_table(tokenizer: ArticleTokenizer, tags: Mapping[str, str]) -> Floats:
    """Scores that give some words a tag, and all others O."""
    table = np.zeros((300, len(SCHEME.tags)), dtype=np.float32)
    table[:, 0] = 3
    for word, tag in tags.items():
        table[tokenizer.encode([word])[0].ids[0], SCHEME.tags.index(tag)] = 6
    return table


def put_together(
    forward: Lookup,
    tokenizer: ArticleTokenizer,
    *,
    window: int = 10_000,
    overlap: int = 0,
    windows_at_once: int = 1,
    calibration: Calibration | None = None,
) -> Tagger:
    """A tagger around a network; by default its window holds any text of these tests."""
    return Tagger(
        forward,
        tokenizer=tokenizer,
        scheme=SCHEME,
        window=window,
        overlap=overlap,
        windows_at_once=windows_at_once,
        calibration=calibration,
    )


@pytest.fixture(scope="module")
def known(tokenizer: ArticleTokenizer) -> Tagger:
    """Finds Norway and Denmark, patrol boats and tanks, in windows of ten tokens."""
    tags = {
        "norway": "B-DONOR",
        "denmark": "B-DONOR",
        "tanks": "B-SYSTEM",
        "patrol": "B-SYSTEM",
        "boats": "I-SYSTEM",
    }
    return put_together(Lookup(known_table(tokenizer, tags)), tokenizer, window=12, overlap=4)


def test_spans_have_place_label_words_and_score(known: Tagger) -> None:
    """A long sentence, cut into windows, gives its spans as they stand in the text."""
    text = "NORWAY will send two patrol  boats to Lusitania;\r\ntanks came from Denmark."
    found = known(text)
    expected = [
        (0, 6, "DONOR", "NORWAY"),
        (21, 34, "SYSTEM", "patrol  boats"),
        (50, 55, "SYSTEM", "tanks"),
        (66, 73, "DONOR", "Denmark"),
    ]
    assert expected == [(s.start, s.end, s.label, s.text) for s in found]


def test_a_score_is_the_probability_of_exactly_the_span(known: Tagger) -> None:
    """It begins, goes on, and does not go on after that: one factor each."""
    parts = np.exp([3.0, 6.0, 0.0, 0.0, 0.0])
    tagged, other = parts[1] / parts.sum(), 1 / (np.exp(3) + 4)
    (found,) = known("the patrol boats left")
    assert pytest.approx(tagged * tagged * (1 - other)) == found.score
    (last,) = known("the patrol boats")
    assert pytest.approx(tagged * tagged) == last.score


def test_words_that_touch_are_tagged_apart(known: Tagger) -> None:
    """A span ends at its word, not at the next blank."""
    expected = [(1, 7, "DONOR"), (8, 13, "SYSTEM")]
    assert expected == [s.key for s in known("“Norway-tanks”")]


def test_labels_and_info_say_what_the_model_is(known: Tagger) -> None:
    """Labels in the order of the scheme; nothing known is an empty record."""
    assert (("DONOR", "SYSTEM"), {}) == (known.labels, known.info)


@fuzz
@given(
    text=TEXTS,
    size=st.integers(1, 12),
    data=st.data(),
    at_once=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_windows_give_what_one_big_window_gives(
    tokenizer: ArticleTokenizer,
    *,
    text: str,
    size: int,
    data: st.DataObject,
    at_once: int,
    seed: int,
) -> None:
    """Without context in the network, neither scores nor spans depend on how a text is cut."""
    forward = Lookup(random_table(seed))
    whole = put_together(forward, tokenizer)
    cut = put_together(
        forward,
        tokenizer,
        window=size + tokenizer.specials,
        overlap=data.draw(st.integers(0, size - 1)),
        windows_at_once=at_once,
    )
    assert np.array_equal(whole.score_units([text])[0][1], cut.score_units([text])[0][1])
    assert whole(text) == cut(text)


@fuzz
@given(texts=st.lists(TEXTS, max_size=6), batch_size=st.integers(1, 8), seed=st.integers(0, 99))
def test_piped_texts_are_tagged_as_one_by_one(
    tokenizer: ArticleTokenizer, texts: list[str], batch_size: int, seed: int
) -> None:
    """In order, whatever the batch and however windows are laid together."""
    tagger = put_together(
        Lookup(random_table(seed)), tokenizer, window=9, overlap=3, windows_at_once=3
    )
    assert [tagger(text) for text in texts] == list(tagger.pipe(texts, batch_size=batch_size))


@fuzz
@given(text=TEXTS, seed=st.integers(0, 99))
def test_spans_are_slices_in_order_with_scores(
    tokenizer: ArticleTokenizer, text: str, seed: int
) -> None:
    """On any text: offsets give the words, no span overlaps another, scores are in (0, 1]."""
    reached = 0
    for span in put_together(Lookup(random_table(seed)), tokenizer)(text):
        assert text[span.start : span.end] == span.text
        assert reached <= span.start < span.end
        assert span.score is not None
        assert 0 < span.score <= 1
        reached = span.end


def test_a_score_is_never_zero(tokenizer: ArticleTokenizer) -> None:
    """A span of thousands of unsure words is unlikely, and still has a score above zero."""
    table = np.zeros((300, 5), dtype=np.float32)
    table[:, 2] = 0.01
    (span,) = put_together(Lookup(table), tokenizer)("two tanks " * 1000)[-1:]
    assert (0, 9_999) == (span.start, span.end)
    assert span.score is not None
    assert 0 < span.score < 1e-100


def test_a_calibrated_score_stands_for_the_raw_one(tokenizer: ArticleTokenizer) -> None:
    """Spans are the same, and scores are read off the line; `score_units` is untouched."""
    forward, line = Lookup(random_table(2)), Calibration((0.0, 0.5, 1.0), (0.0, 0.8, 0.9))
    raw, calibrated = (put_together(forward, tokenizer, calibration=c) for c in (None, line))
    text = "Norway will send two patrol boats to Lusitania. " * 5
    before, after = raw(text), calibrated(text)
    assert [s.key for s in before] == [s.key for s in after]
    assert [line(s.score or 0) for s in before] == [s.score for s in after]
    assert 3 < len(before)
    assert raw.score_units([text])[0][1].tobytes() == calibrated.score_units([text])[0][1].tobytes()


@pytest.mark.parametrize(
    ("score", "expected"),
    [(0.1, 0.2), (0.2, 0.2), (0.3, 0.3), (0.4, 0.4), (0.7, 0.4), (0.9, 1.0), (1.0, 1.0)],
)
def test_a_calibration_is_a_line_through_points(score: float, expected: float) -> None:
    """Straight between points, level before the first and after the last."""
    line = Calibration((0.2, 0.4, 0.7, 0.8), (0.2, 0.4, 0.4, 1.0))
    assert pytest.approx(expected) == line(score)


def test_a_calibrated_score_is_never_zero() -> None:
    """Even where none of the measured spans was right."""
    assert 0 < Calibration((0.0, 1.0), (0.0, 0.0))(0.5) < 1e-300


@pytest.mark.parametrize(
    ("raw", "calibrated", "found"),
    [
        ((), (), "0 raw scores for 0 calibrated ones"),
        ((0.1,), (0.1, 0.2), "1 raw scores for 2 calibrated ones"),
        ((0.1, 1.1), (0.1, 0.2), "a score outside 0 to 1"),
        ((0.1, 0.2), (-0.1, 0.2), "a score outside 0 to 1"),
        ((0.1, float("nan")), (0.1, 0.2), "a score outside 0 to 1"),
        ((0.1, 0.1), (0.1, 0.2), "raw scores that do not rise"),
        ((0.1, 0.2), (0.2, 0.1), "calibrated scores that fall"),
    ],
)
def test_points_that_are_no_calibration_are_refused(
    raw: tuple[float, ...], calibrated: tuple[float, ...], found: str
) -> None:
    """A score must stay a probability and keep its order."""
    with pytest.raises(ValueError, match=found):
        Calibration(raw, calibrated)


@pytest.mark.parametrize("text", ["", " ", "\r\n\u2028\u00a0", "\x00", "\ud800", "\udfff\ud800 "])
def test_a_text_of_nothing_has_no_spans(tokenizer: ArticleTokenizer, text: str) -> None:
    """Empty, blank, deleted by the tokenizer: no span and no error, alone and among others."""
    eager = np.full((300, 5), [0, 9, 0, 0, 0], dtype=np.float32)
    tagger = put_together(Lookup(eager), tokenizer)
    assert [] == tagger(text)
    assert [1, 0, 1] == [len(spans) for spans in tagger.pipe(["two", text, "two"])]


def test_surrogates_stay_in_the_words_of_a_span(tokenizer: ArticleTokenizer) -> None:
    """A span over half a character gives the text as it is, so that the slice is exact."""
    eager = np.full((300, 5), [0, 0, 9, 0, 0], dtype=np.float32)
    (span,) = put_together(Lookup(eager), tokenizer)("two\ud83dtanks")
    assert Span(0, 9, "DONOR", "two\ud83dtanks", span.score) == span


@pytest.mark.parametrize("text", [None, 7, b"Norway", ["Norway"]])
def test_what_is_no_string_is_refused(known: Tagger, text: object) -> None:
    """The error says what was given, instead of a text."""
    with pytest.raises(InputError, match=f"text 1: a {type(text).__name__}"):
        known(text)  # type: ignore[arg-type]


def test_the_text_at_fault_is_counted_from_the_first(known: Tagger) -> None:
    """In a stream of texts the error names the one that is no string, whatever the batch."""
    piped = known.pipe(["a", "b", "c", "d", None], batch_size=2)  # type: ignore[list-item]
    assert [[], [], [], []] == list(islice(piped, 4))
    with pytest.raises(InputError, match="text 5: a NoneType"):
        next(piped)


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_of_nothing_is_refused(known: Tagger, batch_size: int) -> None:
    """A batch size below one is an error, not an endless or empty stream."""
    with pytest.raises(InputError, match=f"batch_size: {batch_size}"):
        next(known.pipe(["Norway"], batch_size=batch_size))


def test_piping_reads_a_batch_at_a_time(known: Tagger) -> None:
    """Nothing is read before it is asked for, and never more than the batch at work."""
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "Norway"

    piped = known.pipe(endless(), batch_size=4)
    counts = [read]
    for _ in range(9):
        assert ["Norway"] == [s.text for s in next(piped)]
        counts.append(read)
    assert [0, 4, 4, 4, 4, 8, 8, 8, 8, 12] == counts


def test_no_texts_give_nothing(known: Tagger) -> None:
    """An empty stream is no error."""
    assert [] == list(known.pipe([]))


def test_the_network_sees_no_more_than_a_window(tokenizer: ArticleTokenizer) -> None:
    """Special tokens count: what is shown at once is `window` long, `windows_at_once` of them."""
    forward = Lookup(random_table(1))
    put_together(forward, tokenizer, window=8, overlap=2, windows_at_once=3)("two tanks " * 40)
    assert (3, 8) == tuple(np.max(forward.shapes, axis=0))


@pytest.mark.slow
def test_five_megabytes_are_tagged_whole(tokenizer: ArticleTokenizer) -> None:
    """Every sentence of a very long text gives its spans, to the last."""
    tags = {"norway": "B-DONOR", "patrol": "B-SYSTEM", "boats": "I-SYSTEM"}
    known = put_together(Lookup(known_table(tokenizer, tags)), tokenizer, window=512, overlap=64)
    sentence = "Norway will send two patrol boats to Lusitania, the minister said.\n"
    copies = 5_000_000 // len(sentence) + 1
    found = known(sentence * copies)
    places = [(0, 6, "DONOR"), (21, 33, "SYSTEM")]
    expected = [
        (n * len(sentence) + a, n * len(sentence) + b, label)
        for n in range(copies)
        for a, b, label in places
    ]
    assert expected == [s.key for s in found]


def test_one_word_of_a_megabyte_is_one_unit(known: Tagger) -> None:
    """A text without blanks is tagged too, and what stands after it is found."""
    text = "x" * 1_000_000 + " Norway"
    assert 2 == len(find_words(text))
    assert [(1_000_001, 1_000_007, "DONOR")] == [s.key for s in known(text)]


def test_threads_share_a_packed_model(tiny_model: Path) -> None:
    """Eight threads with one tagger get the scores and spans that one thread gets."""
    tagger = load(tiny_model)
    texts = [f"Norway will send {n} patrol boats. " * (n % 5 + 1) for n in range(40)]

    def work(text: str) -> tuple[bytes, list[Span]]:
        return tagger.score_units([text])[0][1].tobytes(), tagger(text)

    expected = [work(text) for text in texts] * 4
    with ThreadPoolExecutor(8) as pool:
        assert expected == list(pool.map(work, texts * 4))


def test_a_packed_models_scores_do_not_depend_on_its_neighbours(tiny_model: Path) -> None:
    """Windows go one by one, so that a text is scored alike alone and among others."""
    tagger = load(tiny_model, threads=1)
    texts = ["Norway gave tanks.", "two", "", "The council met on Tuesday. " * 20]
    alone = [tagger.score_units([text])[0][1].tobytes() for text in texts]
    assert alone == [scores.tobytes() for _, scores in tagger.score_units(texts)]


def test_a_tagger_with_a_least_score_leaves_out_the_rest(tokenizer: ArticleTokenizer) -> None:
    """A score for all labels or for some; a span with just that score stays."""
    tags = {"norway": "B-DONOR", "tanks": "B-SYSTEM"}
    tagger = put_together(Lookup(known_table(tokenizer, tags)), tokenizer)
    text = "Norway, tanks"
    donor, system = tagger(text)
    lower, higher = sorted(s.score or 0 for s in (donor, system))
    assert [donor, system] == tagger.with_min_score(lower)(text)
    assert [] == tagger.with_min_score(higher + 1e-9)(text)
    assert [system] == tagger.with_min_score({"DONOR": higher + 1e-9})(text)
    assert [[donor]] == list(tagger.with_min_score({"SYSTEM": 1}).pipe([text]))
    assert [donor, system] == tagger(text)
    assert [donor, system] == tagger.with_min_score(1).with_min_score({})(text)


def test_a_least_score_goes_by_the_calibrated_one(tokenizer: ArticleTokenizer) -> None:
    """It is the score that a span shows."""
    table = known_table(tokenizer, {"norway": "B-DONOR"})
    halved = Calibration((0.0, 1.0), (0.0, 0.5))
    tagger = put_together(Lookup(table), tokenizer, calibration=halved)
    assert 1 == len(tagger("Norway"))
    assert [] == tagger.with_min_score(0.6)("Norway")


@pytest.mark.parametrize(
    ("min_score", "found", "expected"),
    [
        (1.01, "1.01", "a score in 0 to 1"),
        (-0.1, "-0.1", "a score in 0 to 1"),
        (float("nan"), "nan", "a score in 0 to 1"),
        (True, "True", "a score in 0 to 1"),
        ("0.5", "'0.5'", "a score in 0 to 1"),
        ({"DONOR": None}, "None", "a score in 0 to 1"),
        ({"donor": 0.5}, "a label 'donor'", "one of DONOR, SYSTEM"),
    ],
)
def test_a_least_score_is_a_score_of_a_label(
    known: Tagger, min_score: Any, found: str, expected: str
) -> None:
    """A slip would leave out everything, or nothing, in silence."""
    with pytest.raises(InputError) as caught:
        known.with_min_score(min_score)
    assert ("min_score", found, expected) == (
        caught.value.where,
        caught.value.found,
        caught.value.expected,
    )
