"""One series of candles: removed ones are gone, and however long it lives it stays small."""

from __future__ import annotations

import pytest

from server.brokerage.streaming.dxlink_events import FIELDS, CandleRow
from server.market.candle_room import MOST_CANDLES
from server.market.candles import (
    REMOVE_EVENT,
    SNAPSHOT_BEGIN,
    SNAPSHOT_END,
    CandleKey,
    CandleSeries,
)

MINUTE = 60_000


def candle(time: int, *, flags: int = 0, close: float = 1.0) -> CandleRow:
    values = {"eventSymbol": "SPY{=m}", "eventFlags": flags, "time": time, "close": close}
    return CandleRow._make(values.get(field, 0) for field in FIELDS["Candle"])


@pytest.fixture
def series() -> CandleSeries:
    """Gives a series with a history of three candles."""
    made = CandleSeries(CandleKey("SPY", "1m", extended=True), "SPY", since=0)
    for time, flags in ((3, SNAPSHOT_BEGIN), (2, 0), (1, SNAPSHOT_END)):
        made.take(candle(time * MINUTE, flags=flags), 0)
    return made


def times(series: CandleSeries, since: int = 0) -> list[int]:
    return [row.time // MINUTE for row in series.since_version(0, since)]


def test_a_history_is_told_oldest_first(series: CandleSeries) -> None:
    assert times(series) == [1, 2, 3]
    assert times(series, since=2 * MINUTE) == [2, 3]


def test_a_removed_candle_is_gone_for_everyone_who_comes_later(
    series: CandleSeries,
) -> None:
    before = series.version
    series.take(candle(4 * MINUTE), 0)
    series.take(candle(4 * MINUTE, flags=REMOVE_EVENT), 0)
    series.take(candle(2 * MINUTE, flags=REMOVE_EVENT), 0)

    assert times(series) == [1, 3]
    assert series.since_version(before, 0) == []


def test_new_candles_push_the_oldest_out(series: CandleSeries) -> None:
    for time in range(4, 2 * MOST_CANDLES):
        series.take(candle(time * MINUTE), 0)

    kept = times(series)
    assert MOST_CANDLES <= len(kept) <= MOST_CANDLES * 5 // 4
    assert kept == list(range(kept[0], 2 * MOST_CANDLES))
