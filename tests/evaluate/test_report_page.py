"""The page in a browser: Debian's chromium, without a screen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from presstag.evaluate.judge import Judgement
from presstag.evaluate.report import make_report
from presstag.spans import Article

if TYPE_CHECKING:
    from playwright.sync_api import Page

Chromium = Callable[..., Any]


@dataclass
class Opened:
    """The page, and what it did that it should not."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def shown(self, selector: str) -> list[str]:
        """The text of elements that can be seen."""
        elements = self.page.locator(selector).all()
        return [e.inner_text() for e in elements if e.is_visible()]

    @property
    def status(self) -> str:
        """What the page says of what it shows."""
        return self.page.locator("#status").inner_text()

    @property
    def names(self) -> list[str]:
        """The articles that can be seen."""
        return self.shown("article h3")

    def cell(self, kind: str, label: str) -> Any:
        """A cell of the table of kinds."""
        return self.page.locator(f'td button[data-kind="{kind}"][data-label="{label}"]')


@pytest.fixture(scope="module")
def address(
    judged: Judgement, train: list[Article], tmp_path_factory: pytest.TempPathFactory
) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    page = make_report(judged, model="models/some", data="some/data.json", train=train)
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


def open_page(chromium: Chromium, address: str, folder: Path, **settings: Any) -> Opened:
    context = chromium(folder, **settings)
    opened = Opened(context.new_page())
    opened.page.on("console", lambda message: opened.complaints.append(message.text))
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.page.on("dialog", lambda dialog: opened.complaints.append(dialog.message))
    opened.page.on("request", lambda request: opened.requests.append(request.url))
    opened.page.goto(address)
    return opened


