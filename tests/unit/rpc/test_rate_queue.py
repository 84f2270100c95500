"""Row 20 of the promises on a clock that stands still: fixed rate, in order, nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from server.errors import QueueFull, QueueTooHeavy, QueueTooSlow, TooManyRequests
from server.rpc.rate_queue import HEAVIEST, LIGHT, SWEEP_AT, RateQueue
from tests.clock import ManualClock, settle


@dataclass
class Callers:
    """Starts callers and writes down who went when (in seconds since the start)."""

    queue: RateQueue
    clock: ManualClock
    went: list[tuple[str, object, float]] = field(default_factory=list)
    refused: list[tuple[str, TooManyRequests]] = field(default_factory=list)
    tasks: dict[object, asyncio.Task[None]] = field(default_factory=dict)
    start: float = 0.0

    def arrive(
        self, name: object, key: str = "a", deadline: float | None = None, size: int = 0
    ) -> None:
        self.tasks[name] = asyncio.create_task(self._go(name, key, deadline, size))

    async def _go(self, name: object, key: str, within: float | None, size: int) -> None:
        now = self.clock.monotonic()
        try:
            await self.queue.turn(key, None if within is None else now + within, size)
        except TooManyRequests as error:
            self.refused.append((str(name), error))
        else:
            self.went.append((key, name, round(self.clock.monotonic() - self.start, 6)))

    def times(self, key: str = "a") -> list[float]:
        return [when for its, _, when in self.went if its == key]

    def order(self, key: str = "a") -> list[object]:
        return [name for its, name, _ in self.went if its == key]

    async def leave(self) -> None:
        for task in self.tasks.values():
            task.cancel()

        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


def callers_of(*, rate: float = 2.0, burst: int = 2, longest: int = 100) -> Callers:
    clock = ManualClock()
    queue = RateQueue(clock, rate=rate, burst=burst, longest=longest)
    return Callers(queue, clock, start=clock.monotonic())


@pytest_asyncio.fixture
async def callers() -> AsyncIterator[Callers]:
    callers = callers_of()
    yield callers
    await callers.leave()


async def test_ten_at_once_finish_in_four_seconds_in_order(callers: Callers) -> None:
    for name in range(10):
        callers.arrive(name)

    await callers.clock.advance(10)

    assert callers.times() == [0, 0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]
    assert callers.order() == list(range(10))


async def test_twenty_keys_with_fifty_requests_each_keep_two_a_second() -> None:
    callers = callers_of()
    keys = [f"key{n}" for n in range(20)]
    for name in range(50):
        for key in keys:
            callers.arrive((key, name), key)

    await callers.clock.advance(23.999)
    assert len(callers.went) == 20 * 49
    await callers.clock.advance(0.002)

    for key in keys:
        times = callers.times(key)
        rate = (len(times) - 2) / times[-1]
        assert rate == pytest.approx(2.0, abs=0.05)
        assert callers.order(key) == [(key, name) for name in range(50)]
    assert callers.refused == []


async def test_another_key_is_not_delayed(callers: Callers) -> None:
    for name in range(30):
        callers.arrive(name)

    await callers.clock.advance(1)
    callers.arrive("other", key="b")
    await settle()

    assert callers.times("b") == [1]


async def test_a_pause_restores_the_burst_and_no_more(callers: Callers) -> None:
    for name in range(2):
        callers.arrive(name)
    await callers.clock.advance(100)
    for name in range(2, 6):
        callers.arrive(name)
    await callers.clock.advance(10)

    assert callers.times() == [0, 0, 100, 100, 100.5, 101]


async def test_a_burst_of_one_does_not_drift() -> None:
    callers = callers_of(rate=10, burst=1)
    for name in range(21):
        callers.arrive(name)
    await callers.clock.advance(5)

    assert callers.times()[-1] == pytest.approx(2.0)


async def test_a_full_queue_refuses_with_the_numbers() -> None:
    callers = callers_of(longest=3)
    for name in range(6):
        callers.arrive(name)
    await settle()

    [(name, error)] = callers.refused
    assert name == "5"
    assert isinstance(error, QueueFull)
    assert error.metadata == {"waiting": "3", "rate": "2.0"}
    await callers.leave()


async def test_what_waits_may_not_be_too_heavy_together(callers: Callers) -> None:
    for name in range(3):  # of which two go at once
        callers.arrive(name, size=2 * HEAVIEST)
    for name in (3, 4):
        callers.arrive(name, size=1)
    callers.arrive("of another", key="b", size=HEAVIEST)
    await settle()
    assert [name for name, _ in callers.refused] == ["3", "4"]
    assert all(isinstance(error, QueueTooHeavy) for _, error in callers.refused)
    assert "of this API key that are waiting hold 64.0 MiB already" in str(callers.refused[0][1])

    callers.tasks[2].cancel()
    await settle()
    for name, size in ((5, HEAVIEST), (6, 1), (7, 0)):
        callers.arrive(name, size=size)
    await callers.clock.advance(5)
    assert [name for name, _ in callers.refused] == ["3", "4", "6"]
    assert callers.order() == [0, 1, 5, 7]


async def test_all_lines_of_an_owner_weigh_together() -> None:
    clock = ManualClock()
    queue = RateQueue(clock, rate=2, burst=1, longest=100)
    for lane in ("main", "cancel"):
        await queue.turn(("a", lane), None, owner="a")

    first = asyncio.create_task(queue.turn(("a", "main"), None, HEAVIEST - 10, owner="a"))
    await settle()
    with pytest.raises(QueueTooHeavy):
        await queue.turn(("a", "cancel"), None, 11, owner="a")

    cancel = asyncio.create_task(queue.turn(("a", "cancel"), None, 10, owner="a"))
    await settle()
    assert queue.statistics().held == HEAVIEST
    await clock.advance(1)
    assert first.done()
    assert cancel.done()
    assert queue.statistics().held == 0


async def test_many_heavy_keys_leave_room_for_a_light_one() -> None:
    clock = ManualClock()
    queue = RateQueue(clock, rate=2, burst=1, longest=100, heaviest=4 * HEAVIEST)
    waiting: list[asyncio.Task[None]] = []
    body = HEAVIEST // 4
    for number in range(25):
        await queue.turn(number, None)
        waiting += [asyncio.create_task(queue.turn(number, None, body)) for _ in range(4)]

    await queue.turn("honest", None)
    waiting.append(asyncio.create_task(queue.turn("honest", None, LIGHT)))
    await settle()
    refused = [each for each in waiting if each.done()]
    assert len(refused) == 25 * 4 - 12
    errors = [each.exception() for each in refused]
    assert all(isinstance(error, QueueTooHeavy) for error in errors)
    assert "of this server that are waiting hold 96.0 MiB already" in str(errors[0])
    assert queue.statistics().held == 3 * HEAVIEST + LIGHT
    assert queue.statistics().refused_heavy == len(refused)
    await clock.advance(3)
    await asyncio.gather(*(each for each in waiting if each not in refused))
    assert queue.statistics().held == 0


async def test_a_wait_beyond_the_deadline_fails_at_once(callers: Callers) -> None:
    for name in range(6):
        callers.arrive(name)
    await settle()

    # Four wait already, so the turn would come in 2.5 s.
    callers.arrive("hopeless", deadline=2.4)
    callers.arrive("in time", deadline=2.5)
    await settle()

    [(name, error)] = callers.refused
    assert name == "hopeless"
    assert isinstance(error, QueueTooSlow)
    assert "comes in 2.5 s" in str(error)
    await callers.clock.advance(2.5)
    assert callers.order()[-1] == "in time"


@pytest.mark.parametrize("gone", [2, 3, 7], ids=["first in line", "second", "in the middle"])
async def test_who_is_cancelled_leaves_the_place_to_those_behind(
    callers: Callers, gone: int
) -> None:
    for name in range(10):
        callers.arrive(name)
    await callers.clock.advance(0.2)
    callers.tasks[gone].cancel()
    await callers.clock.advance(10)

    assert callers.order() == [name for name in range(10) if name != gone]
    assert callers.times() == [0, 0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]


async def test_who_is_cancelled_just_when_called_forward_hands_the_place_on(
    callers: Callers,
) -> None:
    for name in range(5):
        callers.arrive(name)
    await settle()
    # 2 is cancelled and hands over to 3 in the same turn of the loop in which 3 is cancelled.
    callers.tasks[2].cancel()
    callers.tasks[3].cancel()
    await callers.clock.advance(10)

    assert callers.order() == [0, 1, 4]
    assert callers.times() == [0, 0, 0.5]
    assert callers.queue.statistics().waiting == 0


async def test_who_comes_in_the_moment_of_a_turn_does_not_overtake() -> None:
    callers = callers_of(burst=1)

    async def come_first_of_all() -> None:
        await callers.clock.sleep(timedelta(seconds=0.5))
        # It is the turn of 1 by now, but its task has not run yet; nor may it be forgotten.
        for name in range(SWEEP_AT):
            await callers.queue.turn(name, None)
        callers.arrive("late")
        await asyncio.sleep(0)

    early = asyncio.create_task(come_first_of_all())
    await settle()
    callers.arrive(0)
    callers.arrive(1)
    await callers.clock.advance(3)
    await early

    assert callers.order() == [0, 1, "late"]
    assert callers.times() == [0, 0.5, 1]


async def test_no_rate_means_no_limit() -> None:
    callers = callers_of(rate=0)
    for name in range(500):
        callers.arrive(name)
    await settle()

    assert len(callers.went) == 500


async def test_idle_keys_are_forgotten(callers: Callers) -> None:
    for name in range(SWEEP_AT):
        await callers.queue.turn(name, None)
    assert callers.queue.statistics().keys == SWEEP_AT

    await callers.clock.advance(10)
    await callers.queue.turn("new", None)

    assert callers.queue.statistics().keys == 1


async def test_keys_in_use_are_not_forgotten(callers: Callers) -> None:
    for name in range(3):
        callers.arrive(name, key="busy")
    await settle()
    for name in range(SWEEP_AT):
        await callers.queue.turn(name, None)

    callers.arrive("late", key="busy")
    await callers.clock.advance(10)

    assert callers.times("busy") == [0, 0, 0.5, 1]


async def test_statistics_tell_what_happened() -> None:
    callers = callers_of(longest=2)
    for name in range(5):
        callers.arrive(name)
    callers.arrive("slow", key="b", deadline=0)
    callers.arrive("slow", key="b", deadline=0)
    callers.arrive("slow", key="b", deadline=0)
    await settle()

    before = callers.queue.statistics()
    assert (before.keys, before.waiting, before.admitted, before.delayed) == (2, 2, 4, 0)
    assert (before.refused_full, before.refused_slow) == (1, 1)
    await callers.clock.advance(5)
    after = callers.queue.statistics()
    assert (after.waiting, after.admitted, after.delayed) == (0, 6, 2)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 3),  # pause before the arrival
            st.one_of(st.none(), st.floats(0, 5)),  # when it is cancelled, counted from arrival
        ),
        min_size=1,
        max_size=30,
    )
)
def test_whatever_arrives_and_leaves_the_rate_holds_and_nobody_overtakes(
    arrivals: list[tuple[float, float | None]],
) -> None:
    asyncio.run(_check(arrivals))


async def _check(arrivals: list[tuple[float, float | None]]) -> None:
    callers = callers_of()
    events: list[tuple[float, int, bool]] = []
    at = 0.0
    for name, (pause, stays) in enumerate(arrivals):
        at += pause
        events.append((at, name, True))
        if stays is not None:
            events.append((at + stays, name, False))

    now = 0.0
    for when, name, arrives in sorted(events, key=lambda event: (event[0], not event[2])):
        await callers.clock.advance(when - now)
        now = when
        if arrives:
            callers.arrive(name)
        else:
            callers.tasks[name].cancel()
    await callers.clock.advance(100)

    times = callers.times()
    assert callers.order() == sorted(callers.order())
    for first in range(len(times)):
        for last in range(first + 2, len(times)):
            # Two at once, then two a second: n requests take at least (n - 2) / 2 seconds.
            assert times[last] - times[first] >= (last - first - 1) / 2 - 1e-4
    kept = [name for name, (_, stays) in enumerate(arrivals) if stays is None]
    assert set(kept) <= set(callers.order())
    assert callers.queue.statistics().waiting == 0
