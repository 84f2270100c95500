"""When the model's SDK is loaded: a little after the start, or before that for whoever needs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.agent.lazy_model_client import AFTER_THE_START, LazyModelClient
from server.settings import Settings
from tests.clock import ManualClock
from tests.waiting import eventually

AFTER_S = AFTER_THE_START.total_seconds()
PATIENCE_S = 60


@asynccontextmanager
async def open_door(clock: ManualClock) -> AsyncIterator[LazyModelClient]:
    async with (
        asyncio.TaskGroup() as tasks,
        LazyModelClient(Settings(anthropic_api_key=""), clock, tasks) as door,
    ):
        yield door


async def test_it_is_loaded_once_the_start_is_over() -> None:
    clock = ManualClock()
    async with open_door(clock) as door:
        door.load_soon()
        await clock.advance(AFTER_S - 0.1)
        assert clock.sleeping == 1
        assert not door.loaded
        await clock.advance(0.1)
        await eventually(lambda: door.loaded, PATIENCE_S)


async def test_whoever_needs_it_before_does_not_wait_for_that() -> None:
    clock = ManualClock()
    async with open_door(clock) as door:
        door.load_soon()
        await clock.advance(0)
        door.begin_to_load()
        await eventually(lambda: door.loaded, PATIENCE_S)
        assert clock.sleeping == 0


async def test_a_stop_before_it_is_loaded_waits_for_nothing() -> None:
    clock = ManualClock()
    async with open_door(clock) as door:
        door.load_soon()
        await clock.advance(0)
    assert not door.loaded
