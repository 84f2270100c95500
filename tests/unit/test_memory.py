"""Memory that became free is given back, and nothing is done where nothing changed."""

from __future__ import annotations

import asyncio

import pytest

from server.memory import PAUSE, WORTHWHILE, HeapState, LibcHeap, memory_given_back
from tests.clock import ManualClock
from tests.waiting import eventually

MIB = 1 << 20


class FakeHeap:
    """A heap that keeps what is free until it is told."""

    def __init__(self) -> None:
        self.used = 100 * MIB
        self.kept = 0
        self.trims = 0

    def state(self) -> HeapState:
        return HeapState(resident=self.used + self.kept, free=self.kept)

    def trim(self) -> None:
        self.trims += 1
        self.kept = 0


async def wait(clock: ManualClock) -> None:
    await clock.advance(PAUSE.total_seconds())
    await asyncio.sleep(0.02)  # the thread that gives back


async def test_what_became_free_is_given_back() -> None:
    clock, heap = ManualClock(), FakeHeap()
    async with memory_given_back(clock, heap):
        await wait(clock)
        await wait(clock)
        assert heap.trims == 0
        heap.used += 500 * MIB
        await wait(clock)
        heap.used, heap.kept = 100 * MIB, 500 * MIB
        await clock.advance(PAUSE.total_seconds())
        await eventually(lambda: heap.state().resident == 100 * MIB)
        trims = heap.trims
        await wait(clock)
        await wait(clock)
        assert heap.trims == trims


async def test_without_a_heap_nothing_happens() -> None:
    clock = ManualClock()
    async with memory_given_back(clock, None):
        assert clock.sleeping == 0


def test_the_heap_of_this_process_can_be_asked() -> None:
    heap = LibcHeap.here()
    if heap is None:
        pytest.skip("the C library of this machine has nothing to give back with")

    state = heap.state()
    assert state.resident > 10 * MIB
    assert 0 <= state.free < 1 << 40
    heap.trim()
    assert not state.differs(HeapState(resident=state.resident + WORTHWHILE, free=state.free))
