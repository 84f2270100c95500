"""How late this machine runs what is due: promises about time are tested on busy ones, too."""

from __future__ import annotations

__all__ = ["Lag", "measured_lag"]

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

BEAT_S = 0.005


class Lag:
    """The sum of the delays that the loop of the test had while it was measured."""

    def __init__(self) -> None:
        self.seconds = 0.0


@asynccontextmanager
async def measured_lag() -> AsyncIterator[Lag]:
    """Yields a lag that grows by each delay beyond a few milliseconds while the block runs."""
    lag = Lag()

    async def beat() -> None:
        while True:
            due = time.monotonic() + BEAT_S
            await asyncio.sleep(BEAT_S)
            lag.seconds += max(0.0, time.monotonic() - due - BEAT_S)

    async with asyncio.TaskGroup() as tasks:
        beating = tasks.create_task(beat())
        yield lag
        beating.cancel()
