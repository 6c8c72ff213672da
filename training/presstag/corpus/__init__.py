"""Annotated articles: read from the formats that people bring, checked, split and written."""

from presstag.corpus.files import read_corpus, write_corpus
from presstag.corpus.findings import Annotation, Corpus, Finding

__all__ = ["Annotation", "Corpus", "Finding", "read_corpus", "write_corpus"]
