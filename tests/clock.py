"""A clock that stands still until a test moves it."""

from __future__ import annotations

__all__ = ["ManualClock"]

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
"""A Friday, 10:30 in New York: the market is open."""

TURNS = 10
"""Turns of the loop that woken tasks get before time moves on: several awaits in a row."""


class ManualClock:
    """Satisfies `server.clock.Clock`; `advance` wakes sleepers in the order of their times."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return 1000.0 + self._elapsed

    async def sleep(self, duration: timedelta) -> None:
        woken = asyncio.get_running_loop().create_future()
        due = self._elapsed + max(0.0, duration.total_seconds())
        heapq.heappush(self._sleepers, (due, next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Moves time on, stopping at each sleeper that is due on the way."""
        await settle()
        end = self._elapsed + seconds
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, woken = heapq.heappop(self._sleepers)
            self._elapsed = max(self._elapsed, due)
            if not woken.done():
                woken.set_result(None)
            await settle()
        self._elapsed = end
        await settle()

    @property
    def sleeping(self) -> int:
        """How many tasks wait for the time to pass."""
        return sum(1 for _, _, woken in self._sleepers if not woken.done())


async def settle() -> None:
    """Lets everything that is ready run."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
