"""What callers say of themselves: their address, their requests' ids, the host that they call."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator

import grpc
import pytest
import requests

from tests.http2 import END_HEADERS, END_STREAM, HEADERS, Http2, block, frame
from tests.stack import Edge, open_edge

MADE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TWO_HOSTS = "The request names more than one host. Send one Host header."


@pytest.fixture(scope="module")
def behind_a_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An edge that believes the proxy before it, and takes 20 requests a second of an address."""
    folder = tmp_path_factory.mktemp("hops")
    with open_edge(folder, trusted_hops=1, edge_address_rate=20) as edge:
        yield edge


def ask(edge: Edge, path: str = "/health", **headers: str) -> requests.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.get(edge.url + path, headers=sent, timeout=10)


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        # What stands before the proxy's own word is the caller's invention.
        ("192.0.2.1, 203.0.113.9", "203.0.113.9"),
        ("192.0.2.1, 192.0.2.2, 203.0.113.9", "203.0.113.9"),
        ("2001:db8::7", "2001:db8::7"),
        (None, "127.0.0.1"),
        ("nonsense", "127.0.0.1"),
    ],
)
def test_behind_a_proxy_callers_are_told_apart(
    behind_a_proxy: Edge, forwarded: str | None, address: str
) -> None:
    told = {} if forwarded is None else {"X_Forwarded_For": forwarded}
    assert ask(behind_a_proxy, X_Tasty_Address="198.51.100.1", **told).ok
    assert behind_a_proxy.backend.last.metadata["x-tasty-address"] == address


def test_without_a_proxy_nobody_can_say_that_he_is_another(edge: Edge) -> None:
    for headers in (
        {"X_Forwarded_For": "203.0.113.9"},
        {"X_Tasty_Address": "203.0.113.9"},
        {"X_Envoy_External_Address": "203.0.113.9"},
    ):
        assert ask(edge, **headers).ok
        assert edge.backend.last.metadata["x-tasty-address"] == "127.0.0.1"

    with grpc.insecure_channel(edge.target) as channel:
        call = channel.unary_unary("/tasty.v1.SystemService/GetHealth")
        call(b"", metadata=(("x-tasty-address", "203.0.113.9"),), timeout=5)
    assert edge.backend.last.metadata["x-tasty-address"] == "127.0.0.1"


def test_one_address_cannot_take_the_turn_of_all(behind_a_proxy: Edge) -> None:
    flood = [
        # He invents an address for each request, and gains nothing.
        ask(behind_a_proxy, X_Forwarded_For=f"192.0.2.{number}, 203.0.113.66")
        for number in range(100)
    ]
    refused = [answer for answer in flood if answer.status_code == 429]
    assert len(refused) > 20
    assert {answer.json()["detail"] for answer in refused} == {
        "Too many requests from this address. Try again in a second."
    }
    assert all(answer.headers["retry-after"] == "1" for answer in refused)
    assert all("x-request-id" in answer.headers for answer in refused)
    assert ask(behind_a_proxy, X_Forwarded_For="203.0.113.67").ok

    with grpc.insecure_channel(behind_a_proxy.target) as channel:
        call = channel.unary_unary("/tasty.v1.SystemService/GetHealth")
        of_the_flood = (("x-forwarded-for", "203.0.113.66"),)
        calls = [call.future(b"", metadata=of_the_flood, timeout=5) for _ in range(100)]
        errors = [error for each in calls if (error := each.exception()) is not None]
        assert {error.code() for error in errors} == {grpc.StatusCode.RESOURCE_EXHAUSTED}


def test_a_network_of_ipv6_is_one_caller(behind_a_proxy: Edge) -> None:
    answers = [
        ask(behind_a_proxy, X_Forwarded_For=f"2001:db8:0:66::{number:x}").status_code
        for number in range(1, 100)
    ]
    assert answers.count(429) > 20
    assert ask(behind_a_proxy, X_Forwarded_For="2001:db8:0:67::1").ok


@pytest.mark.parametrize(
    "given", ["a", "A-z.0_9~", "x" * 64, "6fd7b3a0-0000-4000-8000-000000000001"]
)
def test_a_sound_request_id_is_kept(edge: Edge, given: str) -> None:
    assert ask(edge, X_Request_Id=given).headers["x-request-id"] == given
    assert edge.backend.last.metadata["x-request-id"] == given


