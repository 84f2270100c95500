"""Streams and unreasonable clients, over server-sent events and over gRPC through the edge."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit
from uuid import uuid4

import grpc
import pytest
import requests
from tasty.v1 import market_data_service_pb2_grpc, subscription_pb2
from tasty.v1 import market_data_stream_pb2 as pb

from tests.stack import Gateway

METADATA = [("x-api-key", Gateway.api_key)]
ALLOWED = 100
"""Open streams of one API key, as the settings have it."""


@pytest.fixture(params=["through the edge", "directly"])
def stub(request: pytest.FixtureRequest, gateway: Gateway) -> Iterator[object]:
    target = gateway.target if request.param == "through the edge" else gateway.grpc_target
    with grpc.insecure_channel(target) as channel:
        yield market_data_service_pb2_grpc.MarketDataServiceStub(channel)


@pytest.fixture
def own_key(gateway: Gateway, http: requests.Session) -> str:
    """Gives a key that no other test has streams of."""
    key = f"streams-{uuid4().hex}"
    body = {"api_key": key, "client_secret": "one", "refresh_token": key}
    assert http.post(f"{gateway.url}/api/v1/credentials", json=body).status_code == 200
    return key


def events(
    gateway: Gateway, http: requests.Session, query: str, key: str = Gateway.api_key
) -> requests.Response:
    url = f"{gateway.url}/api/v1/stream/quotes{query}"
    return http.get(url, headers={"X-API-Key": key}, stream=True, timeout=10)


def first_of(answer: requests.Response) -> dict[str, object]:
    line = next(each for each in answer.iter_lines(chunk_size=1) if each.startswith(b"data: "))
    message: dict[str, object] = json.loads(line[6:])
    return message


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "At least one symbol is required"),
        ("?symbols=", "At least one symbol is required"),
        ("?symbols=%20&symbols=", "At least one symbol is required"),
        ("?symbols=what+is+this", "Invalid symbol 'what is this'."),
        ("?symbols=SPY&min_interval=-1", "Invalid min_interval '-1.0'."),
        ("?symbols=SPY&min_interval=1e9", "Invalid min_interval"),
        ("?symbols=SPY&min_interval=NaN", "Invalid min_interval"),
        ("?symbols=SPY&min_interval=soon", "Invalid min_interval"),
        ("?symbols=SPY&heartbeat_interval=0", "Invalid heartbeat_interval"),
        ("?" + "&".join(f"symbols=A{n}" for n in range(600)), "Too many symbols: 600 given, 500"),
    ],
)
def test_bad_input_is_a_plain_error(
    gateway: Gateway, http: requests.Session, query: str, words: str
) -> None:
    with events(gateway, http, query) as answer:
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith(words)


def test_more_symbols_than_an_address_can_hold(gateway: Gateway, http: requests.Session) -> None:
    query = "?" + "&".join(f"symbols=A{n}" for n in range(100_000))
    with events(gateway, http, query) as answer:
        assert answer.status_code in (414, 431)
        assert "too l" in answer.json()["detail"]  # "too large", "too long"


def test_more_symbols_than_a_stream_may_have(stub: object) -> None:
    request = pb.StreamQuotesRequest(symbols=[f"A{number}" for number in range(100_000)])
    with pytest.raises(grpc.RpcError) as refused:
        next(stub.StreamQuotes(request, metadata=METADATA, timeout=10))  # type: ignore[attr-defined]  # a stub has no types
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    # The contract's own limit; that of the settings, 500, is told to whoever keeps this one.
    assert refused.value.details().startswith("Too many symbols: 100000 given, 10000 allowed.")


def test_unknown_and_duplicate_symbols(gateway: Gateway, http: requests.Session) -> None:
    query = "?symbols=SPY&symbols=%2FNOSUCHZ6&symbols=SPY&symbols=spy"
    with events(gateway, http, query) as answer:
        assert answer.status_code == 200
        results = first_of(answer)["notice"]["subscriptions"]  # type: ignore[index]  # JSON
    assert [each["requested_symbol"] for each in results] == ["SPY", "/NOSUCHZ6", "spy"]
    assert [each["symbol"] for each in results] == ["SPY", "", "SPY"]
    assert results[1]["status"] == "SUBSCRIPTION_STATUS_UNKNOWN"
    assert "not found" in results[1]["detail"]


def test_only_unknown_symbols_are_not_found(gateway: Gateway, http: requests.Session) -> None:
    with events(gateway, http, "?symbols=%2FNOSUCHZ6") as answer:
        assert answer.status_code == 404
        assert "/NOSUCHZ6" in answer.json()["detail"]


def test_a_client_that_half_closes_goes_on_reading(stub: object) -> None:
    subscribe = pb.StreamMarketDataRequest(
        action=subscription_pb2.SUBSCRIPTION_ACTION_SUBSCRIBE, symbols=["SPY"]
    )
    call = stub.StreamMarketData(iter([subscribe]), metadata=METADATA, timeout=20)  # type: ignore[attr-defined]  # as above
    quotes = 0
    for message in call:
        quotes += len(message.quotes)
        if quotes >= 5:
            break
    call.cancel()


def test_a_thousand_streams_of_one_key(gateway: Gateway, own_key: str) -> None:
    """Those within the limit are served, the others are told the numbers."""
    request = pb.StreamQuotesRequest(symbols=["SPY"])
    with grpc.insecure_channel(gateway.grpc_target) as channel, ThreadPoolExecutor(50) as threads:
        stub = market_data_service_pb2_grpc.MarketDataServiceStub(channel)
        metadata = [("x-api-key", own_key)]
        calls = [stub.StreamQuotes(request, metadata=metadata, timeout=60) for _ in range(1000)]
        told = [text for text in threads.map(refusal_of, calls) if text]
        for call in calls:
            call.cancel()
    assert len(told) == 1000 - ALLOWED
    assert all(f"{ALLOWED} of {ALLOWED} allowed for this API key" in text for text in told)


def refusal_of(call: grpc.Future) -> str:
    """Returns why a stream was refused; nothing if it was not."""
    try:
        next(call)  # type: ignore[call-overload]  # a call is an iterator, too
    except grpc.RpcError as refused:
        return str(refused.details())
    return ""


def test_more_event_streams_than_allowed(gateway: Gateway, own_key: str) -> None:
    with ExitStack() as held:

        def open_one(_: int) -> tuple[int, str]:
            session = held.enter_context(requests.Session())
            answer = held.enter_context(events(gateway, session, "?symbols=SPY", own_key))
            return answer.status_code, "" if answer.ok else answer.json()["detail"]

        with ThreadPoolExecutor(30) as threads:
            answers = list(threads.map(open_one, range(ALLOWED + 30)))
    assert sum(status == 200 for status, _ in answers) == ALLOWED
    refused = [detail for status, detail in answers if status == 429]
    assert len(refused) == 30
    assert f"{ALLOWED} of {ALLOWED} allowed for this API key" in refused[0]


def test_a_client_that_leaves_in_the_middle_frees_its_place(
    gateway: Gateway, http: requests.Session, own_key: str
) -> None:
    parts = urlsplit(gateway.url)
    lines = [
        "GET /api/v1/stream/quotes?symbols=SPY HTTP/1.1",
        f"host: {parts.netloc}",
        f"x-api-key: {own_key}",
    ]
    for _ in range(2 * ALLOWED):
        with socket.create_connection((parts.hostname, parts.port)) as client:
            client.sendall("\r\n".join([*lines, "", ""]).encode())
    # Twice as many as may be open have been: none of them is open any more.
    with events(gateway, http, "?symbols=SPY", own_key) as answer:
        assert answer.status_code == 200
