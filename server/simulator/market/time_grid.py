"""Converts instants to the market's time units and trading days, for each exchange.

A closed exchange stays at the last unit of its trading, so its quotes and greeks stay, too.
"""

from __future__ import annotations

__all__ = ["MarketTime", "TimeGrid", "TradingDay", "to_milliseconds", "to_seconds", "to_units"]

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np

from server.simulator.market.brownian import UNIT_NS, Floats, Ints
from server.simulator.market.calendar import (
    NEW_YORK,
    TradingHours,
    is_half_day,
    previous_trading_day,
)
from server.simulator.market.rows import COLLECTIONS

_EPOCH = date(1970, 1, 1)
_ZERO = datetime(1970, 1, 1, tzinfo=UTC)
_UNIT = timedelta(microseconds=UNIT_NS / 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingDay:
    """Describes a trading day of one exchange, in time units."""

    day: date
    first: int
    """Time unit of the opening."""

    length: int
    """Time units from the opening to the close."""

    previous_day: date
    previous_close: int
    """Time unit of the close of the trading day before."""

    @property
    def id(self) -> int:
        """Number of the day as dxFeed counts days."""
        return (self.day - _EPOCH).days

    @property
    def previous_day_id(self) -> int:
        return (self.previous_day - _EPOCH).days


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketTime:
    """Holds one instant as each exchange sees it: arrays have one entry per collection."""

    now: float
    """Epoch seconds, whether or not the exchanges trade."""

    units: Ints
    days: tuple[TradingDay, ...]

    @property
    def alike(self) -> bool:
        """Whether all exchanges are at the same time unit, which is the fast case."""
        return bool((self.units == self.units[0]).all())


class TimeGrid:
    """Converts instants to market times."""

    def __init__(self, hours: TradingHours, tick: timedelta) -> None:
        self.hours = hours
        self.step = max(tick // _UNIT, 1)
        """Time units between two ticks of the market."""

        self._day = lru_cache(maxsize=256)(self._make_day)

    def at(self, now: datetime, every: int | None = None) -> MarketTime:
        """Returns the market time at `now`, rounded down to a tick (or to `every` units)."""
        step = every or self.step
        seen = [self._last(collection, now) for collection in COLLECTIONS]
        return MarketTime(
            now=now.timestamp(),
            units=np.array([to_units(instant) // step * step for instant in seen]),
            days=tuple(self.day(name, at) for name, at in zip(COLLECTIONS, seen, strict=True)),
        )

    def day(self, collection: str, now: datetime) -> TradingDay:
        """Returns the trading day of an instant; between two days, the earlier one."""
        today = now.astimezone(NEW_YORK).date()
        if collection == "Always" or self.hours.always_open:
            return self._day(collection, today)

        for day in (today + timedelta(days=1), today):
            session = self.hours.session(collection, day)
            if session is not None and session.open <= now:
                return self._day(collection, day)

        return self._day(collection, self.hours.previous_session(collection, today).day)

    def _last(self, collection: str, now: datetime) -> datetime:
        return now if collection == "Always" else self.hours.last_instant(collection, now)

    def _make_day(self, collection: str, day: date) -> TradingDay:
        always = collection == "Always"
        if always or self.hours.always_open:
            midnight = datetime(day.year, day.month, day.day, tzinfo=NEW_YORK)
            opened, closes = midnight, midnight + timedelta(days=1)
            before = day - timedelta(days=1) if always else previous_trading_day(day)
            closed = opened if always else _close_of(before)
        else:
            session, earlier = (
                self.hours.session(collection, day),
                self.hours.previous_session(collection, day),
            )
            if session is None:
                raise ValueError(f"{collection} does not trade on {day}")

            opened, closes, before, closed = (
                session.open,
                session.close,
                earlier.day,
                earlier.close,
            )

        first = to_units(opened)
        return TradingDay(
            day=day,
            first=first,
            length=to_units(closes) - first,
            previous_day=before,
            previous_close=to_units(closed) - self.step,
        )


def to_units(now: datetime) -> int:
    """Returns the time unit of an instant."""
    return (now - _ZERO) // _UNIT


def to_seconds(units: Ints) -> Floats:
    """Converts time units to epoch seconds."""
    result: Floats = units.astype(np.float64) * (UNIT_NS / 1e9)
    return result


def to_milliseconds(units: Ints) -> Ints:
    """Converts time units to epoch milliseconds, rounded down."""
    result: Ints = units * (UNIT_NS // 500_000) // 2
    return result


def _close_of(day: date) -> datetime:
    hour = 13 if is_half_day(day) else 16
    return datetime(day.year, day.month, day.day, hour, tzinfo=NEW_YORK)
