"""What is known of one symbol: its latest events, and their wire form, made once an update at most.

A topic is what readers subscribe to (the quote of SPY); an event is what DXLink sends (Quote,
Trade). A quote is made of two events, because DXLink's Quote has no last price.
"""

from __future__ import annotations

__all__ = ["EVENTS_OF", "Kind", "Topic", "TopicKey"]

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from server.brokerage.dxlink_events import Row


class Kind(StrEnum):
    """What a reader can follow."""

    QUOTES = "quotes"
    GREEKS = "greeks"
    TRADES = "trades"


EVENTS_OF: Mapping[Kind, tuple[str, ...]] = {
    Kind.QUOTES: ("Quote", "Trade"),
    Kind.GREEKS: ("Greeks",),
    Kind.TRADES: ("Trade",),
}
"""The events that a topic of each kind is made of; the first is the one that makes it complete."""


@dataclass(frozen=True, slots=True)
class TopicKey:
    """A kind of data of one streamer symbol."""

    kind: Kind
    symbol: str


class Topic:
    """The latest of one symbol.

    `version` is the hub's count of updates when this topic last changed: a reader that remembers
    the count of its last batch finds what is new by comparing numbers.
    """

    __slots__ = (
        "_piece",
        "arrived",
        "born",
        "complete",
        "groups",
        "holds",
        "key",
        "label",
        "received_at",
        "rows",
        "silent",
        "typical_gap",
        "version",
    )

    def __init__(self, key: TopicKey, label: str, born: float = 0.0) -> None:
        self.key = key
        self.born = born
        """Unix seconds at which it was subscribed to."""
        self.label = label
        """The broker's symbol (OCC for options), which clients know the instrument by."""
        self.rows: dict[str, Row] = {}
        self.version = 0
        self.received_at = 0.0
        """Unix seconds at which the latest event came in, 0 before the first."""
        self.typical_gap = 0.0
        """Moving average of the seconds between updates: what silence is measured against."""
        self.silent = False
        """True once an active symbol has stopped moving while others went on."""
        self.arrived = asyncio.Event()
        """Set with the first event of the main kind (a Quote for a quote; VIX never has one)."""
        self.complete = asyncio.Event()
        """Set once there was an event of each kind that the topic is made of."""
        self.holds = 0
        self.groups: set[Any] = set()
        self._piece: bytes | None = None

    def take(self, event: str, row: Row, version: int, now: float) -> None:
        """Replaces the event by a newer one; the wire form is made when somebody asks for it."""
        if self.received_at:
            gap = now - self.received_at
            self.typical_gap += (gap - self.typical_gap) * (0.2 if self.typical_gap else 1.0)

        self.rows[event] = row
        self.version = version
        self.received_at = now
        self.silent = False
        self._piece = None
        if not self.complete.is_set():
            events = EVENTS_OF[self.key.kind]
            if event == events[0]:
                self.arrived.set()
            if len(self.rows) == len(events):
                self.complete.set()

    def piece(self, encode: Callable[[Topic], bytes]) -> bytes:
        """Returns the wire form of the latest state; whoever comes second gets the same bytes."""
        if self._piece is None:
            self._piece = encode(self)
        return self._piece

    def touch(self, version: int) -> None:
        """Marks the topic as changed though no event came: its staleness did."""
        self.version = version
        self._piece = None
