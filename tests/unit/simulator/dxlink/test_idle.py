"""Tests that a connection with nothing to send sleeps, whatever has woken it before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.simulator.clock import ManualClock, run_ready_tasks
from tests.unit.simulator.dxlink.conftest import NOON, Connect


class CountingClock(ManualClock):
    """Counts calls of `sleep`: a loop that spins sleeps all the time."""

    sleeps = 0

    async def sleep(self, duration: timedelta) -> None:
        self.sleeps += 1
        await super().sleep(duration)


@pytest.fixture
def clock() -> CountingClock:
    return CountingClock(NOON)


async def test_once_nothing_is_subscribed_the_pump_rests(
    connect: Connect, clock: CountingClock
) -> None:
    async with connect() as harness:
        await harness.log_in()
        await harness.open()
        await harness.subscribe("SPY")
        await harness.socket.say({"type": "FEED_SUBSCRIPTION", "channel": 1, "reset": True})
        before = clock.sleeps
        for _ in range(20):
            await run_ready_tasks()
        assert clock.sleeps - before <= 2
