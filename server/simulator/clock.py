"""Defines the simulator's clock: real time by default, moved by hand in tests.

A simulated market may start on another day (`SimulatorSettings.start`) and still run at real speed.
Ask this clock and never the machine, or two parts will disagree about today's expirations.
"""

from __future__ import annotations

__all__ = ["NEW_YORK", "ManualClock", "SimClock", "SystemTime", "new_york_today"]

import asyncio
import heapq
import itertools
import time
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")


class SimClock(Protocol):
    """Tells the time to every part of the simulator."""

    def now(self) -> datetime:
        """Returns the current instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Returns seconds that never go backwards, for durations and deadlines."""

    async def sleep(self, duration: timedelta) -> None:
        """Returns once `duration` has passed; may be cancelled."""


class SystemTime:
    """Runs at real speed, from now or from a given instant."""

    def __init__(self, start: datetime | None = None) -> None:
        self._offset = timedelta() if start is None else start - datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, duration: timedelta) -> None:
        await asyncio.sleep(duration.total_seconds())


class ManualClock:
    """Stands still until `advance` moves it; wakes sleepers in the order of their deadlines."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._elapsed = timedelta()
        self._order = itertools.count()
        self._sleepers: list[tuple[timedelta, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._start + self._elapsed

    def monotonic(self) -> float:
        return self._elapsed.total_seconds()

    async def sleep(self, duration: timedelta) -> None:
        if duration <= timedelta():
            await asyncio.sleep(0)
            return

        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + duration, next(self._order), wake))
        await wake

    async def advance(self, duration: timedelta) -> None:
        """Moves the clock forward, stopping at each deadline so that its sleeper runs then.

        A sleeper that sleeps again and becomes due within `duration` is woken again within this
        call.
        """
        end = self._elapsed + duration
        await run_ready_tasks()
        while self._sleepers and self._sleepers[0][0] <= end:
            deadline, _, wake = heapq.heappop(self._sleepers)
            self._elapsed = max(self._elapsed, deadline)
            if not wake.done():
                wake.set_result(None)
                await run_ready_tasks()

        self._elapsed = end
        await run_ready_tasks()

    @property
    def sleepers(self) -> int:
        """Number of tasks that are asleep."""
        return sum(not wake.done() for _, _, wake in self._sleepers)


async def run_ready_tasks(turns: int = 10) -> None:
    """Runs the tasks that are ready.

    A wake-up may pass through several tasks before it has its effect, hence the number of turns.
    """
    for _ in range(turns):
        await asyncio.sleep(0)


def new_york_today(clock: SimClock) -> date:
    """Returns today's date in New York."""
    return clock.now().astimezone(NEW_YORK).date()
