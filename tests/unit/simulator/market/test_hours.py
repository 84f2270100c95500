"""Tests trading hours: always open by default, the exchanges' hours by a setting, the tick."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from server.simulator.market import Market
from tests.unit.simulator.market.markets import (
    SEED,
    new_market,
    streamers,
)
from tests.unit.simulator.stopped_clock import StoppedClock

SUNDAY = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("symbol", "on_sunday", "on_monday"),
    [
        ("SPY", False, True),
        ("SPY   261218P00685000", False, True),
        ("/ESZ6", False, True),
        ("BTC/USD", True, True),
        ("SPX", False, False),  # nobody trades an index
        ("ZWZZT", False, False),  # halted
    ],
)
def test_open_and_closed(symbol: str, on_sunday: bool, on_monday: bool) -> None:
    market, clock = new_market(SUNDAY, always_open=False)
    always, _ = new_market(SUNDAY)
    instrument = market.find(symbol)
    assert instrument is not None
    assert market.is_open(instrument) is on_sunday
    assert always.is_open(instrument) is on_monday
    clock.instant = MONDAY
    assert market.is_open(instrument) is on_monday


def test_an_option_stops_trading_before_it_expires_in_the_morning() -> None:
    market, clock = new_market(datetime(2026, 12, 17, 20, 0, tzinfo=UTC))
    option = market.find("SPX   261218C06870000")
    assert option is not None
    assert market.is_open(option)
    clock.forward(hours=2)
    assert not market.is_open(option)
    assert market.quote(option).ask is not None  # not expired yet


def test_prices_stand_still_while_the_exchange_is_closed() -> None:
    market, clock = new_market(SUNDAY, always_open=False)
    names = ["SPY", ".SPY261218P685", "SPX"]
    handles = market.resolve_symbols("Quote", names)
    fields = ("eventSymbol", "bidPrice", "askPrice", "bidTime")
    friday = market.columns("Quote", handles, fields)
    greeks = market.event("Greeks", ".SPY261218P685")
    since = clock.now()
    clock.forward(hours=10)
    assert market.columns("Quote", handles, fields) == friday
    assert market.columns("Quote", handles, fields, since) == []
    assert market.event("Greeks", ".SPY261218P685") == greeks
    coin = market.resolve_symbols("Quote", ["BTC/USD:CXTALP"])
    assert market.columns("Quote", coin, fields, since) != []
    assert friday[3] < datetime(2026, 11, 20, 21, 0, 1, tzinfo=UTC).timestamp() * 1000
    clock.instant = MONDAY
    assert market.columns("Quote", handles, fields) != friday


def test_the_day_turns_over_at_the_opening() -> None:
    market, clock = new_market(SUNDAY, always_open=False)
    summary = market.event("Summary", "SPY")
    assert summary is not None
    friday = summary["dayId"]
    clock.instant = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)  # before the opening
    summary = market.event("Summary", "SPY")
    assert summary is not None
    assert summary["dayId"] == friday
    clock.instant = MONDAY
    summary = market.event("Summary", "SPY")
    assert summary is not None
    assert summary["dayId"] == friday + 3
    assert summary["prevDayId"] == friday


def test_both_modes_agree_while_the_exchange_is_open() -> None:
    real, _ = new_market(MONDAY, always_open=False)
    always, _ = new_market(MONDAY)
    for name in ("SPY", "AAPL", ".SPY261218P685", "/ESZ26:XCME"):
        assert real.event("Quote", name) == always.event("Quote", name)


def test_a_coarser_tick_moves_less_often() -> None:
    clock = StoppedClock(MONDAY)
    market = Market(seed=SEED, clock=clock, tick=timedelta(seconds=1))
    handles = market.resolve_symbols("Quote", ["SPY"])
    seen = []
    for _ in range(30):
        seen.append(tuple(market.columns("Quote", handles, ("bidPrice", "bidTime"))))
        clock.forward(milliseconds=100)

    assert len(set(seen)) == 3
    assert {time % 1000 for _, time in seen} == {0}


def test_a_round_of_twenty_thousand_quotes_is_cheap() -> None:
    """200,000 quotes a second take 100 ms of a processor for each tenth; it needs much less."""
    market, clock = new_market()
    spx = market.find("SPX")
    assert spx is not None
    names = streamers(market, market.listing.chain(spx))
    handles = market.resolve_symbols("Quote", names)
    fields = tuple(market.fields("Quote"))
    assert len(handles.symbols) > 20_000
    rounds = []
    for _ in range(4):
        since = clock.now()
        clock.forward(milliseconds=100)
        started = time.process_time()
        flat = market.columns("Quote", handles, fields, since)
        rounds.append(time.process_time() - started)
        assert len(flat) // len(fields) > 5_000  # what changed in a tenth of a second

    assert min(rounds) < 0.1
