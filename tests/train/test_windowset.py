from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import (
    BertWordPieceTokenizer,
    Tokenizer,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from presstag import load
from presstag.corpus.inline import read_marked
from presstag.spans import Article, Span
from presstag.tags import TagScheme
from presstag.tokens import ArticleTokenizer
from presstag.train.config import ModelSection
from presstag.train.configfile import read_config
from presstag.train.run import train
from presstag.train.windowset import IGNORED, _rows, build_windows, tag_units
from presstag.words import SHAPES

SCHEME = TagScheme(("DONOR", "SYSTEM"))
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
COLUMNS = ("input_ids", "token_type_ids", "labels", "length")


@pytest.fixture(scope="session")
def tokenizer(tiny_encoder: Path) -> ArticleTokenizer:
    """The tiny encoder's: [CLS], word pieces, [SEP]."""
    return ArticleTokenizer.from_file(tiny_encoder / "tokenizer.json", pad=0)


@pytest.fixture(scope="session")
def long(articles: list[Article]) -> list[Article]:
    """One long article made of all the short ones ten times over, and the short ones."""
    text, spans = "", list[Span]()
    for article in articles * 10:
        at = len(text)
        spans += [Span(s.start + at, s.end + at, s.label, s.text) for s in article.spans]
        text += article.text + "\n\n"
    return [Article("long", text, tuple(spans)), *articles]


def counted(rows: Sequence[dict[str, Any]]) -> list[int]:
    return [tag for row in rows for tag in row["labels"] if tag != IGNORED]


def expected_tags(articles: Sequence[Article], tokenizer: ArticleTokenizer) -> list[int]:
    encoded = tokenizer.encode([a.text for a in articles])
    return [
        tag
        for article, tokens in zip(articles, encoded, strict=True)
        for tag in tag_units(article, tokens, SCHEME)
    ]


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_every_unit_counts_exactly_once(
    data: st.DataObject, tokenizer: ArticleTokenizer, long: list[Article]
) -> None:
    """Whatever the window and the overlap: all tags in order, none twice, none left out."""
    window = data.draw(st.integers(8, 200))
    overlap = data.draw(st.integers(0, (window - 1) // 2))
    if overlap >= window // 2:
        overlap -= 1
    section = ModelSection(window=window, overlap=overlap)
    rows = list(_rows(long, tokenizer, SCHEME, section, COLUMNS))
    assert expected_tags(long, tokenizer) == counted(rows)
    assert all(row["length"] == len(row["input_ids"]) <= window for row in rows)
    assert all(len(row["labels"]) == len(row["input_ids"]) for row in rows)


def test_a_row_is_a_window_between_its_special_tokens(
    tokenizer: ArticleTokenizer, tmp_path: Path
) -> None:
    """The first token of each unit carries its tag; nothing else counts."""
    article = read_marked("{DONOR|Norway} pays.", name="a", source="test")
    windows = build_windows(
        [article],
        tokenizer=tokenizer,
        scheme=SCHEME,
        section=ModelSection(),
        inputs=INPUTS,
        folder=tmp_path,
    )
    (row,) = windows
    tokens = tokenizer.encode([article.text])[0]
    assert [*tokenizer.prefix, *tokens.ids, *tokenizer.suffix] == row["input_ids"]
    assert len(row["input_ids"]) == len(row["token_type_ids"])
    norway = SHAPES.index("Initial")
    assert [0, norway] == row["token_type_ids"][: len(tokenizer.prefix) + 1]
    assert 0 == row["token_type_ids"][-1]
    places = [len(tokenizer.prefix) + int(first) for first in tokens.firsts]
    tags = dict(zip(places, [SCHEME.tags.index("B-DONOR"), 0, 0], strict=True))
    assert [tags.get(i, IGNORED) for i in range(row["length"])] == row["labels"]


def test_articles_without_words_make_no_row_that_counts(
    tokenizer: ArticleTokenizer, tmp_path: Path, articles: list[Article]
) -> None:
    """An empty article is no fault and no row."""
    with_empty = [Article("e", ""), *articles, Article("b", " \n ")]
    options: dict[str, Any] = {
        "tokenizer": tokenizer,
        "scheme": SCHEME,
        "section": ModelSection(),
        "inputs": INPUTS,
    }
    one = build_windows(articles, folder=tmp_path / "a", **options)
    other = build_windows(with_empty, folder=tmp_path / "b", **options)
    assert one[:] == other[:]


def test_two_processes_build_what_one_does(
    tokenizer: ArticleTokenizer, long: list[Article], tmp_path: Path
) -> None:
    """The same rows in the same order."""
    built = [
        build_windows(
            long,
            tokenizer=tokenizer,
            scheme=SCHEME,
            section=ModelSection(window=24, overlap=8),
            inputs=INPUTS,
            folder=tmp_path / str(processes),
            processes=processes,
        )
        for processes in (1, 2)
    ]
    assert built[0][:] == built[1][:]
    assert len(built[0]) > 50


def test_the_rows_lie_in_a_file(
    tokenizer: ArticleTokenizer, articles: list[Article], tmp_path: Path
) -> None:
    """Memory does not grow with the corpus: the file is mapped."""
    windows = build_windows(
        articles,
        tokenizer=tokenizer,
        scheme=SCHEME,
        section=ModelSection(),
        inputs=INPUTS,
        folder=tmp_path,
    )
    assert [str(tmp_path)] == [f["filename"][: len(str(tmp_path))] for f in windows.cache_files]


def test_a_span_that_cuts_a_word_takes_it_whole(tokenizer: ArticleTokenizer) -> None:
    """What no tags express is trained on as near as they come."""
    article = Article("a", "Norwegians pay.", (Span(0, 6, "DONOR", "Norweg"),))
    tokens = tokenizer.encode([article.text])[0]
    assert [SCHEME.tags.index("B-DONOR"), 0, 0] == tag_units(article, tokens, SCHEME)


# Other architectures: each a small random checkpoint with a tokenizer of its own kind.

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}


def word_pieces(texts: list[str]) -> Any:
    trained = BertWordPieceTokenizer(lowercase=True)
    trained.train_from_iterator(texts, vocab_size=300, show_progress=False)
    return transformers.BertTokenizerFast(tokenizer_object=trained._tokenizer)


def bytes_in_pairs(texts: list[str]) -> Any:
    """RoBERTa's: byte-level BPE, in which a blank belongs to the word after it."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    trained.train_from_iterator(texts, trainer)
    trained.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    special = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=trained, **special)


def unigrams(texts: list[str]) -> Any:
    """DeBERTa-v2's: a unigram model, in which ▁ stands for a blank."""
    trained = Tokenizer(models.Unigram())
    trained.normalizer = normalizers.NFKC()
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    options = {"unk_token": "[UNK]", "special_tokens": ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]}
    trainer = trainers.UnigramTrainer(vocab_size=300, show_progress=False, **options)
    trained.train_from_iterator(texts, trainer)
    trained.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "cls", "sep", "unk")}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=trained, **special)


