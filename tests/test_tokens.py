"""Texts as tokens and units, with tokenizers of three kinds."""

from __future__ import annotations

import pickle
import unicodedata
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from presstag.errors import ModelError
from presstag.tokens import ArticleTokenizer, Tokens
from presstag.windows import Window, plan_windows
from presstag.words import find_words

PIECES = [
    "Norway", "two tanks", " ", "\r\n", "\n\n", "\u2028", "\u00a0", "\t",
    "e\u0301", "\u0301", "\u0489", "😀", "👩\u200d👩\u200d👧", "❤\ufe0f",
    "\x00", "\x07", "\ufffd", "\ufeff", "\u00ad", "\u200b", "\ue000",
    "\ud800", "\ud83d\ude00", "\udfff", "שלום", "مرحبا، ", "हिन्दी", "中文", "İ", "ß", "ﬃ", "½",
    "[SEP]", "[CLS]", "[PAD]", "<s>", "##s", "x" * 150, "155", ".", "’", "…", "_",
]  # fmt: skip
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(PIECES),
        st.text(st.characters(codec=None, exclude_categories=()), max_size=5),
    ),
    max_size=14,
).map("".join)
fuzz = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])

LEARN_FROM = ["Norway sends two tanks and 155 shells.", "Nobody gave anything on Tuesday."] * 5


def around(first: str, last: str, tokenizer: Tokenizer) -> Tokenizer:
    """Put special tokens around a text."""
    ids = [(token, tokenizer.token_to_id(token)) for token in (first, last)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", special_tokens=ids
    )
    return tokenizer


def byte_pairs() -> ArticleTokenizer:
    """Like RoBERTa's: pairs of bytes, blanks part of the tokens."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(LEARN_FROM, trainer)
    return ArticleTokenizer(around("<s>", "</s>", made), pad=1)


def unigrams() -> ArticleTokenizer:
    """Like XLM-R's: compatibility forms folded, blanks as ▁."""
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=60,
        special_tokens=["<s>", "</s>", "<unk>"],
        unk_token="<unk>",  # noqa: S106
        show_progress=False,
    )
    made.train_from_iterator(LEARN_FROM, trainer)
    return ArticleTokenizer(around("<s>", "</s>", made), pad=1)


@pytest.fixture(scope="module")
def word_pieces(tiny_encoder: Path) -> ArticleTokenizer:
    """The tiny encoder's: like BERT's, lower case, accents and control characters deleted."""
    return ArticleTokenizer.from_file(tiny_encoder / "tokenizer.json", pad=0)


@pytest.fixture(scope="module", params=["word_pieces", "byte_pairs", "unigrams"])
def tokenizer(request: pytest.FixtureRequest) -> ArticleTokenizer:
    """Each kind in turn."""
    if request.param == "word_pieces":
        found: ArticleTokenizer = request.getfixturevalue("word_pieces")
        return found
    return {"byte_pairs": byte_pairs, "unigrams": unigrams}[request.param]()


def unit_texts(tokenizer: ArticleTokenizer, text: str) -> list[str]:
    """The stretches of text that get a tag."""
    return [text[a:b] for a, b in tokenizer.encode([text])[0].units.tolist()]


def same(a: Tokens, b: Tokens) -> bool:
    """Whether two texts are encoded alike."""
    parts = [(a.ids, b.ids), (a.firsts, b.firsts), (a.units, b.units)]
    return all(np.array_equal(one, other) for one, other in parts)


def test_words_are_units_whatever_the_tokenizer(tokenizer: ArticleTokenizer) -> None:
    """A plain sentence has the same units for word pieces, pairs of bytes and unigrams."""
    text = "Norway sent 155 shells,\r\nnot tanks."
    expected = ["Norway", "sent", "155", "shells", ",", "not", "tanks", "."]
    assert expected == unit_texts(tokenizer, text)


def test_words_that_one_token_joins_are_one_unit() -> None:
    """A tokenizer that takes unknown signs together gets one tag for their words."""
    assert ["two", "€€", "tanks"] == unit_texts(unigrams(), "two €€ tanks")


@fuzz
@given(text=TEXTS)
def test_units_are_in_order_apart_and_never_empty(tokenizer: ArticleTokenizer, text: str) -> None:
    """On any text, units lie in it, one after another; each has a first token of its own."""
    tokens = tokenizer.encode([text])[0]
    edges = tokens.units.ravel().tolist()
    assert all(0 <= a < b <= len(text) for a, b in tokens.units.tolist())
    assert edges == sorted(edges)
    assert len(tokens.units) == len(tokens.firsts)
    assert all(a < b for a, b in pairwise([-1, *tokens.firsts.tolist(), len(tokens.ids)]))


