"""Calculates holidays, half days and trading sessions of the exchanges, in New York's time.

Calculated by rule, because a calendar package takes a second to import and the simulator must be
ready sooner. A test compares every day of twenty years with `pandas_market_calendars`.
"""

from __future__ import annotations

__all__ = [
    "NEW_YORK",
    "Session",
    "TradingHours",
    "futures_half_days",
    "futures_holidays",
    "half_days",
    "holidays",
    "is_half_day",
    "is_trading_day",
    "next_trading_day",
    "nth_weekday",
    "previous_trading_day",
    "third_friday",
    "trading_days",
]

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
SATURDAY = 5

# Days of mourning, which follow no rule.
_CLOSED_ONCE = frozenset({date(2018, 12, 5), date(2025, 1, 9)})


@lru_cache(maxsize=64)
def holidays(year: int) -> tuple[date, ...]:
    """Returns the days of a year on which the NYSE does not open."""
    days = [
        _observed(date(year, 1, 1)),
        nth_weekday(year, 1, 0, 3),
        nth_weekday(year, 2, 0, 3),
        _easter(year) - 2 * DAY,
        nth_weekday(year, 6, 0, 1) - 7 * DAY,  # the last Monday of May
        _observed(date(year, 7, 4)),
        nth_weekday(year, 9, 0, 1),
        nth_weekday(year, 11, 3, 4),
        _observed(date(year, 12, 25)),
    ]
    if year >= 2022:
        days.append(_observed(date(year, 6, 19)))

    # A New Year's Day on a Saturday is not observed: its Friday would belong to the old year.
    days = [day for day in days if day.year == year and day.weekday() < SATURDAY]
    return tuple(sorted({*days, *(day for day in _CLOSED_ONCE if day.year == year)}))


@lru_cache(maxsize=64)
def half_days(year: int) -> tuple[date, ...]:
    """Returns the days of a year on which the NYSE closes at 13:00."""
    eves = [date(year, 7, 3), nth_weekday(year, 11, 3, 4) + DAY, date(year, 12, 24)]
    return tuple(day for day in eves if is_trading_day(day))


def is_trading_day(day: date) -> bool:
    return day.weekday() < SATURDAY and day not in holidays(day.year)


def is_half_day(day: date) -> bool:
    return day in half_days(day.year)


def next_trading_day(day: date) -> date:
    """Returns the first trading day after `day`."""
    day += DAY
    while not is_trading_day(day):
        day += DAY

    return day


def previous_trading_day(day: date) -> date:
    """Returns the last trading day before `day`."""
    day -= DAY
    while not is_trading_day(day):
        day -= DAY

    return day


def trading_days(first: date, last: date) -> Iterator[date]:
    """Yields the trading days from `first` to `last`, both included."""
    day = first
    while day <= last:
        if is_trading_day(day):
            yield day

        day += DAY


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    """Returns the nth weekday of a month; weekdays are 0 (Monday) to 6 (Sunday)."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def third_friday(year: int, month: int) -> date:
    """Returns the day of the monthly expiration: a Thursday if the Friday is a holiday."""
    friday = nth_weekday(year, month, 4, 3)
    return friday if is_trading_day(friday) else previous_trading_day(friday)


Collection = Literal["Equity", "CME", "CFE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Holds the times of one trading day."""

    collection: str
    day: date
    start: datetime
    """Orders are accepted from here on; the pre-market lasts until `open`."""

    open: datetime
    close: datetime
    close_ext: datetime
    """The end of extended trading."""


class TradingHours:
    """Tells when the exchanges trade: by their own calendars, or always."""

    def __init__(self, *, always_open: bool) -> None:
        self.always_open = always_open

    def session(self, collection: str, day: date) -> Session | None:
        """Returns that day's session, or None on a day without one.

        An exchange that is always open has one session a day, from midnight to midnight.
        """
        if self.always_open:
            midnight, following = _at(day, time(0)), _at(day + DAY, time(0))
            return Session(
                collection=collection,
                day=day,
                start=midnight,
                open=midnight,
                close=following,
                close_ext=following,
            )

        return _session(collection, day)

    def next_session(self, collection: str, day: date) -> Session:
        """Returns the first session after `day`."""
        return self._seek(collection, day, DAY)

    def previous_session(self, collection: str, day: date) -> Session:
        """Returns the last session before `day`."""
        return self._seek(collection, day, -DAY)

    def current(self, collection: str, now: datetime) -> Session | None:
        """Returns the session that `now` belongs to, including its extended hours."""
        today = now.astimezone(NEW_YORK).date()
        for day in (today, today + DAY):  # a futures session begins on the evening before
            session = self.session(collection, day)
            if session is not None and session.start <= now < session.close_ext:
                return session

        return None

    def is_open(self, collection: str, now: datetime) -> bool:
        session = self.current(collection, now)
        return session is not None and session.open <= now < session.close

    def last_instant(self, collection: str, now: datetime) -> datetime:
        """Returns `now` while the market trades, else the end of the last session."""
        if self.always_open:
            return now

        today = now.astimezone(NEW_YORK).date()
        for day in (today + DAY, today):
            session = self.session(collection, day)
            if session is not None and session.open <= now:
                return min(now, session.close)

        return self.previous_session(collection, today).close

    def _seek(self, collection: str, day: date, step: timedelta) -> Session:
        while True:
            day += step
            session = self.session(collection, day)
            if session is not None:
                return session


@lru_cache(maxsize=4096)
def _session(collection: str, day: date) -> Session | None:
    if collection == "Equity":
        if not is_trading_day(day):
            return None

        half = is_half_day(day)
        return Session(
            collection=collection,
            day=day,
            start=_at(day, time(8, 15)),
            open=_at(day, time(9, 30)),
            close=_at(day, time(13) if half else time(16)),
            close_ext=_at(day, time(17) if half else time(20)),
        )

    # Futures also trade on the stock exchange's holidays, but close early; on three days they do
    # not trade.
    if day.weekday() >= SATURDAY or day in futures_holidays(day.year):
        return None

    short = not is_trading_day(day) or is_half_day(day)
    close = _at(day, time(13) if short else time(17))
    return Session(
        collection=collection,
        day=day,
        start=_at(day - DAY, time(17, 45)),
        open=_at(day - DAY, time(18)),
        close=close,
        close_ext=close,
    )


def futures_holidays(year: int) -> tuple[date, ...]:
    """Returns the days on which the futures exchanges do not open, at most three a year."""
    kept = {_observed(date(year, 1, 1)), _easter(year) - 2 * DAY, _observed(date(year, 12, 25))}
    return tuple(day for day in holidays(year) if day in kept)


def futures_half_days(year: int) -> tuple[date, ...]:
    """Returns the days on which the futures exchanges close early."""
    closed = futures_holidays(year)
    return tuple(sorted({*holidays(year), *half_days(year)} - set(closed)))


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, NEW_YORK)


def _observed(day: date) -> date:
    """Moves a holiday on a Saturday to Friday, and one on a Sunday to Monday."""
    return day + {5: -DAY, 6: DAY}.get(day.weekday(), timedelta())


@lru_cache(maxsize=64)
def _easter(year: int) -> date:
    # The anonymous Gregorian computus (Meeus, Jones, Butcher).
    century, rest = divmod(year, 100)
    golden = year % 19
    moon = (
        19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15
    ) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    shift = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * shift + 114, 31)
    return date(year, month, day + 1)
