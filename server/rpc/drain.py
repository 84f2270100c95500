"""Knows which calls are running, and brings them to an end when the server stops.

grpc.aio's own `stop(grace)` neither tells a stream that its end is near nor waits for calls that
end in `abort`, so running calls are counted here.
"""

from __future__ import annotations

__all__ = ["Drain", "DrainStatistics"]

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from server.rpc.call import Call

STREAM_FAREWELL = timedelta(seconds=1)
"""What an open stream gets to say its last word; then it is ended with a status."""
LAST_MOMENT = timedelta(seconds=0.5)
"""What a call that was cut gets to write its status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainStatistics:
    """What is running at one moment."""

    unary: int
    streams: int
    leaving: bool
    draining: bool


class Drain:
    """Counts the running calls and ends them: unary calls by waiting, streams by asking.

    Belongs to one event loop. Inner calls are not counted: they live within one that is.
    """

    def __init__(self) -> None:
        self.leaving = False
        """The server will stop: health checks fail already, calls are still served."""
        self.draining = asyncio.Event()
        """The server stops: new calls are refused, and streams are asked to end."""
        self._running: set[Call] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()

    def enter(self, call: Call) -> None:
        self._running.add(call)
        self._quiet.clear()

    def leave(self, call: Call) -> None:
        self._running.discard(call)
        if not self._running:
            self._quiet.set()

    def statistics(self) -> DrainStatistics:
        streams = sum(call.method.streaming for call in self._running)
        return DrainStatistics(
            unary=len(self._running) - streams,
            streams=streams,
            leaving=self.leaving,
            draining=self.draining.is_set(),
        )

    async def finish(self, grace: timedelta) -> None:
        """Returns when no call runs; those that need longer than `grace` are cut, with a status."""
        self.draining.set()
        farewell = min(STREAM_FAREWELL, grace)
        if not await self._quiet_within(farewell):
            self._cut(streams_only=True)

        if not await self._quiet_within(grace - farewell):
            self._cut(streams_only=False)
            await self._quiet_within(LAST_MOMENT)

    async def _quiet_within(self, limit: timedelta) -> bool:
        try:
            async with asyncio.timeout(limit.total_seconds()):
                await self._quiet.wait()
        except TimeoutError:
            return False

        return True

    def _cut(self, *, streams_only: bool) -> None:
        now = asyncio.get_running_loop().time()
        for call in self._running:
            if call.method.streaming or not streams_only:
                call.cut = True
                if call.scope is not None and not call.scope.expired():
                    call.scope.reschedule(now)
