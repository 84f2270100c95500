"""Tests what a FEED channel sends: configuration, formats, changes only, aggregation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.simulator.dxlink.conftest import Connect, select_type

COMPACT = {"type": "FEED_SETUP", "channel": 1, "acceptDataFormat": "COMPACT"}


async def test_full_is_the_default_and_leaves_out_what_is_empty(connect: Connect) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open()
        config, data = await harness.subscribe("SPY", event_type="Trade")
        assert (config["type"], config["dataFormat"]) == ("FEED_CONFIG", "FULL")
        assert data == {
            "type": "FEED_DATA",
            "channel": 1,
            "data": [{"eventType": "Trade", "eventSymbol": "SPY", "price": 100.0}],
        }


async def test_compact_sends_values_in_the_order_of_the_accepted_fields(connect: Connect) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open()
        fields = ["eventSymbol", "askPrice", "nonsense", "bidPrice"]
        (config,) = await harness.socket.say(
            COMPACT | {"acceptEventFields": {"Quote": fields, "Nonsense": ["a"]}}
        )
        assert config["eventFields"] == {"Quote": ["eventSymbol", "askPrice", "bidPrice"]}

        (data,) = await harness.subscribe("SPY", "AAPL", "VIX", "UNKNOWN")
        assert data["data"] == [
            "Quote",
            ["SPY", 100.5, 99.5, "AAPL", 100.5, 99.5, "VIX", "NaN", "NaN"],
        ]


async def test_fields_that_nobody_chose_are_announced_before_they_are_used(
    connect: Connect,
) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open()
        (config,) = await harness.socket.say(COMPACT)
        assert "eventFields" not in config

        config, data = await harness.subscribe("SPY")
        assert config["eventFields"]["Quote"][:2] == ["eventType", "eventSymbol"]
        assert len(data["data"][1]) == len(config["eventFields"]["Quote"])


async def test_only_what_changed_is_sent(connect: Connect) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open()
        await harness.socket.say(COMPACT | {"acceptEventFields": {"Quote": ["eventSymbol"]}})
        await harness.subscribe("SPY", "AAPL")
        harness.socket.sent.clear()
        await harness.clock.advance(timedelta(seconds=1))
        assert select_type("FEED_DATA", harness.socket.sent) == []

        harness.market.move("AAPL", 101)
        await harness.clock.advance(timedelta(milliseconds=100))
        assert [each["data"] for each in harness.socket.sent] == [["Quote", ["AAPL"]]]


@pytest.mark.parametrize(
    ("wish", "granted"), [(2, 2), (0, 0.1), (0.01, 0.1), (0.25, 0.25), (None, 0.1), ("NaN", 0.1)]
)
async def test_the_aggregation_period_is_honoured(
    connect: Connect, wish: object, granted: float
) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open()
        (config,) = await harness.socket.say(COMPACT | {"acceptAggregationPeriod": wish})
        assert config["aggregationPeriod"] == granted

        await harness.subscribe("SPY")
        harness.socket.sent.clear()
        steps = 100
        for step in range(steps):
            harness.market.move("SPY", 101 + step)
            await harness.clock.advance(timedelta(seconds=granted / 10))

        assert len(select_type("FEED_DATA", harness.socket.sent)) == steps / 10


async def test_a_first_value_does_not_wait_for_the_period(connect: Connect) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open()
        await harness.socket.say(COMPACT | {"acceptAggregationPeriod": 10})
        await harness.subscribe("SPY")
        harness.market.move("SPY", 101)
        answers = await harness.subscribe("AAPL")
        # And only the new one comes early.
        assert [each["data"][1][1] for each in select_type("FEED_DATA", answers)] == ["AAPL"]


async def test_remove_and_reset_end_subscriptions(connect: Connect) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open()
        await harness.subscribe("SPY", "AAPL", "VIX")
        remove = [{"type": "Quote", "symbol": "AAPL"}, {"type": "Trade", "symbol": "SPY"}]
        await harness.socket.say({"type": "FEED_SUBSCRIPTION", "channel": 1, "remove": remove})
        assert harness.connection.subscriptions == 2

        reset = {"type": "FEED_SUBSCRIPTION", "channel": 1, "reset": True}
        add = [{"type": "Quote", "symbol": "AAPL"}]
        answers = await harness.socket.say(reset | {"add": add})
        assert harness.connection.subscriptions == 1
        assert [each["data"][0]["eventSymbol"] for each in answers] == ["AAPL"]

        harness.market.move("SPY", 1)
        harness.socket.sent.clear()
        await harness.clock.advance(timedelta(seconds=1))
        assert select_type("FEED_DATA", harness.socket.sent) == []


async def test_asking_again_brings_the_value_again(connect: Connect) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open()
        await harness.subscribe("SPY")
        answers = await harness.subscribe("SPY")
        assert [each["data"][0]["eventSymbol"] for each in answers] == ["SPY"]
        assert harness.connection.subscriptions == 1


async def test_many_events_come_in_frames_of_bounded_size(connect: Connect) -> None:
    async with connect() as harness:
        symbols = [f"S{number}" for number in range(3000)]
        for symbol in symbols:
            harness.market.move(symbol, 1)

        await harness.clock.advance(timedelta(seconds=1))
        await harness.log_in()
        await harness.open()
        await harness.socket.say(COMPACT)
        frames = select_type("FEED_DATA", await harness.subscribe(*symbols))
        assert max(len(each["data"][1]) for each in frames) <= 4000
        assert [value for each in frames for value in each["data"][1][1::5]] == symbols


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"add": {}}, "INVALID_MESSAGE"),
        ({"add": 5}, "INVALID_MESSAGE"),
        ({"add": True}, "INVALID_MESSAGE"),
        ({"add": ["SPY"]}, "INVALID_MESSAGE"),
        ({"add": [{"type": "Quote"}]}, "INVALID_MESSAGE"),
        ({"add": [{"type": "Quote", "symbol": 1}]}, "INVALID_MESSAGE"),
        ({"add": [{"type": "Candle", "symbol": "SPY{=d}", "fromTime": "x"}]}, "INVALID_MESSAGE"),
        ({"add": [{"type": "Nonsense", "symbol": "SPY"}]}, "BAD_ACTION"),
        ({"add": [{"type": "Quote", "symbol": "*"}]}, "BAD_ACTION"),
        ({"add": [{"type": "Quote", "symbol": "A"}] * 100_001}, "BAD_ACTION"),
    ],
)
async def test_a_bad_subscription_changes_nothing(
    connect: Connect, change: dict[str, Any], error: str
) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open()
        await harness.subscribe("SPY")
        (answer,) = await harness.socket.say({"type": "FEED_SUBSCRIPTION", "channel": 1} | change)
        assert (answer["error"], answer["channel"]) == (error, 1)
        assert harness.connection.subscriptions == 1


@pytest.mark.parametrize(
    "change",
    [
        {"acceptDataFormat": "XML"},
        {"acceptEventFields": ["Quote"]},
        {"acceptEventFields": {"Quote": "bidPrice"}},
        {"acceptAggregationPeriod": "soon"},
    ],
)
async def test_a_bad_setup_is_refused(connect: Connect, change: dict[str, Any]) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open()
        (answer,) = await harness.socket.say({"type": "FEED_SETUP", "channel": 1} | change)
        assert (answer["error"], answer["channel"]) == ("INVALID_MESSAGE", 1)


@pytest.mark.parametrize("wish", [1e308, 1e15, 86_401])
async def test_a_period_without_end_is_cut_to_a_day(connect: Connect, wish: float) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open()
        (config,) = await harness.socket.say(
            {"type": "FEED_SETUP", "channel": 1, "acceptAggregationPeriod": wish}
        )
        assert config["aggregationPeriod"] == 86_400
        assert select_type("FEED_DATA", await harness.subscribe("SPY"))
        harness.market.move("SPY", 101)
        harness.socket.sent.clear()
        await harness.clock.advance(timedelta(seconds=2))
        assert select_type("FEED_DATA", harness.socket.sent) == []


async def test_channels_are_independent(connect: Connect) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open(1)
        await harness.open(3)
        await harness.socket.say(COMPACT)
        await harness.subscribe("SPY", channel=1)
        answers = await harness.subscribe("SPY", channel=3)
        assert {each["channel"] for each in answers} == {3}
        assert isinstance(select_type("FEED_DATA", answers)[0]["data"][0], dict)


async def test_events_that_the_token_does_not_bring_are_met_with_silence(connect: Connect) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open()
        assert await harness.subscribe("SPY", event_type="Order") == []
        assert harness.connection.subscriptions == 0
