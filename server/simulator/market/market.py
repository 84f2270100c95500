"""Offers the simulated market: finds instruments, and computes quotes, events and candles.

Prices are not stored: two simulators with the same seed show the same market at the same instant.
"""

from __future__ import annotations

__all__ = ["Market", "SymbolHandles"]

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt

from server.simulator.market.brownian import Ints
from server.simulator.market.calendar import TradingHours
from server.simulator.market.candles import Candles
from server.simulator.market.events import EventFactory
from server.simulator.market.fields import FIELDS, flatten
from server.simulator.market.instrument import Clock, Instrument, Quote
from server.simulator.market.listing import Listing
from server.simulator.market.pricer import Pricer
from server.simulator.market.rows import COLLECTIONS
from server.simulator.market.summaries import DaySummaries
from server.simulator.market.ticks import MICRO
from server.simulator.market.time_grid import MarketTime, TimeGrid

_TICK = timedelta(milliseconds=100)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SymbolHandles:
    """Holds the symbols of one event type, resolved once instead of at each round."""

    event_type: str
    symbols: tuple[str, ...]
    """Streamer symbols that the market knows, in the order given."""

    rows: npt.NDArray[np.int64]
    unknown: tuple[str, ...]
    """Symbols that will never have an event of this type."""

    last_columns: dict[bytes, dict[str, Any]] = field(default_factory=dict, repr=False)
    """Columns of the last round, for comparison with the next one."""


