"""Computes the candles of any row from the same price path as its quotes, newest first.

The newest candle ends with the last trade, all others with the path. High and low are those of
sampled prices, so a longer candle may be slightly narrower than the shorter ones inside it.
"""

from __future__ import annotations

__all__ = ["Candles"]

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from server.simulator.market.brownian import Floats, Ints, uniform
from server.simulator.market.candle_periods import (
    INTRADAY,
    CandlePeriod,
    CandlePeriods,
    parse_interval,
)
from server.simulator.market.pricer import Pricer
from server.simulator.market.ticks import MICRO
from server.simulator.market.time_grid import to_seconds

_BATCH = 8192
"""Prices computed at once: enough for numpy, few enough not to block the event loop."""

_HISTORY = {"s": 3, "m": 120, "h": 800, "d": 3660, "w": 3660, "mo": 3660, "y": 3660}
"""Days of history by unit of length."""

_SAMPLES = 8
"""Prices sampled within an intraday candle; at least half as many are."""

_DAILY_SHIFT = 14
"""Daily candles are sampled every 3 minutes, as the Summary event is."""

_LONG_SHIFT = 16
"""Past days of 24 hours, and candles of a week or more, are sampled every 14 minutes."""

_LONG = 12 * 3600 * 80
"""Time units from which on a day counts as long."""

_TICK = 8
"""Time units in 100 ms: a candle ends before the next one begins."""

_SALT_VOLUME, _SALT_BOUGHT = 131, 132


@dataclass(frozen=True, slots=True)
class _Samples:
    """Holds a candle's period and the time units at which its price is sampled."""

    period: CandlePeriod
    steps: Ints


class Candles:
    """Computes candles."""

    def __init__(self, pricer: Pricer) -> None:
        self._rows = pricer.rows
        self._pricer = pricer
        self._periods = CandlePeriods(pricer)

    def generate(
        self, row: int, interval: str, since: datetime, now: datetime, *, regular_hours: bool
    ) -> Iterator[dict[str, Any]]:
        """Yields the candles of a row that start at or after `since`, newest first."""
        length = parse_interval(interval)
        if length is None:
            return

        count, unit = length
        oldest = max(since, now - timedelta(days=_HISTORY[unit]))
        periods = self._periods.list_backwards(row, count, unit, now, regular=regular_hours)
        first = True
        batch: list[_Samples] = []
        for period in periods:
            if period.time < oldest.timestamp() * 1000:
                break

            batch.append(_sample(period, unit, newest=first))
            if first or sum(len(samples.steps) for samples in batch) > _BATCH:
                yield from self._make(row, batch, now if first else None)
                batch, first = [], False

        yield from self._make(row, batch, now if first else None)

    def _make(
        self, row: int, batch: list[_Samples], now: datetime | None
    ) -> Iterator[dict[str, Any]]:
        """Yields a batch of candles; with `now` it is the newest one, ended by the last trade."""
        if not batch:
            return

        steps = np.concatenate([samples.steps for samples in batch])
        counts = np.array([len(samples.steps) for samples in batch])
        ends = np.cumsum(counts)
        starts = ends - counts
        rows = np.full(len(steps), row)
        fair, _ = self._pricer.fair_values(rows, steps)
        prices = self._pricer.ticks.round_to_nearest(self._rows.ticks[rows], fair) / MICRO
        close = prices[ends - 1]
        high, low = np.maximum.reduceat(prices, starts), np.minimum.reduceat(prices, starts)
        trade = None if now is None else self._last_trade(row, now)
        # Ignores a trade from before this candle.
        if trade is not None and trade[0] >= batch[0].period.pieces[0][0]:
            close[0] = trade[1]
            high, low = np.maximum(high, close), np.minimum(low, close)

        times = np.array([samples.period.time for samples in batch])
        traded = np.array([samples.period.steps for samples in batch])
        volume, bought = self._volumes(row, times, traded)
        mean = np.clip(np.round(np.add.reduceat(prices, starts) / counts, 6), low, high)
        every = 8 * int(self._rows.trades[row])
        columns = {
            "index": ((times // 1000) << 32) | ((times % 1000) << 22),
            "time": times,
            "count": np.maximum(traded // every, 1),
            "open": prices[starts],
            "high": high,
            "low": low,
            "close": close,
            "volume": volume,
            "vwap": mean,
            "bidVolume": volume - bought,
            "askVolume": bought,
            "impVolatility": np.round(self._volatility(row, steps[ends - 1]), 6),
        }
        common = {"eventFlags": 0, "eventTime": 0, "sequence": 0, "openInterest": "NaN"}
        for values in zip(*(column.tolist() for column in columns.values()), strict=True):
            yield {**common, **dict(zip(columns, values, strict=True))}

    def _volatility(self, row: int, samples: Ints) -> Floats:
        """Returns implied volatilities: an option's own, else the underlying's for 30 days."""
        rows = np.full(len(samples), row)
        levels = self._pricer.levels(rows, samples)
        if self._rows.sign[row] != 0:
            return self._pricer.volatility(rows, to_seconds(samples), levels)

        return levels.volatility

    def _last_trade(self, row: int, now: datetime) -> tuple[int, float] | None:
        rows = np.array([row])
        market_time = self._pricer.time_grid.at(now)
        trades = self._pricer.trades(rows, self._pricer.trade_numbers(rows, market_time))
        price = int(trades.price[0])
        return (int(trades.units[0]), price / MICRO) if price else None

    def _volumes(self, row: int, times: Ints, traded: Ints) -> tuple[Floats, Floats]:
        """Returns the volume of each candle and the part of it that buyers initiated."""
        seed = self._rows.seed[[row]]
        # Relative to a trading day of six and a half hours, whatever the exchange.
        share = traded / (6.5 * 3600 * 80)
        busy = 0.5 + uniform(seed, times, _SALT_VOLUME)
        volume = np.floor(self._rows.volume[row] * share * busy)
        bought = np.floor(volume * (0.4 + 0.2 * uniform(seed, times, _SALT_BOUGHT)))
        return volume, bought


def _sample(period: CandlePeriod, unit: str, *, newest: bool) -> _Samples:
    """Chooses the time units to sample: both ends, and evenly spaced ones between them."""
    steps: list[Ints] = []
    for begin, end in period.pieces:
        last = max(end - _TICK, begin)
        if unit in INTRADAY:
            shift = max(int(np.log2(max((end - begin) / _SAMPLES, 8))), 3)
        elif newest or (unit == "d" and end - begin < _LONG):
            shift = _DAILY_SHIFT
        else:
            shift = _LONG_SHIFT

        inner = np.arange((begin >> shift) + 1, (last >> shift) + 1) << shift
        steps += [np.array([begin]), inner, np.array([last])]

    return _Samples(period, np.concatenate(steps))
