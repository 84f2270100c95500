"""Candles of any row, computed from the same path as its quotes, newest first.

Exchanges make candles while they trade: a market that is always open has them around the clock
today, and for the days before it those of the real sessions. The newest candle ends with the last
trade. Intraday candles start at multiples of their length from New York's midnight, daily and
longer ones at midnight UTC of their date.
"""

from __future__ import annotations

__all__ = ["Candles", "parse_interval"]

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from server.simulator.market.calendar import (
    NEW_YORK,
    is_half_day,
    is_trading_day,
)
from server.simulator.market.days import Days
from server.simulator.market.listing import Listing
from server.simulator.market.moments import seconds, units_of
from server.simulator.market.noise import Floats, Ints, uniform
from server.simulator.market.pricer import Pricer
from server.simulator.market.rows import COLLECTIONS
from server.simulator.market.ticks import MICRO

_BATCH = 8192
"""Prices computed at once: enough for numpy, few enough not to hold up the event loop."""

_HISTORY = {"s": 3, "m": 120, "h": 800, "d": 3660, "w": 3660, "mo": 3660, "y": 3660}
"""How many days back each unit of length goes."""

_INTRADAY = {"s": 1, "m": 60, "h": 3600}
"""Seconds in the units of less than a day."""

_SAMPLES = 8
"""Prices looked at within an intraday candle, at least half as many."""

_DAILY_SHIFT = 14
"""Days are looked at every 3 minutes, as in Summary."""

_LONG_SHIFT = 16
"""Past days of 24 hours, and those of a week or more, are looked at every 14 minutes."""

_LONG = 12 * 3600 * 80
"""Steps from which a day is long."""

_SALT_VOLUME, _SALT_BOUGHT = 131, 132


@dataclass(frozen=True, slots=True)
class _Span:
    """One candle to be: its time, and the trading that it covers, in lattice steps."""

    time: int
    """Epoch milliseconds."""

    pieces: tuple[tuple[int, int], ...]

    @property
    def steps(self) -> int:
        """How long it was traded."""
        return sum(end - begin for begin, end in self.pieces)


@dataclass(frozen=True, slots=True)
class _Samples:
    """A candle to be, and the steps at which its price is looked at."""

    span: _Span
    steps: Ints


