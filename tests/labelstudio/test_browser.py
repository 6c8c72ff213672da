"""What is drawn with the mouse in Label Studio's own editor arrives in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from presstag.corpus.tasks import to_prediction
from presstag.spans import Article, Span

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from presstag.labelstudio.client import Server

TEXT = (
    "😀 Cafe\u0301 owner Jose\u0301: Norway 👨‍👩‍👧 gave <b>𝕏 tanks</b>"
    "\r\nin\u00a0Acme🚀Labs &amp; Co."
)
MARKS = (("Norway", "DONOR"), ("𝕏 tanks", "SYSTEM"), ("Acme🚀Labs", "LOCATION"))
SPANS = tuple(Span(TEXT.index(w), TEXT.index(w) + len(w), label, w) for w, label in MARKS)

# Where words stand on the page: from the left edge of the first letter to the right of the last.
WHERE = """
words => {
  const text = document.querySelector('.lsf-richtext__container');
  const nodes = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  for (let node; (node = nodes.nextNode()); ) {
    const at = node.data.indexOf(words);
    if (at >= 0) {
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + words.length);
      const { left, right, top, bottom } = range.getBoundingClientRect();
      return [left, right, (top + bottom) / 2];
    }
  }
}
"""


@pytest.fixture(scope="module")
def page(
    running: Any, chromium: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """The server in a browser that went through the form to sign in."""
    folder = tmp_path_factory.mktemp("browser")
    context = chromium(folder, viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(f"{running.url}/user/login/")
    page.locator("input[name=email]").fill("admin@example.com")
    page.locator("input[name=password]").fill(running.token)
    page.locator("button[type=submit]").first.click()
    page.wait_for_url(lambda url: "login" not in url)
    yield page
    context.close()


@pytest.fixture
def pulled(server: Server, project: str, tmp_path: Path) -> Callable[[], tuple[Article, Any]]:
    """Pull the project's one task: the article, and its annotation as the file has it."""
    import json

    from presstag.labelstudio.pull import pull

    def now() -> tuple[Article, Any]:
        path = tmp_path / "export.json"
        found = pull(server, server.find_project(project), path)
        assert () == found.corpus.findings
        (article,), (row,) = found.corpus.articles, json.loads(path.read_text("utf-8"))
        (annotation,) = row["annotations"]
        return article, annotation

    return now


def open_task(page: Page, server: Server, project: str, task: dict[str, Any]) -> None:
    """Import a task, and wait until the editor shows it."""
    number = server.find_project(project).id
    made = server.sdk.projects.import_tasks(id=number, request=[task], return_task_ids=True)
    page.goto(f"{server.url}/projects/{number}/data?task={made.task_ids[0]}")
    page.get_by_role("button", name="Submit").wait_for()
    page.locator(".lsf-richtext__line").first.wait_for()
    page.wait_for_load_state("networkidle")


def draw(page: Page, words: str, key: str) -> None:
    """Choose a label by its key and drag the mouse over words, letter edge to letter edge."""
    page.keyboard.press("Escape")  # else the key would give another label to the last region
    page.keyboard.press(key)
    left, right, middle = page.evaluate(WHERE, words)
    page.mouse.move(left + 0.5, middle)
    page.mouse.down()
    page.mouse.move((left + right) / 2, middle)
    page.mouse.move(right - 0.5, middle)
    page.mouse.up()


def submit(page: Page) -> None:
    """Press Submit, and wait until the server has the annotation."""
    with page.expect_response(
        lambda answer: answer.request.method == "POST" and "/annotations" in answer.url
    ) as answered:
        page.get_by_role("button", name="Submit").click()
    assert 201 == answered.value.status


def test_spans_drawn_with_the_mouse_are_exact(
    page: Page, server: Server, project: str, pulled: Callable[[], tuple[Article, Any]]
) -> None:
    """After emoji, a combining accent, CRLF, and with some within them."""
    open_task(page, server, project, {"data": {"id": "a", "text": TEXT}})
    for (words, _), key in zip(MARKS, "135", strict=True):
        draw(page, words, key)
    submit(page)
    article, annotation = pulled()
    assert (TEXT, SPANS) == (article.text, article.spans)
    assert ["manual"] * 3 == [region["origin"] for region in annotation["result"]]
    assert "prediction" not in annotation
    assert {"email": "admin@example.com"} == annotation["completed_by"]


def test_a_suggestion_that_is_submitted_stays_what_it_was(
    page: Page, server: Server, project: str, pulled: Callable[[], tuple[Article, Any]]
) -> None:
    """Its spans keep offsets, scores and where they come from; one is drawn beside them."""
    suggested = [Span(*span.key, span.text, 0.25 * i) for i, span in enumerate(SPANS[:2], start=1)]
    prediction = to_prediction(Article("a", TEXT), suggested, model="m-1", score=0.5)
    task = {"data": {"id": "a", "text": TEXT}, "predictions": [prediction]}
    open_task(page, server, project, task)
    draw(page, MARKS[2][0], "5")
    submit(page)
    article, annotation = pulled()
    assert (TEXT, SPANS) == (article.text, article.spans)
    told = {r["value"]["start"]: (r.get("score"), r["origin"]) for r in annotation["result"]}
    expected = [(0.25, "prediction"), (0.5, "prediction"), (None, "manual")]
    assert expected == [told[span.start] for span in SPANS]
    assert {"model_version": "m-1"} == annotation["prediction"]
