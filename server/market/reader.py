"""One reader of a hub: what a streaming rpc sends, in order, until the client leaves.

A reader holds no queue of data. It remembers the version of its last batch; what it gets next is
whatever changed since, so a slow reader costs no memory and always catches up with one message.
"""

from __future__ import annotations

__all__ = ["Heartbeat", "Item", "Reader"]

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime

from server.clock import Clock
from server.market.feed_status import Condition
from server.market.group import Group
from server.market.hub import Hub
from server.market.results import Acknowledgement
from server.streams.send_pacer import SendInterval, SendPacer


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The stream is alive: nothing came for the interval that the client chose, or updates were
    replaced by newer ones since the last heartbeat."""

    at: datetime
    conflated: int
    """Updates that this reader has not seen, since newer ones replaced them, from the start on."""


MESSAGES_WAITING = 32
"""Answers to changes that may wait for a slow client before its next change is looked at."""

Item = bytes | Acknowledgement | Condition | Heartbeat
"""A batch, ready to be sent as it is, or something that the rpc encodes."""


class Reader:
    """Reads one group; the group may be changed while `items` runs."""

    def __init__(self, hub: Hub, group: Group, clock: Clock, pace: SendInterval) -> None:
        self._hub = hub
        self._clock = clock
        self._group = group
        self._rhythm = SendPacer(clock, pace)
        self._front: deque[bytes | Acknowledgement] = deque()
        self.room = asyncio.Event()
        """Set while there is room for more messages by `say`; wait for it before making them."""
        self.room.set()
        self._told = hub.version
        self._seen = hub.version
        self._conflated = 0
        self._updates = group.updates
        self._delivered = 0
        self._beaten = (clock.monotonic(), 0)

    def say(self, message: bytes | Acknowledgement) -> None:
        """Lets a message go out before anything else."""
        self._front.append(message)
        if len(self._front) >= MESSAGES_WAITING:
            self.room.clear()
        self._group.wake()

    def wake(self) -> None:
        """Makes the reader look whether it has ended."""
        self._group.wake()

    def keep(self, pace: SendInterval) -> None:
        """Changes the pace."""
        self._rhythm.pace = pace

    def follow(self, group: Group) -> None:
        """Turns to another group; what it holds already is the caller's to send, as a snapshot."""
        self._conflated += self._group.updates - self._updates - self._delivered
        old, self._group = self._group, group
        self._updates, self._delivered = group.updates, 0
        old.wake()

    async def items(self, ended: Callable[[], bool]) -> AsyncGenerator[Item, None]:
        """Yields the snapshot of what is known, then batches, conditions and heartbeats.

        The news that data is live again is followed by a snapshot of all of it. Ends when `ended()`
        is true, which is looked at whenever the reader is woken; cancellation passes through.
        """
        hub, rhythm = self._hub, self._rhythm
        first = self._taken(*self._group.collect(0, snapshot=True))
        if first:
            yield first

        outage = hub.conditions.outage
        if outage is not None and outage.version <= self._told:
            yield outage  # it began before this reader came

        rhythm.sent()
        while True:
            while self._front:
                yield self._front.popleft()
                self.room.set()
                rhythm.sent()
            if ended():
                return

            for condition in hub.conditions.since(self._told):
                self._told = condition.version
                yield condition
                if condition.live and (snapshot := self._snapshot()):
                    yield snapshot
                rhythm.sent()

            if rhythm.is_silent or self._is_behind():
                yield self._heartbeat()
                rhythm.sent()
            elif self._group.version > self._seen:
                if await rhythm.is_due() and (batch := self._batch()):
                    yield batch
                    rhythm.sent()
            elif not self._front:
                await self._group.woken()

    def _batch(self) -> bytes:
        since, self._seen = self._seen, self._hub.version
        batch, count = self._group.collect(since, snapshot=False)
        self._delivered += count
        return self._taken(batch, count)

    def _snapshot(self) -> bytes:
        since, self._seen = self._seen, self._hub.version
        self._delivered += self._group.changed_since(since)
        return self._taken(*self._group.collect(0, snapshot=True))

    def _taken(self, batch: bytes, count: int) -> bytes:
        self._hub.deliveries += count
        self._hub.delivered_bytes += len(batch)
        return batch

    def _missed(self) -> int:
        """Returns how many updates this reader will never see, since it began."""
        pending = self._group.changed_since(self._seen)
        gone = self._group.updates - self._updates - self._delivered - pending
        return max(0, self._conflated + gone)

    def _is_behind(self) -> bool:
        """Whether a heartbeat is due to tell how much was missed, though data never pauses."""
        at, told = self._beaten
        now = self._clock.monotonic()
        if now - at < self._rhythm.pace.heartbeat.total_seconds():
            return False
        self._beaten = (now, told)
        return self._missed() > told

    def _heartbeat(self) -> Heartbeat:
        missed = self._missed()
        self._beaten = (self._clock.monotonic(), missed)
        return Heartbeat(at=self._clock.now(), conflated=missed)
