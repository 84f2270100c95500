"""Holds the subscriptions of a bidirectional stream, which change while it is open."""

from __future__ import annotations

__all__ = ["SubscriptionSession"]

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from server.clock import Clock
from server.market.group import Codec
from server.market.hub import Hub
from server.market.reader import Reader
from server.market.results import Acknowledgement
from server.market.topics import Topic, TopicKey
from server.streams.send_pacer import SendInterval


class SubscriptionSession:
    """Holds the topics of one client; an async context manager that gives all of them back.

    Every change makes the client's reader follow another group: the readers that happen to follow
    the same topics in the same order share their batches, as everywhere.
    """

    def __init__(self, hub: Hub, codec: Codec, clock: Clock, send_interval: SendInterval) -> None:
        self._hub = hub
        self._codec = codec
        self._topics: dict[TopicKey, Topic] = {}
        self._fresh: list[Topic] = []
        self._group = hub.enter((), codec)
        self.reader = Reader(hub, self._group, clock, send_interval)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hub.leave(self._group)
        for topic in self._topics.values():
            self._hub.release(topic)
        self._topics.clear()

    def __len__(self) -> int:
        return len({key.symbol for key in self._topics})

    def add(self, key: TopicKey, label: str) -> Topic:
        """Holds a topic from now on; `publish` makes its data flow."""
        topic = self._topics.get(key)
        if topic is None:
            topic = self._topics[key] = self._hub.acquire(key, label)
            self._fresh.append(topic)
        return topic

    def remove(self, key: TopicKey) -> Topic | None:
        """Gives a topic back; None if it was not held."""
        topic = self._topics.pop(key, None)
        if topic is not None:
            self._hub.release(topic)
        return topic

    def publish(self, answer: Acknowledgement) -> None:
        """Sends the answer to a change, then a snapshot of what is new, then the data of all."""
        fresh, self._fresh = self._fresh, []

        self.reader.say(answer)
        known = self._snapshot(fresh)
        if known:
            self.reader.say(known)
        old, self._group = self._group, self._hub.enter(tuple(self._topics.values()), self._codec)
        self.reader.follow(self._group)
        self._hub.leave(old)

    def keys_of(self, symbol: str) -> list[TopicKey]:
        """Returns every kind that this client follows of a streamer symbol."""
        return [key for key in self._topics if key.symbol == symbol]

    def _snapshot(self, fresh: Sequence[Topic]) -> bytes:
        known = [topic for topic in fresh if topic.is_known]
        return self._codec.batch(self._codec.items(known), snapshot=True) if known else b""
