"""What a FEED channel sends: configuration, formats, changes only, aggregation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.simulator.dxlink.conftest import Dial, of

COMPACT = {"type": "FEED_SETUP", "channel": 1, "acceptDataFormat": "COMPACT"}


async def test_full_is_the_default_and_leaves_out_what_is_empty(dial: Dial) -> None:
    async with dial() as line:
        await line.log_in()
        await line.open()
        config, data = await line.subscribe("SPY", event_type="Trade")
        assert (config["type"], config["dataFormat"]) == ("FEED_CONFIG", "FULL")
        assert data == {
            "type": "FEED_DATA",
            "channel": 1,
            "data": [{"eventType": "Trade", "eventSymbol": "SPY", "price": 100.0}],
        }


async def test_compact_sends_values_in_the_order_of_the_accepted_fields(dial: Dial) -> None:
    async with dial() as line:
        await line.log_in()
        await line.open()
        fields = ["eventSymbol", "askPrice", "nonsense", "bidPrice"]
        (config,) = await line.socket.say(
            COMPACT | {"acceptEventFields": {"Quote": fields, "Nonsense": ["a"]}}
        )
        assert config["eventFields"] == {"Quote": ["eventSymbol", "askPrice", "bidPrice"]}

        (data,) = await line.subscribe("SPY", "AAPL", "VIX", "UNKNOWN")
        assert data["data"] == [
            "Quote",
            ["SPY", 100.5, 99.5, "AAPL", 100.5, 99.5, "VIX", "NaN", "NaN"],
        ]


async def test_fields_that_nobody_chose_are_announced_before_they_are_used(dial: Dial) -> None:
    async with dial() as line:
        await line.log_in()
        await line.open()
        (config,) = await line.socket.say(COMPACT)
        assert "eventFields" not in config

        config, data = await line.subscribe("SPY")
        assert config["eventFields"]["Quote"][:2] == ["eventType", "eventSymbol"]
        assert len(data["data"][1]) == len(config["eventFields"]["Quote"])


async def test_only_what_changed_is_sent(dial: Dial) -> None:
    async with dial() as line:
        await line.log_in()
        await line.open()
        await line.socket.say(COMPACT | {"acceptEventFields": {"Quote": ["eventSymbol"]}})
        await line.subscribe("SPY", "AAPL")
        line.socket.sent.clear()
        await line.clock.advance(timedelta(seconds=1))
        assert of("FEED_DATA", line.socket.sent) == []

        line.market.move("AAPL", 101)
        await line.clock.advance(timedelta(milliseconds=100))
        assert [each["data"] for each in line.socket.sent] == [["Quote", ["AAPL"]]]


@pytest.mark.parametrize(
    ("wish", "granted"), [(2, 2), (0, 0.1), (0.01, 0.1), (0.25, 0.25), (None, 0.1), ("NaN", 0.1)]
)
async def test_the_aggregation_period_is_honoured(dial: Dial, wish: object, granted: float) -> None:
    async with dial() as line:
        await line.log_in()
        await line.open()
        (config,) = await line.socket.say(COMPACT | {"acceptAggregationPeriod": wish})
        assert config["aggregationPeriod"] == granted

        await line.subscribe("SPY")
        line.socket.sent.clear()
        steps = 100
        for step in range(steps):
            line.market.move("SPY", 101 + step)
            await line.clock.advance(timedelta(seconds=granted / 10))

        assert len(of("FEED_DATA", line.socket.sent)) == steps / 10


async def test_a_first_value_does_not_wait_for_the_period(dial: Dial) -> None:
    async with dial() as line:
        await line.log_in()
        await line.open()
        await line.socket.say(COMPACT | {"acceptAggregationPeriod": 10})
        await line.subscribe("SPY")
        line.market.move("SPY", 101)
        answers = await line.subscribe("AAPL")
        # And only the new one comes early.
        assert [each["data"][1][1] for each in of("FEED_DATA", answers)] == ["AAPL"]


async def test_remove_and_reset_end_subscriptions(dial: Dial) -> None:
    async with dial() as line:
        await line.log_in()
        await line.open()
        await line.subscribe("SPY", "AAPL", "VIX")
        remove = [{"type": "Quote", "symbol": "AAPL"}, {"type": "Trade", "symbol": "SPY"}]
        await line.socket.say({"type": "FEED_SUBSCRIPTION", "channel": 1, "remove": remove})
        assert line.connection.subscriptions == 2

        reset = {"type": "FEED_SUBSCRIPTION", "channel": 1, "reset": True}
        add = [{"type": "Quote", "symbol": "AAPL"}]
        answers = await line.socket.say(reset | {"add": add})
        assert line.connection.subscriptions == 1
        assert [each["data"][0]["eventSymbol"] for each in answers] == ["AAPL"]

        line.market.move("SPY", 1)
        line.socket.sent.clear()
        await line.clock.advance(timedelta(seconds=1))
        assert of("FEED_DATA", line.socket.sent) == []


async def test_asking_again_brings_the_value_again(dial: Dial) -> None:
    async with dial() as line:
        await line.log_in()
        await line.open()
        await line.subscribe("SPY")
        answers = await line.subscribe("SPY")
        assert [each["data"][0]["eventSymbol"] for each in answers] == ["SPY"]
        assert line.connection.subscriptions == 1


async def test_many_events_come_in_frames_of_bounded_size(dial: Dial) -> None:
    async with dial() as line:
        symbols = [f"S{number}" for number in range(3000)]
        for symbol in symbols:
            line.market.move(symbol, 1)

        await line.clock.advance(timedelta(seconds=1))
        await line.log_in()
        await line.open()
        await line.socket.say(COMPACT)
        frames = of("FEED_DATA", await line.subscribe(*symbols))
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
    dial: Dial, change: dict[str, Any], error: str
) -> None:
    async with dial() as line:
        await line.log_in()
        await line.open()
        await line.subscribe("SPY")
        (answer,) = await line.socket.say({"type": "FEED_SUBSCRIPTION", "channel": 1} | change)
        assert (answer["error"], answer["channel"]) == (error, 1)
        assert line.connection.subscriptions == 1


@pytest.mark.parametrize(
    "change",
    [
        {"acceptDataFormat": "XML"},
        {"acceptEventFields": ["Quote"]},
        {"acceptEventFields": {"Quote": "bidPrice"}},
        {"acceptAggregationPeriod": "soon"},
    ],
)
async def test_a_bad_setup_is_refused(dial: Dial, change: dict[str, Any]) -> None:
    async with dial() as line:
        await line.log_in()
        await line.open()
        (answer,) = await line.socket.say({"type": "FEED_SETUP", "channel": 1} | change)
        assert (answer["error"], answer["channel"]) == ("INVALID_MESSAGE", 1)


@pytest.mark.parametrize("wish", [1e308, 1e15, 86_401])
async def test_a_period_without_end_is_cut_to_a_day(dial: Dial, wish: float) -> None:
    async with dial() as line:
        await line.log_in()
        await line.open()
        (config,) = await line.socket.say(
            {"type": "FEED_SETUP", "channel": 1, "acceptAggregationPeriod": wish}
        )
        assert config["aggregationPeriod"] == 86_400
        assert of("FEED_DATA", await line.subscribe("SPY"))
        line.market.move("SPY", 101)
        line.socket.sent.clear()
        await line.clock.advance(timedelta(seconds=2))
        assert of("FEED_DATA", line.socket.sent) == []


async def test_channels_are_independent(dial: Dial) -> None:
    async with dial() as line:
        await line.log_in()
        await line.open(1)
        await line.open(3)
        await line.socket.say(COMPACT)
        await line.subscribe("SPY", channel=1)
        answers = await line.subscribe("SPY", channel=3)
        assert {each["channel"] for each in answers} == {3}
        assert isinstance(of("FEED_DATA", answers)[0]["data"][0], dict)


async def test_events_that_the_token_does_not_bring_are_met_with_silence(dial: Dial) -> None:
    async with dial() as line:
        await line.log_in()
        await line.open()
        assert await line.subscribe("SPY", event_type="Order") == []
        assert line.connection.subscriptions == 0
