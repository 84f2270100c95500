"""Computes the prices of any rows at any instants: fair values, greeks, quotes, last trades.

The fair value of a row depends only on its underlying's path and on time. A quote is the fair value
with a spread, rounded to the tick, and a trade is one side of the quote at the time of the trade.
"""

from __future__ import annotations

__all__ = ["Pricer", "Quotes", "Trades"]

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from server.simulator.market.brownian import UNIT_NS, Floats, Ints, uniform
from server.simulator.market.listing import Listing
from server.simulator.market.price_series import RATE, Levels
from server.simulator.market.pricing import Valuation, smile, value_options
from server.simulator.market.rows import Flag
from server.simulator.market.time_grid import MarketTime, TimeGrid, to_seconds

YEAR = 365.25 * 86_400

_HALT_AFTER = 15 * 60 * 1_000_000_000 // UNIT_NS
"""A halted symbol stopped trading 15 minutes after the opening."""

_SALT_BID, _SALT_ASK, _SALT_SIDE, _SALT_SIZE, _SALT_DAY = range(101, 106)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotes:
    """Holds both sides of some rows, prices in millionths; 0 is a missing side."""

    bid: Ints
    ask: Ints
    bid_size: Floats
    ask_size: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Trades:
    """Holds the last trade of some rows, prices in millionths; 0 if there was none."""

    number: Ints
    """Number of trades of the row since 1970."""

    units: Ints
    price: Ints
    size: Floats
    bought: npt.NDArray[np.bool_]
    """True if the buyer crossed the spread."""

    bid: Ints
    ask: Ints


