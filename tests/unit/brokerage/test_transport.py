"""The road to the broker: where requests go, and what failures become on it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from server.brokerage.transport.failures import Refusal, answered, explain, never_sent
from server.brokerage.transport.hosts import hosts_for
from server.brokerage.transport.pacing import Customers, Pacer
from server.brokerage.transport.transport import BrokerTransport
from server.brokerage.transport.turns import Turns
from server.errors import (
    BrokerThrottled,
    BrokerTimeout,
    BrokerUnavailable,
    BrokerUnreadable,
    ForbiddenByBroker,
    GatewayError,
    GrantRevoked,
    NotACustomer,
    NotKnownToBroker,
    OrderRefused,
    RefusedByBroker,
)
from server.secret import Secret
from server.settings import Settings
from server.tenants import Credentials
from tests.clock import ManualClock

ORDERS = "/accounts/5WT00001/orders"
CREDENTIALS = Credentials(client_secret=Secret("s"), refresh_token=Secret("t"), generation=1)


class FakeWire(httpx2.AsyncBaseTransport):
    """Notes where requests go and answers what it is told to."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.seen: list[httpx2.Request] = []
        self.closed = False
        self._answers = list(answers)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append(request)
        answer = self._answers.pop(0) if self._answers else httpx2.Response(200, json={})
        if isinstance(answer, Exception):
            raise answer

        return answer

    async def aclose(self) -> None:
        self.closed = True


def transport(wire: FakeWire, *, longest: float = 10, **settings: Any) -> BrokerTransport:
    clock = ManualClock()
    bound = timedelta(seconds=longest)
    return BrokerTransport(
        wire,
        hosts=hosts_for(Settings(**settings)),
        pacer=Pacer(clock, Turns(clock, bound), Customers(clock), CREDENTIALS, on=False),
        longest=bound,
    )


async def send(wire: FakeWire, url: str, method: str = "GET", **settings: Any) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=transport(wire, **settings)) as client:
        return await client.request(method, url)


@pytest.mark.parametrize(
    ("settings", "url", "expected"),
    [
        ({}, "https://api.tastyworks.com/a%2Fb?x=1", "http://127.0.0.1:8090/a%2Fb?x=1"),
        ({"simulator_port": 7}, "https://api.tastyworks.com/a", "http://127.0.0.1:7/a"),
        (
            {"simulator_url": "http://simulator:1/base/"},
            "https://api.tastyworks.com/a",
            "http://simulator:1/base/a",
        ),
        ({}, "https://streamer.tastyworks.com", "http://127.0.0.1:8090/streamer"),
        ({}, "http://127.0.0.1:9/dxlink", "http://127.0.0.1:9/dxlink"),
        ({"broker": "sandbox"}, "https://api.cert.tastyworks.com/a", None),
        ({"broker": "production"}, "https://api.tastyworks.com/a", None),
        ({"broker": "production"}, "https://tasty-openapi-ws.dxfeed.com/realtime", None),
    ],
)
async def test_where_requests_go(settings: dict[str, Any], url: str, expected: str | None) -> None:
    wire = FakeWire()
    await send(wire, url, **settings)
    (seen,) = wire.seen
    assert str(seen.url) == (expected or url)
    assert seen.headers["host"] == seen.url.netloc.decode()


async def test_a_simulated_run_does_not_leave_the_machine() -> None:
    wire = FakeWire()
    with pytest.raises(BrokerUnavailable, match="not part of the simulation"):
        await send(wire, "https://demo.dxfeed.com/dxlink-ws")

    assert not wire.seen


async def test_a_client_that_closes_leaves_the_connections_open() -> None:
    wire = FakeWire()
    await send(wire, "https://api.tastyworks.com/a")
    assert not wire.closed


async def test_an_upgrade_is_passed_on_unread() -> None:
    switching = httpx2.Response(101, stream=Unreadable())
    answer = await transport(FakeWire(switching)).handle_async_request(
        httpx2.Request("GET", "https://streamer.tastyworks.com")
    )
    assert answer is switching


class Unreadable(httpx2.AsyncByteStream):
    async def __aiter__(self) -> Any:
        raise AssertionError("a WebSocket was read as a body")
        yield b""


class Trickle(httpx2.AsyncByteStream):
    async def __aiter__(self) -> Any:
        yield b'{"data": '
        await asyncio.Event().wait()


async def test_a_trickling_answer_is_bounded_as_a_whole() -> None:
    """Each piece may come in time and the answer never: only a bound of the whole helps."""
    wire = FakeWire(httpx2.Response(200, stream=Trickle()))
    async with httpx2.AsyncClient(transport=transport(wire, longest=0.05)) as client:
        with pytest.raises(BrokerTimeout):
            await client.get("https://api.tastyworks.com/a")


