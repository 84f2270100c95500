"""Computes today's low and high of any row.

Underlyings are sampled every 3 minutes. A row that is no option has its extremes where its path has
them. An option also depends on volatility and time, so it is valued at the turning points of every
half hour. The result depends on time alone: two calls for the same instant return the same range.
"""

from __future__ import annotations

__all__ = ["DayRanges"]

from typing import Any

import numpy as np

from server.simulator.market.brownian import Floats, Ints
from server.simulator.market.price_series import PriceSeries
from server.simulator.market.pricer import Pricer
from server.simulator.market.rows import COLLECTIONS
from server.simulator.market.time_grid import MarketTime

_STEP = 1 << 14
_BLOCK = 8
"""Samples in each part of a day whose turning points are used for options."""

_NEVER = 2**62


class DayRanges:
    """Computes lows and highs of today."""

    def __init__(self, pricer: Pricer) -> None:
        self._pricer = pricer
        self._paths: dict[tuple[int, int], _Path] = {}
        self._options: dict[tuple[int, int], _BlockRanges] = {}

    def today(self, rows: Ints, units: Ints, market_time: MarketTime) -> tuple[Ints, Ints]:
        """Returns low and high, in millionths, from the opening until each row's time."""
        low, high = np.empty_like(units), np.empty_like(units)
        collection = self._pricer.rows.collection[rows]
        option = self._pricer.rows.sign[rows] != 0
        for number in np.unique(collection).tolist():
            for mine, ask in (
                ((collection == number) & ~option, self._spots),
                ((collection == number) & option, self._contracts),
            ):
                if mine.any():
                    low[mine], high[mine] = ask(number, rows[mine], units[mine], market_time)

        return low, high

    def _spots(
        self, collection: int, rows: Ints, units: Ints, market_time: MarketTime
    ) -> tuple[Ints, Ints]:
        path = self._path(collection, market_time)
        return self._range_between(rows, path, path.first, int(units.max()) // _STEP)

    def _contracts(
        self, collection: int, rows: Ints, units: Ints, market_time: MarketTime
    ) -> tuple[Ints, Ints]:
        path = self._path(collection, market_time)
        seen = self._block_ranges(collection, market_time)
        seen.grow(self._pricer.rows.count)
        last = int(units.max()) // _STEP
        block = last // _BLOCK
        if (seen.until[rows] >= block).any():
            # An earlier instant than in a former call: the cached ranges include later prices.
            seen = _BlockRanges()
            seen.grow(self._pricer.rows.count)

        for number in range(max(path.first // _BLOCK, int(seen.until[rows].min()) + 1), block):
            late = rows[seen.until[rows] < number]
            begin = max(number * _BLOCK, path.first)
            seen.include(
                late, number, *self._range_between(late, path, begin, number * _BLOCK + _BLOCK - 1)
            )

        low, high = self._range_between(rows, path, max(block * _BLOCK, path.first), last)
        return np.minimum(low, seen.low[rows]), np.maximum(high, seen.high[rows])

    def _range_between(self, rows: Ints, path: _Path, first: int, last: int) -> tuple[Ints, Ints]:
        """Returns the prices of rows where their underlying turned, between two samples."""
        which = self._pricer.rows.series[rows]
        table = self._pricer.rows.ticks[rows]
        one, other = (
            self._pricer.ticks.round_to_nearest(table, self._pricer.fair_values(rows, at[which])[0])
            for at in path.turning_points(self._pricer.series, first, last)
        )
        # A put has its high where its underlying has its low.
        return np.minimum(one, other), np.maximum(one, other)

    def _path(self, collection: int, market_time: MarketTime) -> _Path:
        day = market_time.days[collection]
        key = (collection, day.id)
        if key not in self._paths:
            _drop_old_days(self._paths)
            self._paths[key] = _Path(-(-day.first // _STEP))

        return self._paths[key]

    def _block_ranges(self, collection: int, market_time: MarketTime) -> _BlockRanges:
        key = (collection, market_time.days[collection].id)
        if key not in self._options:
            _drop_old_days(self._options)
            self._options[key] = _BlockRanges()

        return self._options[key]


class _Path:
    """Holds the samples of all series since an opening."""

    def __init__(self, first: int) -> None:
        self.first = first
        self._spots: Floats = np.empty((0, 0))

    def turning_points(self, series: PriceSeries, first: int, last: int) -> tuple[Ints, Ints]:
        """Returns when each series was at its low and at its high, in time units."""
        last = max(first, last)
        known = len(self._spots)
        if last >= self.first + known:
            more = series.spots(np.arange(self.first + known, last + 1) * _STEP)
            self._spots = np.vstack([self._spots, more]) if known else more

        part = self._spots[first - self.first : last - self.first + 1]
        return (first + part.argmin(axis=0)) * _STEP, (first + part.argmax(axis=0)) * _STEP


class _BlockRanges:
    """Holds the range of each option over the finished blocks."""

    def __init__(self) -> None:
        self.low = self.high = self.until = np.empty(0, dtype=np.int64)

    def grow(self, count: int) -> None:
        """Makes room for rows that were added since."""
        more = count - len(self.until)
        if more > 0:
            self.low = np.concatenate([self.low, np.full(more, _NEVER)])
            self.high = np.concatenate([self.high, np.zeros(more, dtype=np.int64)])
            self.until = np.concatenate([self.until, np.zeros(more, dtype=np.int64)])

    def include(self, rows: Ints, block: int, low: Ints, high: Ints) -> None:
        """Extends the range of some rows by a block."""
        self.low[rows] = np.minimum(self.low[rows], low)
        self.high[rows] = np.maximum(self.high[rows], high)
        self.until[rows] = block


def _drop_old_days(kept: dict[tuple[int, int], Any]) -> None:
    """Drops all days but the last."""
    while len(kept) >= 2 * len(COLLECTIONS):
        del kept[next(iter(kept))]