@fuzz
@given(text=TEXTS)
def test_units_are_made_of_whole_words(tokenizer: ArticleTokenizer, text: str) -> None:
    """A unit begins where a word begins and ends where a word ends."""
    words = find_words(text)
    units = tokenizer.encode([text])[0].units.tolist()
    assert {a for a, _ in units} <= {a for a, _ in words}
    assert {b for _, b in units} <= {b for _, b in words}


@fuzz
@given(text=TEXTS)
def test_only_words_that_the_tokenizer_deletes_are_in_no_unit(
    tokenizer: ArticleTokenizer, text: str
) -> None:
    """A word without a unit is one that has no tokens when it stands alone.

    BERT's tokenizer deletes NUL and other controls, format characters such as a zero-width space,
    private use, U+FFFD (and with it lone surrogates), and the marks that it strips as accents. A
    word of nothing else is in no unit.
    """
    covered = {i for a, b in tokenizer.encode([text])[0].units.tolist() for i in range(a, b)}
    for a, b in find_words(text):
        if covered.isdisjoint(range(a, b)):
            assert [] == tokenizer.encode([text[a:b]])[0].ids.tolist()
            kinds = {unicodedata.category(c) for c in text[a:b] if c != "\ufffd"}
            assert kinds <= {"Cc", "Cf", "Cn", "Co", "Cs", "Mn"}
        else:
            assert covered.issuperset(range(a, b))


@fuzz
@given(text=TEXTS)
@pytest.mark.parametrize("made", [byte_pairs(), unigrams()], ids=["byte_pairs", "unigrams"])
def test_tokenizers_that_delete_nothing_have_every_word_in_a_unit(
    made: ArticleTokenizer, text: str
) -> None:
    """Pairs of bytes and unigrams leave no character out but white space."""
    covered = [i for a, b in made.encode([text])[0].units.tolist() for i in range(a, b)]
    assert {i for i, c in enumerate(text) if not c.isspace()} <= set(covered)


@pytest.mark.parametrize("deleted", ["\x00", "\x07", "\u200b", "\ue000", "\ufffd", chr(0xD800)])
def test_what_bert_deletes_is_in_a_unit_only_within_words(
    word_pieces: ArticleTokenizer, deleted: str
) -> None:
    """Alone it has no unit; between letters, which the tokenizer then joins, it is inside one."""
    assert ["two", "tanks"] == unit_texts(word_pieces, f"two {deleted} tanks")
    assert [f"nor{deleted}way"] == unit_texts(word_pieces, f"nor{deleted}way")


@pytest.mark.parametrize("text", ["", " ", "\r\n\u2028", "\x00", "\ud800\udfff"])
def test_a_text_of_nothing_has_no_units(word_pieces: ArticleTokenizer, text: str) -> None:
    """Empty, blank or deleted: no token is left, and nothing fails."""
    tokens = word_pieces.encode([text])[0]
    assert (0, (0,), (0, 2)) == (len(tokens.ids), tokens.firsts.shape, tokens.units.shape)


def test_special_tokens_in_a_text_are_text(word_pieces: ArticleTokenizer) -> None:
    """An article that says [SEP] says these five characters, as three words."""
    ids = word_pieces.encode(["[SEP] [CLS] [MASK] [PAD]"])[0].ids.tolist()
    specials = {*word_pieces.prefix, *word_pieces.suffix, word_pieces.pad, 4}
    assert specials.isdisjoint(ids)
    assert ["[", "SEP", "]"] == unit_texts(word_pieces, "[SEP]")


def test_special_tokens_around_are_known(word_pieces: ArticleTokenizer) -> None:
    """A window stands between [CLS] and [SEP], whose ids the tiny vocabulary has at 2 and 3."""
    assert ((2,), (3,), 2) == (word_pieces.prefix, word_pieces.suffix, word_pieces.specials)


def test_a_tokenizer_without_special_tokens_has_none_around() -> None:
    """Nothing is put around a window where the encoder wants nothing."""
    bare = Tokenizer(models.WordLevel({"a": 0, "?": 1}, unk_token="?"))  # noqa: S106
    assert ((), ()) == (
        ArticleTokenizer(bare, pad=1).prefix,
        ArticleTokenizer(bare, pad=1).suffix,
    )


