"""presstag: spans of news articles, found by a small fine-tuned encoder.

>>> from presstag import extract, load
>>> extract("Belgium pledged 611 million euros.")  # the default model
>>> tagger = load("models/aid")
>>> for spans in tagger.pipe(texts): ...
"""

from presstag.errors import (
    ConfigError,
    DataError,
    EncoderError,
    ExportRefused,
    InputError,
    ModelError,
    PresstagError,
    ServerError,
)
from presstag.loading import extract, load
from presstag.spans import Article, Span
from presstag.tagger import Tagger

__version__ = "0.1.0"

__all__ = [
    "Article",
    "ConfigError",
    "DataError",
    "EncoderError",
    "ExportRefused",
    "InputError",
    "ModelError",
    "PresstagError",
    "ServerError",
    "Span",
    "Tagger",
    "extract",
    "load",
]
