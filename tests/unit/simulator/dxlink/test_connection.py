"""The dxLink handshake, its order, its keepalives and its errors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server.simulator.faults import Fault
from tests.unit.simulator.dxlink.conftest import SETUP, Dial


async def test_the_handshake_of_a_client_that_waits(dial: Dial) -> None:
    async with dial() as line:
        setup, state = await line.socket.say(SETUP | {"acceptKeepaliveTimeout": 30})
        assert setup["type"] == "SETUP"
        assert (setup["keepaliveTimeout"], setup["acceptKeepaliveTimeout"]) == (30, 60)
        assert state == {"type": "AUTH_STATE", "channel": 0, "state": "UNAUTHORIZED"}

        (state,) = await line.socket.say({"type": "AUTH", "channel": 0, "token": line.token})
        assert (state["state"], state["userId"]) == ("AUTHORIZED", "U0000000001")

        (opened,) = await line.open(7, "TICKER")
        assert opened == {
            "type": "CHANNEL_OPENED",
            "channel": 7,
            "service": "FEED",
            "parameters": {"contract": "TICKER", "subFormat": "LIST"},
        }


async def test_a_client_may_send_auth_before_it_has_read_the_setup(dial: Dial) -> None:
    async with dial() as line:
        await line.log_in()
        assert [each["type"] for each in line.socket.sent] == ["SETUP", "AUTH_STATE", "AUTH_STATE"]
        assert line.socket.sent[-1]["state"] == "AUTHORIZED"


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
    dial: Dial, first: dict[str, Any], error: str
) -> None:
    async with dial() as line:
        (answer,) = await line.socket.say(first)
        assert (answer["type"], answer["error"]) == ("ERROR", error)
        assert line.socket.closed == 1008


async def test_a_channel_needs_authorization(dial: Dial) -> None:
    async with dial() as line:
        await line.socket.say(SETUP)
        (answer,) = await line.open()
        assert (answer["error"], answer["channel"]) == ("UNAUTHORIZED", 1)
        assert line.socket.closed == 1008


async def test_a_refused_token_may_be_replaced_but_not_for_ever(dial: Dial) -> None:
    async with dial() as line:
        await line.socket.say(SETUP)
        bad = {"type": "AUTH", "channel": 0, "token": "no such token"}
        for _ in range(2):
            (answer,) = await line.socket.say(bad)
            assert answer["state"] == "UNAUTHORIZED"

        (answer,) = await line.socket.say({"type": "AUTH", "channel": 0, "token": line.token})
        assert answer["state"] == "AUTHORIZED"

        answers = await line.socket.say(bad, bad, bad)
        assert answers[-1]["error"] == "UNAUTHORIZED"
        assert line.socket.closed == 1008


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
    dial: Dial, message: dict[str, Any] | bytes, error: str
) -> None:
    async with dial() as line:
        await line.log_in()
        await line.open(1)
        (answer,) = await line.socket.say(message)
        assert (answer["type"], answer["error"]) == ("ERROR", error)
        assert (await line.open(9))[0]["type"] == "CHANNEL_OPENED"
        assert line.socket.closed is None


async def test_a_cancelled_channel_is_closed_and_may_be_opened_again(dial: Dial) -> None:
    async with dial() as line:
        await line.log_in()
        await line.open(1)
        await line.subscribe("SPY")
        (closed,) = await line.socket.say({"type": "CHANNEL_CANCEL", "channel": 1})
        assert closed == {"type": "CHANNEL_CLOSED", "channel": 1}
        assert (line.connection.channels, line.connection.subscriptions) == (0, 0)
        assert (await line.open(1))[0]["type"] == "CHANNEL_OPENED"


async def test_silence_of_the_client_ends_the_connection(dial: Dial) -> None:
    async with dial() as line:
        await line.socket.say(SETUP | {"acceptKeepaliveTimeout": 30})
        await line.clock.advance(timedelta(seconds=29))
        assert line.socket.closed is None

        await line.socket.say({"type": "KEEPALIVE", "channel": 0})
        await line.clock.advance(timedelta(seconds=29))
        assert line.socket.closed is None

        await line.clock.advance(timedelta(seconds=2))
        assert line.socket.sent[-1]["error"] == "TIMEOUT"
        assert line.socket.closed == 1000


async def test_a_client_that_never_sets_up_is_not_waited_for(dial: Dial) -> None:
    async with dial() as line:
        await line.clock.advance(timedelta(seconds=11))
        assert line.socket.sent[-1]["error"] == "TIMEOUT"
        assert line.socket.closed == 1000


async def test_the_server_is_never_silent_for_longer_than_the_client_bears(dial: Dial) -> None:
    async with dial() as line:
        await line.socket.say(SETUP | {"keepaliveTimeout": 10})
        line.socket.sent.clear()
        await line.clock.advance(timedelta(seconds=30))
        assert [each["type"] for each in line.socket.sent].count("KEEPALIVE") >= 5


async def test_a_token_that_ends_stops_the_data_until_there_is_another(dial: Dial) -> None:
    async with dial(quote_token_lifetime=timedelta(seconds=5)) as line:
        await line.log_in()
        await line.open()
        await line.subscribe("SPY")
        await line.clock.advance(timedelta(seconds=6))
        assert line.socket.sent[-1] == {
            "type": "AUTH_STATE",
            "channel": 0,
            "state": "UNAUTHORIZED",
        }
        line.market.move("SPY", 101)
        line.socket.sent.clear()
        await line.clock.advance(timedelta(seconds=1))
        assert line.socket.sent == []

        answers = await line.socket.say({"type": "AUTH", "channel": 0, "token": line.token})
        assert answers[0]["state"] == "AUTHORIZED"
        assert answers[1]["type"] == "FEED_DATA"


async def test_a_restart_closes_with_1012(dial: Dial) -> None:
    async with dial(feed_restart=timedelta(seconds=20)) as line:
        await line.log_in()
        await line.clock.advance(timedelta(seconds=19))
        assert line.socket.closed is None
        await line.clock.advance(timedelta(seconds=2))
        assert line.socket.closed == 1012


async def test_faults_speak_the_protocol(dial: Dial) -> None:
    async with dial() as line:
        await line.log_in()
        line.socket.sent.clear()
        line.socket.on_fault(Fault(kind="error", code="TIMEOUT", message="made up"))
        await line.clock.advance(timedelta(milliseconds=1))
        assert line.socket.sent == [
            {"type": "ERROR", "channel": 0, "error": "TIMEOUT", "message": "made up"}
        ]
        line.socket.on_fault(Fault(kind="expire-token"))
        await line.clock.advance(timedelta(seconds=1))
        assert line.socket.sent[-1]["state"] == "UNAUTHORIZED"


async def test_a_client_that_does_not_read_costs_nothing_and_gets_the_latest(dial: Dial) -> None:
    async with dial() as line:
        await line.log_in()
        await line.open()
        await line.subscribe("SPY")
        line.socket.sent.clear()
        line.socket.reading.clear()
        for price in range(101, 201):
            line.market.move("SPY", price)
            await line.clock.advance(timedelta(milliseconds=100))

        asked = len(line.market.asked)
        line.socket.reading.set()
        await line.clock.advance(timedelta(milliseconds=200))
        # One frame was on its way when reading stopped; the next has the last value.
        bids = [each["data"][0]["bidPrice"] for each in line.socket.sent if "data" in each]
        assert bids == [100.5, 199.5]
        assert asked < 5
