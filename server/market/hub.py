"""Fans one tenant's events out to any number of readers; publishing never waits for a reader.

A publisher only replaces the latest value of a topic and wakes the groups that follow it. A group
is the set of readers that follow the very same symbols: they are woken together and get the very
same bytes, so a thousand of them cost one encoding and one join. A reader that comes late for its
batch finds newer values and no queue: what it missed in between is gone, and counted (conflation).
That is right for quotes and greeks and would be wrong for orders, which never pass through here.
"""

from __future__ import annotations

__all__ = ["Codec", "Condition", "Group", "Hub", "HubStatistics", "Wants"]

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from server.brokerage.dxlink_events import FIELDS, Row
from server.clock import Clock
from server.market.candles import CandleBook
from server.market.topics import EVENTS_OF, Kind, Topic, TopicKey

NOTICES_KEPT = 64
"""Conditions remembered for slow readers; a reader further behind is told the latest ones only."""

SILENCE_S = 15.0
"""An active symbol that has not moved for this long, while others did, is flagged stale."""

LIVELY = 1.0
"""The liveliness from which silence means something: a far option is silent most of the time."""


class Wants(Protocol):
    """Where the hub says what it needs; calls return at once."""

    def want(self, event: str, symbol: str, since: int | None = None) -> None:
        """Starts a subscription, now or as soon as there is a connection.

        `since` is for candles: epoch milliseconds from which their history is wanted.
        """

    def unwant(self, event: str, symbol: str) -> None:
        """Ends a subscription."""


Encoder = Callable[[Topic], bytes]


class Codec(Protocol):
    """Turns topics into the bytes of a stream's messages."""

    def encoder(self, kind: Kind) -> Encoder:
        """Returns what makes one item of a batch, tag, length and message, in `topic.encoded`."""

    def batch(self, pieces: Sequence[bytes], *, snapshot: bool) -> bytes:
        """Returns the message that holds the items."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that readers must be told besides data."""

    version: int
    live: bool
    """False: what readers have is stale until further notice; True: it is live again."""
    cause: str
    symbols: tuple[str, ...] = ()
    """The labels concerned; empty means all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubStatistics:
    """What the hub holds and did since it was opened."""

    topics: int
    held: int
    groups: int
    readers: int
    updates: int
    deliveries: int
    encoded: int


class Group:
    """The readers of one set of topics."""

    def __init__(self, topics: Sequence[Topic], codec: Codec) -> None:
        self.topics = tuple(topics)
        self.readers = 0
        self.version = 0
        """The hub's version when a topic of this group last changed."""
        self.updates = 0
        """Updates of its topics since the group exists: what conflation is counted against."""
        self._codec = codec
        self._encoders = [(topic, codec.encoder(topic.key.kind)) for topic in topics]
        self._wake: asyncio.Future[None] | None = None
        self._made: tuple[int, int, bytes, int] | None = None

    def wake(self) -> None:
        """Lets all waiting readers look; does nothing for those that are busy sending."""
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
        if made is not None and made[0] == since and made[1] == self.version and not snapshot:
            return made[2], made[3]

        pieces = [
            topic.encoded or encoder(topic)
            for topic, encoder in self._encoders
            if topic.version > since and topic.rows
        ]
        batch = self._codec.batch(pieces, snapshot=snapshot) if pieces else b""
        if not snapshot:
            self._made = (since, self.version, batch, len(pieces))
        return batch, len(pieces)


