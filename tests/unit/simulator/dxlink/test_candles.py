"""Tests candle subscriptions: symbols, snapshots with their flags, updates without gaps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server.simulator.dxlink.candles import parse_symbol
from tests.unit.simulator.dxlink.conftest import NOON, Connect, select_type

BEGIN, END, REMOVE = 0x4, 0x8, 0x2


def candles(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for message in select_type("FEED_DATA", messages) for event in message["data"]]


def minutes_ago(minutes: int) -> int:
    return int((NOON - timedelta(minutes=minutes)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "written", "symbol", "interval", "regular_hours"),
    [
        ("AAPL{=5m,tho=true}", "AAPL{=5m,tho=true}", "AAPL", "5m", True),
        ("AAPL{tho=true,=5m}", "AAPL{=5m,tho=true}", "AAPL", "5m", True),
        ("AAPL{=1d}", "AAPL{=d}", "AAPL", "1d", False),
        ("AAPL{=d}", "AAPL{=d}", "AAPL", "1d", False),
        ("AAPL{=1mo,a=s}", "AAPL{=mo,a=s}", "AAPL", "1mo", False),
        (".SPY261218P685{=h}", ".SPY261218P685{=h}", ".SPY261218P685", "1h", False),
        ("/ESZ26:XCME{=15s}", "/ESZ26:XCME{=15s}", "/ESZ26:XCME", "15s", False),
        ("BTC/USD:CXTALP{=1w}", "BTC/USD:CXTALP{=w}", "BTC/USD:CXTALP", "1w", False),
    ],
)
def test_symbols_are_taken_apart(
    text: str, written: str, symbol: str, interval: str, regular_hours: bool
) -> None:
    parsed = parse_symbol(text)
    assert parsed is not None
    assert (parsed.text, parsed.symbol, parsed.interval, parsed.regular_hours) == (
        written,
        symbol,
        interval,
        regular_hours,
    )


@pytest.mark.parametrize("text", ["AAPL", "AAPL{", "{=5m}", "AAPL{=0m}", "AAPL{=5x}", "AAPL{=m5}"])
def test_what_is_no_candle_symbol(text: str) -> None:
    assert parse_symbol(text) is None


async def test_a_snapshot_comes_newest_first_between_its_flags(connect: Connect) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open(contract="HISTORY")
        answers = await harness.subscribe("SPY{=1m}", event_type="Candle", fromTime=minutes_ago(3))
        events = candles(answers)
        assert [event["time"] for event in events] == [minutes_ago(back) for back in range(4)]
        assert [event["eventFlags"] for event in events] == [BEGIN, 0, 0, END]
        assert {event["eventSymbol"] for event in events} == {"SPY{=m}"}
        assert events[2]["open"] == "NaN"


async def test_a_snapshot_of_one_has_both_flags(connect: Connect) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open(contract="HISTORY")
        answers = await harness.subscribe("SPY{=1m}", event_type="Candle", fromTime=minutes_ago(0))
        assert [event["eventFlags"] for event in candles(answers)] == [BEGIN | END]


async def test_contract_auto_gives_an_empty_past_as_the_broker_does(connect: Connect) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open(contract="AUTO")
        past, now = candles(
            await harness.subscribe("SPY{=1m}", event_type="Candle", fromTime=minutes_ago(3))
        )
        assert past["eventFlags"] == BEGIN | END | REMOVE
        assert past["close"] == "NaN"
        assert (now["time"], now["eventFlags"]) == (minutes_ago(0), 0)


async def test_contract_auto_gives_the_past_if_told_to(connect: Connect) -> None:
    async with connect(auto_candle_history=True) as harness:
        await harness.log_in()
        await harness.open(contract="AUTO")
        answers = await harness.subscribe("SPY{=1m}", event_type="Candle", fromTime=minutes_ago(3))
        assert [event["eventFlags"] for event in candles(answers)] == [BEGIN, 0, 0, END]


async def test_updates_follow_the_snapshot_without_a_seam(connect: Connect) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open(contract="HISTORY")
        await harness.subscribe("SPY{=1m}", event_type="Candle", fromTime=minutes_ago(3))
        harness.socket.sent.clear()
        await harness.clock.advance(timedelta(seconds=1))
        assert candles(harness.socket.sent) == []

        harness.market.move("SPY", 105)
        await harness.clock.advance(timedelta(seconds=1))
        (event,) = candles(harness.socket.sent)
        assert (event["time"], event["close"], event["eventFlags"]) == (minutes_ago(0), 105, 0)

        # The minute ends: the old candle gets its last values and the new one begins.
        await harness.socket.say({"type": "KEEPALIVE", "channel": 0})
        await harness.clock.advance(timedelta(seconds=58))
        times = [event["time"] for event in candles(harness.socket.sent)]
        assert times == [minutes_ago(0), minutes_ago(-1)]


async def test_a_new_from_time_brings_a_new_snapshot(connect: Connect) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open(contract="HISTORY")
        await harness.subscribe("SPY{=1m}", event_type="Candle", fromTime=minutes_ago(1))
        answers = await harness.subscribe("SPY{=m}", event_type="Candle", fromTime=minutes_ago(3))
        assert len(candles(answers)) == 4
        assert harness.connection.subscriptions == 1


@pytest.mark.parametrize("contract", ["TICKER", "STREAM"])
async def test_other_contracts_have_no_past(connect: Connect, contract: str) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open(contract=contract)
        await harness.subscribe("SPY{=1m}", event_type="Candle", fromTime=minutes_ago(3))
        await harness.clock.advance(timedelta(milliseconds=200))
        events = candles(harness.socket.sent)
        assert [(event["time"], event["eventFlags"]) for event in events] == [(minutes_ago(0), 0)]


@pytest.mark.parametrize("from_time", [-(10**18), 10**18, 0])
async def test_any_from_time_is_answered(connect: Connect, from_time: int) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open(contract="HISTORY")
        answers = await harness.subscribe("SPY{=1m}", event_type="Candle", fromTime=from_time)
        flags = [event["eventFlags"] for event in candles(answers)]
        assert flags[0] & BEGIN
        assert any(flag & END for flag in flags)


async def test_an_unknown_symbol_is_met_with_silence(connect: Connect) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open(contract="HISTORY")
        assert await harness.subscribe("NOPE{=1m}", "SPY", event_type="Candle", fromTime=0) == []
        assert harness.connection.subscriptions == 0
