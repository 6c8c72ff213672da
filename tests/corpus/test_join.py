"""Several corpora as one."""

from __future__ import annotations

from presstag.corpus import Annotation, Corpus, Finding, join_corpora
from presstag.spans import Article, Span


def article(name: str, text: str, *labels: str) -> Article:
    """An article whose first words are spans of the labels."""
    return Article(name, text, tuple(Span(0, 3, label, text[:3]) for label in labels))


def test_articles_keep_their_order_and_findings() -> None:
    """The first corpus first; what the readers met is kept."""
    finding = Finding("overlap", "rejected", "b", "…")
    one, other = Corpus((article("a", "One."),)), Corpus((article("b", "Two."),), (finding,))
    joined = join_corpora([one, other])
    assert ["a", "b"] == [a.id for a in joined.articles]
    assert (finding,) == joined.findings


def test_a_text_annotated_again_keeps_its_place_and_takes_the_later_spans() -> None:
    """So does what each annotator set."""
    later = article("task 7", "One.", "NEW")
    joined = join_corpora(
        [
            Corpus((article("a", "One.", "OLD"), article("b", "Two."))),
            Corpus((later,), (), {"task 7": (Annotation("ann", later.spans),)}),
        ]
    )
    assert [("a", later.spans), ("b", ())] == [(a.id, a.spans) for a in joined.articles]
    assert {"a": (Annotation("ann", later.spans),)} == joined.annotations
    assert ["annotated-again"] == [f.kind for f in joined.findings]


def test_the_same_id_for_another_text_gets_a_number() -> None:
    """Neither article is lost."""
    joined = join_corpora([Corpus((article("a", "One."),)), Corpus((article("a", "Two."),))])
    assert [("a", "One."), ("a#2", "Two.")] == [(a.id, a.text) for a in joined.articles]
    assert ["duplicate-id"] == [f.kind for f in joined.findings]


def test_a_text_that_stands_twice_in_one_corpus_stays_twice() -> None:
    """Joining is not checking: `presstag check` finds these."""
    twice = Corpus((article("a", "One."), article("b", "One.")))
    assert twice.articles == join_corpora([twice]).articles
