"""Lays out the periods of candles: their times, and the trading that each covers.

Exchanges make candles while they trade. A market that is always open has them around the clock
today, and on earlier days only during the real sessions. Intraday candles start at multiples of
their length from New York's midnight, daily and longer ones at midnight UTC of their date.
"""

from __future__ import annotations

__all__ = ["INTRADAY", "CandlePeriod", "CandlePeriods", "parse_interval"]

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from server.simulator.market.calendar import NEW_YORK, is_half_day, is_trading_day
from server.simulator.market.pricer import Pricer
from server.simulator.market.rows import COLLECTIONS
from server.simulator.market.time_grid import to_units

INTRADAY = {"s": 1, "m": 60, "h": 3600}
"""Seconds in each unit shorter than a day."""

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CandlePeriod:
    """Describes the period of one candle."""

    time: int
    """Start of the candle, in epoch milliseconds."""

    pieces: tuple[tuple[int, int], ...]
    """First and last time unit of every session in it, oldest first."""

    @property
    def steps(self) -> int:
        """Number of time units in which it trades."""
        return sum(end - begin for begin, end in self.pieces)


class CandlePeriods:
    """Lists candle periods from now backwards, without end."""

    def __init__(self, pricer: Pricer) -> None:
        self._pricer = pricer

    def list_backwards(
        self, row: int, count: int, unit: str, now: datetime, *, regular: bool
    ) -> Iterator[CandlePeriod]:
        """Yields the periods of a row, newest first; `regular` excludes extended hours."""
        if unit in INTRADAY:
            return self._intraday(row, timedelta(seconds=count * INTRADAY[unit]), now, regular)

        return self._daily(row, count, unit, now)

    def _intraday(
        self, row: int, length: timedelta, now: datetime, regular: bool
    ) -> Iterator[CandlePeriod]:
        day = now.astimezone(NEW_YORK).date() + DAY
        final = self._last_unit(row, now)
        while True:
            hours = self._trading_hours(row, day, now, regular)
            if hours is not None:
                first, last = hours[0], min(hours[1], now)
                # Calculated in UTC, because a day on which the clocks change has 23 or 25 hours.
                midnight = _midnight(day)
                number = (last - midnight) // length
                while midnight + (number + 1) * length > first:
                    start = midnight + number * length
                    begin, end = max(start, first), min(start + length, last)
                    piece = (to_units(begin), min(to_units(end), final))
                    if (begin < end or end == now) and piece[0] <= piece[1]:
                        yield CandlePeriod(int(start.timestamp() * 1000), (piece,))

                    number -= 1

            day -= DAY

    def _daily(self, row: int, count: int, unit: str, now: datetime) -> Iterator[CandlePeriod]:
        day = now.astimezone(NEW_YORK).date() + DAY
        final = self._last_unit(row, now)
        start, pieces = day, list[tuple[int, int]]()
        while True:
            hours = self._trading_hours(row, day, now, True)
            if hours is not None and hours[0] <= now:
                piece = (to_units(hours[0]), min(to_units(min(hours[1], now)), final))
                if pieces and _period_start(day, count, unit) != start:
                    yield _make_daily_period(start, pieces)
                    pieces = []

                if piece[0] <= piece[1]:
                    start = _period_start(day, count, unit)
                    pieces.append(piece)

            day -= DAY

    def _trading_hours(
        self, row: int, day: date, now: datetime, regular: bool
    ) -> tuple[datetime, datetime] | None:
        """Returns when a row traded on a day, or None."""
        collection = COLLECTIONS[int(self._pricer.rows.collection[row])]
        hours = self._pricer.time_grid.hours
        today = now.astimezone(NEW_YORK).date()
        whole_day = _midnight(day), _midnight(day + DAY)
        if collection == "Always" or (hours.always_open and day == today):
            return whole_day

        if hours.always_open:
            if day > today or not is_trading_day(day):
                return None

            if collection != "Equity":
                return whole_day

            close = 13 if is_half_day(day) else 16
            if regular:
                return _at(day, time(9, 30)), _at(day, time(close))

            return _at(day, time(8, 15)), _at(day, time(close + 4))

        # Prices do not move outside the regular hours, so there are no candles for them.
        session = hours.session(collection, day)
        return None if session is None else (session.open, session.close)

    def _last_unit(self, row: int, now: datetime) -> int:
        """Returns the last time unit at which a row moves: now, its halt, or its expiration."""
        market_time = self._pricer.time_grid.at(now)
        last = int(self._pricer.units(np.array([row]), market_time)[0])
        expires = float(self._pricer.rows.expires[row])
        return last if expires > market_time.now else to_units(datetime.fromtimestamp(expires, UTC))


def parse_interval(text: str) -> tuple[int, str] | None:
    """Parses an interval such as `5m`, `d` or `3mo` into a number and a unit."""
    match = re.fullmatch(r"(\d{0,4})(s|m|h|d|w|mo|y)", text.lower())
    if match is None:
        return None

    count = int(match[1] or 1)
    return (count, match[2]) if count else None


def _make_daily_period(start: date, pieces: list[tuple[int, int]]) -> CandlePeriod:
    midnight = datetime(start.year, start.month, start.day, tzinfo=UTC)
    return CandlePeriod(int(midnight.timestamp() * 1000), tuple(reversed(pieces)))


def _period_start(day: date, count: int, unit: str) -> date:
    """Returns the first day of the period that a day belongs to."""
    if unit == "d":
        return date(1970, 1, 1) + (day - date(1970, 1, 1)).days // count * count * DAY

    if unit == "w":
        monday = date(1970, 1, 5)
        return monday + (day - monday).days // (7 * count) * 7 * count * DAY

    months = day.year * 12 + day.month - 1
    span = count * (12 if unit == "y" else 1)
    months = months // span * span
    return date(months // 12, months % 12 + 1, 1)


def _midnight(day: date) -> datetime:
    return _at(day, time(0))


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, NEW_YORK).astimezone(UTC)
