"""A clock that runs faster than the machine's: pauses of a minute pass in a second."""

from __future__ import annotations

__all__ = ["FastClock"]

import asyncio
import time
from datetime import UTC, datetime, timedelta


class FastClock:
    """Satisfies `server.clock.Clock`."""

    def __init__(self, factor: float) -> None:
        self.factor = factor
        self._started = time.monotonic()
        self._start = datetime.now(UTC)

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed())

    def monotonic(self) -> float:
        return self._started + self._elapsed()

    async def sleep(self, duration: timedelta) -> None:
        await asyncio.sleep(duration.total_seconds() / self.factor)

    def _elapsed(self) -> float:
        return (time.monotonic() - self._started) * self.factor
