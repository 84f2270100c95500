"""What is to be subscribed, what is, and what must be said to get from one to the other."""

from __future__ import annotations

__all__ = ["SubscriptionDiff", "SubscriptionSet"]

import asyncio
from dataclasses import dataclass, field

Subscription = tuple[str, str]
"""An event type and a streamer symbol."""


@dataclass(slots=True, kw_only=True)
class SubscriptionDiff:
    """What to say next, by event type; falsy when there is nothing."""

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
    """The subscriptions of one feed; truthy while anything is wanted.

    What is wanted outlives connections; what was granted belongs to one of them.
    """

    def __init__(self) -> None:
        self._wanted: dict[Subscription, int | None] = {}
        self._granted: dict[Subscription, int | None] = {}
        self._unsettled: dict[Subscription, None] = {}
        self._connected = False
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._wanted)

    @property
    def granted(self) -> int:
        """How many subscriptions the connection has been asked for."""
        return len(self._granted)

    def want(self, event: str, symbol: str, since: int | None) -> None:
        """Adds a wish, or changes from when on its history is wanted."""
        self._wanted[event, symbol] = since
        self._unsettle((event, symbol))

    def unwant(self, event: str, symbol: str) -> None:
        """Takes a wish back."""
        self._wanted.pop((event, symbol), None)
        self._unsettle((event, symbol))

    async def changed(self) -> None:
        """Returns when anything has changed; at once if it has since this was last awaited."""
        await self._changed.wait()
        self._changed.clear()

    def begin_anew(self) -> None:
        """A new connection: everything wanted is to be said."""
        self._connected = True
        self._granted.clear()
        self._unsettled = dict.fromkeys(self._wanted)
        self._changed.set()

    def end(self) -> None:
        """The connection is gone, and what it was asked for with it."""
        self._connected = False
        self._granted.clear()
        self._unsettled.clear()

    def next_work(self, most: int) -> SubscriptionDiff:
        """Returns what to say next, at most so many symbols a message, as if it were said.

        The newest wishes come first: a single quote does not wait until a chain is subscribed.
        """
        work = SubscriptionDiff()
        while self._unsettled and work.largest < most:
            wish, _ = self._unsettled.popitem()
            event, symbol = wish
            if wish not in self._wanted:
                if wish in self._granted:
                    del self._granted[wish]
                    work.removed.setdefault(event, []).append(symbol)
                continue

            since = self._wanted[wish]
            if wish in self._granted and self._granted[wish] == since:
                continue
            self._granted[wish] = since
            if since is None:
                work.added.setdefault(event, []).append(symbol)
            else:
                work.candles[symbol] = since
        return work

    def _unsettle(self, wish: Subscription) -> None:
        if self._connected:
            self._unsettled[wish] = None
        self._changed.set()
