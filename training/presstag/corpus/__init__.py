"""Annotated articles: read from the formats that people bring, checked, split and written."""

from presstag.corpus.files import read_corpus, write_corpus
from presstag.corpus.findings import Annotation, Corpus, Finding
from presstag.corpus.join import join_corpora

__all__ = ["Annotation", "Corpus", "Finding", "join_corpora", "read_corpus", "write_corpus"]
