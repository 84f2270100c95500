"""Tests that candles agree with the live price, with each other, and with the trading hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

import pytest

from server.simulator.market import Market
from server.simulator.market.calendar import NEW_YORK, is_trading_day
from tests.effort import one_in
from tests.unit.simulator.market.markets import FRIDAY_NOON, new_market

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def when(candle: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(candle["time"] / 1000, NEW_YORK)


def some(market: Market, symbol: str, interval: str, count: int = 50, **given: Any) -> list[Any]:
    return list(islice(market.candles(symbol, interval, LONG_AGO, **given), count))


@pytest.mark.parametrize(
    "interval", one_in(2, ["10s", "1m", "5m", "15m", "1h", "4h", "d", "w", "y", "mo"])
)
@pytest.mark.parametrize("symbol", ["SPY", "VIX", ".SPY261218P685", "/ESZ26:XCME"])
def test_candles_are_newest_first_and_whole(symbol: str, interval: str) -> None:
    market, clock = new_market(FRIDAY_NOON + timedelta(minutes=4))
    candles = some(market, symbol, interval)
    assert candles
    times = [candle["time"] for candle in candles]
    assert times == sorted(set(times), reverse=True)
    assert times[0] <= clock.now().timestamp() * 1000
    trade = market.event("Trade", symbol)
    assert trade is not None
    for candle in candles:
        assert candle["low"] <= min(candle["open"], candle["close"])
        assert candle["high"] >= max(candle["open"], candle["close"])
        assert candle["low"] <= candle["vwap"] <= candle["high"]
        assert candle["volume"] == candle["bidVolume"] + candle["askVolume"]
        assert candle["count"] >= 1
        assert set(candle) == set(market.fields("Candle")) - {"eventSymbol"}

    if interval not in {"10s", "1m"}:
        assert candles[0]["close"] == trade["price"]


def test_one_candle_begins_where_the_one_before_ended() -> None:
    market, _ = new_market()
    for newer, older in pairwise(some(market, "SPY", "5m", 30)[1:]):
        assert newer["open"] == pytest.approx(older["close"], rel=1e-3)


def test_history_does_not_change_when_time_goes_on() -> None:
    market, clock = new_market()
    before = some(market, "AAPL", "5m", 20)
    clock.forward(minutes=10)
    after = some(market, "AAPL", "5m", 22)
    assert after[3:] == before[1:]


def test_from_time_is_where_they_end() -> None:
    market, clock = new_market()
    start = clock.now() - timedelta(hours=2)
    candles = list(market.candles("SPY", "5m", start))
    assert 23 <= len(candles) <= 25
    assert candles[-1]["time"] >= start.timestamp() * 1000
    assert list(market.candles("SPY", "5m", clock.now() + timedelta(days=1))) == []


def test_days_have_dates_and_only_trading_days_are_there() -> None:
    market, _ = new_market()
    days = some(market, "SPY", "d", 60)
    dates = [datetime.fromtimestamp(candle["time"] / 1000, UTC) for candle in days]
    assert all((each.hour, each.minute) == (0, 0) for each in dates)
    assert dates[0].date() == FRIDAY_NOON.date()
    assert all(is_trading_day(each.date()) for each in dates)
    summary = market.event("Summary", "SPY")
    assert summary is not None
    assert days[0]["open"] == summary["dayOpenPrice"]
    assert days[0]["high"] == pytest.approx(summary["dayHighPrice"], rel=1e-3)
    assert days[1]["close"] == pytest.approx(summary["prevDayClosePrice"], abs=0.02)


def test_longer_candles_hold_the_shorter_ones() -> None:
    market, _ = new_market()
    hours = some(market, "SPY", "1h", 12)[2:8]
    quarters = some(market, "SPY", "15m", 60)
    for hour in hours:
        inside = [each for each in quarters if 0 <= each["time"] - hour["time"] < 3_600_000]
        assert len(inside) in {2, 4}  # the first hour begins at half past
        assert hour["open"] == inside[-1]["open"]
        assert hour["close"] == inside[0]["close"]
        assert hour["high"] == pytest.approx(max(each["high"] for each in inside), rel=1e-3)


def test_real_hours() -> None:
    market, _ = new_market(FRIDAY_NOON + timedelta(days=2), always_open=False)
    minutes = some(market, "SPY", "30m", 26)
    assert when(minutes[0]).strftime("%a %H:%M") == "Fri 15:30"
    assert {when(each).hour for each in minutes} <= set(range(9, 16))
    # The market stands still over the weekend.
    trade = market.event("Trade", "SPY")
    assert trade is not None
    assert minutes[0]["close"] == trade["price"]


def test_extended_hours_and_around_the_clock() -> None:
    market, _ = new_market(FRIDAY_NOON + timedelta(days=3))
    regular = some(market, "SPY", "1h", 60)
    extended = some(market, "SPY", "1h", 60, regular_hours=False)
    days = {when(each).date() for each in regular[1:]}
    friday = FRIDAY_NOON.date()
    assert friday in days
    assert sum(when(each).date() == friday for each in regular) == 7
    assert sum(when(each).date() == friday for each in extended) == 12
    coins = some(market, "BTC/USD:CXTALP", "1h", 60)
    assert all(newer["time"] - older["time"] == 3_600_000 for newer, older in pairwise(coins))


@pytest.mark.parametrize(
    "day", [datetime(2026, 11, 2, 17, tzinfo=UTC), datetime(2026, 3, 9, 17, tzinfo=UTC)]
)
def test_days_on_which_clocks_change_have_all_their_hours(day: datetime) -> None:
    market, _ = new_market(day)
    times = [each["time"] for each in some(market, "BTC/USD:CXTALP", "1h", 60)]
    assert [newer - older for newer, older in pairwise(times)] == [3_600_000] * 59


def test_what_stopped_has_no_candles_after_it_did() -> None:
    market, clock = new_market()
    halted = some(market, "ZWZZT", "5m", 3)
    assert halted[0]["time"] < clock.now().timestamp() * 1000 - 3_600_000
    clock.forward(days=1)
    expired = some(market, ".SPY261120P687", "1h", 3)
    assert when(expired[0]).strftime("%a %H") == "Fri 15"
    assert all(candle["volume"] >= 0 for candle in halted + expired)


@pytest.mark.parametrize("interval", ["", "0m", "5x", "5t", "m5", "-1d", "99999d"])
def test_what_is_no_interval_has_no_candles(interval: str) -> None:
    market, _ = new_market()
    assert some(market, "SPY", interval, 1) == []
    assert some(market, "NOPE", "5m", 1) == []
