"""Tests the account streamer, through the SDK and over a bare socket where the SDK hides errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from tastytrade.account import TradingStatus
from tastytrade.utils import TastytradeError
from tastytrade.watchlists import Watchlist

from server.simulator import ManualClock, Simulator, SimulatorSettings
from server.simulator.account_streamer import OUTBOX_SIZE
from server.simulator.faults import Fault
from tests.service.simulator.conftest import Login, alerts, bearer

WATCHLIST = {"name": "Tech", "watchlist-entries": [{"symbol": "AAPL"}], "order-index": 1}


def accounts(*numbers: str) -> list[Any]:
    return [SimpleNamespace(account_number=number) for number in numbers]


@asynccontextmanager
async def open_socket(
    sim: Simulator, http: aiohttp.ClientSession, path: str = "/streamer"
) -> AsyncIterator[tuple[aiohttp.ClientWebSocketResponse, str]]:
    token = (await bearer(http))["Authorization"]
    async with http.ws_connect(path) as socket:
        yield socket, token


async def ask(socket: aiohttp.ClientWebSocketResponse, **message: Any) -> dict[str, Any]:
    await socket.send_json({key.replace("_", "-"): value for key, value in message.items()})
    answer: dict[str, Any] = await socket.receive_json()
    return answer


@pytest.mark.parametrize("path", ["/streamer", "/"])
async def test_the_sdk_connects_and_hears_of_watchlists(
    sim: Simulator, login: Login, path: str
) -> None:
    async with login() as session, alerts(session, sim, path) as streamer:
        await streamer.subscribe_accounts(accounts("5WT00001", "5WT00002"))
        await streamer.subscribe_public_watchlists()
        await streamer.subscribe_quote_alerts()
        assert sim.streamer.statistics().accounts == 2
        sim.streamer.publish_to_all("PublicWatchlists", WATCHLIST)
        async for watchlist in streamer.listen(Watchlist):
            assert watchlist.name == "Tech"
            break


async def test_the_sdk_is_told_that_accounts_come_first(sim: Simulator, login: Login) -> None:
    async with login() as session:
        with pytest.raises(ExceptionGroup) as failed:
            async with alerts(session, sim) as streamer:
                await streamer.subscribe_public_watchlists()

    error = failed.value
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]  # type: ignore[assignment]  # the loop ends at a leaf

    assert isinstance(error, TastytradeError)
    assert "subscribe_accounts" in str(error)


async def test_only_the_owner_hears_of_an_account(
    sim: Simulator, http: aiohttp.ClientSession
) -> None:
    async with open_socket(sim, http) as (mine, token), open_socket(sim, http) as (quiet, other):
        await ask(mine, action="connect", value=["5WT00001"], auth_token=token)
        await ask(quiet, action="connect", value=["5WT00002"], auth_token=other)
        sim.streamer.publish("5WT00001", "Order", {"id": 1})
        sim.streamer.publish("5WT00002", "Order", {"id": 2})
        for socket, order in ((mine, 1), (quiet, 2)):
            message = await socket.receive_json()
            assert (message["type"], message["data"]) == ("Order", {"id": order})
            assert isinstance(message["timestamp"], int)


async def test_answers_echo_what_was_asked(sim: Simulator, http: aiohttp.ClientSession) -> None:
    async with open_socket(sim, http) as (socket, token):
        answer = await ask(
            socket, action="connect", value=["5WT00001"], auth_token=token, request_id=7
        )
        session_id = answer.pop("web-socket-session-id")
        assert answer == {
            "status": "ok",
            "action": "connect",
            "value": ["5WT00001"],
            "request-id": 7,
        }
        answer = await ask(socket, action="heartbeat", auth_token=token, request_id=8)
        assert answer == {
            "status": "ok",
            "action": "heartbeat",
            "web-socket-session-id": session_id,
            "request-id": 8,
        }


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        ({"action": "heartbeat"}, "connect-not-completed"),
        ({"action": "quote-alerts-subscribe"}, "connect-not-completed"),
        ({"action": "connect", "value": []}, "invalid-value"),
        ({"action": "connect", "value": 5}, "invalid-value"),
        ({"action": "connect", "value": ["5WOTHERS"]}, "not-permitted"),
        ({"action": "connect", "value": ["5WT00001"], "auth-token": "x"}, "invalid-auth-token"),
    ],
)
async def test_refusals(
    sim: Simulator, http: aiohttp.ClientSession, message: dict[str, Any], refusal: str
) -> None:
    async with open_socket(sim, http) as (socket, token):
        await socket.send_json({"auth-token": token, "request-id": 1} | message)
        answer = await socket.receive_json()
        assert (answer["status"], answer["message"]) == ("error", refusal)
        assert answer["request-id"] == 1
        # And the connection is as usable as before.
        assert (await ask(socket, action="connect", value="5WT00001", auth_token=token))[
            "status"
        ] == "ok"
        answer = await ask(socket, action="dance", auth_token=token)
        assert answer["message"] == "not-implemented"


async def test_text_that_is_no_json_is_told_so(sim: Simulator, http: aiohttp.ClientSession) -> None:
    async with open_socket(sim, http) as (socket, _):
        await socket.send_str("{")
        assert (await socket.receive_json())["message"] == "invalid-message"


async def test_another_customers_token_does_not_take_over(
    sim: Simulator, http: aiohttp.ClientSession
) -> None:
    other = (await bearer(http, "somebody else"))["Authorization"]
    async with open_socket(sim, http) as (socket, token):
        await ask(socket, action="connect", value=["5WT00001"], auth_token=token)
        answer = await ask(socket, action="heartbeat", auth_token=other)
        assert answer["message"] == "invalid-auth-token"


async def test_silence_ends_the_connection_and_heartbeats_keep_it() -> None:
    clock = ManualClock(datetime(2026, 11, 20, 17, 0, tzinfo=UTC))
    async with (
        Simulator(SimulatorSettings(), clock) as sim,
        aiohttp.ClientSession(sim.url, headers={"User-Agent": "test/1.0"}) as http,
        open_socket(sim, http) as (socket, token),
    ):
        await ask(socket, action="connect", value=["5WT00001"], auth_token=token)
        for _ in range(5):
            await clock.advance(timedelta(seconds=59))
            answer = await ask(socket, action="heartbeat", auth_token=token)
            assert answer["status"] == "ok"

        await clock.advance(timedelta(seconds=61))
        message = await socket.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)


async def test_a_client_that_never_reads_is_cut_off_and_harms_nobody(
    sim: Simulator, http: aiohttp.ClientSession
) -> None:
    async with open_socket(sim, http) as (deaf, token), open_socket(sim, http) as (alert, other):
        for socket, bearer_token in ((deaf, token), (alert, other)):
            await ask(socket, action="connect", value=["5WT00001"], auth_token=bearer_token)

        filling = {"text": "x" * 4096}
        async with asyncio.TaskGroup() as tasks:
            heard = tasks.create_task(_receive(alert, OUTBOX_SIZE + 5000))
            for number in range(OUTBOX_SIZE + 5000):
                sim.streamer.publish("5WT00001", "Order", filling | {"id": number})
                if number % 100 == 0:
                    await asyncio.sleep(0)

            ids = await heard

        assert ids == list(range(OUTBOX_SIZE + 5000))
        assert sim.streamer.statistics().closed_slow == 1


async def _receive(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[int]:
    return [(await socket.receive_json())["data"]["id"] for _ in range(count)]


async def test_socket_faults(sim: Simulator, http: aiohttp.ClientSession) -> None:
    async with open_socket(sim, http) as (socket, token):
        await ask(socket, action="connect", value=["5WT00001"], auth_token=token)
        sim.faults.add(Fault(kind="duplicate", path="/streamer", at="Order"))
        sim.faults.add(Fault(kind="reorder", path="/streamer", at="Order"))
        for number in range(4):
            sim.streamer.publish("5WT00001", "Order", {"id": number})

        assert await _receive(socket, 5) == [0, 0, 2, 1, 3]

        sim.faults.add(Fault(kind="expire-token", path="/streamer", at="now"))
        answer = await ask(socket, action="heartbeat", auth_token=token)
        assert answer["message"] == "invalid-auth-token"

        sim.faults.add(Fault(kind="drop", path="/streamer", at="now"))
        assert (await socket.receive()).type is not aiohttp.WSMsgType.TEXT


async def test_trading_status_is_a_whole_object(sim: Simulator, login: Login) -> None:
    status = {
        "account-number": "5WT00001",
        "equities-margin-calculation-type": "Reg T",
        "fee-schedule-name": "default",
        "futures-margin-rate-multiplier": "1.0",
        "has-intraday-equities-margin": False,
        "id": 1,
        "is-aggregated-at-clearing": False,
        "is-closed": False,
        "is-closing-only": False,
        "is-cryptocurrency-enabled": True,
        "is-frozen": False,
        "is-full-equity-margin-required": False,
        "is-futures-closing-only": False,
        "is-futures-intra-day-enabled": True,
        "is-futures-enabled": True,
        "is-in-day-trade-equity-maintenance-call": False,
        "is-in-margin-call": False,
        "is-pattern-day-trader": False,
        "is-small-notional-futures-intra-day-enabled": True,
        "is-roll-the-day-forward-enabled": True,
        "are-far-otm-net-options-restricted": True,
        "options-level": "No Restrictions",
        "short-calls-enabled": True,
        "small-notional-futures-margin-rate-multiplier": "1.0",
        "is-equity-offering-enabled": True,
        "is-equity-offering-closing-only": False,
        "updated-at": "2026-11-20T17:00:00.000+00:00",
        "is-portfolio-margin-enabled": False,
        "is-risk-reducing-only": False,
    }
    async with login() as session, alerts(session, sim) as streamer:
        await streamer.subscribe_accounts(accounts("5WT00001"))
        sim.streamer.publish("5WT00001", "TradingStatus", status)
        async for heard in streamer.listen(TradingStatus):
            assert heard.account_number == "5WT00001"
            break
