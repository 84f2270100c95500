"""Makes rows and descriptions of stocks, indices, cryptocurrencies, warrants, pairs and futures.

An index has the type `Index` here, although the broker's REST API lists it among the equities.
"""

from __future__ import annotations

__all__ = ["EQUITY_TICKS", "OPTION_TICKS", "add_future", "load_underlyings"]

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np

from server.simulator.market.futures import FutureContract
from server.simulator.market.instrument import Instrument, TickSize
from server.simulator.market.other_instruments import (
    CRYPTOCURRENCIES,
    CURRENCY_PAIRS,
    WARRANTS,
    Cryptocurrency,
    CurrencyPair,
    Warrant,
)
from server.simulator.market.price_series import RATE, PriceSeries, derive_seed
from server.simulator.market.rows import COLLECTIONS, NEVER, QUIRK_FLAGS, Flag, Rows
from server.simulator.market.stocks import STOCKS, VIX, Quirk, Stock
from server.simulator.market.ticks import TickTables


def _make_tick_table(*rows: tuple[str | None, str]) -> tuple[TickSize, ...]:
    return tuple(
        TickSize(value=Decimal(value), threshold=None if below is None else Decimal(below))
        for below, value in rows
    )


EQUITY_TICKS = _make_tick_table(("1.0", "0.0001"), (None, "0.01"))
INDEX_TICKS = _make_tick_table((None, "0.01"))
PAIR_TICKS = _make_tick_table((None, "0.00001"))

OPTION_TICKS = {
    "all-penny": _make_tick_table((None, "0.01")),
    "penny": _make_tick_table(("3.0", "0.01"), (None, "0.05")),
    "nickel": _make_tick_table(("3.0", "0.05"), (None, "0.1")),
}
"""Tick tables of options, by the exchange's program for their class."""


def load_underlyings(
    rows: Rows, ticks: TickTables, series: PriceSeries, seed: int
) -> Iterator[Instrument]:
    """Adds a row for every underlying except futures, and yields its description."""
    for stock in STOCKS.values():
        first = _add_row(
            rows,
            series=series.index[stock.symbol],
            ticks=ticks.register(_find_stock_ticks(stock)),
            seed=derive_seed(seed, "row", stock.symbol),
            flags=_find_flags(stock),
            spread=2e-4 if stock.kind == "index" else _estimate_half_spread(stock.volume),
            size=np.clip(400 * np.sqrt(20 / stock.price), 40, 4000),
            trades=(150 if stock.symbol == VIX else 10)
            if stock.kind == "index"
            else int(np.clip(400 / (stock.volume + 1), 3, 600)),
            volume=stock.volume * 1e6,
        )
        yield _describe_stock(stock, first)

    for coin in CRYPTOCURRENCIES.values():
        first = _add_row(
            rows,
            series=series.index[coin.symbol],
            collection=COLLECTIONS.index("Always"),
            ticks=ticks.register(_make_tick_table((None, str(coin.tick)))),
            seed=derive_seed(seed, "row", coin.symbol),
            flags=Flag.FRACTIONAL,
            spread=4e-4,
            size=20_000 / coin.price,
            trades=15,
            volume=coin.volume,
        )
        yield _describe_cryptocurrency(coin, first)

    for warrant in WARRANTS.values():
        first = _add_row(
            rows,
            series=series.index[warrant.symbol],
            ticks=ticks.register(EQUITY_TICKS),
            seed=derive_seed(seed, "row", warrant.symbol),
            spread=0.01,
            size=500,
            trades=1200,
            volume=40_000,
        )
        yield _describe_warrant(warrant, first)

    for pair in CURRENCY_PAIRS.values():
        first = _add_row(
            rows,
            series=series.index[pair.symbol],
            collection=COLLECTIONS.index("Always"),
            ticks=ticks.register(PAIR_TICKS),
            seed=derive_seed(seed, "row", pair.symbol),
            spread=3e-5,
            size=1_000_000,
            trades=10,
            volume=1e9,
        )
        yield _describe_currency_pair(pair, first)


