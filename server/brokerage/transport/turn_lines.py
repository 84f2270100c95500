"""The lines in which requests wait for the pace: one a customer and lane, by kind of path."""

from __future__ import annotations

__all__ = ["Line", "Waiter"]

import asyncio
from collections import deque
from dataclasses import dataclass, field

from server.brokerage.transport.pacing import INSTANT_S, Customer, Kind
from server.brokerage.transport.urgency import Lane


@dataclass(slots=True, eq=False)
class Waiter:
    """One request that waits for its turn."""

    customer: Customer
    kind: Kind
    lane: Lane
    number: int
    """In the order of arrival."""
    deadline: float
    came: asyncio.Future[None]
    in_line: bool = False


@dataclass(slots=True)
class Line:
    """What one customer waits for in one lane, by kind."""

    kinds: dict[str, deque[Waiter]] = field(default_factory=dict)
    length: int = 0

    def add(self, waiter: Waiter) -> None:
        self.kinds.setdefault(waiter.kind.name, deque()).append(waiter)
        self.length += 1

    def remove(self, waiter: Waiter) -> None:
        line = self.kinds[waiter.kind.name]
        line.remove(waiter)
        self.length -= 1
        if not line:
            del self.kinds[waiter.kind.name]

    def waiting_for(self, kind: Kind) -> int:
        """Returns how many requests of a kind wait."""
        return len(self.kinds.get(kind.name, ()))

    def first(self, now: float) -> Waiter | None:
        """Returns the oldest of those whose kind is due."""
        heads = (line[0] for line in self.kinds.values())
        ready = (each for each in heads if ready_at(each) <= now + INSTANT_S)
        return min(ready, key=lambda each: each.number, default=None)

    def ready_at(self) -> float:
        """Returns when the first of its kinds is due."""
        return min(ready_at(line[0]) for line in self.kinds.values())


def ready_at(waiter: Waiter) -> float:
    """Returns when the broker takes another request of this customer and kind."""
    pace = waiter.customer.pace(waiter.kind)
    return 0.0 if pace is None else pace.ready_at
