"""Groups the readers of one set of topics: they are woken together and share their batches."""

from __future__ import annotations

__all__ = ["Codec", "Group"]

import asyncio
from collections.abc import Sequence
from typing import Protocol

from server.market.topics import Topic


class Codec(Protocol):
    """Turns topics into the bytes of a stream's messages."""

    def items(self, topics: Sequence[Topic]) -> list[bytes]:
        """Returns an item of a batch, tag, length and message, for each of these topics.

        Those of which `encoded` is None are made anew, and left there.
        """

    def batch(self, items: Sequence[bytes], *, snapshot: bool) -> bytes:
        """Returns the message that holds the items."""


class Group:
    """Wakes the readers of one set of topics, and makes their batches."""

    def __init__(self, topics: Sequence[Topic], codec: Codec) -> None:
        self.topics = tuple(topics)
        self.readers = 0
        self.version = 0
        """The hub's version when a topic of this group last changed."""
        self._codec = codec
        self._wake: asyncio.Future[None] | None = None
        self._made: tuple[int, int, bool, bytes, int] | None = None

    @property
    def updates(self) -> int:
        """How many events of its topics came: what conflation is counted against."""
        return sum(topic.updates for topic in self.topics)

    def wake(self) -> None:
        """Wakes all waiting readers; does nothing for those that are sending."""
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
        self._wake = None

    async def woken(self) -> None:
        """Returns at the next `wake`."""
        if self._wake is None:
            self._wake = asyncio.get_running_loop().create_future()
        # Shielded, since the future is shared: a reader that leaves must not cancel it for all.
        await asyncio.shield(self._wake)

    def collect(self, since: int, *, snapshot: bool) -> tuple[bytes, int]:
        """Returns the batch of what changed after version `since`, and how many items it has.

        Readers that were woken together ask the same question, so the last answer is kept.
        """
        made = self._made
        if made and made[0] == since and made[1] == self.version and made[2] is snapshot:
            return made[3], made[4]

        changed = [topic for topic in self.topics if topic.version > since]
        batch = b""
        if changed:
            batch = self._codec.batch(self._codec.items(changed), snapshot=snapshot)
        self._made = (since, self.version, snapshot, batch, len(changed))
        return batch, len(changed)

    def changed_since(self, version: int) -> int:
        """Returns how many topics changed after a version: the items that a batch would have."""
        return sum(1 for topic in self.topics if topic.version > version)

    def forget(self) -> None:
        """Discards the last batch: the stale flags in it have changed."""
        self._made = None
