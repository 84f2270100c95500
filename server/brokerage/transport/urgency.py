"""Tells how urgent the running work is, so that a request to the broker waits in the right lane.

It belongs to the task, as the call does that is being served: the requests that an order makes on
its way (a login, the instruments, the positions) go out of a dozen functions and out of the SDK,
which passes no argument of ours on. Whoever serves a call sets it once, around everything.
"""

from __future__ import annotations

__all__ = ["Lane", "Urgency", "current_urgency", "urgent"]

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


class Lane(enum.IntEnum):
    """What a request is for, the most urgent first."""

    CANCEL = 0
    """Getting out of the market, and all that a cancel has to ask."""
    ORDER = 1
    """Placing and replacing, what an order has to know, and what became of it."""
    READ = 2
    """Everything else that somebody waits for."""
    BACKGROUND = 3
    """What nobody waits for yet: access tokens that are renewed ahead of time."""


@dataclass(frozen=True, slots=True)
class Urgency:
    """The lane of a piece of work, and until when its answer is of use."""

    lane: Lane = Lane.READ
    until: float | None = None
    """On the clock's monotonic scale. Once it has passed it binds nobody: what still runs then
    outlives its caller on purpose (an order under way, a stream's follower)."""


USUAL = Urgency()
_CURRENT: ContextVar[Urgency] = ContextVar("urgency", default=USUAL)


def current_urgency() -> Urgency:
    """Returns the urgency of the running task; reading, where nobody has said anything."""
    return _CURRENT.get()


@contextmanager
def urgent(lane: Lane, until: float | None = None) -> Iterator[None]:
    """Gives the block, and the tasks that it starts, this urgency."""
    token = _CURRENT.set(Urgency(lane, until))
    try:
        yield
    finally:
        _CURRENT.reset(token)