class Candles:
    """Makes candles."""

    def __init__(self, listing: Listing, pricer: Pricer, days: Days) -> None:
        self._rows = listing.rows
        self._pricer = pricer
        self._days = days

    def of(
        self, row: int, interval: str, since: datetime, now: datetime, *, regular_hours: bool
    ) -> Iterator[dict[str, Any]]:
        """Yields the candles of a row whose time is not before `since`, newest first."""
        length = parse_interval(interval)
        if length is None:
            return

        count, unit = length
        oldest = max(since, now - timedelta(days=_HISTORY[unit]))
        if unit in _INTRADAY:
            spans = self._intraday(row, count * _INTRADAY[unit], now, regular_hours)
        else:
            spans = self._daily(row, count, unit, now)

        first = True
        batch: list[_Samples] = []
        for span in spans:
            if span.time < oldest.timestamp() * 1000:
                break

            batch.append(_sample(span, unit, newest=first))
            if first or sum(len(samples.steps) for samples in batch) > _BATCH:
                yield from self._make(row, batch, now if first else None)
                batch, first = [], False

        yield from self._make(row, batch, now if first else None)

    def _intraday(
        self, row: int, length: int, now: datetime, regular_hours: bool
    ) -> Iterator[_Span]:
        """Yields spans from now backwards, cut to the hours of trading."""
        day = now.astimezone(NEW_YORK).date() + timedelta(days=1)
        final = self._until(row, now)
        while True:
            hours = self._hours(row, day, now, regular_hours)
            if hours is not None:
                midnight = _midnight(day)
                first, last = hours[0], min(hours[1], now)
                number = int((last - midnight).total_seconds() // length)
                while number * length > (first - midnight).total_seconds() - length:
                    start = midnight + timedelta(seconds=number * length)
                    begin, end = max(start, first), min(start + timedelta(seconds=length), last)
                    if begin < end or begin == end == now:
                        piece = (units_of(begin), min(units_of(end), final))
                        yield _Span(int(start.timestamp() * 1000), (piece,))

                    number -= 1

            day -= timedelta(days=1)

    def _daily(self, row: int, count: int, unit: str, now: datetime) -> Iterator[_Span]:
        """Yields days, weeks, months or years from now backwards."""
        day = now.astimezone(NEW_YORK).date() + timedelta(days=1)
        final = self._until(row, now)
        group: tuple[date, list[tuple[int, int]]] | None = None
        while True:
            hours = self._hours(row, day, now, True)
            if hours is not None and hours[0] <= now:
                start = _group(day, count, unit)
                piece = (units_of(hours[0]), min(units_of(min(hours[1], now)), final))
                if group is not None and group[0] == start:
                    group[1].append(piece)
                else:
                    if group is not None:
                        yield _whole(group)

                    group = (start, [piece])

            day -= timedelta(days=1)

    def _hours(
        self, row: int, day: date, now: datetime, regular: bool
    ) -> tuple[datetime, datetime] | None:
        """Returns when a row traded on a day, or None."""
        collection = COLLECTIONS[int(self._rows.collection[row])]
        hours = self._pricer.moments.hours
        midnight = _midnight(day)
        today = now.astimezone(NEW_YORK).date()
        if collection == "Always" or (hours.always_open and day == today):
            return midnight, _midnight(day + timedelta(days=1))

        if hours.always_open:
            if day > today or not is_trading_day(day):
                return None

            if collection != "Equity":
                return midnight, _midnight(day + timedelta(days=1))

            close = 13 if is_half_day(day) else 16
            if regular:
                return _at(day, time(9, 30)), _at(day, time(close))

            return _at(day, time(8, 15)), _at(day, time(close + 4))

        session = hours.session(collection, day)
        if session is None:
            return None

        # Beyond the regular hours nothing moves here, so there is nothing to make candles of.
        return session.open, session.close

    def _until(self, row: int, now: datetime) -> int:
        rows = np.array([row])
        moment = self._pricer.moments.at(now)
        last = int(self._pricer.units(rows, moment)[0])
        expires = float(self._rows.expires[row])
        return last if expires > moment.now else units_of(datetime.fromtimestamp(expires, UTC))

    def _make(
        self, row: int, batch: list[_Samples], now: datetime | None
    ) -> Iterator[dict[str, Any]]:
        """Yields a batch; with `now` it is the newest candle alone, ended by the last trade."""
        if not batch:
            return

        steps = np.concatenate([samples.steps for samples in batch])
        counts = np.array([len(samples.steps) for samples in batch])
        ends = np.cumsum(counts)
        starts = ends - counts
        rows = np.full(len(steps), row)
        fair, _ = self._pricer.fair(rows, steps)
        prices = self._pricer.ticks.near(self._rows.ticks[rows], fair) / MICRO
        close = prices[ends - 1]
        high, low = np.maximum.reduceat(prices, starts), np.minimum.reduceat(prices, starts)
        trade = None if now is None else self._last(row, now)
        # A trade before this candle began is no part of it.
        if trade is not None and trade[0] >= batch[0].span.pieces[0][0]:
            close[0] = trade[1]
            high, low = np.maximum(high, close), np.minimum(low, close)

        times = np.array([samples.span.time for samples in batch])
        traded = np.array([samples.span.steps for samples in batch])
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
        """Returns implied volatilities, of an option its own, else the 30-day one."""
        rows = np.full(len(samples), row)
        levels = self._pricer.levels(rows, samples)
        if self._rows.sign[row] != 0:
            return self._pricer.volatility(rows, seconds(samples), levels)

        return levels.volatility

    def _last(self, row: int, now: datetime) -> tuple[int, float] | None:
        rows = np.array([row])
        moment = self._pricer.moments.at(now)
        trades = self._pricer.trades(rows, self._pricer.trade_numbers(rows, moment))
        price = int(trades.price[0])
        return (int(trades.units[0]), price / MICRO) if price else None

    def _volumes(self, row: int, times: Ints, traded: Ints) -> tuple[Floats, Floats]:
        """Returns what was traded in each candle, and how much of it buyers asked for."""
        seed = self._rows.seed[[row]]
        # A trading day of six and a half hours, whatever the exchange.
        share = traded / (6.5 * 3600 * 80)
        busy = 0.5 + uniform(seed, times, _SALT_VOLUME)
        volume = np.floor(self._rows.volume[row] * share * busy)
        bought = np.floor(volume * (0.4 + 0.2 * uniform(seed, times, _SALT_BOUGHT)))
        return volume, bought


def parse_interval(text: str) -> tuple[int, str] | None:
    """Reads `5m`, `d`, `3mo`: how many of which unit."""
    match = re.fullmatch(r"(\d{0,4})(s|m|h|d|w|mo|y)", text.lower())
    if match is None:
        return None

    count = int(match[1] or 1)
    return (count, match[2]) if count else None


def _sample(span: _Span, unit: str, *, newest: bool) -> _Samples:
    """Chooses the steps to look at: both ends, and a lattice between them."""
    steps: list[Ints] = []
    for begin, end in span.pieces:
        last = max(end - 8, begin)
        if unit in _INTRADAY:
            shift = max(int(np.log2(max((end - begin) / _SAMPLES, 8))), 3)
        elif newest or (unit == "d" and end - begin < _LONG):
            shift = _DAILY_SHIFT
        else:
            shift = _LONG_SHIFT

        inner = np.arange((begin >> shift) + 1, (last >> shift) + 1) << shift
        steps += [np.array([begin]), inner, np.array([last])]

    return _Samples(span, np.concatenate(steps))


def _whole(group: tuple[date, list[tuple[int, int]]]) -> _Span:
    start, pieces = group
    midnight = datetime(start.year, start.month, start.day, tzinfo=UTC)
    return _Span(int(midnight.timestamp() * 1000), tuple(reversed(pieces)))


def _group(day: date, count: int, unit: str) -> date:
    """Returns the first day of the period that a day belongs to."""
    if unit == "d":
        return date(1970, 1, 1) + timedelta(days=(day - date(1970, 1, 1)).days // count * count)

    if unit == "w":
        monday = date(1970, 1, 5)
        return monday + timedelta(days=(day - monday).days // (7 * count) * 7 * count)

    months = day.year * 12 + day.month - 1
    span = count * (12 if unit == "y" else 1)
    months = months // span * span
    return date(months // 12, months % 12 + 1, 1)


def _midnight(day: date) -> datetime:
    return _at(day, time(0))


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, NEW_YORK)
