"""What the service answers, over real HTTP."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import presstag
from presstag.tagger import Tagger

TEXTS = (
    "Report 0. “Iceland pays,” she said.\n\nIceland has no tanks of its own.",
    "😀 Norway sends tanks 👨‍👩‍👧 from Denmark; 𠮷𠮷 Norway pays for drones.",
    "Tanks from Denmark\r\nand field kitchens from Norway arrived by rail.\r\nIceland pays.",
    "<b>Norway</b> &amp; <i>Denmark</i> will send two patrol boats &lt;to&gt; Lusitania.",
    "Norway\u00a0gave\u3000tanks\tand\u2028Denmark gave cafe\u0301 drones. Iceland pays.",
    "\x00Norway\x00 gave tanks.\ufeff Denmark, too.",
    "Norway \ud83d gave tanks; Denmark\udc00 gave drones.",
)


def own(tagger: Tagger, text: str) -> list[dict[str, Any]]:
    """The model's spans as JSON writes them."""
    return [span.to_dict() for span in tagger(text)]


@pytest.mark.parametrize("text", TEXTS)
def test_offsets_count_code_points_of_the_text_as_sent(
    shared: Any, tagger: Tagger, text: str
) -> None:
    """In emoji, CRLF, combining accents, markup, NUL and lone surrogates."""
    response = shared.extract(text=text)
    spans = response.json()["spans"]
    assert (200, own(tagger, text)) == (response.status_code, spans)
    assert spans
    assert [s["text"] for s in spans] == [text[s["start"] : s["end"]] for s in spans]


def test_a_span_may_hold_a_lone_surrogate(serve: Any, slow: Any) -> None:
    """JSON says it as an escape, in the answer as in the request."""
    response = serve(slow).extract(text="a\ud83d")
    assert [
        {"start": 0, "end": 2, "label": "A", "text": "a\ud83d", "score": 0.5}
    ] == response.json()["spans"]


def test_several_texts_have_their_results_in_order(shared: Any, tagger: Tagger) -> None:
    """An empty text has no spans."""
    texts = [*TEXTS, "", *reversed(TEXTS)]
    response = shared.extract(texts=texts)
    assert [{"spans": own(tagger, text)} for text in texts] == response.json()["results"]
    assert {"results": [{"spans": []}]} == shared.extract(texts=[""]).json()


def test_spans_with_a_low_score_are_left_out(shared: Any, tagger: Tagger) -> None:
    """`min_score` holds for one text and for several."""
    scores = sorted(span.score or 0.0 for text in TEXTS for span in tagger(text))
    least = scores[len(scores) // 2]
    expected = [
        {"spans": [s.to_dict() for s in tagger(t) if (s.score or 0.0) >= least]} for t in TEXTS
    ]
    assert expected == shared.extract(texts=TEXTS, min_score=least).json()["results"]
    assert expected[0] == shared.extract(text=TEXTS[0], min_score=least).json()
    assert {"spans": []} == shared.extract(text=TEXTS[0], min_score=1).json()


def test_many_clients_at_once_get_what_each_would_get_alone(shared: Any, tagger: Tagger) -> None:
    """No result goes to another request, and none differs for its neighbours."""
    texts = [f"{n}. {TEXTS[n % len(TEXTS)]}" * (1 + n % 4) for n in range(120)]
    expected = [own(tagger, text) for text in texts]

    def ask(n: int) -> Any:
        if n % 3:
            return shared.extract(text=texts[n]).json()["spans"]
        return shared.extract(texts=[texts[n], TEXTS[0]]).json()["results"][0]["spans"]

    with ThreadPoolExecutor(24) as clients:
        assert expected == list(clients.map(ask, range(len(texts))))


def test_a_text_that_fails_costs_the_others_nothing(serve: Any, slow: Any) -> None:
    """In its place stands the reason; alone it is a 500 with the reason."""
    up = serve(slow)
    reason = "the model failed on this text: RuntimeError: no luck"
    results = up.extract(texts=["a", "fail", "bc"]).json()["results"]
    assert ["a", reason, "bc"] == [r.get("error") or r["spans"][0]["text"] for r in results]
    response = up.extract(text="fail")
    assert (500, {"detail": reason}) == (response.status_code, response.json())


def test_health_says_which_model_answers(serve: Any, tagger: Tagger) -> None:
    """And what the service did so far; what was refused does not count as served."""
    up = serve(tagger)
    for text in ("a", "b", 3):
        up.extract(text=text)
    health = up.http.get("/health").json()
    assert health.pop("uptime") >= 0
    assert {
        "status": "ok",
        "model": {
            "name": "tiny",
            "digest": tagger.info["files"]["model.onnx"],
            "labels": ["DONOR", "SYSTEM"],
        },
        "presstag": presstag.__version__,
        "requests_served": 2,
        "requests_under_way": 0,
    } == health


def test_headers_let_nothing_foreign_in(shared: Any) -> None:
    """No guessing of types anywhere, no sharing with other origins, a strict policy on the page."""
    answers = [
        shared.http.get("/"),
        shared.http.get("/health"),
        shared.http.get("/nowhere"),
        shared.extract(text="a"),
        shared.extract(text=1),
        shared.http.options("/extract", headers={"Origin": "http://a.example"}),
    ]
    assert [200, 200, 404, 200, 422, 405] == [a.status_code for a in answers]
    assert {"nosniff"} == {a.headers.get("X-Content-Type-Options") for a in answers}
    assert [] == [a for a in answers if "Access-Control-Allow-Origin" in a.headers]
    policy = answers[0].headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy


def test_nothing_is_loaded_from_elsewhere(shared: Any) -> None:
    """The page names no other address; FastAPI's pages that would load from one are not there."""
    assert [] == re.findall(r"https?://|src=", shared.http.get("/").text)
    assert [404, 404] == [shared.http.get(path).status_code for path in ("/docs", "/redoc")]


def test_labels_end_no_element_of_the_page() -> None:
    """The facts of a model are data, whatever stands in them."""
    from presstag.serve.page import make_page

    html = make_page("</script><b>", ["<!--", "A"]).html
    (facts,) = re.findall(r'type="application/json">(.*?)</script>', html)
    read = json.loads(facts)
    assert ("</script><b>", ["<!--", "A"]) == (read["model"], list(read["labels"]))