@pytest.mark.parametrize(
    "text",
    [
        "two tanks \r\n" * 6000,
        "Norway’s 😀 e\u0301 " * 5000,
        "x" * 50_000,
        "a b" + "y" * 40_000 + " c",
    ],
    ids=["sentences", "marks", "one word", "a word among others"],
)
def test_a_long_text_is_encoded_as_if_at_once(tokenizer: ArticleTokenizer, text: str) -> None:
    """Long texts are tokenized in pieces; units are the words all the same."""
    assert [list(w) for w in find_words(text)] == tokenizer.encode([text])[0].units.tolist()


def test_a_long_text_has_the_tokens_of_its_parts(word_pieces: ArticleTokenizer) -> None:
    """Wherever the pieces end, no token is lost, doubled or cut."""
    part = "Norway will send two patrol boats to Lusitania, the minister said.\n"
    once = word_pieces.encode([part])[0].ids
    assert np.array_equal(np.tile(once, 1000), word_pieces.encode([part * 1000])[0].ids)


@fuzz
@given(texts=st.lists(TEXTS, max_size=4))
def test_texts_together_are_encoded_as_alone(tokenizer: ArticleTokenizer, texts: list[str]) -> None:
    """A text's tokens do not depend on the texts beside it."""
    together = tokenizer.encode(texts)
    assert len(texts) == len(together)
    alone = [tokenizer.encode([text])[0] for text in texts]
    assert all(same(a, b) for a, b in zip(alone, together, strict=True))


@fuzz
@given(text=TEXTS, size=st.integers(1, 12), data=st.data())
def test_each_unit_is_decided_in_one_window_at_its_first_token(
    tokenizer: ArticleTokenizer, text: str, size: int, data: st.DataObject
) -> None:
    """Over the windows of a text, units come once and in order, at rows that hold their tokens."""
    tokens = tokenizer.encode([text])[0]
    overlap = data.draw(st.integers(0, size - 1))
    decided: list[int] = []
    for window in plan_windows(len(tokens.ids), size=size, overlap=overlap):
        units = tokens.units_in(window)
        decided += range(len(tokens.units))[units]
        rows = tokenizer.rows_in(tokens, window)
        shown = tokenizer.window_ids(tokens, window)[rows]
        assert tokens.ids[tokens.firsts[units]].tolist() == shown.tolist()
    assert list(range(len(tokens.units))) == decided


def test_windows_side_by_side_are_padded_on_the_right(word_pieces: ArticleTokenizer) -> None:
    """Each has its special tokens; the mask is one where they and the text are."""
    tokens = word_pieces.encode(["two tanks will send two"])[0]
    two, tanks, will, send, _ = tokens.ids.tolist()
    batch = word_pieces.batch([(tokens, Window(0, 2, 0, 2)), (tokens, Window(1, 4, 2, 4))])
    assert [[2, two, tanks, 3, 0], [2, tanks, will, send, 3]] == batch.ids.tolist()
    assert [[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]] == batch.mask.tolist()


def test_the_tokenizer_given_stays_as_it_is(tiny_encoder: Path) -> None:
    """Truncation and padding are switched off in a copy."""
    given_tokenizer = Tokenizer.from_file(str(tiny_encoder / "tokenizer.json"))
    given_tokenizer.enable_truncation(4)
    given_tokenizer.enable_padding(length=6)
    own = ArticleTokenizer(given_tokenizer, pad=0)
    assert 5 == len(own.encode(["two two two two two"])[0].ids)
    assert 6 == len(given_tokenizer.encode("two two two two two").ids)
    assert [2, 3, 3] == given_tokenizer.encode("[SEP]").ids[:3]


def test_a_tokenizer_survives_pickling_and_json(tokenizer: ArticleTokenizer) -> None:
    """Worker processes and model folders get the same tokenizer, special tokens as text."""
    text = "Norway’s [SEP] <s> tanks \ud800 e\u0301"
    copies = [
        pickle.loads(pickle.dumps(tokenizer)),  # noqa: S301
        ArticleTokenizer(Tokenizer.from_str(tokenizer.to_json()), pad=tokenizer.pad),
    ]
    for copy in copies:
        assert same(tokenizer.encode([text])[0], copy.encode([text])[0])
        assert (tokenizer.prefix, tokenizer.suffix, tokenizer.pad) == (
            copy.prefix,
            copy.suffix,
            copy.pad,
        )


@pytest.mark.parametrize("content", ["", "{}", "[1]", "no JSON", '{"version": "1.0"}'])
def test_a_file_that_is_no_tokenizer_is_an_error(tmp_path: Path, content: str) -> None:
    """The error names the file and says what to do."""
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(ModelError, match="no tokenizer") as caught:
        ArticleTokenizer.from_file(path, pad=0)
    assert (str(path), "export the model again.") == (caught.value.where, caught.value.do)
