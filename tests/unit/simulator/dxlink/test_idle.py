"""A connection with nothing to send costs nothing, whatever has woken it before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.simulator.clock import ManualClock, run_ready_tasks
from tests.unit.simulator.dxlink.conftest import NOON, Dial


class CountingClock(ManualClock):
    """Counts how often somebody goes to sleep: a loop that spins sleeps all the time."""

    sleeps = 0

    async def sleep(self, duration: timedelta) -> None:
        self.sleeps += 1
        await super().sleep(duration)


@pytest.fixture
def clock() -> CountingClock:
    return CountingClock(NOON)


async def test_once_nothing_is_subscribed_the_pump_rests(dial: Dial, clock: CountingClock) -> None:
    async with dial() as line:
        await line.log_in()
        await line.open()
        await line.subscribe("SPY")
        await line.socket.say({"type": "FEED_SUBSCRIPTION", "channel": 1, "reset": True})
        before = clock.sleeps
        for _ in range(20):
            await run_ready_tasks()
        assert clock.sleeps - before <= 2
