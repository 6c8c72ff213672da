"""Encoders of other kinds than BERT, each from a random checkpoint to a packed model.

Their tokenizers are trained here, made and laid out as the published ones are.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentencepiece import SentencePieceTrainer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    DebertaV2Config,
    DebertaV2Model,
    DebertaV2Tokenizer,
    ModernBertConfig,
    ModernBertModel,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
    XLMRobertaTokenizer,
)

from presstag import load
from presstag.spans import Article, Span
from presstag.tagger import Tagger
from presstag.tags import TagScheme
from presstag.train.checkpoint import load_checkpoint, read_checkpoint
from presstag.train.config import Config, ExportSection, ModelSection
from presstag.train.configfile import read_config
from presstag.train.encoder import model_inputs
from presstag.train.export import compare, export_checkpoint
from presstag.train.run import train
from presstag.train.windowset import IGNORED, build_windows, tag_units
from presstag.words import find_words

pytestmark = pytest.mark.slow

SCHEME = TagScheme(("DONOR", "SYSTEM"))
LEARN_FROM = [
    "Norway will send two patrol boats to Lusitania, the minister said.",
    "Tanks from Denmark and field kitchens from Norway arrived by rail.",
    "The Danish government added 155-millimetre shells; Iceland pays.",
] * 5
SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}
HOSTILE = {
    "leading spaces": "  \u00a0 Norway  sends   tanks",
    "line ends": "\r\nNorway\r\n\r\nsends\ttanks.\r\n",
    "emoji": "😀Norway 👩\u200d👩\u200d👧 sends ❤\ufe0ftanks",
    "accents": "Norvège e\u0301quipe l’armée, naïve cafe\u0301",
    "compatibility": "½ ﬁeld İstanbul … № ４ tanks",
    "invisible": "\ufeffNor\u00adway\u200b sends\x00 tanks \ud800",
}


def byte_pairs() -> PreTrainedTokenizerFast:
    """As ModernBERT has it: pairs of bytes with the blank before them, runs of blanks whole."""
    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(LEARN_FROM, trainer)
    made.add_tokens([" " * n for n in range(24, 1, -1)])
    ids = [(token, made.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=ids
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        **{f"{name}_token": f"[{name.upper()}]" for name in ("cls", "sep", "pad", "mask", "unk")},
        model_input_names=["input_ids", "attention_mask"],
    )


def write_unigrams(path: Path, **pieces: Any) -> None:
    """Train a SentencePiece model, which transformers makes a tokenizer from."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        SentencePieceTrainer.train(
            sentence_iterator=iter(LEARN_FROM),
            model_writer=file,
            vocab_size=120,
            hard_vocab_limit=False,
            minloglevel=2,
            **pieces,
        )


def make_modernbert(folder: Path) -> None:
    """Rotary positions, layers that see their neighbourhood only, no token types."""
    tokenizer = byte_pairs()
    tokenizer.save_pretrained(folder)
    config = ModernBertConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=64,
        local_attention=8,
        pad_token_id=tokenizer.pad_token_id,
        cls_token_id=tokenizer.cls_token_id,
        sep_token_id=tokenizer.sep_token_id,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        **SIZES,
    )
    ModernBertModel(config).save_pretrained(folder)


def make_deberta(folder: Path) -> None:
    """Relative positions in attention, with the settings of version 3; no tokenizer.json."""
    ids = {"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3}
    names = ("pad_piece", "[PAD]"), ("bos_piece", "[CLS]"), ("eos_piece", "[SEP]")
    write_unigrams(folder / "spm.model", **ids, **dict(names), unk_piece="[UNK]")
    tokenizer = DebertaV2Tokenizer.from_pretrained(folder)
    config = DebertaV2Config(
        vocab_size=len(tokenizer),
        max_position_embeddings=64,
        type_vocab_size=0,
        relative_attention=True,
        position_buckets=16,
        max_relative_positions=-1,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
        layer_norm_eps=1e-7,
        pad_token_id=tokenizer.pad_token_id,
        **SIZES,
    )
    DebertaV2Model(config).save_pretrained(folder)


def make_xlm_roberta(folder: Path) -> None:
    """Positions that are counted from behind the padding id."""
    write_unigrams(folder / "sentencepiece.bpe.model")
    tokenizer = XLMRobertaTokenizer.from_pretrained(folder)
    tokenizer.save_pretrained(folder)
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=66,
        type_vocab_size=1,
        pad_token_id=1,
        **SIZES,
    )
    XLMRobertaModel(config).save_pretrained(folder)


MAKERS: dict[str, Callable[[Path], None]] = {
    "modernbert": make_modernbert,
    "deberta": make_deberta,
    "xlm-roberta": make_xlm_roberta,
}