class Market:
    """Computes prices of all instruments at the clock's current time."""

    def __init__(
        self,
        *,
        seed: int,
        clock: Clock,
        always_open: bool = True,
        tick: timedelta = _TICK,
    ) -> None:
        self.seed = seed
        self.clock = clock
        self.hours = TradingHours(always_open=always_open)
        self.listing = Listing(seed, clock)
        self.time_grid = TimeGrid(self.hours, tick)
        self.pricer = Pricer(self.listing, self.time_grid)
        self.summaries = DaySummaries(self.pricer)
        self._events = EventFactory(self.listing, self.pricer, self.summaries)
        self._candles = Candles(self.pricer)
        self._last_trades: dict[int, tuple[int, int]] = {}
        """Number and price of the last trade seen, by row."""

    def find(self, symbol: str) -> Instrument | None:
        """Returns the instrument of a broker symbol, including expired contracts, or None."""
        row = self.listing.row(symbol)
        return None if row is None else self.listing.instrument(row)

    def find_streamer(self, streamer_symbol: str) -> Instrument | None:
        """Returns the instrument of a dxLink symbol, or None."""
        row = self.listing.streamer_row(streamer_symbol)
        return None if row is None else self.listing.instrument(row)

    def quote(self, instrument: Instrument) -> Quote:
        """Returns the current quote of an instrument: on its tick, bid below ask."""
        return self.quotes([instrument])[0]

    def quotes(self, instruments: Sequence[Instrument]) -> list[Quote]:
        """Returns the quotes of many instruments at one instant."""
        if not instruments:
            return []

        rows = np.array([instrument.row for instrument in instruments])
        now = self.clock.now()
        market_time = self.time_grid.at(now)
        quotes = self.pricer.quotes(rows, market_time)
        sizes = np.nan_to_num(np.stack([quotes.bid_size, quotes.ask_size]))
        return [
            Quote(
                bid=_to_decimal(bid),
                ask=_to_decimal(ask),
                bid_size=Decimal(str(bid_size)),
                ask_size=Decimal(str(ask_size)),
                last=_to_decimal(last),
                time=now,
            )
            for bid, ask, bid_size, ask_size, last in zip(
                quotes.bid.tolist(),
                quotes.ask.tolist(),
                *sizes.tolist(),
                self._last_prices(rows, market_time),
                strict=True,
            )
        ]

    def _last_prices(self, rows: Ints, market_time: MarketTime) -> list[int]:
        """Returns the prices of the last trades; computes each once per trade."""
        asked = list(
            zip(rows.tolist(), self.pricer.trade_numbers(rows, market_time).tolist(), strict=True)
        )
        new = [
            (row, number)
            for row, number in asked
            if self._last_trades.get(row, (-1, 0))[0] != number
        ]
        if new:
            which, numbers = np.array(new).T
            prices = self.pricer.trades(which, numbers).price.tolist()
            for (row, number), price in zip(new, prices, strict=True):
                self._last_trades[row] = (number, price)

        return [self._last_trades[row][1] for row, _ in asked]

    def closes(self, instruments: Sequence[Instrument]) -> list[Decimal | None]:
        """Returns the closes before the current session, as `Summary` has them."""
        if not instruments:
            return []

        rows = np.array([instrument.row for instrument in instruments])
        closes = self.summaries.closes(rows, self.time_grid.at(self.clock.now()))
        return [_to_decimal(close) for close in closes.tolist()]

    def is_open(self, instrument: Instrument) -> bool:
        """Tells whether an instrument trades now (with `always_open`: unless expired or halted)."""
        now = self.clock.now()
        if instrument.is_halted or not instrument.is_tradeable:
            return False

        if instrument.stops_trading_at is not None and now >= instrument.stops_trading_at:
            return False

        collection = COLLECTIONS[int(self.listing.rows.collection[instrument.row])]
        return collection == "Always" or self.hours.is_open(collection, now)

    def fields(self, event_type: str) -> Mapping[str, str]:
        """Returns the fields of an event type and their kinds: text, int, double or bool.

        An event type that dxFeed does not have has no fields.
        """
        return FIELDS.get(event_type, {})

    def event(self, event_type: str, streamer_symbol: str) -> dict[str, Any] | None:
        """Returns one event with dxFeed's field names, or None if there is none."""
        fields = tuple(self.fields(event_type))
        values = self.columns(
            event_type, self.resolve_symbols(event_type, [streamer_symbol]), fields
        )
        return dict(zip(fields, values, strict=True)) if values else None

    def resolve_symbols(self, event_type: str, symbols: Iterable[str]) -> SymbolHandles:
        """Resolves streamer symbols for `columns`."""
        asked = tuple(dict.fromkeys(symbols))
        # Row 0 is a placeholder for a symbol without a row; it is dropped below.
        found = [self.listing.streamer_row(symbol) for symbol in asked]
        rows = np.array([row or 0 for row in found], dtype=np.int64)
        known = self._events.can_have(event_type, rows)
        known &= np.array([row is not None for row in found], dtype=bool)
        return SymbolHandles(
            event_type=event_type,
            symbols=tuple(compress(asked, known)),
            rows=rows[known],
            unknown=tuple(compress(asked, ~known)),
        )

    def columns(
        self,
        event_type: str,
        handles: SymbolHandles,
        fields: Sequence[str],
        since: datetime | None = None,
    ) -> list[Any]:
        """Returns dxLink's flat COMPACT list: the fields of the first event, of the second, ...

        With `since`, only the events whose values changed after that instant. The list holds str,
        int, float, bool and None only; NaN is the text `NaN`.
        """
        if not handles.symbols:
            return []

        interval = self._events.update_interval(event_type)
        market_time = self.time_grid.at(self.clock.now(), interval)
        if since is None:
            columns = self._cached_columns(event_type, handles, market_time)
            chosen = columns["_present"]
        else:
            earlier = self.time_grid.at(since, interval)
            if (earlier.units == market_time.units).all():
                return []

            if self._events.follows_trades(event_type):
                return self._new_trade_columns(event_type, handles, fields, earlier, market_time)

            before = self._cached_columns(event_type, handles, earlier)
            columns = self._cached_columns(event_type, handles, market_time)
            changed = [new != old for new, old in zip(columns["_key"], before["_key"], strict=True)]
            chosen = np.logical_or.reduce(changed) & columns["_present"]

        return _flatten(event_type, columns, handles.symbols, chosen, fields)

    def candles(
        self, symbol: str, interval: str, from_time: datetime, *, regular_hours: bool = True
    ) -> Iterator[dict[str, Any]]:
        """Yields candles of a streamer symbol, newest first, back to `from_time`.

        `interval` is dxFeed's: a number and s, m, h, d, w, mo or y. An unknown symbol or interval
        has no candles.
        """
        row = self.listing.streamer_row(symbol)
        if row is None:
            return iter(())

        return self._candles.generate(
            row, interval, from_time, self.clock.now(), regular_hours=regular_hours
        )

    def _new_trade_columns(
        self,
        event_type: str,
        handles: SymbolHandles,
        fields: Sequence[str],
        earlier: MarketTime,
        market_time: MarketTime,
    ) -> list[Any]:
        # Few rows trade at a time, which is cheap to detect; the details of a trade are expensive.
        rows = handles.rows
        numbers = self.pricer.trade_numbers
        traded = numbers(rows, market_time) != numbers(rows, earlier)
        if not traded.any():
            return []

        columns = self._events.make(event_type, rows[traded], market_time)
        symbols = tuple(compress(handles.symbols, traded))
        return _flatten(event_type, columns, symbols, columns["_present"], fields)

    def _cached_columns(
        self, event_type: str, handles: SymbolHandles, market_time: MarketTime
    ) -> dict[str, Any]:
        key = market_time.units.tobytes()
        columns = handles.last_columns.get(key)
        if columns is None:
            columns = self._events.make(event_type, handles.rows, market_time)
            handles.last_columns.clear()
            handles.last_columns[key] = columns

        return columns


def _flatten(
    event_type: str,
    columns: dict[str, Any],
    symbols: tuple[str, ...],
    chosen: Any,
    fields: Sequence[str],
) -> list[Any]:
    columns["eventType"] = event_type
    columns["eventTime"] = 0
    return flatten(columns, symbols, chosen, fields)


def _to_decimal(micro: int) -> Decimal | None:
    """Returns a price in millionths as Decimal without trailing zeros; None for 0."""
    if micro == 0:
        return None

    price = Decimal(micro) / MICRO
    return price.quantize(Decimal(1)) if price == price.to_integral() else price.normalize()
