from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from presstag.corpus import read_corpus
from presstag.evaluate.baseline import make_dictionary
from presstag.evaluate.errors import KINDS, count_errors, give_verdicts
from presstag.evaluate.judge import Judgement, judge
from presstag.evaluate.report import make_report, report_context
from presstag.evaluate.tagging import Failure
from presstag.spans import Article

AID = Path(__file__).parents[2] / "annotations/aid"
BINS = [{"score": 0.2, "right": 0.3, "spans": 4}, {"score": 0.9, "right": 0.8, "spans": 5}]
MEASURED = {"error": 0.1234, "chance": 0.01, "spans": 9, "bins": BINS}
INFO = {
    "name": "aid",
    "calibration": {"reliability": {"dev": {"before": MEASURED, "after": MEASURED}}},
    "provenance": {
        "begun": "2031-02-03T04:05:06+00:00",
        "course": {
            "history": [{"step": 10, "loss": 2.0, "learning_rate": 1e-4}],
            "best_step": 10,
            "best_dev_f1": 0.5,
            "seconds": 1.0,
            "tokens_per_second": 1.0,
        },
    },
}


class Page(HTMLParser):
    """A page taken apart: its elements, and the text of articles without the names of labels."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.data: dict[str, Any] = {}
        self._open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        self.elements.append((tag, own))
        if tag in {"div", "span", "mark", "script"}:
            self._open.append(own.get("class") or own.get("id") or "")
        if own.get("class") == "text":
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"div", "span", "mark", "script"}:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "data":
            self.data = json.loads(data)
        if "text" in self._open and not self._open[-1].startswith("chip"):
            self.texts[-1] += data


@pytest.fixture(scope="module")
def page(judged: Judgement, train: list[Article]) -> str:
    return make_report(judged, model="a model", data="some data", info=INFO, train=train)


@pytest.fixture(scope="module")
def context(judged: Judgement, train: list[Article]) -> dict[str, Any]:
    return report_context(judged, model="a model", data="some data", info=INFO, train=train)


def words(page: str) -> str:
    """What can be read, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def test_the_headline_has_its_interval_and_the_dictionary_beside_it(
    judged: Judgement, page: str
) -> None:
    """In percent, as the screen gives them."""
    assert judged.baseline
    own, interval = judged.evaluation.scores.micro, judged.evaluation.intervals.micro.f1
    expected = f"{100 * own.f1:.1f} F1 of the model 95 % interval "
    expected += f"{100 * interval.low:.1f}–{100 * interval.high:.1f} "
    expected += f"{100 * judged.baseline.scores.micro.f1:.1f} F1 of a dictionary"
    assert expected in words(page)


def test_articles_show_as_they_are_and_none_is_part_of_the_page(
    judged: Judgement, page: str
) -> None:
    """HTML in an article, an id or a field of meta is text: it makes no element."""
    read = Page(page)
    assert [a.text for a in judged.articles] == read.texts
    assert not {"img", "iframe", "object", "embed"} & {tag for tag, _ in read.elements}
    assert [] == [key for _, own in read.elements for key in own if key.startswith("on")]
    assert 2 == sum(tag == "script" for tag, _ in read.elements)


def test_the_policy_lets_run_the_one_script(page: str) -> None:
    """Its digest is that of what stands in the page."""
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page


def test_nothing_comes_from_outside(page: str) -> None:
    """Links lead within the page; no style sheet, script, font or picture has an address."""
    read = Page(page)
    links = [own[key] for _, own in read.elements for key in ("href", "xlink:href") if key in own]
    assert [] == [link for link in links if not str(link).startswith(("#", "data:,"))]
    assert not [own for tag, own in read.elements if "src" in own or tag == "base"]
    assert not re.search(r"@import|url\((?!#)", page)


def test_language_and_landmarks_are_set(page: str) -> None:
    """One main, one first heading, a link that skips to the figures, names for all regions."""
    elements = Page(page).elements
    tags = [tag for tag, _ in elements]
    assert {"header": 1, "nav": 1, "main": 1, "footer": 1, "h1": 1} == {
        tag: tags.count(tag) for tag in ("header", "nav", "main", "footer", "h1")
    }
    assert ("html", {"lang": "en"}) == elements[0] or ("html", {"lang": "en"}) in elements
    assert next(own["href"] for tag, own in elements if tag == "a") == "#main"
    ids = [own["id"] for _, own in elements if "id" in own]
    assert len(ids) == len(set(ids))
    named = [own["aria-labelledby"] for _, own in elements if "aria-labelledby" in own]
    assert set() == set(named) - set(ids)


