"""Defines the clock that is passed to everything that needs the time, a date or a pause.

Dates are New York's, not the machine's: expirations, trading days and days to expiration change at
midnight there.
"""

from __future__ import annotations

__all__ = [
    "NEW_YORK",
    "Clock",
    "SystemClock",
    "instant_of",
    "new_york_now",
    "new_york_today",
    "wait_for_event",
]

import asyncio
import time
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")


class Clock(Protocol):
    """Tells the time and sleeps; tests pass a clock of their own."""

    def now(self) -> datetime:
        """Returns the current instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Returns seconds that never go backwards, for measuring and for deadlines."""

    async def sleep(self, duration: timedelta) -> None:
        """Returns once `duration` has passed; cancellation passes through."""


class SystemClock:
    """Uses the time of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, duration: timedelta) -> None:
        await asyncio.sleep(duration.total_seconds())


def new_york_now(clock: Clock) -> datetime:
    """Returns the current instant with New York's offset."""
    return clock.now().astimezone(NEW_YORK)


def new_york_today(clock: Clock) -> date:
    """Returns the current date in New York."""
    return new_york_now(clock).date()


async def wait_for_event(event: asyncio.Event, timeout: timedelta, clock: Clock) -> bool:
    """Returns when `event` is set or `timeout` has passed on `clock`; True if the event is set.

    Not a method of `Clock`, so that a test's clock needs nothing but `sleep`.
    """
    waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(clock.sleep(timeout))]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waits:
            each.cancel()

    return event.is_set()


def instant_of(milliseconds: object) -> datetime | None:
    """Returns epoch milliseconds as an instant in UTC; None for zero and for what is no such time.

    The broker's JSON has zero, NaN, or nothing where it knows no time.
    """
    if type(milliseconds) is not int or milliseconds <= 0:
        return None

    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, OSError, ValueError):  # beyond the year 9999
        return None
