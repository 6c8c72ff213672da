"""A packed model in a spaCy pipeline: `nlp.add_pipe("presstag", config={"model": "models/aid"})`.

spaCy cuts texts into tokens of its own. A span that begins or ends inside one is widened to whole
tokens, and of spans that overlap, which `doc.ents` does not allow, one yields; nothing of this goes
unsaid:

    span._.score                  of an entity that presstag found: its score
    doc._.presstag_snapped        spans that were widened: as found, with `snapped`: [start, end]
    doc._.presstag_left_out       entities that yielded to another: with `yields_to`, that one

All offsets count code points of `doc.text`. The model is opened when it is first needed, so that a
pipeline on disk, which holds a copy of it, does not ask for the folder that it came from.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
from spacy import tokens
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc, SpanGroup

from presstag.bundle import MANIFEST, NETWORK, TOKENIZER, load_bundle
from presstag.errors import InputError, PresstagError
from presstag.loading import load
from presstag.network import read_checked
from presstag.spans import Span, flatten
from presstag.tagger import Tagger
from presstag.writing import write_bytes

_SNAPPED = (
    "presstag: a span that cuts a token of spaCy's was widened to whole tokens; "
    "doc._.presstag_snapped lists such spans"
)


@Language.factory(
    "presstag",
    assigns=["doc.ents", "doc.spans", "span._.score"],
    default_config={
        "model": None,
        "min_score": 0.0,
        "set_ents": True,
        "spans_key": None,
        "overwrite": False,
        "batch_size": 32,
    },
)
def make_presstag(  # noqa: PLR0917 - spaCy passes all of these by name
    nlp: Language,  # noqa: ARG001
    name: str,
    model: str | None,
    min_score: float | dict[str, float],
    set_ents: bool,  # noqa: FBT001
    spans_key: str | None,
    overwrite: bool,  # noqa: FBT001
    batch_size: int,
) -> Presstag:
    """Make the component; spaCy calls this.

    Args:
        nlp: the pipeline.
        name: the component's name in it.
        model: the model's folder, or the name of an installed one; None is the default model.
        min_score: spans with a lower score are left out; one for all labels, or by label.
        set_ents: put spans into `doc.ents`.
        spans_key: put spans into `doc.spans` under this key, with their scores as
            `attrs["scores"]`; overlapping ones, too.
        overwrite: entities that are there already yield to presstag's where they overlap; otherwise
            presstag's yield to them.
        batch_size: texts that the model is given at a time.

    Raises:
        InputError: if spans would go nowhere.
    """
    if not set_ents and not spans_key:
        expected = 'set_ents=True, or spans_key="presstag"'
        raise InputError(name, "set_ents is off and there is no spans_key", expected=expected)
    if set_ents and not tokens.Span.has_extension("score"):
        tokens.Span.set_extension("score", default=None)
    for listed in ("presstag_snapped", "presstag_left_out"):
        if not Doc.has_extension(listed):
            Doc.set_extension(listed, default=[])
    return Presstag(
        name,
        model=model,
        min_score=min_score,
        spans_key=spans_key,
        set_ents=set_ents,
        overwrite=overwrite,
        batch_size=batch_size,
    )


class Presstag(Pipe):
    """The component; `make_presstag` says what its settings mean."""

    def __init__(
        self,
        name: str,
        *,
        model: str | None,
        min_score: float | dict[str, float],
        set_ents: bool,
        spans_key: str | None,
        overwrite: bool,
        batch_size: int,
    ) -> None:
        self.name = name
        self.model = model
        self.min_score = min_score
        self.set_ents = set_ents
        self.spans_key = spans_key
        self.overwrite = overwrite
        self.batch_size = batch_size

    @cached_property
    def tagger(self) -> Tagger:
        """The model, opened when it is first asked for.

        Raises:
            ModelError: if it cannot be used.
            InputError: if `min_score` does not fit it.
        """
        return load(self.model, min_score=self.min_score)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that its spans may have; none while the model cannot be opened."""
        try:
            return self.tagger.labels
        except PresstagError:  # spaCy asks for labels before it says where the model lies
            return ()

    def __call__(self, doc: Doc) -> Doc:
        """Put a document's spans in place."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Put the spans of many documents in place, `batch_size` at a time."""
        handle = self.get_error_handler()
        warned = False
        rest = iter(stream)
        while docs := list(islice(rest, batch_size)):
            try:
                found = list(self.tagger.pipe((d.text for d in docs), batch_size=self.batch_size))
                for doc, spans in zip(docs, found, strict=True):
                    self._annotate(doc, spans)
                if not warned and any(doc._.presstag_snapped for doc in docs):
                    warned = True
                    warnings.warn(_SNAPPED, stacklevel=2)
            except Exception as error:  # noqa: BLE001 - the pipeline's handler decides
                handle(self.name, self, docs, error)
            else:
                yield from docs

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Copy the model to a folder.

        Raises:
            ModelError: if it cannot be read, or is no longer the one that was opened.
        """
        info = self.tagger.info
        folder = Path(info["folder"])
        content = {n: read_checked(folder / n, info["files"][n]) for n in (NETWORK, TOKENIZER)}
        for name, copied in content.items():
            write_bytes(Path(path) / name, copied)
        write_bytes(Path(path) / MANIFEST, (folder / MANIFEST).read_bytes())

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> Presstag:
        """Take the model in a folder in place of the one of the settings.

        Raises:
            ModelError: if it cannot be used.
        """
        self.model = str(Path(path).absolute())
        self.tagger = load_bundle(self.model).with_min_score(self.min_score)
        return self

    def _annotate(self, doc: Doc, found: Sequence[Span]) -> None:
        snapped = [_snap(doc, span) for span in found]
        doc._.presstag_snapped = [
            {**before.to_dict(), "snapped": [after.start, after.end]}
            for before, after in zip(found, snapped, strict=True)
            if before.key != after.key
        ]
        if self.spans_key:
            placed = [_place(doc, span) for span in snapped]
            scores = np.array([span.score for span in snapped])
            doc.spans[self.spans_key] = SpanGroup(
                doc, name=self.spans_key, attrs={"scores": scores}, spans=placed
            )
        if self.set_ents:
            self._set_ents(doc, snapped)

    def _set_ents(self, doc: Doc, found: Sequence[Span]) -> None:
        """Put flat spans beside, or in place of, the entities that are there."""
        # The surest first: of two on the same stretch it stays.
        own, yielding = flatten(sorted(found, key=lambda span: -(span.score or 0.0)))
        there = [(e, Span(e.start_char, e.end_char, e.label_, e.text)) for e in doc.ents]
        kept, before = list(own), [entity for entity, _ in there]
        for ours in own:
            for entity, theirs in there:
                if not (ours.start < theirs.end and theirs.start < ours.end):
                    continue
                if not self.overwrite:
                    kept.remove(ours)
                    yielding.append((ours, theirs))
                    break
                if entity in before:
                    before.remove(entity)
                    yielding.append((theirs, ours))
        doc.ents = [*before, *(_place(doc, span) for span in kept)]
        for span in kept:
            _place(doc, span)._.score = span.score
        doc._.presstag_left_out = [
            {**span.to_dict(), "yields_to": rival.to_dict()} for span, rival in yielding
        ]


def _place(doc: Doc, span: Span) -> tokens.Span:
    """A span as spaCy's, on all tokens that it touches."""
    placed = doc.char_span(span.start, span.end, label=span.label, alignment_mode="expand")
    if placed is None:  # spaCy says so of offsets outside the text only
        raise InputError("spaCy", f"no token at {span}")
    return placed


def _snap(doc: Doc, span: Span) -> Span:
    """A span on whole tokens."""
    placed = _place(doc, span)
    return Span(placed.start_char, placed.end_char, span.label, placed.text, span.score)
