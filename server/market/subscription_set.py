"""Compares the subscriptions that are wanted with those of the connection."""

from __future__ import annotations

__all__ = ["Subscriber", "SubscriptionDiff", "SubscriptionSet"]

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

Subscription = tuple[str, str]
"""An event type and a streamer symbol."""


class Subscriber(Protocol):
    """Subscribes to events of the feed; calls return at once."""

    def subscribe(self, event: str, symbol: str, since: int | None = None) -> None:
        """Starts a subscription, now or as soon as there is a connection.

        `since` is for candles: epoch milliseconds from which their history is wanted.
        """

    def unsubscribe(self, event: str, symbol: str) -> None:
        """Ends a subscription."""


@dataclass(slots=True, kw_only=True)
class SubscriptionDiff:
    """Lists what to add to the connection and to remove, by event type; falsy if empty."""

    added: dict[str, list[str]] = field(default_factory=dict)
    removed: dict[str, list[str]] = field(default_factory=dict)
    candles: dict[str, int] = field(default_factory=dict)
    """Streamer symbols of candles, with the epoch milliseconds from which each is wanted."""

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.candles)

    @property
    def largest(self) -> int:
        """The number of symbols in its largest message."""
        lists = (*self.added.values(), *self.removed.values(), self.candles)
        return max(map(len, lists), default=0)


class SubscriptionSet:
    """Keeps the subscriptions that a feed should have; truthy while there are any.

    These outlive connections; what was sent belongs to one of them.
    """

    def __init__(self) -> None:
        self._wanted: dict[Subscription, int | None] = {}
        self._sent: dict[Subscription, int | None] = {}
        self._unsettled: dict[Subscription, None] = {}
        self._connected = False
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._wanted)

    @property
    def sent(self) -> int:
        """How many subscriptions the connection was sent."""
        return len(self._sent)

    def subscribe(self, event: str, symbol: str, since: int | None) -> None:
        """Adds a subscription, or changes from when on its history is wanted."""
        self._wanted[event, symbol] = since
        self._unsettle((event, symbol))

    def unsubscribe(self, event: str, symbol: str) -> None:
        """Removes a subscription."""
        self._wanted.pop((event, symbol), None)
        self._unsettle((event, symbol))

    async def changed(self) -> None:
        """Returns when anything has changed; at once if it has since this was last awaited."""
        await self._changed.wait()
        self._changed.clear()

    def begin_anew(self) -> None:
        """Notes a new connection: every subscription is to be sent."""
        self._connected = True
        self._sent.clear()
        self._unsettled = dict.fromkeys(self._wanted)
        self._changed.set()

    def end(self) -> None:
        """Notes that the connection, and with it every subscription sent, is gone."""
        self._connected = False
        self._sent.clear()
        self._unsettled.clear()

    def next_diff(self, most: int) -> SubscriptionDiff:
        """Returns what to send next, at most so many symbols a message, and notes it as sent.

        The newest subscriptions come first: a single quote does not wait for a whole chain.
        """
        diff = SubscriptionDiff()
        while self._unsettled and diff.largest < most:
            subscription, _ = self._unsettled.popitem()
            event, symbol = subscription
            if subscription not in self._wanted:
                if subscription in self._sent:
                    del self._sent[subscription]
                    diff.removed.setdefault(event, []).append(symbol)
                continue

            since = self._wanted[subscription]
            if subscription in self._sent and self._sent[subscription] == since:
                continue
            self._sent[subscription] = since
            if since is None:
                diff.added.setdefault(event, []).append(symbol)
            else:
                diff.candles[symbol] = since
        return diff

    def _unsettle(self, subscription: Subscription) -> None:
        if self._connected:
            self._unsettled[subscription] = None
        self._changed.set()
