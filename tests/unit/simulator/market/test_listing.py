"""Tests that listed instruments are found under both names, until they expire."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from server.simulator.market.expirations import (
    list_future_option_expirations,
    list_stock_option_expirations,
)
from server.simulator.market.futures import list_contracts
from server.simulator.market.product_table import PRODUCTS
from server.simulator.market.stocks import STOCKS
from server.simulator.market.strikes import build_stock_ladder
from tests.unit.simulator.market.markets import new_market

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("symbol", "streamer", "kind", "underlying", "multiplier"),
    [
        ("SPY", "SPY", "Equity", "SPY", 1),
        ("BRK/B", "BRK/B", "Equity", "BRK/B", 1),
        ("VIX", "VIX", "Index", "VIX", 1),
        ("SPY   261218P00685000", ".SPY261218P685", "Equity Option", "SPY", 100),
        ("BRKB  261218C00500000", ".BRKB261218C500", "Equity Option", "BRK/B", 100),
        ("SPXW  261127C06870000", ".SPXW261127C6870", "Equity Option", "SPX", 100),
        ("SPX   261218C06870000", ".SPX261218C6870", "Equity Option", "SPX", 100),
        ("F     261218C00012500", ".F261218C12.5", "Equity Option", "F", 100),
        ("/ESZ6", "/ESZ26:XCME", "Future", "/ESZ6", 50),
        ("/CLF7", "/CLF27:XNYM", "Future", "/CLF7", 1000),
        ("/VXZ6", "/VXZ26:XCBF", "Future", "/VXZ6", 1000),
        ("./ESZ6 EW4X6 261127C6800", "./EW4X26C6800:XCME", "Future Option", "/ESZ6", 50),
        ("./ESZ6 ESZ6  261218P6300", "./ESZ26P6300:XCME", "Future Option", "/ESZ6", 50),
        ("./ESH7 EW3Z6 261218P6300", "./EW3Z26P6300:XCME", "Future Option", "/ESH7", 50),
        ("./CLF7 LO4X6 261127C62.5", "./LO4X26C62.5:XNYM", "Future Option", "/CLF7", 1000),
        ("BTC/USD", "BTC/USD:CXTALP", "Cryptocurrency", "BTC/USD", 1),
        ("NKLAW", "NKLAW", "Warrant", "NKLAW", 1),
    ],
)
def test_both_names_lead_to_the_same_instrument(
    symbol: str, streamer: str, kind: str, underlying: str, multiplier: int
) -> None:
    market, _ = new_market()
    found = market.find(symbol)
    assert found is not None
    assert (found.symbol, found.streamer_symbol) == (symbol, streamer)
    assert (found.instrument_type, found.underlying_symbol) == (kind, underlying)
    assert found.multiplier == multiplier
    assert market.find_streamer(streamer) is found


@pytest.mark.parametrize(
    "symbol",
    [
        "",
        "NOPE",
        "spy",
        "SPY   261218P00685500",  # no such strike
        "SPY   261219P00685000",  # a Saturday
        "SPY   261332P00685000",  # no date at all
        "SPY 261218P00685000",  # not padded
        ".SPY261218P685",  # the other language
        "BRK/B 261218C00500000",  # the root of its options is BRKB
        "SPX   261127C06870000",  # Fridays are SPXW's
        "/ES",
        "/ESZ26",
        "/ESG7",  # not a delivery month
        "/ESZ6 ",
        "./ESH7 EW4X6 261127C6800",  # that week is on the December contract
        "./ESZ6 EW5X6 261127C6800",
        "BTC",
    ],
)
def test_what_does_not_exist_is_not_found(symbol: str) -> None:
    market, _ = new_market()
    assert market.find(symbol) is None


def test_streamer_names_are_not_mistaken_for_each_other() -> None:
    market, _ = new_market()
    half = market.find_streamer(".F261218C12.5")
    assert half is not None
    assert half.strike_price == Decimal("12.5")
    assert market.find_streamer(".F261218C12.05") is None
    assert market.find_streamer("SPY   261218P00685000") is None
    assert market.find_streamer("/ESZ26:XNYM") is None


def test_settlement_in_the_morning_and_in_the_afternoon() -> None:
    market, _ = new_market()
    morning, afternoon = market.find("SPX   261218C06870000"), market.find("SPXW  261218C06870000")
    assert morning is not None
    assert afternoon is not None
    assert (morning.settlement, afternoon.settlement) == ("AM", "PM")
    assert morning.expires_at == datetime(2026, 12, 18, 14, 30, tzinfo=UTC)
    assert morning.stops_trading_at == datetime(2026, 12, 17, 21, 0, tzinfo=UTC)
    assert afternoon.expires_at == afternoon.stops_trading_at
    assert afternoon.expires_at == datetime(2026, 12, 18, 21, 0, tzinfo=UTC)
    assert (morning.expiration_type, afternoon.expiration_type) == ("Regular", "Weekly")
    assert (morning.exercise_style, afternoon.exercise_style) == ("European", "European")


def test_options_end_early_on_a_half_day() -> None:
    market, _ = new_market()
    option = market.find("AAPL  261127C00275000")
    assert option is not None
    assert option.expires_at == datetime(2026, 11, 27, 18, 0, tzinfo=UTC)


def test_expired_contracts_are_still_known_but_listed_no_more() -> None:
    market, clock = new_market()
    weekly = market.find("SPY   261120C00687000")
    assert weekly is not None
    clock.forward(days=3)
    assert market.find("SPY   261120C00687000") is weekly
    fresh, _ = new_market(clock.now())
    again = fresh.find("SPY   261120C00687000")
    assert again is not None
    assert (again.symbol, again.expires_at) == (weekly.symbol, weekly.expires_at)
    assert not fresh.is_open(again)
    spy = fresh.find("SPY")
    assert spy is not None
    assert all(block.expiration.day > TODAY for block in fresh.listing.chain(spy))


def test_the_chain_turns_over_at_the_close() -> None:
    market, clock = new_market()
    spy = market.find("SPY")
    assert spy is not None
    assert market.listing.chain(spy)[0].expiration.day == TODAY
    clock.forward(hours=4)
    assert market.listing.chain(spy)[0].expiration.day == date(2026, 11, 23)


def test_the_strikes_of_the_guide_exist() -> None:
    for symbol, strikes in {
        "SPY": (685, 690, 695),
        "AAPL": (150,),
        "TSLA": (240, 245, 250),
    }.items():
        assert set(strikes) <= set(build_stock_ladder(symbol, symbol).tolist())


def test_the_whole_year_round() -> None:
    """SPX has more than 20,000 contracts every day, and nothing is delisted before it expires."""
    listed: dict[str, set[tuple[str, date]]] = {}
    for number in range(366):
        day = TODAY + timedelta(days=number)
        blocks = list_stock_option_expirations("SPX", day)
        assert sum(2 * len(build_stock_ladder("SPX", block.root)) for block in blocks) > 20_000
        names = ("SPX", "VIX", "SPY", "AAPL", "DIS", "WEN")
        chains = {name: list_stock_option_expirations(name, day) for name in names}
        chains |= {
            code: list_future_option_expirations(PRODUCTS[code], day)
            for code in ("ES", "NQ", "CL", "GC", "ZB")
        }
        for name, chain in chains.items():
            keys = [(item.root, item.day) for item in chain]
            assert len(keys) == len(set(keys))
            lost = listed.get(name, set()) - set(keys)
            assert all(expired <= day for _, expired in lost), (name, day, lost)
            listed[name] = set(keys)


def test_monthlies_weeklies_and_quarterlies() -> None:
    kinds = {item.day: item.kind for item in list_stock_option_expirations("SPY", TODAY)}
    assert kinds[date(2026, 11, 23)] == "Weekly"
    assert kinds[date(2026, 12, 18)] == "Regular"
    assert kinds[date(2026, 12, 31)] == "Quarterly"
    assert kinds[date(2027, 6, 17)] == "Regular"  # the Friday is a holiday
    roots = {item.root for item in list_stock_option_expirations("VIX", TODAY)}
    assert roots == {"VIX", "VIXW"}
    assert all(item.day.weekday() == 2 for item in list_stock_option_expirations("VIX", TODAY))


def test_futures_expire_when_the_exchange_says() -> None:
    ends = {
        code: list_contracts(PRODUCTS[code], date(2026, 6, 1))[0].expiration
        for code in ("ES", "CL", "GC", "ZB", "6E", "VX")
    }
    assert ends == {
        "ES": date(2026, 6, 18),  # the third Friday is Juneteenth
        "CL": date(2026, 6, 22),  # July's: three business days before the 25th of June
        "GC": date(2026, 6, 26),
        "ZB": date(2026, 6, 18),
        "6E": date(2026, 6, 15),
        "VX": date(2026, 6, 17),
    }
    assert all(
        product.listed == len(list_contracts(product, TODAY)) for product in PRODUCTS.values()
    )


def test_enough_underlyings_of_every_kind() -> None:
    kinds = [stock.kind for stock in STOCKS.values()]
    assert kinds.count("stock") >= 40
    assert kinds.count("etf") >= 10
    assert {"SPX", "VIX", "NDX", "RUT"} <= STOCKS.keys()
    assert {"ES", "NQ", "CL", "GC", "ZB"} <= PRODUCTS.keys()
