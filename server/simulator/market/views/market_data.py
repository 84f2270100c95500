"""Renders `/market-data`: current prices without a stream.

A key without a value is missing: an index without a market has no `bid`, an option no
`dividend-amount`. Sizes are always present.
"""

from __future__ import annotations

__all__ = ["market_data_json"]

from collections.abc import Sequence
from typing import Any

import numpy as np

from server.simulator.market.instrument import Instrument, Quote
from server.simulator.market.market import Market
from server.simulator.market.rows import Flag
from server.simulator.market.stocks import STOCKS
from server.simulator.market.ticks import MICRO
from server.simulator.market.time_grid import to_milliseconds
from server.simulator.market.views.decimals import format_decimal, format_zulu


def market_data_json(
    market: Market, instruments: Sequence[Instrument], types: Sequence[str]
) -> list[dict[str, Any]]:
    """Renders the market of each instrument, under the type that it was asked for with."""
    if not instruments:
        return []

    now = market.clock.now()
    market_time = market.time_grid.at(now)
    rows = np.array([instrument.row for instrument in instruments])
    summaries = market.summaries.summarize(rows, market_time)
    low, high = market.summaries.year_range(rows, market_time)
    units = market.pricer.units(rows, market_time)
    volumes = market.pricer.volume(rows, units, market_time)
    flags = market.listing.rows.flags[rows]
    halts = np.where(flags & Flag.HALTED, to_milliseconds(units), -1).tolist()
    days = [market_time.days[at] for at in market.listing.rows.collection[rows].tolist()]
    return [
        _one(
            instrument,
            instrument_type,
            quote,
            day={
                "summary-date": day.day.isoformat(),
                "prev-close-date": day.previous_day.isoformat(),
                "updated-at": format_zulu(now),
            },
            prices={
                "day-high-price": summaries.high[at],
                "day-low-price": summaries.low[at],
                "open": summaries.open[at],
                "prev-close": summaries.previous_close[at],
                "year-high-price": high[at],
                "year-low-price": low[at],
            },
            volume=float(volumes[at]),
            interest=int(summaries.open_interest[at]),
            halt=halts[at],
        )
        for at, (instrument, instrument_type, quote, day) in enumerate(
            zip(instruments, types, market.quotes(instruments), days, strict=True)
        )
    ]


def _one(
    instrument: Instrument,
    instrument_type: str,
    quote: Quote,
    *,
    day: dict[str, str],
    prices: dict[str, Any],
    volume: float,
    interest: int,
    halt: int,
) -> dict[str, Any]:
    stock = STOCKS.get(instrument.symbol)
    index = instrument.is_index
    known = {
        name: format_decimal(int(micro) / MICRO) for name, micro in prices.items() if micro > 0
    }
    if instrument.is_option:
        known = {name: value for name, value in known.items() if not name.startswith("year-")}

    body: dict[str, Any] = {
        **day,
        **known,
        "ask-size": format_decimal(quote.ask_size),
        "bid-size": format_decimal(quote.bid_size),
        "close-price-type": "Regular",
        "halt-end-time": -1,
        "halt-start-time": halt,
        "instrument-type": instrument_type,
        "is-trading-halted": instrument.is_halted,
        "prev-close-price-type": "Regular" if index else "Final",
        "symbol": instrument.symbol,
    }
    sides = {"ask": quote.ask, "bid": quote.bid, "mid": quote.mid, "mark": quote.mark}
    body |= {name: format_decimal(price) for name, price in sides.items() if price is not None}
    if quote.last is not None:
        body |= {"last": format_decimal(quote.last), "last-mkt": format_decimal(quote.last)}

    if not index:
        body |= {
            "volume": format_decimal(volume),
            "volume-ext": format_decimal(float(int(volume * 0.02))),
        }

    if instrument.expires_at is not None:
        body["open-interest"] = format_decimal(float(interest))

    if stock is not None:
        body["beta"] = format_decimal(stock.beta)
        if stock.dividend and not index:
            body |= {"dividend-amount": format_decimal(stock.dividend), "dividend-frequency": "4.0"}

        if not index:
            before = int(prices["prev-close"]) / MICRO
            body["high-limit-price"] = format_decimal(round(before * 1.05, 2))
            body["low-limit-price"] = format_decimal(round(before * 0.95, 2))

    return dict(sorted(body.items()))
