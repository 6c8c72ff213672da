"""A model as an HTTP service: texts in, spans out, and a page to try it on."""

from __future__ import annotations