def add_future(
    rows: Rows,
    ticks: TickTables,
    series: PriceSeries,
    seed: int,
    contract: FutureContract,
    active: FutureContract,
) -> Instrument:
    """Adds a row for a future; contracts later than the active one trade less."""
    product = contract.product
    which = series.product(product)
    behind = (contract.year - active.year) * 12 + contract.month - active.month
    share = float(np.exp(-max(behind, 0) / 2))
    carry = product.carry
    if product.leader and product.leader != VIX:
        carry = RATE - series.dividend_yield[series.index[product.leader]]

    row = _add_row(
        rows,
        series=which,
        collection=COLLECTIONS.index("CFE" if product.exchange == "CFE" else "CME"),
        expires=contract.expires_at.timestamp(),
        delivers=contract.expires_at.timestamp(),
        # Volatility futures cost more the later they expire.
        carry=0.12 if product.leader == VIX else carry,
        ticks=ticks.register(product.tick_sizes),
        seed=derive_seed(seed, "row", contract.streamer_symbol),
        spread=1e-6,
        size=40,
        trades=int(np.clip(3 / share, 3, 3000)),
        volume=product.volume * 1000 * share,
    )
    return Instrument(
        symbol=contract.symbol,
        streamer_symbol=contract.streamer_symbol,
        instrument_type="Future",
        description=f"{product.description} {contract.expiration:%b %Y}",
        underlying_symbol=contract.symbol,
        multiplier=product.multiplier,
        tick_sizes=product.tick_sizes,
        row=row,
        exchange=product.exchange,
        product_code=product.code,
        root_symbol=product.root,
        expiration_date=contract.expiration,
        expires_at=contract.expires_at,
        stops_trading_at=contract.expires_at,
    )


def _add_row(rows: Rows, **given: Any) -> int:
    usual = {
        "collection": COLLECTIONS.index("Equity"),
        "sign": 0.0,
        "strike": 0.0,
        "expires": NEVER,
        "delivers": np.nan,
        "carry": 0.0,
        "flags": 0,
    }
    return rows.add(1, **{**usual, **given})


def _find_flags(stock: Stock) -> Flag:
    quirk = QUIRK_FLAGS[stock.quirk] if stock.quirk else Flag(0)
    return quirk | Flag.INDEX if stock.kind == "index" else quirk


def _estimate_half_spread(volume: float) -> float:
    return float(np.clip(6e-6 * np.sqrt(50 / (volume + 0.01)), 2e-6, 2e-3))


def _find_stock_ticks(stock: Stock) -> tuple[TickSize, ...]:
    return INDEX_TICKS if stock.kind == "index" else EQUITY_TICKS


def _describe_stock(stock: Stock, row: int) -> Instrument:
    index = stock.kind == "index"
    return Instrument(
        symbol=stock.symbol,
        streamer_symbol=stock.symbol,
        instrument_type="Index" if index else "Equity",
        description=stock.name,
        underlying_symbol=stock.symbol,
        multiplier=Decimal(1),
        tick_sizes=_find_stock_ticks(stock),
        row=row,
        exchange=stock.market,
        root_symbol=stock.symbol.replace("/", ""),
        is_index=index,
        is_etf=stock.kind == "etf",
        is_tradeable=not index,
        is_closing_only=stock.quirk is Quirk.CLOSING_ONLY,
        is_halted=stock.quirk is Quirk.HALTED,
        is_fractional=stock.kind != "index" and stock.sector != "Test",
        quantity_precision=0 if index or stock.sector == "Test" else 5,
        lendability="Locate Required" if stock.symbol in {"GME", "ZBZZT"} else "Easy To Borrow",
    )


def _describe_cryptocurrency(coin: Cryptocurrency, row: int) -> Instrument:
    return Instrument(
        symbol=coin.symbol,
        streamer_symbol=coin.streamer_symbol,
        instrument_type="Cryptocurrency",
        description=f"{coin.name} to USD",
        underlying_symbol=coin.symbol,
        multiplier=Decimal(1),
        tick_sizes=(TickSize(value=coin.tick),),
        row=row,
        is_fractional=True,
        quantity_precision=coin.precision,
    )


def _describe_warrant(warrant: Warrant, row: int) -> Instrument:
    return Instrument(
        symbol=warrant.symbol,
        streamer_symbol=warrant.symbol,
        instrument_type="Warrant",
        description=warrant.name,
        underlying_symbol=warrant.symbol,
        multiplier=Decimal(1),
        tick_sizes=EQUITY_TICKS,
        row=row,
        exchange=warrant.market,
        is_closing_only=True,
    )


def _describe_currency_pair(pair: CurrencyPair, row: int) -> Instrument:
    return Instrument(
        symbol=pair.symbol,
        streamer_symbol=pair.symbol,
        instrument_type="Currency Pair",
        description=pair.name,
        underlying_symbol=pair.symbol,
        multiplier=Decimal(1),
        tick_sizes=PAIR_TICKS,
        row=row,
        is_tradeable=False,
    )
