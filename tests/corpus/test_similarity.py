"""Which articles are alike: copies, versions, and those that only share page furniture."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presstag.corpus.similarity import Pair, Versions, shared_sentences, similar_pairs
from presstag.spans import Article

STORY = "The council met on Tuesday and voted to repair the old bridge over the river."


def alike(*texts, **more):
    return similar_pairs([Article(str(i), text) for i, text in enumerate(texts)], **more)


def words(prefix, n):
    """Build a text of n words that no other prefix has."""
    return " ".join(f"{prefix}{i}" for i in range(n))


def test_copies_are_alike():
    """A copy shares everything."""
    assert [Pair(0, 2, 1.0)] == alike(STORY, words("x", 20), STORY)


def test_case_punctuation_and_line_breaks_do_not_count():
    """A copy in capitals, without punctuation, on many lines is a copy."""
    other = STORY.upper().replace(" ", "\n").replace(".", "!")
    assert [Pair(0, 1, 1.0)] == alike(STORY, other)


def test_excerpt_is_like_the_whole():
    """The share counts the shorter article, so that an excerpt is like what it was cut from."""
    assert [Pair(0, 1, 1.0)] == alike(f"{words('x', 50)} {STORY} {words('y', 50)}", STORY)


def test_different_stories_are_not_alike():
    """Articles that share a few words are not alike."""
    other = "The council met on Monday and refused to build a bridge over the river."
    assert [] == alike(STORY, other)


@pytest.mark.parametrize(("own", "expected"), [(6, [Pair(0, 1, 0.5)]), (7, [])])
def test_share_of_five_grams_decides(own, expected):
    """Half of the shorter one's 5-grams make two articles alike; less does not."""
    head = words("a", 10)
    assert expected == alike(f"{head} {words('b', own)}", f"{head} {words('c', own + 20)}")


def test_threshold_can_be_set():
    """`alike` is the least share of a pair."""
    texts = (f"{words('a', 10)} {words('b', 6)}", f"{words('a', 10)} {words('c', 6)}")
    assert [Pair(0, 1, 0.5)] == alike(*texts, alike=0.5)
    assert [] == alike(*texts, alike=0.51)


@pytest.mark.parametrize(("one", "other", "n"), [("Too short", "too SHORT", 1), ("a b", "a c", 0)])
def test_texts_below_five_words_are_alike_if_equal(one, other, n):
    """A text of fewer than five words is compared whole."""
    assert n == len(alike(one, other))


def test_texts_without_words_are_alike_to_none():
    """An empty text, or one of punctuation, is like nothing."""
    assert [] == alike("", "", "…", "…", STORY)


def test_pairs_are_sorted_by_share():
    """The most alike come first, then the first in the list."""
    near = f"{STORY} {words('x', 5)}"
    half = " ".join([*STORY.split()[:10], *words("z", 4).split()])
    shares = [(p.first, p.second, round(p.share, 2)) for p in alike(half, STORY, near)]
    assert [(1, 2, 1.0), (0, 1, 0.6), (0, 2, 0.6)] == shares


def test_many_copies_are_tied_to_the_first():
    """What stands in more than 200 articles makes each of them like the first, in linear time."""
    pages = [f"{STORY} {words(f'w{i}x', 3)}" for i in range(201)]
    assert [(0, i) for i in range(1, 201)] == [(p.first, p.second) for p in alike(*pages)]


@settings(deadline=None)
@given(st.lists(st.text("ab ", max_size=40), max_size=6))
def test_pairs_are_in_order_and_shares_are_shares(texts):
    """Each pair stands once, the earlier article first, with a share between `alike` and 1."""
    pairs = alike(*texts)
    assert len(pairs) == len({(p.first, p.second) for p in pairs})
    assert all(p.first < p.second for p in pairs)
    assert all(0.5 <= p.share <= 1 for p in pairs)
    same = {
        (i, j)
        for j, other in enumerate(texts)
        for i, text in enumerate(texts[:j])
        if text.split() and text.split() == other.split()
    }
    assert same <= {(p.first, p.second) for p in pairs}


# Sentences


def shared(*texts):
    return shared_sentences([Article(str(i), text) for i, text in enumerate(texts)])


SENTENCE = "the council met on tuesday and voted to repair the old bridge over the river"


@pytest.mark.parametrize(
    "other",
    [
        f"Nobody came. {STORY} It rained.",
        f"Title\n{STORY[:-1]}\n\nIt rained.",
        f"“{STORY}” It rained.",
        STORY.upper().replace(" ", "  "),
    ],
)
def test_shared_sentence_is_found(other):
    """A sentence or line is found wherever it stands, whatever its case and punctuation."""
    assert [(SENTENCE, [0, 2])] == shared(STORY, "Something else stood in this one.", other)


def test_sentence_twice_in_one_article_is_not_shared():
    """A sentence counts once an article."""
    assert [] == shared(f"{STORY} {STORY}")
    assert [(SENTENCE, [0, 1])] == shared(f"{STORY} {STORY}", STORY)


@pytest.mark.parametrize(("sentence", "n"), [("One two three four five.", 0), ("1 2 3 4 5 6.", 1)])
def test_short_sentence_is_passed_over(sentence, n):
    """Sentences below six words repeat by chance."""
    assert n == len(shared(sentence, sentence))


def test_part_of_a_sentence_is_not_shared():
    """A sentence that goes on in another article is another one."""
    assert [] == shared(STORY, STORY[:-1] + " of the town.")


def test_a_version_of_what_was_met_is_found():
    """The article met that shares most with it; other articles have no version."""
    part, whole = Article("part", f"{STORY[:60]} {words('x', 4)}"), Article("whole", STORY)
    versions = Versions([Article("other", words("y", 20)), part])
    assert part == versions.find(whole)
    versions.add(whole)
    assert whole == versions.find(Article("new", STORY.upper()))
    assert versions.find(Article("strange", words("z", 9))) is None
    assert versions.find(Article("blank", "")) is None


@given(texts=st.lists(st.text("abc ", max_size=30), min_size=2, max_size=5))
def test_versions_are_the_pairs_of_similar_articles(texts):
    """Met one after another, articles are alike exactly where all pairs are counted at once."""
    articles = [Article(str(i), text) for i, text in enumerate(texts)]
    seconds = {pair.second for pair in similar_pairs(articles)}
    found = {i for i, a in enumerate(articles) if Versions(articles[:i]).find(a)}
    assert seconds == found
