"""One reader of a hub: what a streaming rpc sends, in order, until the client leaves.

A reader holds no queue of data. It remembers the version of its last batch; what it gets next is
whatever changed since, so a slow reader costs no memory and always catches up with one message.
"""

from __future__ import annotations

__all__ = ["Heartbeat", "Item", "Pace", "Reader"]

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.clock import Clock
from server.market.hub import Condition, Group, Hub


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Nothing new came for the interval that the client chose, and the stream is alive."""

    at: datetime
    live: bool
    conflated: int
    """Updates that this reader has not seen, since newer ones replaced them, from the start on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a reader wants to hear."""

    min_interval: timedelta
    heartbeat: timedelta


MESSAGES_WAITING = 32
"""Answers to changes that may wait for a slow client before its next change is looked at."""

Item = bytes | Condition | Heartbeat
"""A batch, ready to be sent as it is, or something that the rpc puts into its own words."""


class Reader:
    """Reads one group; the group may be changed while `items` runs."""

    def __init__(self, hub: Hub, group: Group, clock: Clock, pace: Pace) -> None:
        self._hub = hub
        self._clock = clock
        self._group = group
        self.pace = pace
        self._front: deque[bytes] = deque()
        self.room = asyncio.Event()
        """Set while there is room for more messages by `say`; wait for it before making them."""
        self.room.set()
        self._told = hub.version
        self._seen = hub.version
        self._conflated = 0
        self._updates = group.updates
        self._delivered = 0

    def say(self, message: bytes) -> None:
        """Lets a message go out before anything else."""
        self._front.append(message)
        if len(self._front) >= MESSAGES_WAITING:
            self.room.clear()
        self._group.wake()

    def wake(self) -> None:
        """Makes the reader look whether it has ended."""
        self._group.wake()

    def follow(self, group: Group) -> None:
        """Turns to another group; what it holds already is the caller's to send, as a snapshot."""
        self._conflated += self._group.updates - self._updates - self._delivered
        old, self._group = self._group, group
        self._updates, self._delivered = group.updates, 0
        old.wake()

    async def items(self, ended: Callable[[], bool]) -> AsyncGenerator[Item, None]:
        """Yields the snapshot of what is known, then batches, conditions and heartbeats.

        Batches come at most once in the pace's `min_interval`, on a grid common to all readers of
        that interval, so that they share the join. Ends when `ended()` is true, which is looked at
        whenever the reader is woken; cancellation passes through.
        """
        first, count = self._group.collect(0, snapshot=True)
        if count:
            yield first

        last_sent = self._clock.monotonic()
        while True:
            while self._front:
                yield self._front.popleft()
                self.room.set()
                last_sent = self._clock.monotonic()
            if ended():
                return

            for condition in self._hub.conditions_since(self._told):
                self._told = condition.version
                yield condition
                last_sent = self._clock.monotonic()

            if self._group.version > self._seen:
                batch = await self._next_batch()
                if batch:
                    yield batch
                    last_sent = self._clock.monotonic()
            elif self._clock.monotonic() - last_sent >= self.pace.heartbeat.total_seconds():
                yield self._heartbeat()
                last_sent = self._clock.monotonic()
            elif not self._front:
                await self._group.woken()

    async def _next_batch(self) -> bytes:
        step = self.pace.min_interval.total_seconds()
        if step:
            await self._clock.sleep(timedelta(seconds=step - self._clock.monotonic() % step))
        group = self._group
        since, self._seen = self._seen, self._hub.version
        batch, count = group.collect(since, snapshot=False)
        self._delivered += count
        self._hub.deliveries += count
        return batch

    def _heartbeat(self) -> Heartbeat:
        missed = self._group.updates - self._updates - self._delivered
        return Heartbeat(
            at=self._clock.now(),
            live=self._hub.live,
            conflated=max(0, self._conflated + missed),
        )
