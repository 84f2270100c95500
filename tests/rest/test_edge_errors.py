"""Every refusal is `{"detail": "..."}` with a sentence that helps, whoever refuses."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests

from tests.stack import Edge, free_ports, open_edge

QUOTES = "/tasty.v1.MarketDataService/GetQuotes"
STREAM = "/tasty.v1.MarketDataService/StreamQuotes"
PLACE = "/tasty.v1.OrderService/PlaceOrder"


def refusing(code: grpc.StatusCode, words: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    def answer(_request: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(code, words)
        raise AssertionError

    return answer


def detail(answer: requests.Response) -> str:
    """Returns the sentence, having seen that the answer has the documented shape and no other."""
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["detail"]
    assert isinstance(body["detail"], str)
    assert body["detail"]
    return body["detail"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, 400),
        (grpc.StatusCode.FAILED_PRECONDITION, 400),
        (grpc.StatusCode.UNAUTHENTICATED, 401),
        (grpc.StatusCode.PERMISSION_DENIED, 403),
        (grpc.StatusCode.NOT_FOUND, 404),
        (grpc.StatusCode.ALREADY_EXISTS, 409),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 429),
        (grpc.StatusCode.INTERNAL, 500),
        (grpc.StatusCode.UNIMPLEMENTED, 501),
        (grpc.StatusCode.UNAVAILABLE, 503),
        (grpc.StatusCode.DEADLINE_EXCEEDED, 504),
    ],
)
def test_a_status_of_the_server_becomes_http(
    edge: Edge, http: requests.Session, code: grpc.StatusCode, status: int
) -> None:
    edge.backend.answers[QUOTES] = refusing(code, "these words")
    answer = http.post(f"{edge.url}/api/v1/quotes", json=[{"symbol": "SPY"}])
    assert answer.status_code == status
    assert detail(answer) == "these words"
    assert not [name for name in answer.headers if name.lower().startswith("grpc-")]


@pytest.mark.parametrize(
    "words",
    [
        "Account '1' not found. Available accounts: ['2']",
        'She said "100 %" and left \\ a backslash',
        "café – naïve – 東京 – 🚀",
        "two\nlines\tand a tab",
        "%C3%A9 was percent-encoded already",
    ],
)
def test_any_words_survive_the_way(edge: Edge, http: requests.Session, words: str) -> None:
    edge.backend.answers[QUOTES] = refusing(grpc.StatusCode.NOT_FOUND, words)
    answer = http.post(f"{edge.url}/api/v1/quotes", json=[{"symbol": "SPY"}])
    assert detail(answer) == words


def test_a_long_message_survives(edge: Edge, http: requests.Session) -> None:
    words = "Available strikes: " + ", ".join(str(strike) for strike in range(500))
    edge.backend.answers[QUOTES] = refusing(grpc.StatusCode.NOT_FOUND, words)
    assert detail(http.post(f"{edge.url}/api/v1/quotes", json=[{"symbol": "A"}])) == words


def test_a_status_without_words_gets_some(edge: Edge, http: requests.Session) -> None:
    edge.backend.answers[QUOTES] = refusing(grpc.StatusCode.INTERNAL, "")
    answer = http.post(f"{edge.url}/api/v1/quotes", json=[{"symbol": "SPY"}])
    assert answer.status_code == 500
    assert detail(answer) == "The server refused the request without saying why."


def test_an_error_after_headers_but_before_data(edge: Edge, http: requests.Session) -> None:
    def answer(_request: bytes, context: grpc.ServicerContext) -> bytes:
        context.send_initial_metadata((("x-request-id", "r"),))
        context.abort(grpc.StatusCode.NOT_FOUND, "late words")
        raise AssertionError

    edge.backend.answers[QUOTES] = answer
    refused = http.post(f"{edge.url}/api/v1/quotes", json=[{"symbol": "SPY"}])
    assert refused.status_code == 404
    assert detail(refused) == "late words"


def test_a_refused_stream_is_an_ordinary_error(edge: Edge, http: requests.Session) -> None:
    edge.backend.answers[STREAM] = refusing(grpc.StatusCode.UNAUTHENTICATED, "no key")
    answer = http.get(f"{edge.url}/api/v1/stream/quotes", params={"symbols": "SPY"})
    assert answer.status_code == 401
    assert detail(answer) == "no key"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/health", "GET"),
        ("GET", "/api/v1/quotes", "POST"),
        ("PUT", "/api/v1/balances", "GET"),
        ("PATCH", "/api/v1/orders/7", "DELETE, GET"),
        ("PUT", "/api/v1/credentials", "GET, POST"),
        ("GET", "/api/v1/watchlists/private/manage", "DELETE, POST"),
        ("GET", "/api/v1/watchlists/private/my%2Flist", "DELETE"),
        ("HEAD", "/health", "GET"),
        ("OPTIONS", "/health", "GET"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    edge: Edge, http: requests.Session, method: str, path: str, allowed: str
) -> None:
    answer = http.request(method, edge.url + path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    if method != "HEAD":
        assert detail(answer) == f"Method not allowed. Allowed here: {allowed}."
    assert not edge.backend.calls


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/v1/nothing",
        "/api/v1/orders/7/8",
        "/api/v2/balances",
        "/tasty.v1.SystemService/GetHealth",
        "/grpc.health.v1.Health/Check",
        "/../etc/passwd",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path(edge: Edge, http: requests.Session, method: str, path: str) -> None:
    answer = http.request(method, edge.url + path, data=None if method == "GET" else b"{}")
    assert answer.status_code == 404
    assert "No route has this path" in detail(answer)
    assert not edge.backend.calls


@pytest.mark.parametrize(
    "path", ["quotes", "market-metrics", "watchlists/private/manage", "chat", "credentials"]
)
@pytest.mark.parametrize("body", [b'[{"symbol": 3}', b"{}", b"\xff", b'{"a": 5., "a": 0x1}'])
def test_bodies_are_left_to_the_server(
    edge: Edge, http: requests.Session, path: str, body: bytes
) -> None:
    """Which reads them more strictly, and says more of them; see tests/rest/test_bad_bodies.py."""
    headers = {"Content-Type": "application/json"}
    answer = http.post(f"{edge.url}/api/v1/{path}", data=body, headers=headers)
    assert answer.status_code == 200
    assert body in edge.backend.last.request


@pytest.mark.parametrize("value", ["abc", "1e999", "{}"])
def test_a_query_parameter_of_the_wrong_type(
    edge: Edge, http: requests.Session, value: str
) -> None:
    answer = http.post(f"{edge.url}/api/v1/quotes", params={"timeout": value}, json=[])
    assert answer.status_code == 400
    assert detail(answer) == f"Invalid timeout '{value}'. Expected a number."


def test_an_optional_field_given_twice(edge: Edge, http: requests.Session) -> None:
    url = f"{edge.url}/api/v1/quotes"
    answer = http.post(f"{url}?timeout=1&timeout=2", json=[])
    assert answer.status_code == 400
    assert detail(answer) == "Invalid timeout. Expected it once, not several times."
    assert not edge.backend.calls


def test_a_body_that_is_too_large(edge: Edge, http: requests.Session) -> None:
    large = json.dumps([{"symbol": "A" * 100}] * 100_000).encode()
    for body in (large, chunks(large)):
        answer = http.post(f"{edge.url}/api/v1/quotes", data=body)
        assert answer.status_code == 413
        assert detail(answer) == "The request body is larger than 2 MiB. Split the request."
    assert not edge.backend.calls


def test_ten_thousand_instruments_reach_the_server(edge: Edge, http: requests.Session) -> None:
    option = {
        "symbol": "SPY",
        "option_type": "C",
        "strike_price": 690.0,
        "expiration_date": "2025-12-19",
    }
    body = json.dumps([option] * 10_000).encode()
    assert http.post(f"{edge.url}/api/v1/quotes", data=body).status_code == 200
    assert body in edge.backend.last.request


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({"x_api_key": "k"}, 400, "Use hyphens, as in X-API-Key."),
        ({"x-large": "a" * 20_000}, 431, "16 KiB"),
        ({f"x-{number}": "a" for number in range(100)}, 431, "at most 64"),
    ],
)
def test_headers_that_are_refused(
    edge: Edge, http: requests.Session, headers: dict[str, str], status: int, words: str
) -> None:
    answer = http.get(f"{edge.url}/health", headers=headers)
    assert answer.status_code == status
    assert words in detail(answer)


@pytest.mark.parametrize(
    "headers",
    [
        {"grpc-encoding": "gzip"},
        {"grpc-timeout": "nonsense"},
        {"te": "x"},
        {"foo-bin": "@@@"},
        {"a^b!~": "x"},
        {"content-type": "text/plain"},
        {"content-length": "0"},
    ],
)
def test_headers_that_mean_something_to_grpc_do_no_harm(
    edge: Edge, http: requests.Session, headers: dict[str, str]
) -> None:
    assert http.get(f"{edge.url}/health", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["a%FFb", "%C3", "%ED%A0%80", "%F5%80%80%80", "%C0%AF"])
def test_a_path_that_is_not_utf8(edge: Edge, http: requests.Session, path: str) -> None:
    answer = http.delete(f"{edge.url}/api/v1/watchlists/private/{path}")
    assert answer.status_code == 400
    assert "UTF-8" in detail(answer)
    assert not edge.backend.calls


def test_a_query_that_is_not_utf8(edge: Edge, http: requests.Session) -> None:
    answer = http.get(f"{edge.url}/api/v1/search-symbols?symbol=%FF")
    assert answer.status_code == 400
    assert "UTF-8" in detail(answer)


@pytest.mark.parametrize("path", ["a%00b"])
def test_a_path_with_a_control_character(edge: Edge, http: requests.Session, path: str) -> None:
    answer = http.delete(f"{edge.url}/api/v1/watchlists/private/{path}")
    assert answer.status_code == 400
    assert "control characters" in detail(answer)


def test_what_is_not_http_at_all(edge: Edge) -> None:
    with socket.create_connection(("127.0.0.1", edge.envoy.port)) as wire:
        wire.sendall(b"BLAH BLAH BLAH\r\n\r\n")
        wire.settimeout(5)
        answer = b"".join(iter(lambda: wire.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.endswith(b'{"detail":"This is not a valid HTTP request."}')


def test_the_answer_was_lost(tmp_path: Path, http: requests.Session) -> None:
    with hanging_up() as server, open_edge(tmp_path, server_port=server.port) as edge:
        order = http.post(f"{edge.url}/api/v1/place-order?account_id=1", json={"legs": []})
        assert order.status_code == 504
        assert "outcome of this order request is unknown" in detail(order)
        cancel = http.delete(f"{edge.url}/api/v1/orders/7?account_id=1")
        assert cancel.status_code == 504
        assert "outcome of this order request is unknown" in detail(cancel)
        assert server.connections == 2, "an order was sent again"

        read = http.get(f"{edge.url}/api/v1/live-orders?account_id=1")
        assert read.status_code == 503
        assert "Try again in a moment." in detail(read)


def test_a_server_that_does_not_answer(tmp_path: Path, http: requests.Session) -> None:
    """The edge waits a little longer than the server itself would."""
    wait = threading.Event()

    def hang(_request: bytes, _context: grpc.ServicerContext) -> bytes:
        wait.wait(20)
        return b""

    with open_edge(tmp_path, default_deadline_s=0.1) as edge:
        edge.backend.answers[QUOTES] = hang
        answer = http.post(f"{edge.url}/api/v1/quotes", json=[{"symbol": "SPY"}])
        wait.set()
    assert answer.status_code == 504
    assert "longer than the gateway waits" in detail(answer)


def test_no_server_at_all(tmp_path: Path, http: requests.Session) -> None:
    with open_edge(tmp_path, server_port=free_ports(1)[0]) as edge:
        # Nothing was sent, so this may be said of an order, too.
        for answer in (
            http.get(f"{edge.url}/health"),
            http.post(f"{edge.url}/api/v1/place-order?account_id=1", json={"legs": []}),
        ):
            assert answer.status_code == 503
            assert "not reachable" in detail(answer)
        with grpc.insecure_channel(edge.target) as channel, pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary("/tasty.v1.SystemService/GetHealth")(b"")
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "not reachable" in refused.value.details()


def test_a_body_that_breaks_off_is_no_order(edge: Edge) -> None:
    order = b'{"legs": [], "price": -4.50'
    head = (
        b"POST /api/v1/place-order?account_id=1 HTTP/1.1\r\nhost: a\r\ncontent-length: 500\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", edge.envoy.port)) as wire:
        wire.sendall(head + order)
    with socket.create_connection(("127.0.0.1", edge.envoy.port)) as wire:
        wire.sendall(b"GET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        wire.settimeout(5)
        assert b" 200 " in b"".join(iter(lambda: wire.recv(4096), b""))
    assert PLACE not in [call.method for call in edge.backend.calls]


MORE_THAN_A_PREFACE = 150
"""Bytes of an HTTP/2 connection after which a request must have begun."""


class HangsUp(socketserver.BaseRequestHandler):
    """A server that dies as soon as it has read a request."""

    def handle(self) -> None:
        self.server.connections += 1
        read = 0
        while read < MORE_THAN_A_PREFACE and (data := self.request.recv(65536)):
            read += len(data)


@contextmanager
def hanging_up() -> Iterator[Any]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), HangsUp) as server:
        server.port = server.server_address[1]
        server.connections = 0
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 65536):
        yield body[start : start + 65536]