@pytest.fixture(scope="module", params=MAKERS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each architecture in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def encoder(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random encoder and its tokenizer."""
    folder = tmp_path_factory.mktemp(kind)
    torch.manual_seed(7)
    MAKERS[kind](folder)
    return folder


@pytest.fixture(scope="module")
def config(encoder: Path, tiny_config: Path) -> Config:
    """A run of the encoder on the tiny data, packed as it is."""
    return read_config(
        tiny_config,
        [
            f"model.encoder={encoder}",
            "training.max_steps=50",
            "training.learning_rate=3e-3",
            "training.evaluate_every=25",
            "training.head_learning_rate=1e-2",
            "export.precision=fp32",
            "export.max_f1_loss=0.0",
        ],
    )


@pytest.fixture(scope="module")
def trained(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a whole run left."""
    folder = tmp_path_factory.mktemp("trained")
    train(config, folder)
    return folder


def taggers(folder: Path) -> tuple[Tagger, Tagger]:
    """The checkpoint and the packed model."""
    return load_checkpoint(folder / "checkpoint"), load(folder)


def test_its_windows_hold_the_tag_of_every_word(
    trained: Path, articles: list[Article], tmp_path: Path
) -> None:
    """What it is trained on: each word's tag once, at its first token, and nothing else."""
    model, tokenizer = read_checkpoint(trained / "checkpoint")
    rows = build_windows(
        articles,
        tokenizer=tokenizer,
        scheme=SCHEME,
        section=ModelSection(window=24, overlap=8),
        inputs=model_inputs(model),
        folder=tmp_path,
    )
    assert ["input_ids", "labels", "length"] == sorted(rows.column_names)
    tokens = tokenizer.encode([a.text for a in articles])
    expected = [
        tag for a, t in zip(articles, tokens, strict=True) for tag in tag_units(a, t, SCHEME)
    ]
    assert expected == [tag for row in rows["labels"] for tag in row if tag != IGNORED]
    for article, its in zip(articles, tokens, strict=True):
        assert [list(word) for word in find_words(article.text)] == its.units.tolist()
        assert [] == SCHEME.encode(article.spans, [tuple(u) for u in its.units.tolist()])[1]


def test_it_learns(trained: Path, articles: list[Article]) -> None:
    """After a few steps it finds spans of articles like those that it saw, at their offsets."""
    found = [span for spans in load(trained).pipe(a.text for a in articles) for span in spans]
    gold = [span for article in articles for span in article.spans]
    assert len({s.text for s in found} & {s.text for s in gold}) > 2


def test_its_packed_model_says_what_the_checkpoint_says(
    trained: Path, dev: list[Article], articles: list[Article]
) -> None:
    """The same spans with the same probabilities, in windows of any number and length."""
    parity = compare(*taggers(trained), [*dev, *(Article(k, v) for k, v in HOSTILE.items())])
    assert 1.0 == parity.same_spans
    assert parity.score_difference < 1e-5
    together = "\n".join(a.text for a in articles * 3)
    checkpoint, packed = (t.score_units([together, "Norway pays."]) for t in taggers(trained))
    for (_, one), (_, other) in zip(checkpoint, packed, strict=True):
        assert np.allclose(np.exp(one), np.exp(other), atol=1e-4)


def test_it_packs_in_int8(trained: Path, dev: list[Article], tmp_path: Path) -> None:
    """Calibrated on articles, it is smaller and works."""
    parity, _ = export_checkpoint(
        trained / "checkpoint",
        tmp_path,
        name="small",
        section=ExportSection(precision="int8", max_f1_loss=1.0),
        train=dev,
        dev=dev,
        splits={},
    )
    sizes = [(folder / "model.onnx").stat().st_size for folder in (tmp_path, trained)]
    assert sizes[0] < sizes[1]
    assert parity.score_difference < 0.1
    assert parity.packed_f1 > parity.checkpoint_f1 - 0.2


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_its_offsets_are_those_of_the_text(trained: Path, text: str) -> None:
    """Units lie on whole words of the text as given, in order; every visible word is in one."""
    for tagger in taggers(trained):
        ((tokens, scores),) = tagger.score_units([text])
        units = [text[a:b] for a, b in tokens.units.tolist()]
        assert len(units) == len(scores)
        assert np.isfinite(scores).all()
        begins, ends = (set(edge) for edge in zip(*find_words(text), strict=True))
        assert begins.issuperset(tokens.units[:, 0].tolist())
        assert ends.issuperset(tokens.units[:, 1].tolist())
        assert any("tanks" in u or "cafe" in u for u in units[-2:])
        for span in tagger(text):
            assert span.text == text[span.start : span.end]


def test_a_name_stands_where_it_stands_whatever_is_before_it(trained: Path) -> None:
    """Blanks, line ends and emoji in front move the offsets of a unit by their length."""
    _, packed = taggers(trained)
    for before in ("", "  ", "\r\n", "\u00a0\t", "😀 ", "e\u0301 ", "½ "):
        ((tokens, _),) = packed.score_units([f"{before}Norway sends tanks"])
        names = [tuple(u) for u in tokens.units[-3:].tolist()]
        at = len(before)
        assert [(at, at + 6), (at + 7, at + 12), (at + 13, at + 18)] == names


def test_it_is_fed_with_ids_and_mask_alone(trained: Path) -> None:
    """No shapes of words: the tokenizer keeps capitals. The tags are in config.json."""
    model, tokenizer = read_checkpoint(trained / "checkpoint")
    assert dict(enumerate(SCHEME.tags)) == model.config.id2label
    assert ["input_ids", "attention_mask"] == model_inputs(model)
    assert not tokenizer.lowercases
    assert 2 == tokenizer.specials


def test_gold_in_a_hostile_text_comes_back(trained: Path) -> None:
    """Spans to tags and back through its units: none is moved by a character."""
    _, tokenizer = read_checkpoint(trained / "checkpoint")
    text = "  \r\n😀 “Norway’s” navy, the e\u0301lite, sends 2 ½-tonne tanks\r\n\r\n to Lusitania."
    wanted = {"Norway": "DONOR", "e\u0301lite": "DONOR", "tanks": "SYSTEM"}
    spans = [Span(text.index(w), text.index(w) + len(w), k, w) for w, k in wanted.items()]
    article = Article("hostile", text, tuple(spans))
    (tokens,) = tokenizer.encode([text])
    runs = SCHEME.runs(tag_units(article, tokens, SCHEME))
    found = [text[tokens.units[r.first, 0] : tokens.units[r.stop - 1, 1]] for r in runs]
    assert list(wanted) == found
