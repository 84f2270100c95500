"""A stream of candles: each history once it is complete, then changes, none of them late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta

from server.brokerage.streaming.dxlink_events import CandleRow
from server.market.candle_reader import CandleBatch, CandleItem, CandleReader
from server.market.candles import SNAPSHOT_BEGIN, SNAPSHOT_END, CandleKey, CandleSeries
from server.market.hub import Hub
from server.market.read_stream import Heartbeat
from server.streams.send_pacer import SendInterval
from tests.clock import ManualClock

AT_ONCE = SendInterval(min_interval=timedelta(), heartbeat=timedelta(seconds=15))


class NoFeed:
    """Takes subscriptions, and has no data."""

    def subscribe(self, event: str, symbol: str, since: int | None = None) -> None: ...
    def unsubscribe(self, event: str, symbol: str) -> None: ...


def series_of(symbol: str) -> CandleSeries:
    return CandleSeries(CandleKey(symbol, "1m", extended=True), symbol, since=0)


def send(series: CandleSeries, close: float, *, flags: int = 0) -> None:
    name = series.key.streamer_symbol
    series.take(CandleRow(name, flags, 60_000, 1, 1, 1, 1, close, 1, 1, "NaN", 0), 0)


def open_stream(series: list[CandleSeries], clock: ManualClock) -> AsyncGenerator[CandleItem, None]:
    reader = CandleReader(Hub(NoFeed(), clock), series, 0, clock, AT_ONCE)
    return reader.items(lambda: False)


def told(item: CandleItem) -> tuple[bool, dict[str, list[float]]]:
    """Returns whether it is a history, and the closing prices by symbol."""
    assert isinstance(item, CandleBatch)
    return item.snapshot, {
        part.series.label: [row.close for row in part.rows] for part in item.parts
    }


async def test_a_history_that_is_completed_while_another_is_sent_follows_at_once() -> None:
    spy, qqq = series_of("SPY"), series_of("QQQ")
    send(spy, 1.5, flags=SNAPSHOT_BEGIN | SNAPSHOT_END)
    async with aclosing(open_stream([spy, qqq], ManualClock())) as items:
        assert told(await anext(items)) == (True, {"SPY": [1.5]})
        send(qqq, 2.5, flags=SNAPSHOT_BEGIN | SNAPSHOT_END)  # as the reader takes its message
        assert told(await anext(items)) == (True, {"QQQ": [2.5]})
        send(spy, 1.6)
        send(qqq, 2.6)
        assert told(await anext(items)) == (False, {"SPY": [1.6], "QQQ": [2.6]})


async def test_a_heartbeat_comes_when_no_candle_does() -> None:
    spy, clock = series_of("SPY"), ManualClock()
    send(spy, 1.5, flags=SNAPSHOT_BEGIN | SNAPSHOT_END)
    async with aclosing(open_stream([spy], clock)) as items:
        await anext(items)
        waiting = asyncio.ensure_future(anext(items))
        await clock.advance(15)
        assert not waiting.done()
        spy.wake()  # as the hub does once a second
        assert await waiting == Heartbeat(at=clock.now(), conflated=0)
