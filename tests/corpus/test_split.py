"""How a corpus is divided: sizes, independence of order, versions together."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presstag.corpus.split import split_articles
from presstag.spans import Article


def distinct(n, prefix="a"):
    """Build articles that have no word in common."""
    return [
        Article(f"{prefix}{i}", " ".join(f"{prefix}{i}w{k}" for k in range(8))) for i in range(n)
    ]


def versions(n, prefix="v"):
    """Build versions of one story, each with an end of its own."""
    story = " ".join(f"{prefix}word{k}" for k in range(20))
    return [Article(f"{prefix}{i}", f"{story} {prefix}end{i}") for i in range(n)]


def ids(divided):
    return {split: [a.id for a in articles] for split, articles in divided.items()}


def sizes(divided):
    return {split: len(articles) for split, articles in divided.items()}


def test_shares_are_met():
    """Distinct articles are divided in the shares asked for, to the nearest article."""
    expected = {"train": 14, "dev": 2, "test": 4}
    assert expected == sizes(split_articles(distinct(20), dev=0.1, test=0.2))


def test_every_article_falls_in_one_split_in_the_order_given():
    """No article is lost or doubled, and each split keeps the order of the corpus."""
    articles = distinct(30)
    divided = split_articles(articles, dev=0.2, test=0.2)
    assert sorted(a.id for a in articles) == sorted(
        i for part in ids(divided).values() for i in part
    )
    place = {a.id: i for i, a in enumerate(articles)}
    for part in ids(divided).values():
        assert sorted(part, key=place.__getitem__) == part


def test_no_share_is_an_empty_split():
    """A share of nothing leaves dev and test empty, and all three splits are there."""
    assert {"train": 5, "dev": 0, "test": 0} == sizes(split_articles(distinct(5), dev=0, test=0))


def test_no_articles_are_three_empty_splits():
    """An empty corpus is divided into empty splits."""
    assert {"train": [], "dev": [], "test": []} == split_articles([], dev=0.1, test=0.1)


@pytest.mark.parametrize("order", range(5))
def test_order_of_the_corpus_does_not_count(order):
    """The same articles in another order fall in the same splits."""
    articles = [*distinct(25), *versions(3), *versions(4, "w")]
    shuffled = random.Random(order).sample(articles, len(articles))
    one, two = (split_articles(some, dev=0.2, test=0.2) for some in (articles, shuffled))
    assert {k: sorted(v) for k, v in ids(one).items()} == {
        k: sorted(v) for k, v in ids(two).items()
    }


def test_same_seed_gives_the_same_division():
    """The division follows from ids and seed alone; another seed gives another one."""
    articles = distinct(30)
    first, again, other = (
        ids(split_articles(articles, dev=0.2, test=0.2, seed=seed)) for seed in (13, 13, 14)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("seed", range(20))
def test_versions_of_one_story_stay_together(seed):
    """All versions of a story fall in one split, whichever it is."""
    articles = [*distinct(12), *versions(3), *versions(4, "w")]
    divided = ids(split_articles(articles, dev=0.25, test=0.25, seed=seed))
    for prefix, n in (("v", 3), ("w", 4)):
        found = [sum(i.startswith(prefix) for i in part) for part in divided.values()]
        assert [0, 0, n] == sorted(found)


def test_versions_are_together_through_a_version_between_them():
    """First and last version fall in one split if one in the middle is like both."""
    one, two, three = (" ".join(f"{p}{k}" for k in range(12)) for p in "abc")
    chain = [Article("x", one), Article("y", two), Article("z", three)]
    link = [Article("xy", f"{one} {two}"), Article("yz", f"{two} {three}")]
    seen = set()
    for seed in range(20):
        articles = [*chain, *link, *distinct(10)]
        divided = ids(split_articles(articles, dev=0.3, test=0.3, seed=seed))
        (home,) = [split for split, part in divided.items() if {"x", "y", "z"} & set(part)]
        assert {"x", "y", "z", "xy", "yz"} <= set(divided[home])
        seen.add(home)
    assert {"train", "dev", "test"} == seen


@pytest.mark.parametrize("seed", range(20))
def test_large_story_does_not_swell_a_small_split(seed):
    """A story many times as large as dev or test goes to train."""
    articles = [*distinct(20), *versions(20)]
    divided = split_articles(articles, dev=0.05, test=0.05, seed=seed)
    assert {"train": 36, "dev": 2, "test": 2} == sizes(divided)


@pytest.mark.parametrize(("dev", "test"), [(-0.1, 0.1), (0.1, -0.1), (0.5, 0.5), (1, 0), (0, 1.5)])
def test_impossible_shares_are_refused(dev, test):
    """Shares are at least nothing and leave something for train."""
    with pytest.raises(ValueError, match=f"shares dev {dev} and test {test}"):
        split_articles(distinct(3), dev=dev, test=test)


@pytest.mark.parametrize(("dev", "test"), [(float("nan"), 0.1), (0.1, float("nan"))])
def test_share_that_is_no_number_is_refused(dev, test):
    """A share of NaN is refused, and not taken for nothing."""
    with pytest.raises(ValueError, match="nan"):
        split_articles(distinct(3), dev=dev, test=test)


@settings(deadline=None)
@given(
    st.integers(0, 40), st.floats(0, 0.5), st.floats(0, 0.49), st.integers(0, 2**32), st.text("ab")
)
def test_any_shares_are_met_by_distinct_articles(n, dev, test, seed, prefix):
    """For any shares and seed dev and test have the rounded number of articles."""
    divided = split_articles(distinct(n, prefix or "a"), dev=dev, test=test, seed=seed)
    wanted_test = round(test * n)
    expected = {"dev": min(round(dev * n), n - wanted_test), "test": wanted_test}
    assert expected == {k: v for k, v in sizes(divided).items() if k != "train"}
    assert n == sum(sizes(divided).values())
