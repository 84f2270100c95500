"""Tests the feed over a real socket: limits, faults, slow clients, and the SDK on top of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from itertools import islice
from typing import Any

import aiohttp
import pytest
from tastytrade.dxfeed import Quote
from tastytrade.utils import TastytradeError

from server.simulator import Simulator, SimulatorSettings
from server.simulator.clock import ManualClock
from server.simulator.customers import DEMO_REFRESH_TOKEN
from server.simulator.faults import Fault
from tests.service.simulator.conftest import FRIDAY_NOON, Login, quotes

SETUP = {"type": "SETUP", "channel": 0, "version": "0.1-test/1", "keepaliveTimeout": 60}
MILLISECOND = timedelta(milliseconds=1)
OPEN = {
    "type": "CHANNEL_REQUEST",
    "channel": 1,
    "service": "FEED",
    "parameters": {"contract": "AUTO"},
}
GUARD_S = 60
"""No wait for a state takes that long; a machine with much else to do may take a while."""


@asynccontextmanager
async def open_socket(sim: Simulator) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Yields a connection that is set up, authorized, and subscribed to the quote of SPY."""
    token, _, _ = sim.oauth.quote_token(sim.customers.of_grant(DEMO_REFRESH_TOKEN))
    async with aiohttp.ClientSession() as http, http.ws_connect(sim.url + "/dxlink") as socket:
        for message in (
            SETUP,
            {"type": "AUTH", "channel": 0, "token": token},
            OPEN,
            {"type": "FEED_SETUP", "channel": 1, "acceptDataFormat": "COMPACT"},
            subscribe("SPY"),
        ):
            await socket.send_json(message)

        yield socket


def subscribe(*symbols: str, event_type: str = "Quote") -> dict[str, Any]:
    add = [{"type": event_type, "symbol": symbol} for symbol in symbols]
    return {"type": "FEED_SUBSCRIPTION", "channel": 1, "add": add}