class Pricer:
    """Computes prices; caches only recent levels of the underlyings."""

    def __init__(self, listing: Listing, time_grid: TimeGrid) -> None:
        self.listing = listing
        self.rows = listing.rows
        self.series = listing.series
        self.ticks = listing.ticks
        self.time_grid = time_grid

    def units(self, rows: Ints, market_time: MarketTime) -> Ints:
        """Returns the time unit at which each row stands: that of its exchange, or of its halt."""
        collection = self.rows.collection[rows]
        units: Ints = market_time.units[collection]
        halted = (self.rows.flags[rows] & Flag.HALTED) != 0
        if halted.any():
            opened = np.array([day.first for day in market_time.days])[collection]
            units = np.where(halted, np.minimum(units, opened + _HALT_AFTER), units)

        return units

    def levels(self, rows: Ints, units: Ints) -> Levels:
        """Returns the levels of each row's underlying at each row's own time unit."""
        which = self.rows.series[rows]
        if units.size and (units == units[0]).all():
            every = self.series.all_at(int(units[0]))
            return Levels(
                spot=every.spot[which],
                anchor=every.anchor[which],
                volatility=every.volatility[which],
            )

        # Trades happen at few distinct times (see `_phase`), so most rows share their result.
        keys, back = np.unique(units * len(self.series.names) + which, return_inverse=True)
        some = self.series.at(keys % len(self.series.names), keys // len(self.series.names))
        return Levels(
            spot=some.spot[back], anchor=some.anchor[back], volatility=some.volatility[back]
        )

    def spots(self, rows: Ints, units: Ints) -> Floats:
        """Returns the spot of each row's underlying at each row's own time unit."""
        if units.size and (units == units[0]).all():
            return self.levels(rows, units).spot

        return self.series.spot_at(self.rows.series[rows], units)

    def forward(self, rows: Ints, at: Floats, spot: Floats) -> Floats:
        """Returns the prices of rows that are no options; futures are carried to delivery."""
        delivers = self.rows.delivers[rows]
        left = np.where(np.isnan(delivers), 0.0, np.maximum(delivers - at, 0.0)) / YEAR
        result: Floats = spot * np.exp(self.rows.carry[rows] * left)
        return result

    def volatility(self, rows: Ints, at: Floats, levels: Levels) -> Floats:
        """Returns implied volatilities of option rows."""
        r, series = self.rows, self.series
        which = r.series[rows]
        left = np.maximum(r.delivers[rows] - at, 0.0) / YEAR
        return smile(
            strike=r.strike[rows],
            anchor=levels.anchor * np.exp(r.carry[rows] * left),
            years=(r.expires[rows] - at) / YEAR,
            short=levels.volatility,
            usual=series.usual_volatility[which],
            rho=series.rho[which],
            wings=series.wings[which],
        )

    def options(self, rows: Ints, at: Floats, levels: Levels, volatility: Floats) -> Valuation:
        """Values option rows."""
        r = self.rows
        flags = r.flags[rows]
        return value_options(
            spot=levels.spot,
            carry=r.carry[rows],
            carry_years=np.maximum(r.delivers[rows] - at, 0.0) / YEAR,
            strike=r.strike[rows],
            sign=r.sign[rows],
            years=(r.expires[rows] - at) / YEAR,
            volatility=volatility,
            rate=RATE,
            american=(flags & Flag.AMERICAN) != 0,
            on_future=(flags & Flag.ON_FUTURE) != 0,
        )

    def fair_values(self, rows: Ints, units: Ints) -> tuple[Floats, Floats]:
        """Returns fair values and half spreads."""
        at = to_seconds(units)
        option = self.rows.sign[rows] != 0
        if not option.any():
            fair = self.forward(rows, at, self.spots(rows, units))
            return fair, self.rows.spread[rows] * fair

        levels = self.levels(rows, units)
        fair = self.forward(rows, at, levels.spot)
        half = self.rows.spread[rows] * fair
        chosen, at = rows[option], at[option]
        part = Levels(
            spot=levels.spot[option],
            anchor=levels.anchor[option],
            volatility=levels.volatility[option],
        )
        worth = self.options(chosen, at, part, self.volatility(chosen, at, part))
        fair[option] = worth.price
        width = self.rows.spread[chosen]
        half[option] = width * (0.0015 * worth.price + 0.04 * worth.vega) + 1e-4
        return fair, half

    def quotes(self, rows: Ints, market_time: MarketTime) -> Quotes:
        """Returns the quotes of rows at a point in time."""
        units = self.units(rows, market_time)
        bid, ask = self._bids_and_asks(rows, units, market_time.now)
        flags, seeds = self.rows.flags[rows], self.rows.seed[rows]
        # Sizes change at every tick for one row in four, and up to eight times less often for
        # others.
        turn = (units // self.time_grid.step) >> (seeds & np.uint64(3)).astype(np.int64)
        typical = self.rows.size[rows]
        bid_size = _quote_sizes(typical, uniform(seeds, turn, _SALT_BID), flags)
        ask_size = _quote_sizes(typical, uniform(seeds, turn, _SALT_ASK), flags)
        bid_size, ask_size = np.where(bid > 0, bid_size, 0.0), np.where(ask > 0, ask_size, 0.0)
        return Quotes(bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size)

    def _bids_and_asks(self, rows: Ints, units: Ints, now: float) -> tuple[Ints, Ints]:
        fair, half = self.fair_values(rows, units)
        table, flags = self.rows.ticks[rows], self.rows.flags[rows]
        bid = self.ticks.round_down(table, fair - half)
        ask = self.ticks.round_up(table, fair + half)
        ask = np.maximum(ask, bid + self.ticks.tick_at(table, bid))
        bid = np.where((bid <= 0) | ((flags & Flag.NO_BID) != 0), 0, bid)
        crossed = (flags & Flag.CROSSED) != 0
        if crossed.any():
            tick = self.ticks.tick_at(table, ask)
            bid, ask = np.where(crossed, ask + 2 * tick, bid), np.where(crossed, bid, ask)

        gone = ((flags & Flag.UNQUOTED) != 0) | (self.rows.expires[rows] <= now)
        return np.where(gone, 0, bid), np.where(gone, 0, ask)

    def trade_numbers(self, rows: Ints, market_time: MarketTime) -> Ints:
        """Returns the number of trades of each row so far; a change means a new trade."""
        ticks = self.units(rows, market_time) // self.time_grid.step
        result: Ints = (ticks + self._phase(rows)) // self.rows.trades[rows]
        return result

    def trades(self, rows: Ints, number: Ints) -> Trades:
        """Returns the trades of those numbers; an option without a bid did not trade."""
        r = self.rows
        seeds, flags = r.seed[rows], r.flags[rows]
        units = (number * r.trades[rows] - self._phase(rows)) * self.time_grid.step
        bid, ask = self._bids_and_asks(rows, units, 0.0)
        bought = uniform(seeds, number, _SALT_SIDE) < 0.5
        side = np.where(bought | (bid == 0), ask, bid)
        price = np.where((r.sign[rows] != 0) & (bid == 0), 0, side)
        index = (flags & Flag.INDEX) != 0
        if index.any():
            fair, _ = self.fair_values(rows[index], units[index])
            price[index] = self.ticks.round_to_nearest(r.ticks[rows[index]], fair)

        size = np.ceil(r.size[rows] * uniform(seeds, number, _SALT_SIZE) ** 2)
        size = np.where(index, 0.0, np.maximum(size, 1.0))
        return Trades(
            number=number,
            units=units,
            price=price,
            size=size,
            bought=bought,
            bid=bid,
            ask=ask,
        )

    def _phase(self, rows: Ints) -> Ints:
        """Returns at which of eight offsets in its period a row trades."""
        place = ((self.rows.seed[rows] >> np.uint64(8)) & np.uint64(7)).astype(np.int64)
        result: Ints = self.rows.trades[rows] * place // 8
        return result

    def volume(self, rows: Ints, units: Ints, market_time: MarketTime) -> Floats:
        """Returns the volume from the opening of the day until each time unit."""
        collection = self.rows.collection[rows]
        first = np.array([day.first for day in market_time.days])[collection]
        length = np.array([day.length for day in market_time.days])[collection]
        share = np.clip((units - first) / length, 0.0, 1.0)
        result: Floats = np.floor(self.day_volume(rows, market_time) * share)
        return result

    def day_volume(self, rows: Ints, market_time: MarketTime) -> Floats:
        """Returns the volume of the whole day."""
        day = np.array([day.id for day in market_time.days])[self.rows.collection[rows]]
        busy = 0.7 + 0.6 * uniform(self.rows.seed[rows], day, _SALT_DAY)
        result: Floats = self.rows.volume[rows] * busy
        return result


def _quote_sizes(typical: Floats, chance: Floats, flags: Ints) -> Floats:
    whole = np.ceil(typical * (0.05 + 1.9 * np.square(chance)))
    fractional = (flags & Flag.FRACTIONAL) != 0
    if fractional.any():
        whole = np.where(fractional, np.round(typical * (0.05 + 1.9 * chance), 4), whole)

    return np.where((flags & Flag.UNSIZED) != 0, np.nan, whole)
