"""Runs a stream of data: decides what its reader is sent next, until the stream ends.

Every stream of market data is read by this one loop. What differs between them (quotes, candles,
positions) is a `StreamSource`.
"""

from __future__ import annotations

__all__ = ["Heartbeat", "StreamSource", "read_stream"]

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from server.clock import Clock
from server.market.feed_status import Condition, FeedStatus
from server.streams.send_pacer import SendPacer

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Tells that the stream is alive.

    Sent when nothing was for the interval that the client chose, or when updates were replaced by
    newer ones since the last heartbeat.
    """

    at: datetime
    conflated: int
    """Updates replaced by newer ones before this reader saw them, since the stream began."""


class StreamSource(Protocol[T_co]):
    """Holds the data of one stream; what a `take_` method returns counts as sent."""

    def take_snapshot(self) -> Sequence[T_co]:
        """Returns all that is known, for the start and for the end of an outage; may be empty."""

    def has_urgent(self) -> bool:
        """Returns whether `take_urgent` is to be awaited."""

    async def take_urgent(self) -> Sequence[T_co]:
        """Returns what does not wait for the reader's interval, such as answers to its changes."""

    def has_changed(self) -> bool:
        """Returns whether `take_changes` may have something."""

    def take_changes(self) -> Sequence[T_co]:
        """Returns what changed since anything was taken; may be empty."""

    def conflated(self) -> int:
        """Returns how many updates the reader will never see, since the stream began."""

    async def wait(self) -> None:
        """Returns at the next change, and about once a second: for heartbeats and the end."""


async def read_stream(
    source: StreamSource[T],
    status: FeedStatus,
    pacer: SendPacer,
    clock: Clock,
    ended: Callable[[], bool],
) -> AsyncGenerator[T | Condition | Heartbeat, None]:
    """Yields the snapshot, then urgent items, conditions, heartbeats and changes, in this order.

    The news that data is live again is followed by a snapshot. Ends when `ended()` is true, which
    is looked at at every turn; cancellation passes through.
    """
    told, outage = status.newest, status.outage
    heartbeats = _Heartbeats(source, pacer, clock)
    for item in source.take_snapshot():
        yield item
    if outage is not None:
        yield outage  # it began before this reader came
    pacer.sent()

    while not ended():
        if source.has_urgent():
            for item in await source.take_urgent():
                yield item
                pacer.sent()
            continue

        for condition in status.since(told):
            told = condition.version
            yield condition
            if condition.live:
                for item in source.take_snapshot():
                    yield item
            pacer.sent()

        if heartbeat := heartbeats.next_due():
            yield heartbeat
            pacer.sent()
        elif source.has_changed():
            if await pacer.is_due():
                for item in source.take_changes():
                    yield item
                    pacer.sent()
        else:
            await source.wait()


class _Heartbeats:
    """Decides when a heartbeat is due: after silence, or to tell how much was conflated."""

    __slots__ = ("_at", "_clock", "_pacer", "_source", "_told")

    def __init__(self, source: StreamSource[object], pacer: SendPacer, clock: Clock) -> None:
        self._source = source
        self._pacer = pacer
        self._clock = clock
        self._at = clock.monotonic()
        self._told = 0

    def next_due(self) -> Heartbeat | None:
        now = self._clock.monotonic()
        silent = self._pacer.is_silent
        if not silent and now - self._at < self._pacer.send_interval.heartbeat.total_seconds():
            return None

        self._at = now
        conflated = self._source.conflated()
        if not silent and conflated <= self._told:
            return None

        self._told = conflated
        return Heartbeat(at=self._clock.now(), conflated=conflated)
