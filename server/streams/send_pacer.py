"""Decides when a stream may send data again, and when a heartbeat is due."""

from __future__ import annotations

__all__ = ["SendInterval", "SendPacer"]

from dataclasses import dataclass
from datetime import timedelta

from server.clock import Clock

LONGEST_NAP_S = 0.25
"""Longest sleep of a reader whose interval is not over: it looks this often for what cannot wait
(an answer to a change, the news that data went stale, a heartbeat, the end)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendInterval:
    """Says how often a reader is sent data, at most, and heartbeats, at least."""

    min_interval: timedelta
    heartbeat: timedelta


class SendPacer:
    """Keeps one reader's send interval, which may be changed at any time."""

    def __init__(self, clock: Clock, send_interval: SendInterval) -> None:
        self.send_interval = send_interval
        self._clock = clock
        self._sent_at = clock.monotonic()
        self._noticed: float | None = None

    def sent(self) -> None:
        """Notes that something was sent just now."""
        self._sent_at = self._clock.monotonic()

    @property
    def is_silent(self) -> bool:
        """Whether nothing was sent for so long that a heartbeat is due."""
        silence = self._clock.monotonic() - self._sent_at
        return silence >= self.send_interval.heartbeat.total_seconds()

    async def is_due(self) -> bool:
        """Returns whether data may be sent now; sleeps for a moment first if it may not.

        Data goes at most once in `min_interval`, on a grid common to all readers of that interval,
        so that they share the join.
        """
        step = self.send_interval.min_interval.total_seconds()
        if not step:
            return True

        now = self._clock.monotonic()
        if self._noticed is None:
            self._noticed = now
        wait = self._noticed - self._noticed % step + step - now
        if wait > LONGEST_NAP_S:
            await self._clock.sleep(timedelta(seconds=LONGEST_NAP_S))
            return False

        if wait > 0:
            await self._clock.sleep(timedelta(seconds=wait))
        self._noticed = None
        return True
