"""Reads quotes, greeks or trades from a hub, for one stream.

A reader holds no queue of data. It remembers the version of its last batch; what it gets next is
whatever changed since, so a slow reader costs no memory and always catches up with one message.
"""

from __future__ import annotations

__all__ = ["Item", "Reader"]

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence

from server.clock import Clock
from server.market.feed_status import Condition
from server.market.group import Group
from server.market.hub import Hub
from server.market.read_stream import Heartbeat, read_stream
from server.market.results import Acknowledgement
from server.streams.send_pacer import SendInterval, SendPacer

MESSAGES_WAITING = 32
"""Answers to changes that may wait for a slow client before its next change is looked at."""

Item = bytes | Acknowledgement | Condition | Heartbeat
"""A batch, ready to be sent as it is, or something that the rpc encodes."""


class Reader:
    """Reads one group of topics, which may be changed while `items` runs."""

    def __init__(self, hub: Hub, group: Group, clock: Clock, send_interval: SendInterval) -> None:
        self._hub = hub
        self._clock = clock
        self._group = group
        self._pacer = SendPacer(clock, send_interval)
        self._messages: deque[bytes | Acknowledgement] = deque()
        self.room = asyncio.Event()
        """Set while there is room for more messages by `say`; wait for it before making them."""
        self.room.set()
        self._seen = hub.version
        self._conflated = 0
        self._updates = group.updates
        self._delivered = 0

    def items(self, ended: Callable[[], bool]) -> AsyncGenerator[Item, None]:
        """Returns what the stream sends until `ended()` is true; see `read_stream`.

        Messages of `say` go out even then.
        """
        return read_stream(
            self,
            self._hub.status,
            self._pacer,
            self._clock,
            lambda: ended() and not self._messages,
        )

    def say(self, message: bytes | Acknowledgement) -> None:
        """Sends a message before anything else."""
        self._messages.append(message)
        if len(self._messages) >= MESSAGES_WAITING:
            self.room.clear()
        self._group.wake()

    def wake(self) -> None:
        """Makes the reader look whether it has ended."""
        self._group.wake()

    def change_interval(self, send_interval: SendInterval) -> None:
        """Changes how often this reader is sent data and heartbeats."""
        self._pacer.send_interval = send_interval

    def follow(self, group: Group) -> None:
        """Reads another group from now on; the caller sends the snapshot of its topics."""
        self._conflated += self._group.updates - self._updates - self._delivered
        old, self._group = self._group, group
        self._updates, self._delivered = group.updates, 0
        old.wake()

    def take_snapshot(self) -> Sequence[bytes]:
        """Returns one batch of every topic that is known, if any is."""
        since, self._seen = self._seen, self._hub.version
        self._delivered += self._group.changed_since(since)
        return self._counted(*self._group.collect(0, snapshot=True))

    def has_urgent(self) -> bool:
        """Returns whether there are messages of `say`."""
        return bool(self._messages)

    async def take_urgent(self) -> Sequence[bytes | Acknowledgement]:
        """Returns the next message of `say`."""
        self.room.set()
        return (self._messages.popleft(),)

    def has_changed(self) -> bool:
        """Returns whether a topic has changed since the last batch."""
        return self._group.version > self._seen

    def take_changes(self) -> Sequence[bytes]:
        """Returns one batch of what has changed since the last one."""
        since, self._seen = self._seen, self._hub.version
        batch, count = self._group.collect(since, snapshot=False)
        self._delivered += count
        return self._counted(batch, count)

    def conflated(self) -> int:
        """Returns how many updates this reader will never see, since it began."""
        pending = self._group.changed_since(self._seen)
        gone = self._group.updates - self._updates - self._delivered - pending
        return max(0, self._conflated + gone)

    async def wait(self) -> None:
        """Returns when the group is woken; at once if a message of `say` is there."""
        if not self._messages:
            await self._group.woken()

    def _counted(self, batch: bytes, count: int) -> Sequence[bytes]:
        self._hub.deliveries += count
        self._hub.delivered_bytes += len(batch)
        return (batch,) if batch else ()