class Hub:
    """One tenant's topics and their readers.

    Not thread-safe: everything happens on one event loop. `run` must be running for released topics
    to be dropped, for silence to be noticed and for heartbeats to be due.
    """

    def __init__(
        self, wants: Wants, clock: Clock, *, grace: timedelta = timedelta(seconds=60)
    ) -> None:
        self._wants = wants
        self._clock = clock
        self._grace = grace.total_seconds()
        self.candles = CandleBook(wants)
        self._topics: dict[TopicKey, Topic] = {}
        self._routes: dict[str, dict[str, list[Topic]]] = {event: {} for event in FIELDS}
        self._released: dict[TopicKey, float] = {}
        self._groups: dict[tuple[TopicKey, ...], Group] = {}
        self._conditions: deque[Condition] = deque(maxlen=NOTICES_KEPT)
        self._last_event = 0.0
        self._looked_at = 0.0
        self.version = 1
        self._ever_live = False
        self.live = False
        """Whether the feed is connected and not mute; what is held is stale otherwise."""
        self.deliveries = 0
        self.updates = 0

    # --- what the feed calls

    def publish(self, event: str, flat: Row) -> None:
        """Takes the values of any number of events of one type, in the order of `FIELDS`."""
        now = self._clock.now().timestamp()
        if event == "Candle":
            self.candles.publish(flat, now)
            return

        routes = self._routes.get(event)
        if not routes:
            return

        width = len(FIELDS[event])
        self._last_event = now
        self.version += 1
        version = self.version
        touched: set[Group] = set()
        for start in range(0, len(flat), width):
            topics = routes.get(flat[start])
            if topics is None:
                continue
            row = flat[start : start + width]
            for topic in topics:
                topic.take(event, row, version, now)
                self.updates += 1
                for group in topic.groups:
                    group.updates += 1
                    touched.add(group)

        for group in touched:
            group.version = version
            group.wake()

    def set_live(self, live: bool, cause: str) -> None:
        """Tells every reader that what it has went stale, or that live data flows again."""
        if live == self.live:
            return

        self.live = live
        self.version += 1
        if self._ever_live:
            # The very first connection is no news: nobody has been told that there was none.
            self._conditions.append(Condition(version=self.version, live=live, cause=cause))
        self._ever_live = True
        for topic in self._topics.values():
            topic.touch(topic.version)
        self.wake_all()

    # --- what readers and snapshots call

    @asynccontextmanager
    async def hold(self, kind: Kind, labels: Mapping[str, str]) -> AsyncIterator[tuple[Topic, ...]]:
        """Keeps the topics of the given streamer symbols subscribed while the block runs.

        `labels` maps each streamer symbol to the broker's symbol. Symbols released stay subscribed
        for the grace period: a client that asks every second must not resubscribe each time.
        """
        topics = tuple(
            self.acquire(TopicKey(kind, symbol), label) for symbol, label in labels.items()
        )
        try:
            yield topics
        finally:
            for topic in topics:
                self.release(topic)

    @asynccontextmanager
    async def join(self, topics: Sequence[Topic], codec: Codec) -> AsyncIterator[Group]:
        """Makes the caller one of the readers of these topics, which it must be holding."""
        group = self.enter(topics, codec)
        try:
            yield group
        finally:
            self.leave(group)

    # The same without a block, for readers whose subscriptions change while they read.

    def acquire(self, key: TopicKey, label: str) -> Topic:
        """Returns the topic, subscribed until as many `release` calls have followed."""
        topic = self._topics.get(key)
        if topic is None:
            born = self._clock.now().timestamp()
            topic = self._topics[key] = Topic(key, label, born)
            for event in EVENTS_OF[key.kind]:
                sharers = self._routes[event].setdefault(key.symbol, [])
                sharers.append(topic)
                if len(sharers) == 1:
                    self._wants.want(event, key.symbol)
        topic.holds += 1
        self._released.pop(key, None)
        return topic

    def release(self, topic: Topic) -> None:
        """Gives a topic back; it stays subscribed for the grace period."""
        topic.holds -= 1
        if not topic.holds:
            self._released[topic.key] = self._clock.now().timestamp()

    def enter(self, topics: Sequence[Topic], codec: Codec) -> Group:
        """Returns the group of these topics, with one reader more."""
        key = tuple(topic.key for topic in topics)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(topics, codec)
            group.version = max((topic.version for topic in topics), default=0)
            for topic in topics:
                topic.groups.add(group)
        group.readers += 1
        return group

    def leave(self, group: Group) -> None:
        """Takes a reader out of a group."""
        group.readers -= 1
        if not group.readers:
            del self._groups[tuple(topic.key for topic in group.topics)]
            for topic in group.topics:
                topic.groups.discard(group)

    def age_of(self, topic: Topic) -> float:
        """Returns for how many seconds a topic has been subscribed to."""
        return self._clock.now().timestamp() - topic.born

    def conditions_since(self, version: int) -> list[Condition]:
        """Returns the conditions that a reader at `version` has not been told, oldest first."""
        if not self._conditions or self._conditions[-1].version <= version:
            return []
        return [condition for condition in self._conditions if condition.version > version]

    # --- upkeep

    async def run(self) -> None:
        """Drops topics whose grace is over, flags silent symbols, wakes readers for heartbeats."""
        while True:
            await self._clock.sleep(timedelta(seconds=1))
            now = self._clock.now().timestamp()
            self._flag_silent(now)
            self._drop_released(now)
            self.wake_all()

    def wake_all(self) -> None:
        """Lets every reader look for news: a condition, a heartbeat that is due, the end."""
        for group in self._groups.values():
            group.wake()
        self.candles.wake_all()

    def statistics(self) -> HubStatistics:
        return HubStatistics(
            topics=len(self._topics),
            held=sum(1 for topic in self._topics.values() if topic.holds),
            groups=len(self._groups),
            readers=sum(group.readers for group in self._groups.values()),
            updates=self.updates,
            deliveries=self.deliveries,
            encoded=sum(1 for topic in self._topics.values() if topic.rows),
        )

    def drop_all(self, keys: Iterable[TopicKey] | None = None) -> None:
        """Drops topics that nobody holds without waiting for their grace to end."""
        for key in list(self._released if keys is None else keys):
            self._drop(key)

    # --- inside

    def _drop_released(self, now: float) -> None:
        for key in [key for key, since in self._released.items() if now - since >= self._grace]:
            self._drop(key)

    def _drop(self, key: TopicKey) -> None:
        self._released.pop(key, None)
        topic = self._topics.pop(key)
        for event in EVENTS_OF[key.kind]:
            sharers = self._routes[event][key.symbol]
            sharers.remove(topic)
            if not sharers:
                del self._routes[event][key.symbol]
                self._wants.unwant(event, key.symbol)

    def _flag_silent(self, now: float) -> None:
        """Flags active symbols that stopped; if everything stopped, that is the feed's matter."""
        if not self.live or now - self._last_event > SILENCE_S:
            return

        quiet = []
        for topic in self._topics.values():
            moved = topic.received_at >= self._looked_at
            topic.liveliness = max(0.0, min(10.0, topic.liveliness + (1.0 if moved else -0.2)))
            silent_for = now - topic.received_at
            if not topic.silent and topic.liveliness >= LIVELY and silent_for >= SILENCE_S - 1:
                quiet.append(topic)
        self._looked_at = now
        if not quiet:
            return

        self.version += 1
        for topic in quiet:
            topic.silent = True
            topic.touch(self.version)
            for group in topic.groups:
                group.version = self.version
        self._conditions.append(
            Condition(
                version=self.version,
                live=False,
                cause="no update while other symbols moved",
                symbols=tuple(topic.label for topic in quiet),
            )
        )
