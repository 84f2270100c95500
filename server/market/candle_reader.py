"""Reads candles for one stream: each history once it is complete, then what changes."""

from __future__ import annotations

__all__ = ["CandleBatch", "CandleItem", "CandlePart", "CandleReader"]

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

from server.brokerage.streaming.dxlink_events import CandleRow
from server.clock import Clock
from server.market.candles import CandleSeries
from server.market.feed_status import Condition
from server.market.hub import Hub
from server.market.read_stream import Heartbeat, read_stream
from server.market.results import Acknowledgement
from server.streams.send_pacer import SendInterval, SendPacer

CANDLES_A_MESSAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CandlePart:
    """Candles of one series, oldest first."""

    series: CandleSeries
    rows: tuple[CandleRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleBatch:
    """One message of candles."""

    parts: tuple[CandlePart, ...]
    snapshot: bool


CandleItem = CandleBatch | Acknowledgement | Condition | Heartbeat


class CandleReader:
    """Reads the candles of some series from a moment on, for one stream.

    A series whose history never comes does not hold up the others.
    """

    def __init__(
        self,
        hub: Hub,
        series: Sequence[CandleSeries],
        since: int,
        clock: Clock,
        send_interval: SendInterval,
    ) -> None:
        self._hub = hub
        self._series = series
        self._since = since
        self._clock = clock
        self._pacer = SendPacer(clock, send_interval)
        self._seen: dict[CandleSeries, int] = {}
        """The version of each series whose history was sent."""

    def items(self, ended: Callable[[], bool]) -> AsyncGenerator[CandleItem, None]:
        """Returns what the stream sends until `ended()` is true; see `read_stream`."""
        return read_stream(self, self._hub.status, self._pacer, self._clock, ended)

    def take_snapshot(self) -> Sequence[CandleBatch]:
        """Returns nothing: each history is sent when it is complete, and comes again as changes."""
        return ()

    def has_urgent(self) -> bool:
        """Returns whether a history has been completed that was not sent yet."""
        return self._completed() is not None

    async def take_urgent(self) -> Sequence[CandleBatch]:
        """Returns one history that has been completed, in messages of bounded size."""
        series = self._completed()
        if series is None:
            return ()

        rows = tuple(series.since_version(0, self._since))
        self._seen[series] = series.version
        parts = (
            CandlePart(series=series, rows=rows[start : start + CANDLES_A_MESSAGE])
            for start in range(0, max(len(rows), 1), CANDLES_A_MESSAGE)
        )
        return [CandleBatch(parts=(part,), snapshot=True) for part in parts]

    def has_changed(self) -> bool:
        """Returns whether a candle has changed of a series whose history was sent."""
        return any(series.version > seen for series, seen in self._seen.items())

    def take_changes(self) -> Sequence[CandleBatch]:
        """Returns one message of the candles that have changed."""
        parts = []
        for series, seen in self._seen.items():
            if series.version > seen:
                rows = series.since_version(seen, self._since)
                self._seen[series] = series.version
                parts.append(CandlePart(series=series, rows=tuple(rows)))

        return (CandleBatch(parts=tuple(parts), snapshot=False),)

    def conflated(self) -> int:
        """Returns 0: of candles nobody counts what was replaced."""
        return 0

    async def wait(self) -> None:
        """Returns when any series has changed; at once if a history is complete."""
        if self.has_urgent():
            return

        waits = [asyncio.ensure_future(each.changed()) for each in self._series]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _completed(self) -> CandleSeries | None:
        return next(
            (each for each in self._series if each.loaded.is_set() and each not in self._seen), None
        )
