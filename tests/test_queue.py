"""What to annotate next, asked of networks whose answers are known word by word."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from presstag.corpus.similarity import similar_pairs
from presstag.queue import OPENING, STRATEGIES, Doubt, Queue, Strategy, choose, measure
from presstag.spans import Article
from presstag.tagger import Calibration, Tagger
from presstag.tags import TagScheme
from presstag.tokens import ArticleTokenizer, Batch, Floats

# What the network gives each word: the probability that a span begins there. Others have none.
BEGINS = {"sure": 0.999, "likely": 0.7, "hardly": 0.4, "never": 1e-9}
PLAIN = [f"w{i}" for i in range(120)]


def tagger(*, sharp: float = 1.0, calibration: Calibration | None = None) -> Tagger:
    """A tagger of one label; `sharp` makes it surer of whatever it thinks."""
    names = ["[UNK]", *BEGINS, *PLAIN]
    words = Tokenizer(WordLevel({w: i for i, w in enumerate(names)}, unk_token="[UNK]"))  # noqa: S106
    words.pre_tokenizer = Whitespace()
    begins = [BEGINS.get(w, 1e-9) for w in names]
    table = np.array(
        [[sharp * math.log(1 - p), sharp * math.log(p), -99.0] for p in begins], dtype=np.float32
    )

    def forward(batch: Batch) -> Floats:
        scores: Floats = table[batch.ids]
        return scores

    return Tagger(
        forward,
        tokenizer=ArticleTokenizer(words, pad=0),
        scheme=TagScheme(("X",)),
        window=500,
        overlap=0,
        calibration=calibration,
    )


def articles(*texts: str) -> list[Article]:
    return [Article(f"a{i}", text) for i, text in enumerate(texts)]


def ask(candidates: Sequence[Article]) -> list[Doubt]:
    return list(measure(tagger(), candidates))


def queue(
    candidates: Sequence[Article], n: int, strategy: Strategy = STRATEGIES[0], *, seed: int = 0
) -> Queue:
    return choose(candidates, n, strategy=strategy, doubts=ask(candidates), seed=seed)


def ids(chosen: Queue) -> list[str]:
    return [c.article.id for c in chosen.chosen]


def plain(first: int, n: int) -> str:
    """A run of words that the network is sure of, which no other first word gives."""
    return " ".join(PLAIN[first : first + n])


# doubts


def test_expected_errors_are_counted_by_hand() -> None:
    """A span found at 0.7 is wrong at 0.3; two words at 0.4, not found, are 0.8 spans missed."""
    (doubt,) = ask(articles("w0 likely w1 hardly hardly"))
    assert pytest.approx(0.3, abs=1e-5) == doubt.wrong
    assert pytest.approx(0.8, abs=1e-5) == doubt.missed
    assert 5 == doubt.words
    assert pytest.approx(100 * 1.1 / (5 + OPENING), abs=1e-3) == doubt.score


def test_spans_count_by_their_calibrated_scores() -> None:
    """Where measuring has shown that a score of 0.7 means 0.9, a tenth of a span is wrong."""
    line = Calibration((0.0, 0.7, 1.0), (0.0, 0.9, 1.0))
    (doubt,) = measure(tagger(calibration=line), articles("likely"))
    assert pytest.approx(0.1, abs=1e-5) == doubt.wrong


def test_words_of_a_found_span_are_not_missed_too() -> None:
    """What begins within a span found counts with that span's score."""
    (doubt,) = ask(articles("sure w0"))
    assert doubt.missed < 1e-6


@settings(deadline=None)
@given(
    words=st.lists(st.sampled_from([*BEGINS, "w0"]), min_size=1, max_size=30),
    sharps=st.tuples(st.floats(1, 3), st.floats(1.1, 3)),
)
def test_scores_fall_for_surer_articles(words: list[str], sharps: tuple[float, float]) -> None:
    """A network that thinks the same with more certainty doubts less."""
    candidates, (sharp, more) = articles(" ".join(words)), sharps
    (before,) = measure(tagger(sharp=sharp), candidates)
    (after,) = measure(tagger(sharp=sharp * more), candidates)
    if {"likely", "hardly"} & set(words):
        assert after.score < before.score
    else:  # rounding is all that is left
        assert after.score < before.score + 1e-4


def test_a_short_doubtful_line_does_not_beat_an_article_full_of_doubt() -> None:
    """Each article costs something besides its words."""
    line, article = ask(articles("hardly", " ".join(["hardly", "w0"] * 20)))
    assert line.missed / line.words > article.missed / article.words
    assert line.score < article.score


def test_a_long_article_does_not_win_by_being_long() -> None:
    """Ten doubts in five hundred words return less than nine in a hundred."""
    long, short = " ".join([*["hardly"] * 10, *["w0"] * 490]), f"{'hardly ' * 9}{plain(10, 91)}"
    assert ["a1", "a0"] == ids(queue(articles(long, short), 2, "uncertainty"))


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_doubts_do_not_depend_on_how_many_are_tagged_together(at_once: int) -> None:
    """They come in order, one an article, blank ones with them."""
    candidates = articles("likely w0", "", "hardly", " \n", "w1 w2 w1")
    found = list(measure(tagger(), iter(candidates), at_once=at_once))
    assert [2, 0, 1, 0, 3] == [d.words for d in found]
    assert [d.score for d in ask(candidates)] == [d.score for d in found]
    assert 0.0 == found[1].score
    assert ([1, 2], 3) == (sorted(found[4].counts.tolist()), sum(found[4].counts))