@pytest.mark.parametrize(
    ("raised", "expected", "unsent"),
    [
        (httpx2.ConnectError("refused"), BrokerUnavailable, True),
        (httpx2.ConnectTimeout("slow"), BrokerTimeout, True),
        (httpx2.ReadTimeout("slow"), BrokerTimeout, False),
        (httpx2.ReadError("reset"), BrokerUnavailable, False),
        (httpx2.WriteError("reset"), BrokerUnavailable, False),
        (httpx2.RemoteProtocolError("half an answer"), BrokerUnavailable, False),
    ],
)
async def test_no_answer_at_all(
    raised: Exception, expected: type[GatewayError], unsent: bool
) -> None:
    with pytest.raises(expected) as told:
        await send(FakeWire(raised), "https://api.tastyworks.com/a", "POST")

    # Whether an order can have arrived decides what may be said of it.
    assert never_sent(told.value) is unsent
    assert answered(told.value) is None


@pytest.mark.parametrize(
    ("method", "path", "status", "body", "expected", "words"),
    [
        (
            "POST",
            "/oauth/token",
            400,
            {"error_code": "invalid_grant", "error_description": "Grant revoked"},
            GrantRevoked,
            "Error: Grant revoked",
        ),
        ("POST", "/oauth/token", 400, {"error": "invalid_grant"}, GrantRevoked, "invalid_grant"),
        (
            "POST",
            "/oauth/token",
            401,
            {"error_code": "invalid_client", "error_description": "Bad client"},
            GrantRevoked,
            "Error: Bad client",
        ),
        (
            "POST",
            "/oauth/token",
            400,
            {"error_code": "invalid_request", "error_description": "x"},
            BrokerUnavailable,
            "login answered HTTP 400",
        ),
        ("POST", "/oauth/token", 429, {}, BrokerThrottled, "429"),
        ("POST", "/oauth/token", 403, "<html>", BrokerUnavailable, "login answered HTTP 403"),
        (
            "POST",
            ORDERS,
            422,
            {
                "error": {
                    "code": "preflight_check_failure",
                    "message": "One or more preflight checks failed",
                    "errors": [
                        {"code": "cant_buy_for_credit", "message": "You cannot buy for a credit."},
                        {"domain": "margin", "reason": "Too little of it"},
                    ],
                }
            },
            OrderRefused,
            "One or more preflight checks failed; You cannot buy for a credit.; Too little of it",
        ),
        ("GET", ORDERS, 422, {"error": {"code": "x", "message": "No"}}, RefusedByBroker, "No"),
        ("PUT", "/watchlists/a", 400, {"error": {"message": "No"}}, RefusedByBroker, "No"),
        ("GET", "/a", 401, {"error": {"code": "token_invalid"}}, BrokerUnavailable, "access token"),
        ("GET", "/a", 403, {"error": {"message": "Not yours"}}, ForbiddenByBroker, "Not yours"),
        ("GET", "/a", 404, {"error": {"message": "Nothing"}}, NotKnownToBroker, "Nothing"),
        (
            "GET",
            "/api-quote-tokens",
            404,
            {"error": {"code": "quote_streamer.customer_not_found_error", "message": "You must"}},
            NotACustomer,
            "You must",
        ),
        ("GET", "/a", 406, {"error": {"code": 406, "message": "Old"}}, BrokerUnreadable, "version"),
        ("GET", "/a", 404, "<html>secret</html>", BrokerUnreadable, "HTTP 404"),
        ("GET", "/a", 301, "", BrokerUnreadable, "HTTP 301"),
        ("GET", "/a", 503, "<html>", BrokerUnavailable, "HTTP 503"),
        ("GET", "/a", 504, "<html>", BrokerTimeout, "HTTP 504"),
        ("GET", "/a", 500, [1, 2], BrokerUnavailable, "HTTP 500"),
    ],
)
def test_the_table_of_refusals(
    method: str, path: str, status: int, body: Any, expected: type[GatewayError], words: str
) -> None:
    raw = body if isinstance(body, str) else json.dumps(body)
    error = explain(Refusal.read(method, path, status, raw.encode()))
    assert type(error) is expected
    assert words in str(error)
    assert "<html" not in str(error)


async def test_the_brokers_answer_stays_reachable_behind_the_error() -> None:
    refused = httpx2.Response(
        422, json={"error": {"code": "preflight_check_failure", "message": "No"}}
    )
    with pytest.raises(OrderRefused) as told:
        await send(FakeWire(refused), f"https://api.tastyworks.com{ORDERS}", "POST")

    answer = answered(told.value)
    assert answer is not None
    assert (answer.status, answer.codes) == (422, ("preflight_check_failure",))
    assert told.value.metadata["codes"] == "preflight_check_failure"


@pytest.mark.parametrize("body", [{}, {"access_token": 7}, [], "text", ""])
async def test_a_login_without_a_token_is_unreadable(body: Any) -> None:
    answer = (
        httpx2.Response(200, text=body)
        if isinstance(body, str)
        else httpx2.Response(200, json=body)
    )
    with pytest.raises(BrokerUnreadable, match="without an access token"):
        await send(FakeWire(answer), "https://api.tastyworks.com/oauth/token", "POST")
