"""Requests leave no faster than the broker allows, in order, and never too late."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from server.brokerage.pacing import OVERALL, Pace, Pacer
from server.errors import BrokerThrottled
from tests.clock import ManualClock, settle

BALANCES = "/accounts/5WT00001/balances/USD"
CHAIN = "/option-chains/SPY/nested"


def pacer(clock: ManualClock, *, on: bool = True, overall: Pace | None = None) -> Pacer:
    return Pacer(clock, overall or Pace(OVERALL, clock), timedelta(seconds=10), on=on)


async def test_one_a_second_goes_one_a_second() -> None:
    clock = ManualClock()
    paced = pacer(clock)
    left: list[float] = []

    async def request() -> None:
        await paced.turn(BALANCES)
        left.append(clock.monotonic() - 1000)

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(request())

        await clock.advance(5)

    gaps = [later - earlier for earlier, later in pairwise(left)]
    assert len(left) == 4
    assert all(1 <= gap < 1.12 for gap in gaps)
    assert paced.waited == 3


async def test_a_seconds_worth_may_go_at_once() -> None:
    clock = ManualClock()
    paced = pacer(clock)
    await paced.turn(CHAIN)
    await paced.turn(CHAIN)
    assert paced.waited == 0

    third = asyncio.create_task(paced.turn(CHAIN))
    await settle()
    assert not third.done()
    await clock.advance(0.51)
    assert not third.done()
    await clock.advance(0.03)
    assert third.done()


async def test_kinds_do_not_wait_for_each_other() -> None:
    clock = ManualClock()
    paced = pacer(clock)
    for path in (BALANCES, "/accounts/A/positions", CHAIN, "/instruments/equities/SPY", "/x"):
        await paced.turn(path)

    assert paced.waited == 0


async def test_a_turn_beyond_the_longest_wait_fails_at_once() -> None:
    clock = ManualClock()
    paced = pacer(clock)
    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(paced.turn(BALANCES))

        await settle()
        with pytest.raises(BrokerThrottled):
            await paced.turn(BALANCES)

        await clock.advance(12)


async def test_all_tenants_share_the_overall_pace() -> None:
    clock = ManualClock()
    overall = Pace(OVERALL, clock)
    one, two = pacer(clock, overall=overall), pacer(clock, overall=overall)
    for _ in range(25):
        await one.turn("/x")
        await two.turn("/x")

    assert one.waited + two.waited == 0
    next_one = asyncio.create_task(one.turn("/x"))
    await settle()
    assert not next_one.done()
    await clock.advance(0.022)
    assert next_one.done()


async def test_after_a_429_its_kind_is_left_alone_and_the_others_go_on() -> None:
    clock = ManualClock()
    paced = pacer(clock)
    await paced.back_off(BALANCES)
    await paced.turn(CHAIN)
    again = asyncio.create_task(paced.turn(BALANCES))
    await settle()
    assert not again.done()
    await clock.advance(1)
    assert again.done()


@pytest.mark.parametrize(("on", "path"), [(False, BALANCES), (True, "/x")])
async def test_what_has_no_pace_of_its_own_pauses_too(on: bool, path: str) -> None:
    clock = ManualClock()
    backing_off = asyncio.create_task(pacer(clock, on=on).back_off(path))
    await clock.advance(0.9)
    assert not backing_off.done()
    await clock.advance(0.1)
    assert backing_off.done()


async def test_switched_off_it_does_nothing() -> None:
    clock = ManualClock()
    paced = pacer(clock, on=False)
    for _ in range(1000):
        await paced.turn(BALANCES)
