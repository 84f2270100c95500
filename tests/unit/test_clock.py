"""Waiting for an event or a time-out, and instants out of epoch milliseconds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from server.clock import instant_of, wait_for_event
from tests.clock import ManualClock

PATIENCE = timedelta(seconds=5)


async def test_an_event_ends_the_wait_before_the_time_out() -> None:
    clock, event = ManualClock(), asyncio.Event()
    waiting = asyncio.create_task(wait_for_event(event, PATIENCE, clock))
    await clock.advance(4.9)
    assert not waiting.done()
    event.set()
    assert await waiting
    await clock.advance(0)
    assert clock.sleeping == 0


async def test_the_time_out_is_the_clocks() -> None:
    clock, event = ManualClock(), asyncio.Event()
    waiting = asyncio.create_task(wait_for_event(event, PATIENCE, clock))
    await clock.advance(5)
    assert not await waiting


async def test_a_cancelled_wait_leaves_nothing_behind() -> None:
    clock, event = ManualClock(), asyncio.Event()
    waiting = asyncio.create_task(wait_for_event(event, PATIENCE, clock))
    await clock.advance(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await clock.advance(0)
    assert clock.sleeping == 0
    assert len(asyncio.all_tasks()) == 1


def test_milliseconds_become_an_aware_instant() -> None:
    assert instant_of(1_765_800_000_123) == datetime(2025, 12, 15, 12, 0, 0, 123_000, tzinfo=UTC)


@pytest.mark.parametrize("raw", [0, -1, 10**20, True, 1.5, "NaN", None, [1]])
def test_what_is_no_time_is_none(raw: object) -> None:
    assert instant_of(raw) is None