def test_each_mention_can_be_chosen_by_what_the_tables_count(judged: Judgement, page: str) -> None:
    """The rows of the data add up to kinds by label, confusion and slices."""
    data = Page(page).data
    rows = [row for rows in data["articles"] for row in rows]
    for kind in KINDS:
        for label in judged.labels:
            number = (KINDS.index(kind), judged.labels.index(label))
            expected = judged.errors.kinds[label][kind]
            assert expected == sum(tuple(row[:2]) == number for row in rows)
    expected_pairs = {
        f"{gold} → {found}"
        for gold, row in judged.errors.confusion.items()
        for found, count in row.items()
        if count
    }
    assert expected_pairs == set(data["pairs"])
    for i, part in enumerate(judged.slices):
        assert any(i in row[4] for row in rows), part


def test_no_kind_is_without_a_name(context: dict[str, Any]) -> None:
    """Each has its sign, which differs from the others', and its meaning."""
    assert set(KINDS) == set(context["meanings"])
    assert len(KINDS) == len({context["signs"][kind] for kind in KINDS})


def test_reliability_and_training_are_shown_if_the_model_knows_them(
    judged: Judgement, context: dict[str, Any]
) -> None:
    """Of these articles, reliability is always known; with scores."""
    assert ["these articles", "dev, when it was packed"] == [p["name"] for p in context["plots"]]
    assert "calibrated 12.3, raw 12.3" in context["plots"][1]["svg"]
    assert "<svg" in context["curves"]
    bare = report_context(judged, model="a", data="b", info={})
    assert ["these articles"] == [p["name"] for p in bare["plots"]]
    assert "" == bare["curves"]
    raw = {"calibration": {"reliability": {"dev": {"before": MEASURED}}}}
    assert 2 == len(report_context(judged, model="a", data="b", info=raw)["plots"])


def test_what_was_not_scored_is_said(judged: Judgement) -> None:
    """Articles that failed, labels left out, and why no dictionary is there."""
    partial = replace(
        judged, failures=(Failure("x-1", "<Overflow>"),), left_out={"CITY": 3}, baseline=None
    )
    page = make_report(partial, model="a", data="b", no_train="t.json is not here")
    shown = words(page)
    assert "Article x-1 is not scored, the model failed on it: &lt;Overflow&gt;" in shown
    assert "Left out: 3 spans of CITY" in shown
    assert "No dictionary, and no seen and unseen forms: t.json is not here." in shown
    assert "F1 of a dictionary" not in shown


def test_a_page_of_nothing_found_and_nothing_marked_is_made() -> None:
    """No slice, no score, no span; an article without words."""
    model = make_dictionary([], labels=("DONOR",))
    page = make_report(judge(model, [Article("a", "Oman."), Article("b", "")]), model="a", data="b")
    assert "People marked nothing at all" in page
    assert ["Oman.", ""] == Page(page).texts


def test_characters_that_html_cannot_hold_are_replaced() -> None:
    """Offsets stay: each by one."""
    model = make_dictionary([], labels=("DONOR",))
    page = make_report(judge(model, [Article("a", "x\x00\x1b\ud800y")]), model="a", data="b")
    assert ["x\ufffd\ufffd\ufffdy"] == Page(page).texts
    page.encode()


def test_120_articles_of_the_aid_corpus_make_less_than_3_megabytes() -> None:
    """With every mention in it; the figures, of three articles, play no part in the size."""
    articles = [a for split in ("dev", "test") for a in read_corpus(AID / f"{split}.json").articles]
    articles = articles[:120]
    labels = tuple(dict.fromkeys(s.label for a in articles for s in a.spans))
    dictionary = make_dictionary(articles[:60], labels=labels)
    found = dictionary.pipe(a.text for a in articles)
    verdicts = tuple(
        tuple(give_verdicts(a.spans, some)) for a, some in zip(articles, found, strict=True)
    )
    judged = replace(
        judge(dictionary, articles[:3], train=articles[:60]),
        articles=tuple(articles),
        verdicts=verdicts,
        errors=count_errors((v for some in verdicts for v in some), labels=labels),
    )
    page = make_report(no_scores(judged), model="a", data="b", info=INFO, train=articles[:60])
    assert 120 == len(articles)
    assert 1_000_000 < len(page.encode()) < 3_000_000


def no_scores(judged: Judgement) -> Judgement:
    """Without found spans to measure the reliability of: they are of other articles."""
    nothing = [[] for _ in judged.articles]
    return replace(judged, evaluation=replace(judged.evaluation, predicted=nothing))
