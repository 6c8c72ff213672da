"""A judgement with every kind of error in it, and an article that would like to run a script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import pytest

from presstag.corpus.inline import read_marked
from presstag.evaluate.judge import Judgement, judge
from presstag.spans import Article, Span

HOSTILE = "</script><img src=x onerror=alert(1)>"

# What people marked, and what the model did.
PAIRS = (
    ("{DONOR|Norway} sent {SYSTEM|tanks}.", "{DONOR|Norway} sent {SYSTEM|tanks}."),
    ("{DONOR|Norway} sent {SYSTEM|two boats}.", "Norway sent two {SYSTEM|boats}."),
    ("{DONOR|Oman} sent boats.", "{SYSTEM|Oman} sent {SYSTEM|boats}."),
    ("New {SYSTEM|tanks} came.", "{SYSTEM|New tanks} came."),
    ("{SYSTEM|tanks and guns} came.", "{SYSTEM|tanks} and {SYSTEM|guns} came."),
    ("{SYSTEM|tanks}, {SYSTEM|guns} came.", "{SYSTEM|tanks, guns} came."),
    (
        f"{HOSTILE} & {{SYSTEM|{HOSTILE}}}\n\nGood day.",
        f"{HOSTILE} & {{SYSTEM|{HOSTILE}}}\n\n{{DONOR|Good}} day.",
    ),
    ("Nothing at all.", "Nothing at all."),
)


@dataclass
class Told:
    """A tagger that knows the answer to each text."""

    answers: dict[str, list[Span]]
    labels: tuple[str, ...] = ("DONOR", "SYSTEM")

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        yield from (self.answers[text] for text in texts)


@pytest.fixture(scope="session")
def train() -> list[Article]:
    """What the model learned from."""
    return [read_marked("{DONOR|Norway} {SYSTEM|tanks}", name="t", source="here")]


@pytest.fixture(scope="session")
def judged(train: list[Article]) -> Judgement:
    """Eight articles; scores fall from article to article: 0.9, 0.8, …"""
    articles: list[Article] = []
    answers: dict[str, list[Span]] = {}
    for i, (people, model) in enumerate(PAIRS):
        voice = "loud" if i % 2 else f"low {HOSTILE}"
        article = read_marked(people, name=f"a-{i}", source="here")
        articles.append(replace(article, meta={"voice": voice}))
        found = read_marked(model, name="m", source="here").spans
        answers[article.text] = [replace(s, score=0.9 - i / 10) for s in found]
    articles[6] = replace(articles[6], id=f"a-6 {HOSTILE}")
    return judge(Told(answers), articles, train=train)
