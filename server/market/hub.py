"""Fans one tenant's events out to any number of readers; publishing never waits for a reader.

A publisher only replaces the latest value of a topic and wakes the groups that follow it. A group
is the set of readers that follow the very same symbols: they are woken together and get the very
same bytes, so a thousand of them cost one encoding and one join. A slow reader finds the latest
values and no queue: what it missed in between is gone, and counted (conflation). That is right for
quotes and greeks and would be wrong for orders, which never pass through here.
"""

from __future__ import annotations

__all__ = ["Hub", "HubStatistics"]

import math
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from server.brokerage.streaming.dxlink_events import FIELDS, Row, split_rows
from server.clock import Clock
from server.errors import TooManySymbols
from server.market.candle_room import CandleRoom
from server.market.candles import CandleBook
from server.market.feed_status import Condition, FeedStatus
from server.market.group import Codec, Group
from server.market.staleness import STALE_AFTER_S, StalenessWatch
from server.market.subscription_set import Subscriber
from server.market.topics import EVENTS_OF, Freshness, Kind, Topic, TopicKey
from server.shares import Shares, Whose

MOST_TOPICS = 20_000
"""Topics of one hub where nobody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubStatistics:
    """Counts what the hub holds, and what it did since it was opened."""

    topics: int
    held: int
    groups: int
    readers: int
    updates: int
    deliveries: int
    """Values that readers have taken."""
    delivered_bytes: int
    known: int
    """Topics that have a value."""
    candle_series: int
    candles: int
    candle_room: int
    """Candles that room was taken for, including histories that have not arrived."""


class Hub:
    """Keeps one tenant's topics and wakes their readers.

    Not thread-safe: everything happens on one event loop. `run` must be running, or released topics
    are not dropped, stale ones not flagged, and readers not woken for heartbeats.
    """

    def __init__(
        self,
        subscriber: Subscriber,
        clock: Clock,
        *,
        grace: timedelta = timedelta(seconds=60),
        owner: str = "",
        symbols: Shares | None = None,
        candles: CandleRoom | None = None,
    ) -> None:
        self._subscriber = subscriber
        self._clock = clock
        self._grace = grace.total_seconds()
        self._owner = owner
        self._room = symbols or Shares(total=MOST_TOPICS, each=MOST_TOPICS, light=MOST_TOPICS)
        self._closed = False
        self.candles = CandleBook(subscriber, clock, candles)
        self.status = FeedStatus(clock)
        self._freshness = Freshness()
        self._topics: dict[TopicKey, Topic] = {}
        self._routes: dict[str, dict[str, list[Topic]]] = {event: {} for event in FIELDS}
        self._released: dict[TopicKey, float] = {}
        self._groups: dict[tuple[TopicKey, ...], Group] = {}
        self._staleness = StalenessWatch()
        self._last_event = 0.0
        self._connected_at = 0
        self.version = 1
        self.live = False
        """Whether data flows; each topic knows for itself whether what it holds is live."""
        self.deliveries = 0
        self.delivered_bytes = 0
        self.updates = 0

    def publish(self, event: str, flat: Row) -> None:
        """Updates topics from any number of events of one type, flat, in the order of `FIELDS`."""
        now = self._clock.now().timestamp()
        self._last_event = now
        if event == "Candle":
            self.candles.publish(flat, now)
            return

        routes = self._routes.get(event)
        if not routes:
            return

        self.version += 1
        version = self.version
        touched: list[Topic] = []
        for row in split_rows(event, flat):
            for topic in routes.get(row[0], ()):
                topic.take(event, row, version, now)
                touched.append(topic)

        self.updates += len(touched)
        groups: set[Group] = set()
        for group in groups.union(*[topic.groups for topic in touched]):
            group.version = version
            group.wake()
        if self.status.is_restoring:
            for topic in touched:
                if not topic.stale:
                    self.status.came(topic)
            self._tell_if_restored()

    def connected(self) -> None:
        """Notes a new connection: only what comes over it from now on is live."""
        self._connected_at = self.version
        self._staleness.reset(self._topics.values())

    def interrupt(self, cause: str) -> None:
        """Tells every reader, once in an outage, that its data is stale."""
        self.live = False
        self._freshness.after = math.inf
        self.version += 1
        self.status.begin_outage(
            Condition(
                version=self.version,
                live=False,
                cause=cause,
                last_received_at=self._last_event,
            )
        )
        self._encode_anew()
        self.wake_all()

    def resume(self) -> None:
        """Notes that data flows; readers are told once every topic known before has come again.

        Does nothing while it flows already.
        """
        if self.live:
            return

        self.live = True
        self._freshness.after = self._connected_at
        self._encode_anew()
        topics = self._topics.values()
        self.status.begin_restoring(
            topic for topic in topics if topic.is_known and topic.renewed <= self._connected_at
        )
        self._tell_if_restored()

    def rest(self) -> None:
        """Notes that the feed was closed because nobody needs it; there is no reader to tell."""
        self.live = False
        self._freshness.after = math.inf
        self._encode_anew()

    @asynccontextmanager
    async def hold(self, kind: Kind, labels: Mapping[str, str]) -> AsyncIterator[tuple[Topic, ...]]:
        """Keeps the topics of the given streamer symbols subscribed while the block runs.

        `labels` maps each streamer symbol to the broker's symbol. Symbols released stay subscribed
        for the grace period: a client that asks every second must not resubscribe each time.
        Raises TooManySymbols before anything is subscribed.
        """
        self.ensure_room(TopicKey(kind, symbol) for symbol in labels)
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

    def ensure_room(self, keys: Iterable[TopicKey]) -> None:
        """Raises TooManySymbols if there is no room for so many more topics.

        Topics that nobody holds are dropped first.
        """
        new = sum(key not in self._topics for key in keys)
        limit = self._room.limit(self._owner, new) if new else None
        if limit is not None and self._released:
            self.drop_all()
            limit = self._room.limit(self._owner, new)
        if limit is not None:
            raise TooManySymbols(
                wanted=new,
                room=limit.room,
                whose="API key" if limit.whose is Whose.OWNER else "server",
            )

    def acquire(self, key: TopicKey, label: str) -> Topic:
        """Returns the topic, subscribed until as many `release` calls have followed.

        Raises TooManySymbols.
        """
        topic = self._topics.get(key)
        if topic is None:
            self.ensure_room((key,))
            self._room.take(self._owner)
            born = self._clock.now().timestamp()
            topic = self._topics[key] = Topic(key, label, self._freshness, born=born)
            for event in EVENTS_OF[key.kind]:
                sharers = self._routes[event].setdefault(key.symbol, [])
                sharers.append(topic)
                if len(sharers) == 1:
                    self._subscriber.subscribe(event, key.symbol)
        elif topic.label == key.symbol != label:
            # First asked for by a streamer symbol whose instrument nobody had looked up yet.
            topic.rename(label)
        topic.holds += 1
        self._released.pop(key, None)
        return topic

    def release(self, topic: Topic) -> None:
        """Releases a topic; it stays subscribed for the grace period."""
        topic.holds -= 1
        if not topic.holds:
            self._released[topic.key] = self._clock.now().timestamp()
            if self._closed:
                self._drop(topic.key)

    def close(self) -> None:
        """Drops topics that nobody holds, and the others as soon as they are released."""
        self._closed = True
        self.drop_all()

    def enter(self, topics: Sequence[Topic], codec: Codec) -> Group:
        """Adds a reader to the group of these topics, and returns the group."""
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
        """Removes a reader from a group."""
        group.readers -= 1
        if not group.readers:
            del self._groups[tuple(topic.key for topic in group.topics)]
            for topic in group.topics:
                topic.groups.discard(group)

    def age_of(self, topic: Topic) -> float:
        """Returns for how many seconds a topic has been subscribed to."""
        return self._clock.now().timestamp() - topic.born

    @property
    def knows_something(self) -> bool:
        """Whether the feed has ever sent anything of what is subscribed now."""
        return any(topic.is_known for topic in self._topics.values())

    @property
    def is_lively(self) -> bool:
        """Whether any topic is updated so regularly that a pause means something."""
        return self._staleness.has_regular(self._topics.values())

    async def run(self) -> None:
        """Drops topics whose grace is over, flags silent symbols, wakes readers for heartbeats."""
        while True:
            await self._clock.sleep(timedelta(seconds=1))
            now = self._clock.now().timestamp()
            self._flag_stale(now)
            self._drop_released(now)
            self._tell_if_restored()
            self.wake_all()

    def wake_all(self) -> None:
        """Wakes every reader: for a condition, a heartbeat that is due, or the end."""
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
            delivered_bytes=self.delivered_bytes,
            known=sum(1 for topic in self._topics.values() if topic.is_known),
            candle_series=len(self.candles),
            candles=self.candles.rows,
            candle_room=self.candles.room_taken,
        )

    def drop_all(self, keys: Iterable[TopicKey] | None = None) -> None:
        """Drops topics that nobody holds without waiting for their grace to end."""
        for key in list(self._released if keys is None else keys):
            self._drop(key)

    def _encode_anew(self) -> None:
        for topic in self._topics.values():
            topic.encoded = None
        for group in self._groups.values():
            group.forget()

    def _tell_if_restored(self) -> None:
        if self.status.is_restored:
            self.version += 1
            self.status.end_outage(self.version)
            self.wake_all()

    def _drop_released(self, now: float) -> None:
        for key in [key for key, since in self._released.items() if now - since >= self._grace]:
            self._drop(key)

    def _drop(self, key: TopicKey) -> None:
        self._released.pop(key, None)
        topic = self._topics.pop(key)
        self._room.give_back(self._owner)
        self.status.came(topic)
        for event in EVENTS_OF[key.kind]:
            sharers = self._routes[event][key.symbol]
            sharers.remove(topic)
            if not sharers:
                del self._routes[event][key.symbol]
                self._subscriber.unsubscribe(event, key.symbol)

    def _flag_stale(self, now: float) -> None:
        """Flags symbols that have stopped while others move; if all have, the feed tells it."""
        if not self.live or now - self._last_event > STALE_AFTER_S:
            return

        overdue = self._staleness.find_overdue(self._topics.values(), now)
        if not overdue:
            return

        self.version += 1
        for topic in overdue:
            topic.mark_silent(self.version)
            for group in topic.groups:
                group.version = self.version
        self.status.add(
            Condition(
                version=self.version,
                live=False,
                cause="no update while other symbols moved",
                symbols=tuple(topic.label for topic in overdue),
                last_received_at=max(topic.received_at for topic in overdue),
            )
        )
