"""One port, four protocols: REST, server-sent events, gRPC and gRPC-Web."""

from __future__ import annotations

import base64
import json
import struct
import threading
from collections.abc import Callable, Iterator

import grpc
import pytest
import requests
from tasty.v1 import market_data_service_pb2 as market_data
from tasty.v1 import market_data_stream_pb2 as market_stream

from tests.stack import Edge

QUOTES = "/tasty.v1.MarketDataService/GetQuotes"
STREAM = "/tasty.v1.MarketDataService/StreamQuotes"
BOTH_WAYS = "/tasty.v1.MarketDataService/StreamMarketData"


def one_quote(_request: bytes, _context: grpc.ServicerContext) -> bytes:
    return market_data.GetQuotesResponse(quotes=[{"event_symbol": "SPY"}]).SerializeToString()


def test_native_grpc(edge: Edge) -> None:
    edge.backend.answers[QUOTES] = one_quote
    with grpc.insecure_channel(edge.target) as channel:
        answer, call = channel.unary_unary(
            QUOTES, response_deserializer=market_data.GetQuotesResponse.FromString
        ).with_call(b"", metadata=[("x-api-key", "k")])
    assert answer.quotes[0].event_symbol == "SPY"
    assert call.code() is grpc.StatusCode.OK
    assert edge.backend.last.metadata["x-api-key"] == "k"


def test_a_native_error_keeps_status_words_and_details(edge: Edge) -> None:
    def refuse(_request: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata([("grpc-status-details-bin", b"\x08\x05\x12\x01x")])
        context.abort(grpc.StatusCode.NOT_FOUND, 'caf\u00e9 "100 %"')
        raise AssertionError

    edge.backend.answers[QUOTES] = refuse
    with grpc.insecure_channel(edge.target) as channel, pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary(QUOTES)(b"")
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert refused.value.details() == 'caf\u00e9 "100 %"'
    assert dict(refused.value.trailing_metadata())["grpc-status-details-bin"]


def test_a_rpc_that_nobody_has_is_the_servers_to_refuse(edge: Edge) -> None:
    def refuse(_request: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "no such method")
        raise AssertionError

    edge.backend.answers["/some.Other/Method"] = refuse
    with grpc.insecure_channel(edge.target) as channel, pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary("/some.Other/Method")(b"")
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_stream_both_ways(edge: Edge) -> None:
    edge.backend.answers[BOTH_WAYS] = lambda request, _context: iter([request, request])
    with grpc.insecure_channel(edge.target) as channel:
        echoed = list(channel.stream_stream(BOTH_WAYS)(iter([b"\x0a\x00"])))
    assert echoed == [b"\x0a\x00"] * 2


class Steps:
    """A stream that sends its next message when the test says so."""

    def __init__(self, make: Callable[[int], bytes]) -> None:
        self._make = make
        self.next = threading.Semaphore(0)
        self.ended = threading.Event()
        self.more = True

    def __call__(self, _request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(self.ended.set)
        number = 0
        while self.next.acquire(timeout=10) and self.more:
            yield self._make(number)
            number += 1


def batch(number: int) -> bytes:
    message = market_stream.StreamQuotesResponse()
    message.quotes.add(event_symbol="SPY", bid_size=number)
    return message.SerializeToString()


def test_events_arrive_one_by_one(edge: Edge, http: requests.Session) -> None:
    edge.backend.answers[STREAM] = steps = Steps(batch)
    steps.next.release()
    url = f"{edge.url}/api/v1/stream/quotes"
    with http.get(url, params={"symbols": ["SPY", "AAPL"]}, stream=True) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("grpc-")]
        lines = answer.iter_lines(chunk_size=1)
        for number in range(3):
            # The next is not sent before this one has been read: nothing on the way collects them.
            assert event(lines)["quotes"][0]["bid_size"] == number
            steps.next.release()
    request = market_stream.StreamQuotesRequest.FromString(edge.backend.last.request)
    assert list(request.symbols) == ["SPY", "AAPL"]
    steps.more = False
    steps.next.release()


def test_a_reader_that_leaves_ends_the_call(edge: Edge, http: requests.Session) -> None:
    edge.backend.answers[STREAM] = steps = Steps(batch)
    steps.next.release()
    with http.get(f"{edge.url}/api/v1/stream/quotes?symbols=SPY", stream=True) as answer:
        event(answer.iter_lines(chunk_size=1))
    assert steps.ended.wait(5)
    steps.more = False
    steps.next.release()


def event(lines: Iterator[bytes]) -> dict[str, list[dict[str, object]]]:
    for line in lines:
        if line.startswith(b"data: "):
            found: dict[str, list[dict[str, object]]] = json.loads(line[6:])
            return found
    raise AssertionError("the stream ended")


@pytest.mark.parametrize("text", [False, True])
def test_grpc_web(edge: Edge, http: requests.Session, text: bool) -> None:
    edge.backend.answers[QUOTES] = one_quote
    kind = "application/grpc-web" + ("-text" if text else "+proto")
    frame = struct.pack(">BI", 0, 0)
    answer = http.post(
        edge.url + QUOTES,
        data=base64.b64encode(frame) if text else frame,
        headers={"content-type": kind, "accept": kind, "origin": "https://app.example"},
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/grpc-web")
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    messages, trailers = frames(base64.b64decode(answer.content) if text else answer.content)
    assert market_data.GetQuotesResponse.FromString(messages[0]).quotes[0].event_symbol == "SPY"
    assert b"grpc-status:0" in trailers


def test_a_grpc_web_error(edge: Edge, http: requests.Session) -> None:
    def refuse(_request: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "no key")
        raise AssertionError

    edge.backend.answers[QUOTES] = refuse
    answer = http.post(
        edge.url + QUOTES,
        data=struct.pack(">BI", 0, 0),
        headers={"content-type": "application/grpc-web+proto", "origin": "https://app.example"},
    )
    assert answer.headers["grpc-status"] == "16"
    assert answer.headers["grpc-message"] == "no key"
    assert "grpc-message" in answer.headers["access-control-expose-headers"]


def frames(body: bytes) -> tuple[list[bytes], bytes]:
    messages, trailers = [], b""
    while body:
        flag, size = struct.unpack(">BI", body[:5])
        data, body = body[5 : 5 + size], body[5 + size :]
        if flag & 0x80:
            trailers = data
        else:
            messages.append(data)
    return messages, trailers
