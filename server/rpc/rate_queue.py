"""Lets the requests of each key go at a fixed rate, in the order in which they came.

It limits when a request starts, never how many run: a servicer that calls rpcs of its own (the
agent) would wait for itself otherwise. The rate is kept by virtual scheduling (GCRA): one number
per key says when its next request is due, so a key costs nothing while it is idle.
"""

from __future__ import annotations

__all__ = ["RateQueue", "RateQueueStatistics"]

import asyncio
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import timedelta

from server.clock import Clock
from server.errors import QueueFull, QueueTooHeavy, QueueTooSlow
from server.shares import Shares, Whose

INSTANT = 1e-6
"""Seconds; a shorter wait is rounding, and sleeping whole microseconds would never end it."""

MIB = 1 << 20
HEAVIEST = 32 * MIB
"""Bytes of the requests of one owner that may wait, over all his lines; the first may have any
size."""
LIGHT = MIB
"""The last quarter of what all requests may hold is for owners whose requests hold no more."""

SWEEP_AT = 1024
"""How many keys are known before the idle ones are looked for; afterwards, twice what was left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateQueueStatistics:
    """What the queue holds at one moment, and what it did since the start."""

    keys: int
    waiting: int
    admitted: int
    delayed: int
    refused_full: int
    refused_slow: int
    held: int
    """Bytes of the requests that wait."""
    refused_heavy: int


@dataclass(slots=True)
class _Lane:
    """One key's line. The first in line sleeps until its turn; the others wait to become first."""

    empty_at: float = 0.0
    """When the requests that were admitted will have been "served" at the fixed rate."""
    line: deque[asyncio.Future[None]] = field(default_factory=deque)


class RateQueue:
    """A line per key: `burst` requests may go at once, then `rate` a second.

    No task of its own: whoever is first in a line sleeps in its own task, and hands its place on
    when it goes or is cancelled, so a cancelled request costs those behind it nothing.
    """

    def __init__(
        self, clock: Clock, *, rate: float, burst: int, longest: int, heaviest: int = 128 * MIB
    ) -> None:
        self._clock = clock
        self._rate = rate
        self._interval = 1 / rate if rate else 0.0
        self._slack = (burst - 1) * self._interval
        self._longest = longest
        self._lanes: dict[Hashable, _Lane] = {}
        self._sweep_at = SWEEP_AT
        self._admitted = 0
        self._delayed = 0
        self._refused_full = 0
        self._refused_slow = 0
        self._refused_heavy = 0
        self._bytes = Shares(total=heaviest, each=HEAVIEST, light=LIGHT)

    async def turn(
        self,
        key: Hashable,
        deadline: float | None,
        size: int = 0,
        owner: Hashable | None = None,
    ) -> None:
        """Returns when the caller, whose request has `size` bytes, may go.

        `owner` is who has several lines; what waits in all of them weighs together. Raises
        QueueFull where too many wait already, QueueTooHeavy where too much does, and QueueTooSlow
        at once where the turn would come after `deadline` (on the clock's monotonic scale).
        """
        if not self._rate:
            self._admitted += 1
            return

        now = self._clock.monotonic()
        lane = self._lane(key, now)
        due = max(now, lane.empty_at - self._slack) + len(lane.line) * self._interval
        if due > now + INSTANT:  # so it is for everyone who finds a line
            self._refuse_hopeless(lane, now, due, deadline)
            owner = key if owner is None else owner
            self._refuse_heavy(owner, size)
            self._bytes.take(owner, size)
            try:
                await self._wait_in(lane)
            finally:
                self._bytes.give_back(owner, size)

            self._delayed += 1
            now = self._clock.monotonic()

        lane.empty_at = max(now, lane.empty_at) + self._interval
        self._admitted += 1

    def statistics(self) -> RateQueueStatistics:
        return RateQueueStatistics(
            keys=len(self._lanes),
            waiting=sum(len(lane.line) for lane in self._lanes.values()),
            admitted=self._admitted,
            delayed=self._delayed,
            refused_full=self._refused_full,
            refused_slow=self._refused_slow,
            held=self._bytes.total,
            refused_heavy=self._refused_heavy,
        )

    def _refuse_hopeless(self, lane: _Lane, now: float, due: float, deadline: float | None) -> None:
        if len(lane.line) >= self._longest:
            self._refused_full += 1
            raise QueueFull(waiting=len(lane.line), rate=self._rate)

        if deadline is not None and due > deadline:
            self._refused_slow += 1
            raise QueueTooSlow(wait_s=due - now, left_s=max(0.0, deadline - now), rate=self._rate)

    def _refuse_heavy(self, owner: Hashable, size: int) -> None:
        limit = self._bytes.limit(owner, size)
        if limit is None or (limit.whose is Whose.OWNER and not limit.held):
            return

        self._refused_heavy += 1
        raise QueueTooHeavy(
            held=limit.held,
            allowed=limit.allowed,
            whose="API key" if limit.whose is Whose.OWNER else "server",
        )

    async def _wait_in(self, lane: _Lane) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lane.line.append(place)
        try:
            if lane.line[0] is not place:
                await place

            while (wait := lane.empty_at - self._slack - self._clock.monotonic()) > INSTANT:
                await self._clock.sleep(timedelta(seconds=wait))
        finally:
            was_first = lane.line[0] is place
            lane.line.remove(place)
            if was_first and lane.line and not lane.line[0].done():
                lane.line[0].set_result(None)

    def _lane(self, key: Hashable, now: float) -> _Lane:
        lane = self._lanes.get(key)
        if lane is None:
            if len(self._lanes) >= self._sweep_at:
                self._sweep(now)

            lane = self._lanes[key] = _Lane(empty_at=now)

        return lane

    def _sweep(self, now: float) -> None:
        """Forgets keys whose line is empty and whose burst is whole again."""
        self._lanes = {
            key: lane for key, lane in self._lanes.items() if lane.line or lane.empty_at > now
        }
        self._sweep_at = max(SWEEP_AT, 2 * len(self._lanes))
