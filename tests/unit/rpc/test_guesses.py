"""Guessing keys is slow, whether a guess is right or not, and slows nobody else."""

from __future__ import annotations

import asyncio

import pytest

from server.errors import TooManyWrongKeys
from server.rpc.guesses import FREE, LATELY_S, LONGEST_S, NETWORKS, PAIRS, GuessBrake
from tests.clock import ManualClock, settle

HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def brake(clock: ManualClock) -> GuessBrake:
    return GuessBrake(clock)


async def miss(brake: GuessBrake, times: int, network: str = HERE) -> None:
    for _ in range(times):
        await brake.turn(network, None)


async def test_after_some_wrong_keys_one_a_second_is_looked_at(
    brake: GuessBrake, clock: ManualClock
) -> None:
    await miss(brake, FREE)
    guesses = [asyncio.create_task(brake.turn(HERE, None)) for _ in range(10)]
    for looked_at in range(1, 11):
        await settle()
        assert sum(guess.done() for guess in guesses) == looked_at
        await clock.advance(1)

    assert brake.statistics().slowed == 10


async def test_a_right_key_waits_like_a_wrong_one(brake: GuessBrake, clock: ManualClock) -> None:
    await miss(brake, FREE + 1)
    right = asyncio.create_task(brake.turn(HERE, None))
    await settle()
    assert not right.done()
    await clock.advance(1)
    brake.right(HERE, brake.pair(HERE, "key"), await right)
    assert brake.worked_lately(brake.pair(HERE, "key"))


async def test_many_at_once_are_counted_before_they_are_looked_at(
    brake: GuessBrake, clock: ManualClock
) -> None:
    guesses = [asyncio.create_task(brake.turn(HERE, None)) for _ in range(500)]
    await settle()
    done = [guess for guess in guesses if guess.done()]
    refused = [guess for guess in done if guess.exception() is not None]
    assert len(done) - len(refused) == FREE + 1
    assert {type(guess.exception()) for guess in refused} == {TooManyWrongKeys}
    assert len(guesses) - len(done) == LONGEST_S
    await clock.advance(LONGEST_S)
    assert all(guess.done() for guess in guesses)


async def test_whoever_leaves_has_used_the_turn(brake: GuessBrake, clock: ManualClock) -> None:
    await miss(brake, FREE + 1)
    for _ in range(5):
        guess = asyncio.create_task(brake.turn(HERE, None))
        await settle()
        guess.cancel()

    last = asyncio.create_task(brake.turn(HERE, None))
    await clock.advance(5)
    assert not last.done()
    await clock.advance(1)
    assert last.done()


async def test_other_networks_do_not_wait(brake: GuessBrake) -> None:
    await miss(brake, FREE + 1)
    async with asyncio.timeout(1):
        await miss(brake, 1, THERE)


async def test_keys_that_work_are_no_wrong_ones(brake: GuessBrake) -> None:
    for number in range(1000):  # a neighbourhood behind one address
        pair = brake.pair(HERE, f"key-{number}")
        brake.right(HERE, pair, await brake.turn(HERE, None))

    assert brake.statistics().slowed == 0


async def test_a_minute_without_wrong_keys_ends_it(brake: GuessBrake, clock: ManualClock) -> None:
    await miss(brake, FREE + 1)
    await clock.advance(61)
    await miss(brake, FREE)
    assert brake.statistics().slowed == 1


async def test_what_cannot_be_looked_at_in_time_is_refused_at_once(
    brake: GuessBrake, clock: ManualClock
) -> None:
    await miss(brake, FREE + 1)
    with pytest.raises(TooManyWrongKeys, match="try again in 1 s"):
        await brake.turn(HERE, clock.monotonic() + 0.5)

    assert brake.statistics().refused == 1


async def test_a_key_is_known_where_it_worked_and_not_for_ever(
    brake: GuessBrake, clock: ManualClock
) -> None:
    brake.right(HERE, brake.pair(HERE, "key"))
    assert not brake.worked_lately(brake.pair(THERE, "key"))
    assert not brake.worked_lately(brake.pair(HERE, "other"))
    await clock.advance(LATELY_S - 1)
    brake.right(HERE, brake.pair(HERE, "key"))
    await clock.advance(LATELY_S - 1)
    assert brake.worked_lately(brake.pair(HERE, "key"))
    await clock.advance(2)
    assert not brake.worked_lately(brake.pair(HERE, "key"))


async def test_a_deleted_key_waits_like_any_other(brake: GuessBrake) -> None:
    pair = brake.pair(HERE, "key")
    brake.right(HERE, pair)
    brake.wrong(HERE, pair)
    assert not brake.worked_lately(pair)


async def test_memory_has_a_bound(brake: GuessBrake) -> None:
    for number in range(NETWORKS + 10):
        await brake.turn(str(number), None)

    for number in range(PAIRS + 10):
        brake.right("0", number.to_bytes(16, "big"))

    assert (brake.statistics().networks, brake.statistics().pairs) == (NETWORKS, PAIRS)
