"""Computes the open, high, low and previous close of a row's day, and the range of its year.

The year is sampled every 15 hours. The current price and the last trade belong to every range, so
that no price lies outside its day.
"""

from __future__ import annotations

__all__ = ["DaySummaries", "SummaryColumns"]

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from server.simulator.market.brownian import Floats, Ints, uniform
from server.simulator.market.day_ranges import DayRanges
from server.simulator.market.pricer import Pricer
from server.simulator.market.time_grid import MarketTime, to_seconds

_YEAR_STEP = 1 << 22
_YEAR_POINTS = 600
_SALT_INTEREST = 111


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryColumns:
    """Holds prices in millionths; 0 where there is none."""

    open: Ints
    high: Ints
    low: Ints
    previous_close: Ints
    open_interest: Ints


class DaySummaries:
    """Computes summaries of days and years."""

    def __init__(self, pricer: Pricer) -> None:
        self._pricer = pricer
        self._ranges = DayRanges(pricer)
        self._year = lru_cache(maxsize=4)(self._make_year)

    def summarize(self, rows: Ints, market_time: MarketTime) -> SummaryColumns:
        """Returns the summary of each row's day so far."""
        pricer, r = self._pricer, self._pricer.rows
        collection = r.collection[rows]
        units = pricer.units(rows, market_time)
        first = np.array([day.first for day in market_time.days])[collection]
        opened = self._near(rows, pricer.fair_values(rows, first)[0])
        before = self.closes(rows, market_time)
        now = self._near(rows, pricer.fair_values(rows, units)[0])
        last = pricer.trades(rows, pricer.trade_numbers(rows, market_time)).price
        last = np.where(last > 0, last, now)
        low, high = self._ranges.today(rows, units, market_time)
        gone = (r.expires[rows] <= market_time.now) | (opened == 0)
        interest = np.floor(r.volume[rows] * 6 * uniform(r.seed[rows], 0, _SALT_INTEREST))
        return SummaryColumns(
            open=np.where(gone, 0, opened),
            high=np.where(gone, 0, np.maximum.reduce([high, opened, now, last])),
            low=np.where(gone, 0, np.minimum.reduce([low, opened, now, last])),
            previous_close=before,
            open_interest=np.where(r.expires[rows] < np.inf, interest, 0.0).astype(np.int64),
        )

    def closes(self, rows: Ints, market_time: MarketTime) -> Ints:
        """Returns the close before the current session of each row; much cheaper than a summary."""
        closed = np.array([day.previous_close for day in market_time.days])[
            self._pricer.rows.collection[rows]
        ]
        return self._near(rows, self._pricer.fair_values(rows, closed)[0])

    def year_range(self, rows: Ints, market_time: MarketTime) -> tuple[Ints, Ints]:
        """Returns the low and the high of the last 52 weeks, including today."""
        pricer = self._pricer
        units = pricer.units(rows, market_time)
        low, high = self._year(int(market_time.units[0]) >> 22)
        which = pricer.rows.series[rows]
        at = to_seconds(units)
        day = self._ranges.today(rows, units, market_time)
        bottom = self._near(rows, pricer.forward(rows, at, low[which]))
        top = self._near(rows, pricer.forward(rows, at, high[which]))
        return np.minimum(bottom, day[0]), np.maximum(top, day[1])

    def _make_year(self, step: int) -> tuple[Floats, Floats]:
        spots = self._pricer.series.spots((step - np.arange(_YEAR_POINTS)) * _YEAR_STEP)
        return spots.min(axis=0), spots.max(axis=0)

    def _near(self, rows: Ints, prices: Floats) -> Ints:
        return self._pricer.ticks.round_to_nearest(self._pricer.rows.ticks[rows], prices)