@pytest.mark.parametrize(
    "given",
    [
        "a status=200 why=via_upstream",
        "a b",
        "x" * 65,
        "x" * 8000,
        "a,b",
        "a=b",
        '"quoted"',
        "\x1b[31mred",
        "h\xe9",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/health", "/nothing", "/%00"])
def test_any_other_is_replaced_before_it_is_logged_or_echoed(
    edge: Edge, given: str, path: str
) -> None:
    raw = b"GET %s HTTP/1.1\r\nhost: a\r\nx-request-id: %s\r\n\r\n"
    answer = exchange(edge, raw % (path.encode(), given.encode("latin-1")))
    echoed = re.search(rb"x-request-id: (.*)\r\n", answer)
    if b" 400 " in answer:
        assert echoed is None, "refused before anything made an id"
        return

    assert echoed is not None, answer
    made = echoed[1].decode()
    assert MADE.fullmatch(made)
    assert all(call.metadata["x-request-id"] == made for call in edge.backend.calls)
    if path == "/nothing":
        (line,) = [line for line in edge.log_until(made) if made in line]
        assert line.endswith(f"request_id={made}")
        assert line.count("status=") == 1


def test_no_line_of_the_log_is_anybodys_to_write(edge: Edge) -> None:
    """Also of requests that are refused before their id is replaced."""
    raw = b"GET /%00 HTTP/1.1\r\nhost: a\r\nx-request-id: forged status=200\r\n\r\n"
    for _ in range(2):
        assert exchange(edge, raw).startswith(b"HTTP/1.1 400 ")
    lines = edge.log_until("why=path_normalization_failed")
    assert not [line for line in lines if "forged" in line]


def test_no_id_makes_one(edge: Edge) -> None:
    assert MADE.fullmatch(ask(edge).headers["x-request-id"])


def test_ids_do_not_come_in_by_another_name(edge: Edge) -> None:
    answer = ask(edge, X_Tasty_Request_Id="a")
    assert MADE.fullmatch(answer.headers["x-request-id"])
    assert "x-tasty-request-id" not in edge.backend.last.metadata


def test_a_long_method_is_not_logged(edge: Edge) -> None:
    with Http2(edge.envoy.port) as wire:
        odd = block("/nothing", method="X" * 5000, more=(("x-request-id", "of-the-long-method"),))
        wire.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, odd))
        wire.answer(1)
    (line,) = [line for line in edge.log_until("of-the-long-method") if "long-method" in line]
    assert "XXXX" not in line
    assert line.split()[1] == "-"


@pytest.mark.parametrize("path", [b"/health", b"/nothing", b"/docs"])
def test_two_host_headers_are_refused(edge: Edge, path: bytes) -> None:
    for hosts in (b"host: a\r\nhost: b", b"host: a\r\nHost: a", b"host: a,b"):
        raw = b"GET %s HTTP/1.1\r\n%s\r\n\r\n" % (path, hosts)
        answer = exchange(edge, raw)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert json.loads(answer.rpartition(b"\r\n\r\n")[2]) == {"detail": TWO_HOSTS}

    assert edge.backend.calls == []


@pytest.mark.parametrize(("host", "arrives"), [("a", True), ("b", False), ("b,a", False)])
def test_a_host_that_contradicts_the_authority_is_refused(
    edge: Edge, host: str, arrives: bool
) -> None:
    with Http2(edge.envoy.port) as wire:
        headers = block("/health", more=(("host", host),))  # of the authority "a"
        wire.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, headers))
        body = json.loads(wire.answer(1))

    assert bool(edge.backend.calls) is arrives
    if not arrives:
        assert body == {"detail": TWO_HOSTS}

    with Http2(edge.envoy.port) as wire:
        wire.call(1, "/tasty.v1.SystemService/GetHealth", more=(("host", host),))
        for one in wire.frames():
            if one.stream == 1 and one.flags & END_STREAM:
                break

    assert len(edge.backend.calls) == (2 if arrives else 0)


def exchange(edge: Edge, raw: bytes) -> bytes:
    """Returns the answer to a request that is written byte by byte."""
    with socket.create_connection(("127.0.0.1", edge.envoy.port), timeout=10) as wire:
        wire.sendall(raw)
        answer = b""
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += wire.recv(65_536)
        length = re.search(rb"content-length: (\d+)", answer)
        assert length is not None, answer
        while len(answer) < end + 4 + int(length[1]):
            answer += wire.recv(65_536)
    return answer
