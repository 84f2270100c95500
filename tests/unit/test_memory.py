"""Freed memory goes back to the system: when it is looked for, and that it really goes."""

from __future__ import annotations

import sys

import pytest

from server.memory import EVERY, WORTH, giving_back, resident, trim
from tests.clock import ManualClock
from tests.waiting import eventually

EVERY_S = EVERY.total_seconds()
BLOCKS = 16_000
BLOCK = 4_000
LEAST = 100 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can give memory back")
def test_what_was_freed_between_used_blocks_goes_back() -> None:
    blocks = [bytes(BLOCK) for _ in range(BLOCKS)]
    held = resident()
    blocks = blocks[::64]
    kept = resident()
    trim()
    assert held - kept < BLOCKS * BLOCK / 4, "the C library gives it back by itself"
    assert held - resident() > BLOCKS * BLOCK / 2
    assert len(blocks) == BLOCKS / 64


async def test_it_is_given_where_there_may_be_much_of_it() -> None:
    clock = ManualClock()
    now = LEAST
    given: list[int] = []

    def give() -> None:
        nonlocal now
        given.append(now)
        now = LEAST + WORTH // 2

    async with giving_back(clock, lambda: now, give):
        await clock.advance(EVERY_S)
        now = LEAST + WORTH
        await clock.advance(EVERY_S)
        assert given == []
        now = LEAST + WORTH + 1
        await clock.advance(EVERY_S)
        await eventually(lambda: len(given) == 1 and clock.sleeping == 1)
        await clock.advance(EVERY_S)

    assert given == [LEAST + WORTH + 1]
