"""Reads candles: the history as the snapshot, then every change, with no gap between the two."""

from __future__ import annotations

__all__ = ["CandleBatch", "CandleItem", "CandlePart", "read_candles"]

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

from server.brokerage.streaming.dxlink_events import Row
from server.clock import Clock
from server.market.candles import CandleSeries
from server.market.feed_status import Condition
from server.market.hub import Hub
from server.market.reader import Heartbeat
from server.market.results import Acknowledgement
from server.streams.send_pacer import SendInterval, SendPacer

CANDLES_A_MESSAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CandlePart:
    """Candles of one series, oldest first."""

    series: CandleSeries
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleBatch:
    """One message of candles."""

    parts: tuple[CandlePart, ...]
    snapshot: bool


CandleItem = CandleBatch | Acknowledgement | Condition | Heartbeat


async def read_candles(
    hub: Hub,
    series: Sequence[CandleSeries],
    since: int,
    clock: Clock,
    pace: SendInterval,
    ended: Callable[[], bool],
) -> AsyncGenerator[CandleItem, None]:
    """Yields each history once it is complete, then what changes, conditions and heartbeats.

    A series whose history never comes does not hold up the others. Ends when `ended()` is true.
    """
    seen: dict[CandleSeries, int] = {}
    told = hub.version
    rhythm = SendPacer(clock, pace)
    outage = hub.conditions.outage
    if outage is not None:
        yield outage  # it began before this reader came

    while not ended():
        for condition in hub.conditions.since(told):
            told = condition.version
            yield condition
            rhythm.sent()

        fresh = [each for each in series if each not in seen and each.loaded.is_set()]
        for each in fresh:
            rows = each.since_version(0, since)
            seen[each] = each.version
            for start in range(0, max(len(rows), 1), CANDLES_A_MESSAGE):
                part = CandlePart(series=each, rows=tuple(rows[start : start + CANDLES_A_MESSAGE]))
                yield CandleBatch(parts=(part,), snapshot=True)
                rhythm.sent()

        changed = [each for each in seen if each.version > seen[each]]
        if rhythm.is_silent:
            yield Heartbeat(at=clock.now(), conflated=0)
            rhythm.sent()
        elif changed:
            if not await rhythm.is_due():
                continue
            parts = []
            for each in changed:
                rows = each.since_version(seen[each], since)
                seen[each] = each.version
                parts.append(CandlePart(series=each, rows=tuple(rows)))
            yield CandleBatch(parts=tuple(parts), snapshot=False)
            rhythm.sent()
        elif not fresh:
            await _any_changed(series)


async def _any_changed(series: Sequence[CandleSeries]) -> None:
    waits = [asyncio.ensure_future(each.changed()) for each in series]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