ARCHITECTURES: dict[str, tuple[Callable[[list[str]], Any], Callable[[int], Any]]] = {
    "distilbert": (
        word_pieces,
        lambda words: transformers.DistilBertModel(
            transformers.DistilBertConfig(
                vocab_size=words,
                dim=32,
                n_layers=1,
                n_heads=2,
                hidden_dim=64,
                max_position_embeddings=64,
            )
        ),
    ),
    "roberta": (
        bytes_in_pairs,
        lambda words: transformers.RobertaModel(
            transformers.RobertaConfig(
                vocab_size=words, max_position_embeddings=26, pad_token_id=1, **SIZES
            )
        ),
    ),
    "electra": (
        word_pieces,
        lambda words: transformers.ElectraModel(
            transformers.ElectraConfig(
                vocab_size=words, embedding_size=16, max_position_embeddings=64, **SIZES
            )
        ),
    ),
    "deberta-v2": (
        unigrams,
        lambda words: transformers.DebertaV2Model(
            transformers.DebertaV2Config(
                vocab_size=words,
                max_position_embeddings=64,
                relative_attention=True,
                position_buckets=16,
                pos_att_type=["p2c", "c2p"],
                share_att_key=True,
                norm_rel_ebd="layer_norm",
                position_biased_input=False,
                **SIZES,
            )
        ),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_another_architecture_is_trained_packed_and_tags(
    name: str, tiny_config: Path, long: list[Article], tmp_path: Path
) -> None:
    """One step, and the packed model gives what its checkpoint does, on an article of any length.

    RoBERTa counts positions from behind its padding id: 26 of them are a window of 24.
    """
    make_tokenizer, make_model = ARCHITECTURES[name]
    words = make_tokenizer([a.text for a in long])
    torch.manual_seed(7)
    make_model(len(words)).save_pretrained(tmp_path / "encoder")
    words.save_pretrained(tmp_path / "encoder")
    overrides = [
        f"model.encoder={tmp_path}/encoder",
        "training.max_steps=1",
        "export.precision=fp32",
        "evaluation.splits=[]",
    ]
    outcome = train(read_config(tiny_config, overrides), tmp_path / "m")
    assert 1.0 == outcome.parity.same_spans
    assert outcome.parity.score_difference < 1e-5
    article = long[0]
    spans = load(tmp_path / "m")(article.text)
    assert all(article.text[s.start : s.end] == s.text == s.text.strip() for s in spans)
