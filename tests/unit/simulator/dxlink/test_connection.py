"""Tests the dxLink handshake, its order, its keepalives and its errors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server.simulator.faults import Fault
from tests.unit.simulator.dxlink.conftest import SETUP, Connect


async def test_the_handshake_of_a_client_that_waits(connect: Connect) -> None:
    async with connect() as harness:
        setup, state = await harness.socket.say(SETUP | {"acceptKeepaliveTimeout": 30})
        assert setup["type"] == "SETUP"
        assert (setup["keepaliveTimeout"], setup["acceptKeepaliveTimeout"]) == (30, 60)
        assert state == {"type": "AUTH_STATE", "channel": 0, "state": "UNAUTHORIZED"}

        (state,) = await harness.socket.say({"type": "AUTH", "channel": 0, "token": harness.token})
        assert (state["state"], state["userId"]) == ("AUTHORIZED", "U0000000001")

        (opened,) = await harness.open(7, "TICKER")
        assert opened == {
            "type": "CHANNEL_OPENED",
            "channel": 7,
            "service": "FEED",
            "parameters": {"contract": "TICKER", "subFormat": "LIST"},
        }


async def test_a_client_may_send_auth_before_it_has_read_the_setup(connect: Connect) -> None:
    async with connect() as harness:
        await harness.log_in()
        assert [each["type"] for each in harness.socket.sent] == [
            "SETUP",
            "AUTH_STATE",
            "AUTH_STATE",
        ]
        assert harness.socket.sent[-1]["state"] == "AUTHORIZED"


@pytest.mark.parametrize(
    ("first", "error"),
    [
        ({"type": "AUTH", "channel": 0, "token": "x"}, "UNAUTHORIZED"),
        ({"type": "KEEPALIVE", "channel": 0}, "UNAUTHORIZED"),
        (SETUP | {"version": "2.0-test/1"}, "UNSUPPORTED_PROTOCOL"),
        (SETUP | {"version": None}, "UNSUPPORTED_PROTOCOL"),
    ],
)
async def test_a_wrong_start_ends_the_connection(
    connect: Connect, first: dict[str, Any], error: str
) -> None:
    async with connect() as harness:
        (answer,) = await harness.socket.say(first)
        assert (answer["type"], answer["error"]) == ("ERROR", error)
        assert harness.socket.closed == 1008


async def test_a_channel_needs_authorization(connect: Connect) -> None:
    async with connect() as harness:
        await harness.socket.say(SETUP)
        (answer,) = await harness.open()
        assert (answer["error"], answer["channel"]) == ("UNAUTHORIZED", 1)
        assert harness.socket.closed == 1008


async def test_a_refused_token_may_be_replaced_but_not_for_ever(connect: Connect) -> None:
    async with connect() as harness:
        await harness.socket.say(SETUP)
        bad = {"type": "AUTH", "channel": 0, "token": "no such token"}
        for _ in range(2):
            (answer,) = await harness.socket.say(bad)
            assert answer["state"] == "UNAUTHORIZED"

        (answer,) = await harness.socket.say({"type": "AUTH", "channel": 0, "token": harness.token})
        assert answer["state"] == "AUTHORIZED"

        answers = await harness.socket.say(bad, bad, bad)
        assert answers[-1]["error"] == "UNAUTHORIZED"
        assert harness.socket.closed == 1008


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b"{", "INVALID_MESSAGE"),
        (b"[]", "INVALID_MESSAGE"),
        ({"type": "KEEPALIVE"}, "INVALID_MESSAGE"),
        ({"type": "KEEPALIVE", "channel": -1}, "INVALID_MESSAGE"),
        ({"type": "KEEPALIVE", "channel": True}, "INVALID_MESSAGE"),
        (SETUP, "BAD_ACTION"),
        ({"type": "NONSENSE", "channel": 0}, "BAD_ACTION"),
        ({"type": "NONSENSE", "channel": 1}, "BAD_ACTION"),
        ({"type": "FEED_SETUP", "channel": 3}, "BAD_ACTION"),
        ({"type": "CHANNEL_CANCEL", "channel": 3}, "BAD_ACTION"),
        ({"type": "CHANNEL_REQUEST", "channel": 3, "service": "DOM"}, "BAD_ACTION"),
        ({"type": "CHANNEL_REQUEST", "channel": 3, "service": "FEED"}, "INVALID_MESSAGE"),
        ({"type": "CHANNEL_REQUEST", "channel": 2, "service": "FEED"}, "BAD_ACTION"),
        ({"type": "CHANNEL_REQUEST", "channel": 1, "service": "FEED"}, "BAD_ACTION"),
    ],
)
async def test_a_mistake_is_told_and_the_connection_goes_on(
    connect: Connect, message: dict[str, Any] | bytes, error: str
) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open(1)
        (answer,) = await harness.socket.say(message)
        assert (answer["type"], answer["error"]) == ("ERROR", error)
        assert (await harness.open(9))[0]["type"] == "CHANNEL_OPENED"
        assert harness.socket.closed is None


async def test_a_cancelled_channel_is_closed_and_may_be_opened_again(connect: Connect) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open(1)
        await harness.subscribe("SPY")
        (closed,) = await harness.socket.say({"type": "CHANNEL_CANCEL", "channel": 1})
        assert closed == {"type": "CHANNEL_CLOSED", "channel": 1}
        assert (harness.connection.channels, harness.connection.subscriptions) == (0, 0)
        assert (await harness.open(1))[0]["type"] == "CHANNEL_OPENED"


async def test_silence_of_the_client_ends_the_connection(connect: Connect) -> None:
    async with connect() as harness:
        await harness.socket.say(SETUP | {"acceptKeepaliveTimeout": 30})
        await harness.clock.advance(timedelta(seconds=29))
        assert harness.socket.closed is None

        await harness.socket.say({"type": "KEEPALIVE", "channel": 0})
        await harness.clock.advance(timedelta(seconds=29))
        assert harness.socket.closed is None

        await harness.clock.advance(timedelta(seconds=2))
        assert harness.socket.sent[-1]["error"] == "TIMEOUT"
        assert harness.socket.closed == 1000


async def test_a_client_that_never_sets_up_is_not_waited_for(connect: Connect) -> None:
    async with connect() as harness:
        await harness.clock.advance(timedelta(seconds=11))
        assert harness.socket.sent[-1]["error"] == "TIMEOUT"
        assert harness.socket.closed == 1000


async def test_the_server_is_never_silent_for_longer_than_the_client_bears(
    connect: Connect,
) -> None:
    async with connect() as harness:
        await harness.socket.say(SETUP | {"keepaliveTimeout": 10})
        harness.socket.sent.clear()
        await harness.clock.advance(timedelta(seconds=30))
        assert [each["type"] for each in harness.socket.sent].count("KEEPALIVE") >= 5


async def test_a_token_that_ends_stops_the_data_until_there_is_another(connect: Connect) -> None:
    async with connect(quote_token_lifetime=timedelta(seconds=5)) as harness:
        await harness.log_in()
        await harness.open()
        await harness.subscribe("SPY")
        await harness.clock.advance(timedelta(seconds=6))
        assert harness.socket.sent[-1] == {
            "type": "AUTH_STATE",
            "channel": 0,
            "state": "UNAUTHORIZED",
        }
        harness.market.move("SPY", 101)
        harness.socket.sent.clear()
        await harness.clock.advance(timedelta(seconds=1))
        assert harness.socket.sent == []

        answers = await harness.socket.say({"type": "AUTH", "channel": 0, "token": harness.token})
        assert answers[0]["state"] == "AUTHORIZED"
        assert answers[1]["type"] == "FEED_DATA"


async def test_a_restart_closes_with_1012(connect: Connect) -> None:
    async with connect(feed_restart=timedelta(seconds=20)) as harness:
        await harness.log_in()
        await harness.clock.advance(timedelta(seconds=19))
        assert harness.socket.closed is None
        await harness.clock.advance(timedelta(seconds=2))
        assert harness.socket.closed == 1012


async def test_faults_speak_the_protocol(connect: Connect) -> None:
    async with connect() as harness:
        await harness.log_in()
        harness.socket.sent.clear()
        harness.socket.on_fault(Fault(kind="error", code="TIMEOUT", message="made up"))
        await harness.clock.advance(timedelta(milliseconds=1))
        assert harness.socket.sent == [
            {"type": "ERROR", "channel": 0, "error": "TIMEOUT", "message": "made up"}
        ]
        harness.socket.on_fault(Fault(kind="expire-token"))
        await harness.clock.advance(timedelta(seconds=1))
        assert harness.socket.sent[-1]["state"] == "UNAUTHORIZED"


async def test_a_client_that_does_not_read_costs_nothing_and_gets_the_latest(
    connect: Connect,
) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open()
        await harness.subscribe("SPY")
        harness.socket.sent.clear()
        harness.socket.reading.clear()
        for price in range(101, 201):
            harness.market.move("SPY", price)
            await harness.clock.advance(timedelta(milliseconds=100))

        asked = len(harness.market.asked)
        harness.socket.reading.set()
        await harness.clock.advance(timedelta(milliseconds=200))
        # One frame was on its way when reading stopped; the next has the last value.
        bids = [each["data"][0]["bidPrice"] for each in harness.socket.sent if "data" in each]
        assert bids == [100.5, 199.5]
        assert asked < 5
