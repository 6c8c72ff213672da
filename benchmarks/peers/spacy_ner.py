"""spaCy's `ner`: from scratch as `spacy init config` lays it out, and on the encoder of ours.

The second is by spacy-curated-transformers, as spacy-transformers keeps transformers below 4.54.
A gold span that spaCy's tokens do not meet is widened to them for training, as dropping it would
be worse for spaCy; what it predicts is scored by its characters as they are.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from peers.ground import Contender, Ground, Settings

from presstag.evaluate.tagging import TextTagger
from presstag.spans import Article, Span
from presstag.train.config import ModelSection
from presstag.train.encoder import find_encoder, silence

_PADDED_WORDS = 2000
_CURATED = "spacy-curated-transformers"


class SpacyTagger:
    """A pipeline of spaCy as a tagger."""

    def __init__(self, nlp: Any, labels: tuple[str, ...]) -> None:
        """Wrap a pipeline with `ner`."""
        self._nlp = nlp
        self.labels = labels

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """Find the spans of each text."""
        for doc in self._nlp.pipe(texts):
            yield [Span(e.start_char, e.end_char, e.label_, e.text) for e in doc.ents]


def learn_small(
    ground: Ground,
    settings: Settings,  # noqa: ARG001
    *,
    seed: int,
    folder: Path,
) -> TextTagger:
    """Train what `spacy init config --pipeline ner --optimize efficiency` says."""
    return _train(_small_config(), ground, seed=seed, folder=folder)


def learn_on_encoder(ground: Ground, settings: Settings, *, seed: int, folder: Path) -> TextTagger:
    """Train spaCy's transformer pipeline for so many epochs; the best on dev is kept."""
    silence()
    words = sum(len(article.text.split()) for article in ground.train)
    epoch = math.ceil(1.25 * words / _PADDED_WORDS)  # spaCy has more tokens, and pads
    config = _small_config()
    config["nlp"]["pipeline"] = ["transformer", "ner"]
    config["components"] = _encoder_components()
    config["initialize"]["components"] = {"transformer": _encoder_loaders()}
    steps = math.ceil(settings["epochs"] * epoch)
    config["training"].update(
        {
            "max_steps": steps,
            "patience": 0,
            "eval_frequency": max(epoch // 2, 1),
            "batcher": {
                "@batchers": "spacy.batch_by_padded.v1",
                "discard_oversize": False,
                "size": _PADDED_WORDS,
                "buffer": 256,
            },
        }
    )
    config["training"]["optimizer"]["learn_rate"] = {
        "@schedules": "warmup_linear.v1",
        "warmup_steps": steps // 10,
        "total_steps": steps,
        "initial_rate": settings["learning_rate"],
    }
    return _train(config, ground, seed=seed, folder=folder)


def _small_config() -> Any:
    from spacy.cli.init_config import init_config  # noqa: PLC0415 - only these contenders need it

    return init_config(lang="en", pipeline=["ner"], optimize="efficiency", gpu=False)


def _encoder_components() -> dict[str, Any]:
    """The layout of `spacy init config --gpu`, with the sizes of MiniLM."""
    return {
        "transformer": {
            "factory": "curated_transformer",
            "model": {
                "@architectures": f"{_CURATED}.BertTransformer.v1",
                "vocab_size": 30522,
                "hidden_width": 384,
                "intermediate_width": 1536,
                "num_attention_heads": 12,
                "num_hidden_layers": 6,
                "piece_encoder": {"@architectures": f"{_CURATED}.BertWordpieceEncoder.v1"},
                "with_spans": {
                    "@architectures": f"{_CURATED}.WithStridedSpans.v1",
                    "stride": 96,
                    "window": 128,
                },
            },
        },
        "ner": {
            "factory": "ner",
            "model": {
                "@architectures": "spacy.TransitionBasedParser.v2",
                "state_type": "ner",
                "extra_state_tokens": False,
                "hidden_width": 64,
                "maxout_pieces": 2,
                "use_upper": False,
                "tok2vec": {
                    "@architectures": f"{_CURATED}.LastTransformerLayerListener.v1",
                    "width": 384,
                    "pooling": {"@layers": "reduce_mean.v1"},
                },
            },
        },
    }


def _encoder_loaders() -> dict[str, Any]:
    name = find_encoder(ModelSection()).name
    return {
        "encoder_loader": {
            "@model_loaders": f"{_CURATED}.HFTransformerEncoderLoader.v1",
            "name": name,
        },
        "piecer_loader": {
            "@model_loaders": f"{_CURATED}.HFPieceEncoderLoader.v1",
            "name": name,
        },
    }


def _train(config: Any, ground: Ground, *, seed: int, folder: Path) -> TextTagger:
    import spacy  # noqa: PLC0415
    from spacy.training.initialize import init_nlp  # noqa: PLC0415
    from spacy.training.loop import train  # noqa: PLC0415

    config["system"]["seed"] = seed
    for name, articles in (("train", ground.train), ("dev", ground.dev)):
        path = folder / f"{name}.spacy"
        _write_docs(articles, path)
        config["paths"][name] = str(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of thinc, about versions of torch
        nlp = init_nlp(config)
        train(nlp, folder, stdout=io.StringIO(), stderr=io.StringIO())
        return SpacyTagger(spacy.load(folder / "model-best"), ground.labels)


def _write_docs(articles: Iterable[Article], path: Path) -> None:
    import spacy  # noqa: PLC0415

    blank = spacy.blank("en")
    docs = spacy.tokens.DocBin()
    for article in articles:
        doc = blank.make_doc(article.text)
        found = [
            doc.char_span(s.start, s.end, label=s.label, alignment_mode="expand")
            for s in article.spans
        ]
        doc.ents = spacy.util.filter_spans([span for span in found if span])
        docs.add(doc)
    docs.to_disk(path)


SPACY = Contender(
    name="spacy", title="spaCy, from scratch", learn=learn_small, needs={"spacy": "spacy==3.8.18"}
)
SPACY_ENCODER = Contender(
    name="spacy-minilm",
    title="spaCy on MiniLM",
    learn=learn_on_encoder,
    settings={"learning_rate": 1e-4, "epochs": 4},
    tried={"learning_rate": (5e-5, 1e-4, 2e-4, 4e-4, 8e-4), "epochs": (4, 6)},
    needs={"spacy": "spacy==3.8.18", "spacy_curated_transformers": f"{_CURATED}==0.3.1"},
)
