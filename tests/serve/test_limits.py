"""What is refused, with which status and reason."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import pytest


def refusal(response: Any) -> tuple[int, str]:
    """Status and reason."""
    return response.status_code, response.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 422, "the body: Field required"),
        (b"{", 400, "the body is not JSON: Expecting property name"),
        (b"\xff", 400, "the body is not JSON in UTF-8"),
        (b'"\xed\xa0\x80"', 422, "the body: Input should be"),
        (b"[" * 100_000, 400, "nested too deeply"),
        (b'{"text": ' + b"9" * 5_000 + b"}", 400, "the body is not JSON"),
        (b"null", 422, "the body: "),
        (b"[]", 422, "the body: "),
        (b'"text"', 422, "the body: "),
        (b"{}", 422, "text: Field required"),
        (b'{"text": null}', 422, "text: Input should be a valid string"),
        (b'{"text": ["a"]}', 422, "text: Input should be a valid string"),
        (b'{"texts": "a"}', 422, "texts: Input should be a valid list"),
        (b'{"texts": []}', 422, "texts: List should have at least 1 item"),
        (b'{"texts": ["a", 2]}', 422, "texts.1: Input should be a valid string"),
        (b'{"texts": [0, 0, 0, 0, 0, 0, 0]}', 422, "; and 2 more"),
        (b'{"text": "a", "texts": ["b"]}', 422, "text: Extra inputs are not permitted"),
        (b'{"text": "a", "\\ud83d": 1}', 422, "the body: Input should be"),
        (b'{"text": "a", "min_score": -1}', 422, "min_score: "),
        (b'{"text": "a", "min_score": "0.5"}', 422, "min_score: "),
        (b'{"text": "a", "min_score": true}', 422, "min_score: "),
        (b'{"text": "a", "min_score": NaN}', 422, "min_score: "),
        (b'{"text": "a", "min_score": 1e999}', 422, "min_score: "),
        (b'{"text": "a", "min_score": null}', 422, "min_score: "),
    ],
)
def test_a_body_that_does_not_fit_is_refused_with_the_reason(
    shared: Any, body: bytes, status: int, reason: str
) -> None:
    """Whatever stands in it, it is the client's fault and no other's."""
    found, detail = refusal(shared.send(body))
    assert (status, True) == (found, reason in detail), detail


def test_a_form_of_another_site_is_refused(shared: Any) -> None:
    """A body that a page may send anywhere without being asked is no JSON here."""
    response = shared.http.post(
        "/extract", content='{"text": "a"}', headers={"Content-Type": "text/plain"}
    )
    assert 422 == response.status_code


def test_too_many_texts_are_refused(serve: Any, slow: Any) -> None:
    """As many as the limit are taken."""
    up = serve(slow, texts=3)
    assert 200 == up.extract(texts=["a"] * 3).status_code
    expected = "texts: 4 texts; at most 3 in one request; send them in parts"
    assert (422, expected) == refusal(up.extract(texts=["a"] * 4))


def in_parts(size: int) -> Iterator[bytes]:
    """A body of that size in parts, for which httpx gives no Content-Length."""
    yield b'{"text": "'
    for _ in range((size - 12) // 1_000):
        yield b"a" * 1_000
    yield b"a" * ((size - 12) % 1_000) + b'"}'


def test_a_body_that_is_too_large_is_refused(serve: Any, slow: Any) -> None:
    """By what it says of itself, and else while it is read; the connection can be used again."""
    up = serve(slow, bytes=50_000)
    whole = b"".join(in_parts(50_000))
    expected = (413, "the body is too large: at most 50,000 bytes; send it in parts")
    assert 50_000 == len(whole)
    assert [200, 200] == [up.send(b).status_code for b in (whole, in_parts(50_000))]
    assert expected == refusal(up.send(whole + b" "))
    assert expected == refusal(up.send(in_parts(50_001)))
    assert expected == refusal(up.send(in_parts(3_000_000)))
    assert 200 == up.extract(text="a").status_code
    assert ["a" * 49_988] * 2 + ["a"] == slow.begun


def test_a_body_without_end_is_not_kept(serve: Any, slow: Any) -> None:
    """A chunked body is refused as soon as it is too large, not when it has come in."""
    up = serve(slow, bytes=1_000)
    with connection(up) as client:
        client.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"3e8\r\n" + b"a" * 1000)
        client.sendall(b"\r\n1\r\na\r\n")
        assert b"HTTP/1.1 413 " in client.recv(4096)


HEAD = b"POST /extract HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"


def connection(up: Any) -> socket.socket:
    """A client that can do what httpx does not."""
    client = socket.create_connection(("127.0.0.1", urlsplit(up.url).port or 0))
    client.settimeout(30)
    return client


def test_a_body_that_comes_too_slowly_is_refused(serve: Any, slow: Any) -> None:
    """The time runs from the first byte, and the place of the request is free again."""
    up = serve(slow, seconds=0.5, requests=1)
    with connection(up) as client:
        client.sendall(HEAD + b"Content-Length: 9\r\n\r\n{")
        answer = HTTPResponse(client)
        answer.begin()
        said = answer.read()  # the body may come in a packet of its own
    assert 408 == answer.status
    assert b"did not come in within 0.5 s" in said
    assert 200 == up.extract(text="a").status_code


def test_a_request_that_takes_too_long_is_given_up(serve: Any, slow: Any, soon: Any) -> None:
    """What is under way ends, what waits does not begin, and the next request is served."""
    up = serve(slow, seconds=0.5, workers=1)
    expected = "not tagged within 0.5 s; send less text in one request"
    assert (504, expected) == refusal(up.extract(texts=["hold", "b"]))
    soon(lambda: slow.ended == ["hold"])
    assert 200 == up.extract(text="c").status_code
    assert ["hold", "c"] == slow.begun
    assert 1 == up.http.get("/health").json()["requests_served"]


def test_a_client_that_went_away_costs_nothing_more(serve: Any, slow: Any, soon: Any) -> None:
    """Its text under way ends, its others do not begin."""
    up = serve(slow, workers=1)
    body = b'{"texts": ["hold", "b"]}'
    with connection(up) as client:
        client.sendall(HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        soon(lambda: slow.begun == ["hold"])
    soon(lambda: slow.ended == ["hold"])
    soon(lambda: up.http.get("/health").json()["requests_under_way"] == 0)
    assert 200 == up.extract(text="c").status_code
    assert ["hold", "c"] == slow.begun


def test_more_requests_than_there_are_places_are_asked_to_come_again(
    serve: Any, slow: Any, soon: Any
) -> None:
    """Those that have a place are served; health answers meanwhile."""
    up = serve(slow, requests=2, workers=1)
    with ThreadPoolExecutor(2) as clients:
        waiting = [clients.submit(up.extract, text="hold") for _ in range(2)]
        soon(lambda: up.http.get("/health").json()["requests_under_way"] == 2)
        response = up.extract(text="a")
        assert (503, "busy: 2 requests are under way; ask again") == refusal(response)
        assert "1" == response.headers["Retry-After"]
        slow.let_go.set()
        assert [200, 200] == [w.result().status_code for w in waiting]
    assert 200 == up.extract(text="a").status_code


def test_requests_take_turns(serve: Any, slow: Any, soon: Any) -> None:
    """One text waits for one text of a request with many, not for all of them."""
    up = serve(slow, workers=1)
    with ThreadPoolExecutor(2) as clients:
        many = clients.submit(up.extract, texts=["hold", *(f"m{n}" for n in range(50))])
        soon(lambda: slow.begun == ["hold"])
        one = clients.submit(up.extract, text="one")
        soon(lambda: up.http.get("/health").json()["requests_under_way"] == 2)
        time.sleep(0.2)
        slow.let_go.set()
        assert [200, 200] == [many.result().status_code, one.result().status_code]
    assert slow.begun.index("one") <= 2


def test_long_texts_do_not_hold_up_short_ones(serve: Any, slow: Any, soon: Any) -> None:
    """They have threads of their own: a short text is served while all of these are busy."""
    up = serve(slow, workers=1)
    long = "hold" + " " * 20_000
    with ThreadPoolExecutor(3) as clients:
        waiting = [clients.submit(up.extract, text=long) for _ in range(3)]
        soon(lambda: up.http.get("/health").json()["requests_under_way"] == 3)
        assert 200 == up.extract(text="short").status_code
        assert [] == slow.ended[:-1]
        slow.let_go.set()
        assert [200] * 3 == [w.result().status_code for w in waiting]


def test_a_real_model_ends_a_long_text_at_a_window(tagger: Any) -> None:
    """Time and clients that went away are looked at between windows."""
    calls = threading.Semaphore(3)

    def check() -> None:
        if not calls.acquire(blocking=False):
            raise TimeoutError

    text = "Norway gave tanks. " * 200
    with pytest.raises(TimeoutError):
        tagger.interruptible(check)(text)
    assert tagger(text) == tagger.interruptible(lambda: None)(text)
