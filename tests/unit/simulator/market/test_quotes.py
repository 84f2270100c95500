"""Tests that quotes are on their tick, agree, and misbehave exactly where they should."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from server.simulator.market import Market
from server.simulator.market.product_table import PRODUCTS
from tests.unit.simulator.market.markets import FRIDAY_NOON, new_market, streamers

PENNY, NICKEL, DIME = Decimal("0.01"), Decimal("0.05"), Decimal("0.1")


def quote(market: Market, symbol: str) -> Any:
    found = market.find(symbol)
    assert found is not None
    return market.quote(found)


def test_every_spot_is_quoted_on_its_tick_with_bid_below_ask() -> None:
    market, clock = new_market()
    listed = [*market.listing.spot_instruments()]
    for product in PRODUCTS.values():
        listed += market.listing.futures(product)

    odd = {"VIX", "ZVZZT", "ZJZZT"}
    for _ in range(5):
        clock.forward(seconds=7.3)
        for instrument, seen in zip(listed, market.quotes(listed), strict=True):
            if instrument.symbol in odd:
                continue

            assert seen.bid is not None
            assert seen.ask is not None
            assert seen.last is not None
            assert 0 < seen.bid < seen.ask
            assert instrument.is_on_tick(seen.bid)
            assert instrument.is_on_tick(seen.ask)
            assert (seen.ask - seen.bid) / seen.ask < Decimal("0.05")


@pytest.mark.parametrize("symbol", ["SPX", "SPY", "AAPL", "F", "LLY"])
def test_a_whole_chain_is_quoted_on_its_ticks(symbol: str) -> None:
    market, _ = new_market()
    underlying = market.find(symbol)
    assert underlying is not None
    blocks = market.listing.chain(underlying)
    rows = np.concatenate([np.arange(block.first, block.first + block.count) for block in blocks])
    listed = [market.listing.instrument(row) for row in rows.tolist()]
    one_sided = 0
    for option, seen in zip(listed, market.quotes(listed), strict=True):
        assert seen.ask is not None
        assert option.is_on_tick(seen.ask)
        if seen.bid is None:
            one_sided += 1
            assert seen.bid_size == 0
            assert seen.ask <= Decimal("0.5")
            continue

        assert option.is_on_tick(seen.bid)
        assert 0 < seen.bid < seen.ask

    assert 0 < one_sided < len(listed) / 3


@pytest.mark.parametrize("before_close", [timedelta(hours=4), timedelta(milliseconds=100)])
def test_every_contract_that_is_listed_has_a_quote_and_greeks(before_close: timedelta) -> None:
    """Some 270,000 contracts, down to the last tenth of a second of those that expire today."""
    market, _ = new_market(FRIDAY_NOON.replace(hour=21, microsecond=0) - before_close)
    blocks = [
        block
        for instrument in market.listing.spot_instruments()
        for block in market.listing.chain(instrument)
    ]
    blocks += [
        block for product in PRODUCTS.values() for block in market.listing.future_chain(product)
    ]
    rows = np.concatenate([np.arange(block.first, block.first + block.count) for block in blocks])
    assert len(rows) > 250_000
    moment = market.time_grid.at(market.clock.now())
    quotes = market.pricer.quotes(rows, moment)
    table = market.listing.rows.ticks[rows]
    assert (quotes.bid < quotes.ask).all()
    assert (quotes.bid >= 0).all()
    assert 0.02 < (quotes.bid == 0).mean() < 0.2
    for side in (quotes.bid, quotes.ask):
        assert (side % market.listing.ticks.tick_at(table, side) == 0).all()

    levels = market.pricer.levels(rows, market.pricer.units(rows, moment))
    at = np.full(len(rows), moment.now)
    volatility = market.pricer.volatility(rows, at, levels)
    worth = market.pricer.options(rows, at, levels, volatility)
    for greek in (worth.price, worth.delta, worth.gamma, worth.theta, worth.vega, worth.rho):
        assert np.isfinite(greek).all()

    sign = market.listing.rows.sign[rows]
    assert (worth.delta * sign >= 0).all()
    assert (np.abs(worth.delta) <= 1 + 1e-12).all()
    assert (worth.gamma >= 0).all()
    assert (worth.vega >= 0).all()


@pytest.mark.parametrize(
    ("symbol", "below", "above"),
    [
        ("SPY   261218C00687000", PENNY, PENNY),
        ("AAPL  261218C00275000", PENNY, NICKEL),
        ("LLY   261218C01000000", NICKEL, DIME),
        ("SPXW  261127C06870000", NICKEL, DIME),
        ("./ZBH7 OZBF7 261224C117", Decimal("0.015625"), Decimal("0.015625")),
    ],
)
def test_option_ticks_change_at_three_dollars(symbol: str, below: Decimal, above: Decimal) -> None:
    market, _ = new_market()
    option = market.find(symbol)
    assert option is not None
    assert option.tick_at(Decimal("2.99")) == below
    assert option.tick_at(Decimal("3.00")) == above
    assert option.tick_at(Decimal(-5)) == above  # a debit
    assert option.is_on_tick(Decimal(5))
    assert not option.is_on_tick(Decimal("5.001"))


def test_stocks_below_a_dollar_have_a_finer_tick() -> None:
    market, _ = new_market()
    stock = market.find("ZBZZT")
    assert stock is not None
    assert stock.tick_at(Decimal("0.45")) == Decimal("0.0001")
    assert stock.tick_at(Decimal("1.00")) == PENNY
    seen = market.quote(stock)
    assert seen.ask is not None
    assert seen.ask < 1


def test_the_symbols_that_misbehave_on_purpose() -> None:
    market, clock = new_market()
    vix = quote(market, "VIX")
    assert (vix.bid, vix.ask) == (None, None)
    assert vix.last > 5
    assert market.event("Quote", "VIX") is None
    assert market.event("Trade", "VIX") is not None
    spx = market.event("Quote", "SPX")
    assert spx is not None
    assert (spx["bidSize"], spx["askSize"]) == ("NaN", "NaN")
    assert spx["bidPrice"] < spx["askPrice"]
    assert quote(market, "SPX").bid_size == 0
    crossed = quote(market, "ZVZZT")
    assert crossed.bid > crossed.ask
    unsized = market.event("Quote", "ZXZZT")
    assert unsized is not None
    assert unsized["bidSize"] == "NaN"
    unbid = market.event("Quote", "ZJZZT")
    assert unbid is not None
    assert unbid["bidPrice"] == "NaN"
    assert unbid["askPrice"] > 0
    halted = market.find("ZWZZT")
    assert halted is not None
    before = market.quote(halted)
    clock.forward(minutes=10)
    after = market.quote(halted)
    assert (before.bid, before.ask) == (after.bid, after.ask)
    assert not market.is_open(halted)
    profile = market.event("Profile", "ZWZZT")
    assert profile is not None
    assert profile["tradingStatus"] == "HALTED"
    assert 0 < profile["haltStartTime"] < clock.now().timestamp() * 1000
    closing = market.find("ZCZZT")
    assert closing is not None
    assert closing.is_closing_only


def test_quote_event_and_column_say_the_same() -> None:
    market, clock = new_market()
    symbols = ["SPY", "SPY   261218P00685000", "/ESZ6", "/ZBZ6", "BTC/USD", "ZBZZT", "DOGE/USD"]
    for _ in range(20):
        clock.forward(milliseconds=100)
        for symbol in symbols:
            instrument = market.find(symbol)
            assert instrument is not None
            seen = market.quote(instrument)
            event = market.event("Quote", instrument.streamer_symbol)
            assert event is not None
            assert Decimal(repr(event["bidPrice"])) == seen.bid
            assert Decimal(repr(event["askPrice"])) == seen.ask
            trade = market.event("Trade", instrument.streamer_symbol)
            assert trade is not None
            assert Decimal(repr(trade["price"])) == seen.last


def test_the_market_moves_with_every_tick_and_not_between() -> None:
    market, clock = new_market()
    handles = market.resolve_symbols("Quote", ["SPY", "QQQ", "AAPL", "/ESZ26:XCME"])
    fields = ("eventSymbol", "bidPrice", "askPrice", "bidSize", "askSize")
    first = market.columns("Quote", handles, fields)
    clock.forward(milliseconds=60)
    assert market.columns("Quote", handles, fields) == first
    moved = 0
    for _ in range(50):
        clock.forward(milliseconds=100)
        now = market.columns("Quote", handles, fields)
        moved += now != first
        first = now

    assert moved > 40


def test_only_what_changed_since() -> None:
    market, clock = new_market()
    underlying = market.find("SPY")
    assert underlying is not None
    names = streamers(market, market.listing.chain(underlying)[:3])
    handles = market.resolve_symbols("Quote", names)
    fields = tuple(market.fields("Quote"))
    width = len(fields)
    ignored = {fields.index("bidTime"), fields.index("askTime")}
    before = market.columns("Quote", handles, fields)
    for _ in range(10):
        since = clock.now()
        clock.forward(milliseconds=100)
        changed = market.columns("Quote", handles, fields, since)
        after = market.columns("Quote", handles, fields)
        rows = [
            (before[at : at + width], after[at : at + width]) for at in range(0, len(after), width)
        ]
        expected = [
            new
            for old, new in rows
            if any(old[at] != new[at] for at in range(width) if at not in ignored)
        ]
        assert changed == [value for row in expected for value in row]
        assert 0 < len(expected) < len(rows)
        before = after


@pytest.mark.parametrize("event_type", ["Trade", "TimeAndSale"])
def test_news_of_trades_are_those_of_the_rows_that_traded(event_type: str) -> None:
    market, clock = new_market()
    names = ["SPY", "AAPL", "VIX", "/ESZ26:XCME", ".SPY261218P685", ".AAPL261218C300"]
    handles = market.resolve_symbols(event_type, names)
    fields = ("eventSymbol", *(set(market.fields(event_type)) - {"eventSymbol"}))

    def events(since: datetime | None) -> dict[str, list[Any]]:
        flat = market.columns(event_type, handles, fields, since)
        rows = [flat[at : at + len(fields)] for at in range(0, len(flat), len(fields))]
        return {row[0]: row for row in rows}

    before, seen = events(None), 0
    for _ in range(50):
        since = clock.now()
        clock.forward(seconds=0.1)
        after = events(None)
        news = events(since)
        assert news == {name: row for name, row in after.items() if row != before[name]}
        before, seen = after, seen + len(news)
    assert 25 < seen < 50 * len(names) / 2


def test_since_may_be_any_instant() -> None:
    market, clock = new_market()
    handles = market.resolve_symbols("Trade", ["SPY", "AAPL", "VIX"])
    start = clock.now()
    clock.forward(minutes=1)
    everything = market.columns("Trade", handles, ("eventSymbol",), start)
    assert everything == ["SPY", "AAPL", "VIX"]
    assert market.columns("Trade", handles, ("eventSymbol",), clock.now()) == []


def test_handles_name_what_they_do_not_know() -> None:
    market, _ = new_market()
    handles = market.resolve_symbols("Greeks", ["SPY", ".SPY261218P685", "NOPE", ".SPY261218P685"])
    assert handles.symbols == (".SPY261218P685",)
    assert handles.unknown == ("SPY", "NOPE")
    assert market.resolve_symbols("Order", ["SPY"]).symbols == ()
    assert market.resolve_symbols("Quote", ["VIX", "SPX"]).unknown == ("VIX",)


def test_expired_contracts_have_no_events() -> None:
    market, clock = new_market()
    name = ".SPY261120P687"
    kinds = ("Quote", "Trade", "Greeks", "Summary", "Profile", "TheoPrice", "TimeAndSale")
    assert all(market.event(kind, name) for kind in kinds)
    clock.forward(hours=5)
    assert not any(market.event(kind, name) for kind in kinds)
    expired = market.find_streamer(name)
    assert expired is not None
    seen = market.quote(expired)
    assert (seen.bid, seen.ask) == (None, None)


@pytest.mark.parametrize(
    "event_type",
    ["Quote", "Trade", "Summary", "Profile", "Greeks", "TheoPrice", "Underlying", "TimeAndSale"],
)
def test_events_have_their_fields_in_their_kinds(event_type: str) -> None:
    market, _ = new_market()
    kinds = {"text": str, "int": int, "double": float, "bool": bool}
    name = ".SPY261218P685" if event_type in {"Greeks", "TheoPrice"} else "AAPL"
    event = market.event(event_type, name)
    assert event is not None
    assert list(event) == list(market.fields(event_type))
    assert event["eventSymbol"] == name
    for field, kind in market.fields(event_type).items():
        value = event[field]
        if value is None:
            assert field in {"buyer", "seller", "statusReason"}
        elif value != "NaN":
            assert type(value) is kinds[kind], (field, value)
            assert kind != "double" or math.isfinite(value)


def test_fields_come_in_the_order_asked_for() -> None:
    market, _ = new_market()
    handles = market.resolve_symbols("Quote", ["SPY", "AAPL"])
    flat = market.columns("Quote", handles, ("askPrice", "eventType", "nonsense", "eventSymbol"))
    assert flat[1::4] == ["Quote", "Quote"]
    assert flat[2::4] == [None, None]
    assert flat[3::4] == ["SPY", "AAPL"]


def test_a_row_of_trades() -> None:
    market, clock = new_market()
    times, prices, volumes = [], [], []
    for _ in range(200):
        clock.forward(milliseconds=100)
        trade = market.event("Trade", "SPY")
        assert trade is not None
        times.append(trade["time"])
        prices.append(trade["price"])
        volumes.append(trade["dayVolume"])
        assert trade["time"] <= clock.now().timestamp() * 1000
        assert trade["tickDirection"] in {"UP", "DOWN", "ZERO"}

    assert times == sorted(times)
    assert volumes == sorted(volumes)
    assert 20 < len(set(times)) < 200
    assert len(set(prices)) > 5
