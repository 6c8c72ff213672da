"""The page in a browser: Debian's chromium, without a screen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from presstag.colours import label_fills
from presstag.tagger import Tagger

if TYPE_CHECKING:
    from playwright.sync_api import Page

Chromium = Callable[..., Any]

ARTICLE = (
    "😀 Norway sends tanks 👨‍👩‍👧 from Denmark; 𠮷𠮷 Norway pays for drones.\n"
    "</script><script>alert(1)</script> <img src=x onerror=alert(2)> & <b>Iceland</b> pays."
)


@dataclass
class Opened:
    """The page, and what it did that it should not."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def find(self, text: str) -> None:
        """Have spans found and wait for them."""
        self.page.get_by_label("Article").fill(text)
        self.page.get_by_role("button", name="Find spans").click()
        self.page.wait_for_selector("#go:not([aria-disabled])")

    @property
    def status(self) -> str:
        """What the page says of how it goes."""
        return self.page.locator("#status").inner_text()


@pytest.fixture(params=[{"width": 360, "height": 740}, {"width": 1280, "height": 900}])
def opened(request: Any, chromium: Chromium, shared: Any, tmp_path: Path) -> Iterator[Opened]:
    """A phone and a screen of 1,280 pixels."""
    context = chromium(tmp_path, viewport=request.param)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened = Opened(context.new_page())
    opened.page.on("console", lambda message: opened.complaints.append(message.text))
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.page.on("request", lambda asked: opened.requests.append(asked.url))

    def refuse(dialog: Any) -> None:
        opened.complaints.append(dialog.message)
        dialog.dismiss()

    opened.page.on("dialog", refuse)
    opened.page.goto(shared.url)
    yield opened
    context.close()


def test_an_article_shows_as_text_with_its_spans(
    opened: Opened, shared: Any, tagger: Tagger
) -> None:
    """Markup in it does nothing; no error is logged, no other address is asked."""
    opened.find(ARTICLE)
    spans = tagger(ARTICLE)
    assert len(spans) > 3
    page = opened.page
    assert ARTICLE == page.locator("#text").evaluate(
        "e => [...e.childNodes].filter(n => n.id !== 'tip').map(n => n.textContent).join('')"
    )
    marks = page.locator("#text mark")
    assert [s.text for s in spans] == marks.all_text_contents()
    labels = marks.evaluate_all("marks => marks.map(m => m.dataset.label)")
    assert [s.label for s in spans] == labels
    fills = dict(zip(tagger.labels, label_fills(2), strict=True))
    shown = marks.evaluate_all("marks => marks.map(m => m.style.getPropertyValue('--fill'))")
    assert [fills[s.label] for s in spans] == shown
    assert 0 == page.locator("#text :is(script, img, b)").count()
    width = "document.documentElement.scrollWidth <= innerWidth"
    assert ([], True) == (opened.complaints, page.evaluate(width))
    assert [] == [url for url in opened.requests if not url.startswith((shared.url, "data:"))]


def test_legend_and_table_say_what_was_found(opened: Opened, tagger: Tagger) -> None:
    """Counts by label; a row a span, and a click on it leads to the span."""
    opened.find(ARTICLE)
    spans = tagger(ARTICLE)
    counts = [sum(s.label == label for s in spans) for label in tagger.labels]
    page = opened.page
    expected = [f"{label}{n}" for label, n in zip(tagger.labels, counts, strict=True)]
    assert expected == page.locator("#legend li").all_text_contents()
    rows = page.locator("#rows tr")
    assert len(spans) == rows.count()
    last = rows.last.locator("td").all_text_contents()
    assert [spans[-1].text, spans[-1].label] == last[:2]
    assert f"{spans[-1].start}–{spans[-1].end}" == last[3]
    rows.last.get_by_role("button").click()
    assert spans[-1].text == page.evaluate("document.activeElement.textContent")


def test_scores_show_on_focus_and_go_with_escape(opened: Opened, tagger: Tagger) -> None:
    """Everything is within reach of the keyboard."""
    page = opened.page
    page.get_by_label("Article").focus()
    page.keyboard.insert_text(ARTICLE)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#text mark")
    assert "spans" == page.evaluate("document.activeElement.id")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    first = tagger(ARTICLE)[0]
    assert first.text == page.evaluate("document.activeElement.textContent")
    tip = page.get_by_role("tooltip")
    assert tip.inner_text().startswith(f"{first.label}, score ")
    assert "tip" == page.locator("mark").first.get_attribute("aria-describedby")
    page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_low_scores_can_be_hidden_and_the_rest_copied(opened: Opened, tagger: Tagger) -> None:
    """As JSON with the text, which presstag reads again."""
    opened.find(ARTICLE)
    page = opened.page
    spans = tagger(ARTICLE)
    page.get_by_role("button", name="Copy as JSON").click()
    page.get_by_text("Copied.").wait_for()
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert {"text": ARTICLE, "spans": [s.to_dict() for s in spans]} == copied
    page.get_by_label("Lowest score shown").fill("100")
    left = [s for s in spans if round(s.score or 0.0, 4) >= 1]
    assert len(left) == page.locator("#text mark").count()
    assert opened.status.startswith(f"{len(left)} span")
    assert len(left) == len(json.loads(page.locator("#json").text_content() or "")["spans"])


def test_what_goes_wrong_is_said(opened: Opened) -> None:
    """No article, and one that the server refuses; the button can be used again."""
    opened.find("  ")
    assert "There is no article yet." == opened.status
    assert "article" == opened.page.evaluate("document.activeElement.id")
    opened.find("a" * 2_000_001)
    assert "No spans: the body is too large: at most 2,000,000 bytes; send it in parts" == (
        opened.status
    )
    opened.find("Norway pays.")
    assert "span" in opened.status


def test_the_page_has_landmarks_names_and_a_language(opened: Opened) -> None:
    """What a screen reader needs."""
    opened.find(ARTICLE)
    page = opened.page
    assert "en" == page.locator("html").get_attribute("lang")
    for role in ("banner", "main", "contentinfo"):
        assert 1 == page.get_by_role(role).count()
    assert 1 == page.get_by_role("region", name="Spans").count()
    assert 1 == page.get_by_role("table", name="Table").count()
    assert "tiny: presstag" == page.title()
