"""Candles of the feed as messages, and the request for them as values."""

from __future__ import annotations

__all__ = ["candle_batch", "interval", "start_time"]

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from tasty.v1 import candle_pb2, stream_pb2
from tasty.v1 import market_data_stream_pb2 as pb

from server.brokerage.streaming import feed_numbers as feed
from server.brokerage.streaming.dxlink_events import CandleRow
from server.clock import NEW_YORK
from server.errors import InvalidField
from server.market.candle_reader import CandleBatch
from server.market.candles import CandleSeries

DEFAULT_INTERVAL = "1m"
DEFAULT_HISTORY = timedelta(days=1)
_INTERVAL = re.compile(r"[1-9][0-9]{0,3}(s|m|h|d|w|mo)")


def interval(given: str | None) -> str:
    """Returns the length of a candle; raises InvalidField for a text that is none."""
    if not given:
        return DEFAULT_INTERVAL
    if not _INTERVAL.fullmatch(given):
        raise InvalidField("interval", given, "a number and s, m, h, d, w or mo, such as 5m")
    return given


def start_time(given: str | None, now: datetime) -> datetime:
    """Returns where the history begins; a day alone begins at midnight in New York."""
    if not given:
        return now - DEFAULT_HISTORY
    expected = "a time such as 2025-12-15T09:30:00-05:00, or a day"
    try:
        start = datetime.fromisoformat(given)
    except ValueError:
        raise InvalidField("start_time", given, expected) from None
    start = start if start.tzinfo else start.replace(tzinfo=NEW_YORK)
    if start > now or start.year < 1970:
        raise InvalidField("start_time", given, f"{expected}, in the past")
    return start


def candle_batch(batch: CandleBatch, opened: datetime) -> pb.StreamCandlesResponse:
    """Returns one message of candles; what began before the stream did is historical."""
    return pb.StreamCandlesResponse(
        kind=stream_pb2.STREAM_EVENT_KIND_SNAPSHOT
        if batch.snapshot
        else stream_pb2.STREAM_EVENT_KIND_UPDATE,
        candles=list(_candles(batch, int(opened.timestamp() * 1000))),
    )


def _candles(batch: CandleBatch, opened: int) -> Iterator[candle_pb2.Candle]:
    for part in batch.parts:
        for row in part.rows:
            yield _candle(part.series, row, historical=batch.snapshot and row.time < opened)


def _candle(series: CandleSeries, row: CandleRow, *, historical: bool) -> candle_pb2.Candle:
    candle = candle_pb2.Candle(
        event_symbol=series.label,
        symbol=series.label,
        open=feed.price(row.open) or "",
        high=feed.price(row.high) or "",
        low=feed.price(row.low) or "",
        close=feed.price(row.close) or "",
        volume=feed.text(row.volume),
        vwap=feed.price(row.vwap),
        count=int(feed.size(row.count)),
        imp_volatility=feed.text(row.imp_volatility),
        historical=historical,
    )
    open_interest = feed.number(row.open_interest)
    if open_interest is not None:
        candle.open_interest = int(open_interest)
    candle.time.FromMilliseconds(row.time)
    candle.received_at.FromMicroseconds(int(series.received_at * 1e6))
    return candle
