"""Keeps the latest events of one symbol, and their wire form, made at most once an update.

A topic is what readers subscribe to (the quote of SPY); an event is what DXLink sends (Quote,
Trade). A quote is made of two events, because DXLink's Quote has no last price.
"""

from __future__ import annotations

__all__ = ["EVENTS_OF", "Freshness", "Kind", "Topic", "TopicKey"]

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from server.brokerage.streaming.dxlink_events import GreeksRow, QuoteRow, Row, TradeRow


class Kind(StrEnum):
    """Names the kinds of data that a reader can follow."""

    QUOTES = "quotes"
    GREEKS = "greeks"
    TRADES = "trades"


EVENTS_OF: Mapping[Kind, tuple[str, ...]] = {
    Kind.QUOTES: ("Quote", "Trade"),
    Kind.GREEKS: ("Greeks",),
    Kind.TRADES: ("Trade",),
}
"""The events that a topic of each kind is made of, two at most; the first is its main one."""


@dataclass(frozen=True, slots=True)
class TopicKey:
    """Identifies a topic: a kind of data of one streamer symbol."""

    kind: Kind
    symbol: str


class Freshness:
    """Says since which version values are live; shared by all topics of a hub.

    A value is live if it came over the present connection. After a reconnect, values that were not
    sent again are still stale.
    """

    __slots__ = ("after",)

    def __init__(self) -> None:
        self.after = math.inf
        """The hub's version after which a topic must have come; infinite without a feed."""


class Topic:
    """Keeps the latest events of one symbol.

    `version` is the hub's count of updates when this topic last changed, 0 before its first event:
    a reader that remembers the count of its last batch finds what is new by comparing numbers.
    """

    __slots__ = (
        "arrived",
        "born",
        "complete",
        "encoded",
        "filled",
        "freshness",
        "groups",
        "holds",
        "kept",
        "key",
        "label",
        "liveliness",
        "main",
        "main_row",
        "other_row",
        "received_at",
        "renewed",
        "silent",
        "updates",
        "version",
    )

    def __init__(
        self, key: TopicKey, label: str, freshness: Freshness, *, born: float = 0.0
    ) -> None:
        self.key = key
        self.main = EVENTS_OF[key.kind][0]
        self.freshness = freshness
        self.born = born
        """Unix seconds at which it was subscribed to."""
        self.label = label
        """The broker's symbol (OCC for options), which clients know the instrument by."""
        self.main_row: Row | None = None
        """The latest event of the main kind."""
        self.other_row: Row | None = None
        """The latest event of the other kind, if the topic is made of two."""
        self.version = 0
        self.updates = 0
        """Events that came since the topic exists: what conflation is counted against."""
        self.renewed = 0
        """The hub's version when its main event came last; of any event if it never has."""
        self.received_at = 0.0
        """Unix seconds at which the latest event came in, 0 before the first."""
        self.liveliness = 0.0
        """How regularly it is updated, as measured by `StalenessWatch`."""
        self.silent = False
        """Whether its updates have stopped while those of others go on."""
        self.arrived = asyncio.Event()
        """Set with the first event of the main kind (a Quote for a quote; VIX never has one)."""
        self.complete = asyncio.Event()
        """Set once there was an event of each kind that the topic is made of."""
        self.filled = False
        """Whether `complete` is set: asked for every event."""
        self.holds = 0
        self.groups: set[Any] = set()
        self.encoded: bytes | None = None
        """The wire form of the latest state, once somebody has made it."""
        self.kept: Any = None
        """What the codec keeps from one wire form to the next; nobody else looks at it."""

    @property
    def stale(self) -> bool:
        """Whether the value may be out of date: nobody may trade on it."""
        return self.silent or self.renewed <= self.freshness.after

    @property
    def is_known(self) -> bool:
        """Whether there was any event of it."""
        return self.main_row is not None or self.other_row is not None

    @property
    def quote(self) -> QuoteRow | None:
        """The latest Quote, None if there was none."""
        row = self.main_row if self.main == "Quote" else None
        return None if row is None else QuoteRow._make(row)

    @property
    def trade(self) -> TradeRow | None:
        """The latest Trade, None if there was none."""
        row = self.main_row if self.main == "Trade" else self.other_row
        return None if row is None else TradeRow._make(row)

    @property
    def greeks(self) -> GreeksRow | None:
        """The latest Greeks, None if there were none."""
        row = self.main_row if self.main == "Greeks" else None
        return None if row is None else GreeksRow._make(row)

    def take(self, event: str, row: Row, version: int, now: float) -> None:
        """Replaces the event by a newer one; the wire form is made when somebody asks for it."""
        if event == self.main:
            self.main_row = row
            self.renewed = version
        else:
            self.other_row = row
            # A trade does not renew the quote beside it, which may be from before an outage.
            if self.main_row is None:
                self.renewed = version
        self.version = version
        self.updates += 1
        self.received_at = now
        self.silent = False
        self.encoded = None
        if not self.filled:
            self._note_arrival(event)

    def rename(self, label: str) -> None:
        """Gives the topic another label, which its wire form shows."""
        self.label = label
        self.encoded = self.kept = None

    def _note_arrival(self, event: str) -> None:
        if event == self.main:
            self.arrived.set()
        both = self.main_row is not None and self.other_row is not None
        if both or len(EVENTS_OF[self.key.kind]) == 1:
            self.complete.set()
            self.filled = True

    def mark_silent(self, version: int) -> None:
        """Marks the topic as silent, which is a change though no event came."""
        self.silent = True
        self.version = version
        self.encoded = None