@pytest.fixture(scope="module")
def one(
    chromium: Chromium, address: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("browser")
    opened = open_page(chromium, address, folder, viewport={"width": 1280, "height": 900})
    yield opened
    opened.page.context.close()


@pytest.fixture
def desk(one: Opened) -> Opened:
    """A screen of 1,280 pixels; the page as it is when it opens."""
    one.page.goto("about:blank")
    one.page.goto(one.requests[0])
    return one


def test_it_opens_without_a_complaint_and_asks_for_nothing(desk: Opened, address: str) -> None:
    """No script of an article runs, no error is logged, no address but the file's is asked for."""
    assert [] == desk.complaints
    assert {address} == {r for r in desk.requests if not r.startswith(("data:", "about:"))}
    assert "All 11 mentions of 8 articles" == desk.status
    assert 8 == len(desk.shown("article"))
    assert any("</script><img src=x onerror=alert(1)> & " in text for text in desk.shown(".text"))


def test_filters_leave_the_articles_that_have_such_mentions(desk: Opened) -> None:
    """By kind, label, slice, score and words; together they all hold."""
    form = desk.page.locator("#filters")
    form.get_by_label("Kind").select_option("missed")
    assert (["a-1"], "1 mention of 11, in 1 article of 8") == (desk.names, desk.status)
    form.get_by_label("Kind").select_option("any error")
    form.get_by_label("Label").select_option("SYSTEM")
    assert ["a-1", "a-2", "a-3", "a-4", "a-5"] == desk.names
    form.get_by_label("Slice").select_option("voice: loud")
    assert ["a-1", "a-3", "a-5"] == desk.names
    form.get_by_label("lowest score").fill("45")
    assert ["a-1", "a-3"] == desk.names
    form.get_by_label("highest score").fill("65")
    assert ["a-3"] == desk.names
    form.get_by_role("button", name="Clear filters").click()
    assert "All 11 mentions of 8 articles" == desk.status
    form.get_by_label("Words").fill("GUNS")
    assert ["a-4", "a-5"] == desk.names
    form.get_by_label("Words").fill("nowhere")
    assert ([], "0 mentions of 11, in 0 articles of 8") == (desk.names, desk.status)
    form.get_by_label("Words").fill("")
    form.get_by_label("Confusion").select_option("DONOR → SYSTEM")
    assert ["a-2"] == desk.names


def test_mentions_that_do_not_fit_lose_their_colour(desk: Opened) -> None:
    """In an article that has one that does."""
    desk.page.locator("#filters").get_by_label("Kind").select_option("missed")
    chips = desk.shown("#a1 .chip")
    assert 1 == len(chips)
    assert "missed" in chips[0]
    assert "DONOR" in chips[0]
    assert 1 == desk.page.locator("#a1 mark:not(.off)").count()
    ground = "getComputedStyle(document.querySelector('#a1 mark.off')).backgroundColor"
    assert "rgba(0, 0, 0, 0)" == desk.page.evaluate(ground)


def test_the_article_with_most_errors_comes_first_if_wished(desk: Opened) -> None:
    """And the data's order comes back."""
    order = desk.page.locator("#filters").get_by_label("Order")
    order.select_option("most errors first")
    assert ["a-1", "a-2"] == desk.names[:2]
    order.select_option("as in the data")
    assert ["a-0", "a-1"] == desk.names[:2]


CLICK_ALL = """
selector => [...document.querySelectorAll(selector)].map(cell => {
  cell.click();
  const said = cell.firstChild.textContent;
  const lines = document.querySelectorAll('#mentions li').length;
  return [said, cell.dataset.pair ?? '', cell.textContent, lines, status.textContent];
})
"""


@pytest.mark.parametrize("selector", ["td button", "li button.name"])
def test_every_cell_shows_as_many_mentions_as_it_says(desk: Opened, selector: str) -> None:
    """Only against nothing may they be fewer: of a split mention each span counts."""
    clicked = desk.page.evaluate(CLICK_ALL.replace("status.", "document.all.status."), selector)
    assert len(clicked) > 6
    for said, pair, text, lines, status in clicked:
        count = int(said) if selector == "td button" else int(re.findall(r"(\d+)×", text)[0])
        assert status.startswith(f"{lines} mention")
        assert (1 <= lines <= count) if "nothing" in pair else (count == lines), text


def test_a_mention_of_the_list_leads_to_its_place(desk: Opened) -> None:
    """With the words around it; there it is marked and has the focus."""
    desk.cell("too long", "SYSTEM").click()
    (line,) = desk.shown("#mentions li")
    assert "New tanks" in line
    assert "too long" in line
    assert "a-3, score 60.0" in line
    assert [] == desk.shown("article")
    desk.page.locator("#mentions a").click()
    assert ["a-3"] == desk.names
    assert "New " == desk.page.evaluate("document.activeElement.textContent")
    assert ["New ", "tanks"] == [t[:5] for t in desk.page.locator("mark.here").all_inner_texts()]


def test_the_address_of_a_mention_can_be_passed_on(desk: Opened, address: str) -> None:
    """The page opens there."""
    desk.cell("too long", "SYSTEM").click()
    desk.page.locator("#mentions a").click()
    passed_on = desk.page.url
    assert f"{address}#m3-0" == passed_on
    desk.page.goto("about:blank")
    desk.page.goto(passed_on)
    assert ["New ", "tanks"] == [t[:5] for t in desk.page.locator("mark.here").all_inner_texts()]


def test_the_keyboard_reaches_cells_mentions_and_the_way_back(desk: Opened) -> None:
    """Skip link first; Enter on a cell shows its mentions; a button leads back to the cell."""
    active = "document.activeElement.textContent"
    desk.page.keyboard.press("Tab")
    assert "Skip to the figures" == desk.page.evaluate(active)
    desk.page.keyboard.press("Enter")
    assert "main" == desk.page.evaluate("document.activeElement.id")
    desk.page.keyboard.press("Tab")
    assert "DONOR: show what is wrong" == desk.page.evaluate(active)
    desk.page.keyboard.press("Enter")
    assert "status" == desk.page.evaluate("document.activeElement.id")
    desk.page.keyboard.press("Tab")
    assert "A" == desk.page.evaluate("document.activeElement.tagName")
    desk.page.get_by_role("button", name="Back to the table").press("Enter")
    assert "DONOR: show what is wrong" == desk.page.evaluate(active)


def test_many_mentions_are_shown_fifty_at_a_time(
    chromium: Chromium, judged: Judgement, tmp_path: Path
) -> None:
    """A button shows the next ones and puts the focus there."""
    many = replace(judged, articles=judged.articles * 6, verdicts=judged.verdicts * 6)
    found = judged.evaluation.predicted * 6
    many = replace(many, evaluation=replace(judged.evaluation, predicted=found))
    path = tmp_path / "many.html"
    path.write_text(make_report(many, model="a", data="b"), encoding="utf-8")
    opened = open_page(chromium, path.as_uri(), tmp_path)
    opened.page.get_by_label("mentions", exact=True).check()
    lines = opened.page.locator("#mentions li")
    assert 50 == lines.count()
    opened.page.get_by_role("button", name="Show more of the 16 others").click()
    assert 66 == lines.count()
    focussed = "[...document.querySelectorAll('#mentions a')].indexOf(document.activeElement)"
    assert 50 == opened.page.evaluate(focussed)
    assert not opened.page.locator("#more").is_visible()
    opened.page.context.close()


@pytest.mark.parametrize("width", [360, 390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_as_wide_as_the_screen(desk: Opened, width: int, scheme: str) -> None:
    """In either scheme, whose ground it takes; in both views; ink stands out from the ground."""
    desk.page.set_viewport_size({"width": width, "height": 800})
    desk.page.emulate_media(color_scheme=scheme)
    for view in ("articles", "mentions"):
        desk.page.get_by_label(view, exact=True).check()
        assert width >= desk.page.evaluate("document.documentElement.scrollWidth")
    style = "getComputedStyle(document.body)"
    ground, ink = (desk.page.evaluate(f"{style}.{key}") for key in ("backgroundColor", "color"))
    light = [int(colour[4:].split(",")[0]) > 128 for colour in (ground, ink)]
    assert [scheme == "light", scheme == "dark"] == light
    desk.page.set_viewport_size({"width": 1280, "height": 900})


def test_print_has_no_filters_and_all_that_is_folded(desk: Opened) -> None:
    """And every article, dark on light; afterwards it is folded again."""
    folded = "document.querySelectorAll('details:not([open])').length"
    before = desk.page.evaluate(folded)
    desk.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert 0 == desk.page.evaluate(folded) < before
    desk.page.emulate_media(media="print", color_scheme="dark")
    assert [] == desk.shown("#filters, nav, .skip")
    assert 8 == len(desk.shown("article"))
    ground = desk.page.evaluate("getComputedStyle(document.body).backgroundColor")
    desk.page.emulate_media(media="screen", color_scheme="light")
    desk.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert before == desk.page.evaluate(folded)
    assert "rgb(255, 255, 255)" == ground


def test_without_scripts_everything_can_be_read(
    chromium: Chromium, address: str, tmp_path: Path
) -> None:
    """Figures and articles are there; what would do nothing is not."""
    opened = open_page(chromium, address, tmp_path, java_script_enabled=False)
    assert 8 == len(opened.shown("article"))
    assert [] == opened.shown("#filters, #more, #back")
    assert "Without scripts" in opened.page.locator("noscript").inner_text()
    opened.page.context.close()
