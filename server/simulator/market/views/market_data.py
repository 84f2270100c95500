"""`/market-data`: what is known of a price without a stream, in the broker's JSON.

A key whose value does not exist is missing: an index without a market has no `bid`, an option no
`dividend-amount`. Sizes are always there.
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
from server.simulator.market.time_grid import milliseconds
from server.simulator.market.views.decimals import stamp, text


def market_data_json(
    market: Market, instruments: Sequence[Instrument], types: Sequence[str]
) -> list[dict[str, Any]]:
    """Writes the market of each instrument, under the type that it was asked for with."""
    if not instruments:
        return []

    now = market.clock.now()
    moment = market.moments.at(now)
    rows = np.array([instrument.row for instrument in instruments])
    summaries = market.days.summaries(rows, moment)
    low, high = market.days.year(rows, moment)
    units = market.pricer.units(rows, moment)
    volumes = market.pricer.volume(rows, units, moment)
    flags = market.listing.rows.flags[rows]
    halts = np.where(flags & Flag.HALTED, milliseconds(units), -1).tolist()
    days = [moment.days[at] for at in market.listing.rows.collection[rows].tolist()]
    return [
        _one(
            instrument,
            instrument_type,
            quote,
            day={
                "summary-date": day.day.isoformat(),
                "prev-close-date": day.before.isoformat(),
                "updated-at": stamp(now),
            },
            prices={
                "day-high-price": summaries.high[at],
                "day-low-price": summaries.low[at],
                "open": summaries.open[at],
                "prev-close": summaries.before[at],
                "year-high-price": high[at],
                "year-low-price": low[at],
            },
            volume=float(volumes[at]),
            interest=int(summaries.interest[at]),
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
    known = {name: text(int(micro) / MICRO) for name, micro in prices.items() if micro > 0}
    if instrument.is_option:
        known = {name: value for name, value in known.items() if not name.startswith("year-")}

    body: dict[str, Any] = {
        **day,
        **known,
        "ask-size": text(quote.ask_size),
        "bid-size": text(quote.bid_size),
        "close-price-type": "Regular",
        "halt-end-time": -1,
        "halt-start-time": halt,
        "instrument-type": instrument_type,
        "is-trading-halted": instrument.is_halted,
        "prev-close-price-type": "Regular" if index else "Final",
        "symbol": instrument.symbol,
    }
    sides = {"ask": quote.ask, "bid": quote.bid, "mid": quote.mid, "mark": quote.mark}
    body |= {name: text(price) for name, price in sides.items() if price is not None}
    if quote.last is not None:
        body |= {"last": text(quote.last), "last-mkt": text(quote.last)}

    if not index:
        body |= {"volume": text(volume), "volume-ext": text(float(int(volume * 0.02)))}

    if instrument.expires_at is not None:
        body["open-interest"] = text(float(interest))

    if stock is not None:
        body["beta"] = text(stock.beta)
        if stock.dividend and not index:
            body |= {"dividend-amount": text(stock.dividend), "dividend-frequency": "4.0"}

        if not index:
            before = int(prices["prev-close"]) / MICRO
            body["high-limit-price"] = text(round(before * 1.05, 2))
            body["low-limit-price"] = text(round(before * 0.95, 2))

    return dict(sorted(body.items()))