# choosing


def test_the_most_uncertain_come_first() -> None:
    """By score, and the reason is kept with each."""
    candidates = articles(
        f"{plain(0, 9)} hardly", f"{plain(10, 9)} hardly hardly", f"{plain(20, 9)} sure"
    )
    chosen = queue(candidates, 3, "uncertainty")
    assert ["a1", "a0", "a2"] == ids(chosen)
    assert [1, 0, 2] == [c.position for c in chosen.chosen]
    doubts = ask(candidates)
    for choice in chosen.chosen:
        assert choice.doubt is not None
        assert doubts[choice.position].score == choice.doubt.score


def test_diversity_prefers_another_kind_to_more_of_the_same() -> None:
    """Two articles in the same words, though no copies, are not both chosen before a third."""
    first, reordered = plain(0, 20), " ".join(reversed(PLAIN[:20]))
    candidates = articles(
        f"{first} hardly hardly hardly",
        f"{reordered} hardly hardly hardly",
        f"{plain(40, 20)} likely",
    )
    assert {"a0", "a1"} == set(ids(queue(candidates, 2, "uncertainty")))
    chosen = queue(candidates, 3)
    assert "a2" == ids(chosen)[1]
    assert chosen.chosen[0].nearest is None
    assert chosen.chosen[2].nearest == chosen.chosen[0].article
    assert pytest.approx(1.0) == chosen.chosen[2].likeness


def test_articles_without_a_common_word_are_not_alike() -> None:
    """Nothing is near, and likeness is zero."""
    _, second = queue(articles(plain(0, 10), plain(30, 10)), 2).chosen
    assert (None, 0.0) == (second.nearest, second.likeness)


STORY = st.builds(
    lambda first, size, doubt: f"{plain(first, size)} {doubt}",
    st.sampled_from(range(0, 100, 20)),
    st.integers(1, 18),
    st.sampled_from(["", *BEGINS]),
)


@settings(deadline=None)
@given(
    texts=st.lists(STORY, max_size=12),
    n=st.integers(0, 14),
    strategy=st.sampled_from(STRATEGIES),
    seed=st.integers(0, 5),
)
def test_no_two_of_a_kind(texts: list[str], n: int, strategy: Strategy, seed: int) -> None:
    """Copies and excerpts of a chosen article are left out, and each that was its turn is named."""
    candidates = articles(*texts)
    found = queue(candidates, n, strategy, seed=seed)
    assert [] == similar_pairs([c.article for c in found.chosen])
    assert len(found.chosen) <= n
    if len(found.chosen) < n:
        assert len(candidates) == len(found.chosen) + len(found.copies)
    for copy, original in found.copies:
        assert similar_pairs([copy, original])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_seed_gives_the_same_queue_in_whatever_order(strategy: Strategy) -> None:
    """The files may be named in another order: what is chosen follows from articles and seed."""
    texts = [f"{plain(3 * i, 6)} {['sure', 'likely', 'hardly'][i % 3]}" for i in range(30)]
    candidates = articles(*texts)
    expected = ids(queue(candidates, 10, strategy, seed=3))
    assert expected == ids(queue(candidates, 10, strategy, seed=3))
    assert expected == ids(queue(candidates[::-1], 10, strategy, seed=3))
    assert expected != ids(queue(candidates, 10, strategy, seed=4))


def test_random_needs_no_doubts() -> None:
    """It draws, whatever the model thinks, and gives no reason."""
    candidates = articles(*(plain(10 * i, 9) for i in range(8)))
    drawn = choose(candidates, 3, strategy="random", seed=1)
    assert ids(drawn) == ids(queue(candidates, 3, "random", seed=1))
    assert [None] * 3 == [c.doubt for c in drawn.chosen]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_known_articles_and_their_versions_are_not_chosen(strategy: Strategy) -> None:
    """What is annotated already teaches nothing, under whatever id."""
    known = Article("old", f"{plain(0, 20)} likely")
    candidates = articles(f"{plain(0, 20)} hardly", plain(0, 12), plain(50, 9))
    found = choose(candidates, 3, strategy=strategy, doubts=ask(candidates), known=[known])
    assert ["a2"] == ids(found)
    assert {("a0", "old"), ("a1", "old")} == {(a.id, b.id) for a, b in found.copies}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_more_than_there_are_is_all_of_them(strategy: Strategy) -> None:
    """Also those that the model is sure of."""
    candidates = articles(plain(0, 9), f"{plain(20, 9)} hardly")
    assert {"a0", "a1"} == set(ids(queue(candidates, 50, strategy)))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_of_nothing_nothing_is_chosen(strategy: Strategy) -> None:
    """No candidates, or none with a word: an empty queue, and the blank ones are named."""
    assert Queue(()) == queue([], 5, strategy)
    blank = articles("", " \n\u2028")
    assert Queue((), blank=tuple(blank)) == queue(blank, 5, strategy)


def test_a_missing_doubt_is_a_mistake_of_the_caller() -> None:
    """One an article, or the reasons would belong to others."""
    with pytest.raises(ValueError, match="1 doubts for 2 articles"):
        choose(articles("w0", "w1"), 1, doubts=ask(articles("w0")))
    with pytest.raises(ValueError, match="0 doubts for 1 articles"):
        choose(articles("w0"), 1)
