"""Makes rows, descriptions and symbols of options.

Most contracts trade rarely. How often one trades, and how wide its quote is, depends on its
distance to the money and its time to expiration.
"""

from __future__ import annotations

__all__ = ["describe_option", "find_option_ticks", "make_option_columns"]

from decimal import Decimal
from typing import Any

import numpy as np

from server.simulator.market import symbols
from server.simulator.market.brownian import Floats
from server.simulator.market.expiration_block import ExpirationBlock
from server.simulator.market.expirations import Expiration
from server.simulator.market.instrument import Instrument, TickSize
from server.simulator.market.price_series import derive_seed
from server.simulator.market.product_table import PRODUCTS
from server.simulator.market.rows import COLLECTIONS, Flag, option_seeds
from server.simulator.market.stocks import STOCKS
from server.simulator.market.strikes import format_strike
from server.simulator.market.ticks import TickTables
from server.simulator.market.underlyings import OPTION_TICKS

_WIDTH = {"daily": 1.0, "thrice": 1.5, "weekly": 3.0, "monthly": 6.0, "none": 6.0}


def find_option_ticks(underlying: Instrument) -> tuple[TickSize, ...]:
    """Returns the tick table of the options on an equity, an index or a future."""
    if underlying.instrument_type == "Future":
        return PRODUCTS[underlying.product_code].option_tick_sizes

    return OPTION_TICKS[STOCKS[underlying.symbol].ticks]


def make_option_columns(
    underlying: Instrument,
    expiration: Expiration,
    strikes: Floats,
    *,
    base: float,
    volatility: float,
    ticks: TickTables,
    seed: int,
) -> dict[str, Any]:
    """Returns a block's columns except `series` and `carry`: each call, then its put."""
    both = np.repeat(strikes, 2)
    signs = np.tile([1.0, -1.0], len(strikes))
    expires = expiration.expires_at.timestamp()
    on_future = expiration.underlying is not None
    flags = Flag.ON_FUTURE | Flag.AMERICAN if on_future else Flag(0)
    width, collection, volume = 1.5, "CME", 3000.0
    if not on_future:
        stock = STOCKS[underlying.symbol]
        flags = Flag(0) if stock.kind == "index" else Flag.AMERICAN
        width, collection = _WIDTH[stock.cycle], "Equity"
        volume = 12_000.0 if stock.kind == "index" else 200 * stock.volume

    distance = np.abs(np.log(both / base)) / volatility
    busy = np.exp(-4 * distance) / width
    delivers = expires
    if expiration.underlying is not None:
        delivers = expiration.underlying.expires_at.timestamp()

    return {
        "collection": COLLECTIONS.index(collection),
        "sign": signs,
        "strike": both,
        "expires": expires,
        "delivers": delivers,
        "ticks": ticks.register(find_option_ticks(underlying)),
        "flags": flags,
        "spread": width,
        "size": np.clip(60 * np.sqrt(busy), 5, 60),
        # Powers of two, so that contracts which trade at the same time are priced together.
        "trades": 1 << np.clip(np.rint(np.log2(30 / busy)), 5, 18).astype(np.int64),
        "volume": np.maximum(volume * busy, 1.0),
        "seed": option_seeds(derive_seed(seed, "option", expiration.root), both, signs, expires),
    }


def describe_option(block: ExpirationBlock, row: int) -> Instrument:
    """Makes the instrument of one contract of a block."""
    place = row - block.first
    strike = float(block.strikes[place // 2])
    kind = "P" if place % 2 else "C"
    expiration, underlying = block.expiration, block.underlying
    future = expiration.underlying
    common: dict[str, Any] = {
        "underlying_symbol": underlying.symbol,
        "tick_sizes": find_option_ticks(underlying),
        "row": row,
        "root_symbol": expiration.root,
        "expiration_date": expiration.day,
        "expires_at": expiration.expires_at,
        "stops_trading_at": expiration.stops_trading_at,
        "strike_price": Decimal(format_strike(strike)),
        "option_type": kind,
        "settlement": expiration.settlement,
        "expiration_type": expiration.kind,
    }
    words = f"{expiration.day:%m/%d/%y} {'Call' if kind == 'C' else 'Put'} {format_strike(strike)}"
    if future is not None:
        return Instrument(
            symbol=format_future_option(expiration, kind, strike),
            streamer_symbol=format_future_option_streamer(expiration, kind, strike),
            instrument_type="Future Option",
            description=f"{underlying.symbol} {expiration.contract_code} {words}",
            multiplier=future.product.multiplier,
            exchange=future.product.exchange,
            product_code=future.product.code,
            exercise_style="American",
            **common,
        )

    stock = STOCKS[underlying.symbol]
    return Instrument(
        symbol=symbols.format_occ(expiration.root, expiration.day, kind, strike),
        streamer_symbol=symbols.format_streamer(expiration.root, expiration.day, kind, strike),
        instrument_type="Equity Option",
        description=f"{underlying.symbol} {words}",
        multiplier=Decimal(100),
        exercise_style="European" if stock.kind == "index" else "American",
        **common,
    )


def format_future_option(expiration: Expiration, kind: str, strike: float) -> str:
    """Formats `./ESZ6 EW4X6 261127C6800`: the code is padded to six characters."""
    future = expiration.underlying
    name = "" if future is None else future.exchange_symbol
    code = f"{expiration.contract_code:<6}"
    return f"./{name} {code}{expiration.day:%y%m%d}{kind}{format_strike(strike)}"


def format_future_option_streamer(expiration: Expiration, kind: str, strike: float) -> str:
    """Formats `./EW4X26C6800:XCME`: two digits of the year, the exchange at the end."""
    code, digit = expiration.contract_code[:-1], int(expiration.contract_code[-1])
    year = expiration.day.year
    year += (digit - year) % 10
    exchange = (
        "" if expiration.underlying is None else expiration.underlying.product.streamer_exchange
    )
    return f"./{code}{year % 100:02d}{kind}{format_strike(strike)}:{exchange}"