async def receive(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(GUARD_S):
        while True:
            message: dict[str, Any] = await socket.receive_json()
            if message["type"] == kind:
                return message


async def end(socket: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMessage:
    """Returns what ended the connection."""
    async with asyncio.timeout(GUARD_S):
        while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass

        return message


async def test_quotes_keep_coming(sim: Simulator) -> None:
    async with open_socket(sim) as socket:
        for _ in range(3):
            event_type, values = (await receive(socket, "FEED_DATA"))["data"]
            assert event_type == "Quote"
            assert "SPY" in values

    assert sim.dxlink.statistics().events_sent >= 3


async def test_nothing_is_left_of_a_connection_that_has_gone(sim: Simulator) -> None:
    for _ in range(20):
        async with open_socket(sim) as socket:
            await receive(socket, "AUTH_STATE")

    async with asyncio.timeout(GUARD_S):
        while sim.sockets.statistics().open:  # noqa: ASYNC110 - no event says it
            await asyncio.sleep(0)

    statistics = sim.dxlink.statistics()
    assert (statistics.connections, statistics.channels, statistics.subscriptions) == (0, 0, 0)


async def test_a_message_too_long_closes_with_1009(sim: Simulator) -> None:
    async with open_socket(sim) as socket:
        await receive(socket, "FEED_DATA")
        await socket.send_json(subscribe(*(f"SYMBOL{number}" for number in range(4000))))
        assert (await end(socket)).data == 1009


async def test_the_sdk_says_what_1009_means(sim: Simulator, login: Login) -> None:
    with pytest.raises(TastytradeError, match="too long"):  # noqa: PT012 - raised on the way out
        async with login() as session, quotes(session) as streamer:
            await streamer.subscribe(Quote, [f"SYMBOL{number}" for number in range(4000)])
            await streamer.get_event(Quote)


async def test_an_error_message_kills_the_sdks_streamer(sim: Simulator, login: Login) -> None:
    with pytest.raises(ExceptionGroup) as failed:  # noqa: PT012 - raised on the way out
        async with login() as session, quotes(session) as streamer:
            await streamer.subscribe(Quote, ["SPY"])
            await streamer.get_event(Quote)
            sim.faults.add(Fault(kind="error", code="UNKNOWN", message="made up", at="now"))
            async with asyncio.timeout(GUARD_S):
                while True:
                    await streamer.get_event(Quote)

    assert failed.group_contains(TastytradeError, match="made up")


@pytest.mark.parametrize(("code", "closed"), [("", 1012), ("1011", 1011)])
async def test_a_close_on_demand(sim: Simulator, code: str, closed: int) -> None:
    async with open_socket(sim) as socket:
        await receive(socket, "FEED_DATA")
        sim.faults.add(Fault(kind="close", code=code, path="/dxlink", at="now"))
        assert (await end(socket)).data == closed


@pytest.mark.parametrize("at", ["SETUP", "AUTH_STATE", "AUTH", "CHANNEL_OPENED", "FEED_DATA"])
async def test_a_drop_at_any_step(sim: Simulator, at: str) -> None:
    sim.faults.add(Fault(kind="drop", path="/dxlink", at=at))
    with suppress(aiohttp.ClientError):
        async with open_socket(sim) as socket:
            # No close frame: the connection has been cut.
            cut = {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
            assert (await end(socket)).type in cut

    assert sim.faults.statistics().fired == {"drop": 1}


async def test_an_upgrade_refused(sim: Simulator, login: Login) -> None:
    sim.faults.add(Fault(kind="refuse", path="/dxlink"))
    async with login() as session:
        with pytest.raises(Exception, match="502"):
            async with quotes(session):
                pass

        async with quotes(session):
            pass


@pytest.mark.parametrize("kind", ["mute", "mute-data", "half-open"])
async def test_a_connection_that_is_open_and_silent(sim: Simulator, kind: str) -> None:
    async with open_socket(sim) as socket:
        await receive(socket, "FEED_DATA")
        sim.faults.add(Fault(kind=kind, path="/dxlink", at="now"))
        sent = sim.sockets.statistics().frames_out
        await socket.send_json(OPEN | {"channel": 3})
        if kind == "mute-data":
            # Only data is held back: the protocol goes on.
            assert (await receive(socket, "CHANNEL_OPENED"))["channel"] == 3
            return

        if kind == "mute":
            # It goes on reading: what was asked for is done, and nobody is told.
            async with asyncio.timeout(GUARD_S):
                while sim.dxlink.statistics().channels < 2:  # noqa: ASYNC110 - no event says it
                    await asyncio.sleep(0)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await receive(socket, "CHANNEL_OPENED")

        assert not socket.closed
        assert sim.sockets.statistics().frames_out == sent
        assert sim.dxlink.statistics().channels == (1 if kind == "half-open" else 2)


async def test_duplicate_and_late_messages(sim: Simulator) -> None:
    sim.faults.add(Fault(kind="duplicate", path="/dxlink", at="AUTH_STATE"))
    sim.faults.add(Fault(kind="reorder", path="/dxlink", at="CHANNEL_OPENED"))
    async with open_socket(sim) as socket:
        kinds = [(await socket.receive_json())["type"] for _ in range(6)]

    assert kinds == [
        "SETUP",
        "AUTH_STATE",
        "AUTH_STATE",
        "AUTH_STATE",
        "FEED_CONFIG",
        "CHANNEL_OPENED",
    ]


async def test_a_token_ended_on_demand_is_refused_from_then_on(sim: Simulator) -> None:
    async with open_socket(sim) as socket:
        await receive(socket, "FEED_DATA")
        sim.oauth.expire_quote_tokens()
        sim.faults.add(Fault(kind="expire-token", path="/dxlink", at="now"))
        assert (await receive(socket, "AUTH_STATE"))["state"] == "UNAUTHORIZED"


async def test_a_client_that_does_not_read_harms_nobody_and_grows_nothing() -> None:
    settings = SimulatorSettings(start=FRIDAY_NOON, tick=MILLISECOND, min_aggregation=MILLISECOND)
    async with Simulator(settings) as sim, open_socket(sim) as deaf, open_socket(sim) as alert:
        for symbols in portions(chain(sim, 5000)):
            await deaf.send_json(subscribe(*symbols))

        # The kernel takes a few megabytes; then the pump waits and asks the market no more.
        still, sent = 0, -1
        while still < 20:
            await receive(alert, "FEED_DATA")
            now = sim.dxlink.statistics().events_sent
            still, sent = (still + 1, now) if now - sent < 200 else (0, now)


async def test_one_client_can_have_far_more_than_fifty_thousand_quotes_a_second(
    sim: Simulator,
) -> None:
    async with open_socket(sim) as socket:
        for symbols in portions(chain(sim, 10_000)):
            await socket.send_json(subscribe(*symbols))

        # Counted in seconds of the processor, client included: the machine may be busy.
        events, start = sim.dxlink.statistics().events_sent, time.process_time()
        while (sent := sim.dxlink.statistics().events_sent - events) < 100_000:
            await socket.receive()

        assert sent / (time.process_time() - start) > 50_000


def chain(sim: Simulator, count: int) -> list[str]:
    """Returns streamer symbols of options on SPX."""
    blocks = sim.market.listing.chain(sim.market.find("SPX"))  # type: ignore[arg-type]  # it exists
    rows = (row for block in blocks for row in range(block.first, block.first + block.count))
    return [sim.market.listing.instrument(row).streamer_symbol for row in islice(rows, count)]


def portions(symbols: list[str]) -> list[list[str]]:
    return [symbols[first : first + 500] for first in range(0, len(symbols), 500)]


async def test_latency_delays_every_message() -> None:
    settings = SimulatorSettings(latency=40 * MILLISECOND)
    clock = ManualClock(FRIDAY_NOON)
    async with (
        asyncio.timeout(GUARD_S),
        Simulator(settings, clock) as sim,
        aiohttp.ClientSession() as http,
    ):
        upgrade = asyncio.ensure_future(http.ws_connect(sim.url + "/dxlink"))
        await sleeping(clock, 1)
        await clock.advance(40 * MILLISECOND)
        socket = await upgrade
        await socket.send_json(SETUP)
        # The connection's pump and its watch, and the way of the first message.
        await sleeping(clock, 3)
        await clock.advance(39 * MILLISECOND)
        assert sim.sockets.statistics().frames_out == 0
        await clock.advance(MILLISECOND)
        # Two messages, side by side on their way: the clock moves no further for the second.
        await receive(socket, "AUTH_STATE")
        assert sim.sockets.statistics().frames_out == 2
        await socket.close()


async def sleeping(clock: ManualClock, tasks: int) -> None:
    while clock.sleepers < tasks:  # noqa: ASYNC110 - no event says it
        await asyncio.sleep(0)


async def test_stopping_says_goodbye(login: Login) -> None:
    async with Simulator(SimulatorSettings()) as sim:
        connection = open_socket(sim)
        socket = await connection.__aenter__()
        await receive(socket, "FEED_DATA")
        goodbye = asyncio.ensure_future(end(socket))

    assert (await goodbye).data == 1001
    await connection.__aexit__(None, None, None)
