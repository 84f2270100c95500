"""Candles in arrays: what was put comes back, whatever its values are."""

from __future__ import annotations

from typing import Any

import pytest

from server.brokerage.streaming.dxlink_events import CandleRow, is_same_candle
from server.market.candle_table import CandleTable

NAME = "SPY{=m}"


def row(time: int, **values: Any) -> CandleRow:
    zeros = CandleRow._make([NAME, 0, time] + [0] * (len(CandleRow._fields) - 3))
    return zeros._replace(**values)


@pytest.mark.parametrize(
    "value",
    [0, 5, 5.0, 0.1, -3.25, 1e-9, 2**53, 2**53 + 1, 10**30, "NaN", "12.50", None, True, [1]],
)
def test_a_row_comes_back_as_it_was_put(value: Any) -> None:
    table = CandleTable(NAME)
    given = row(60_000, close=value, volume="NaN")
    table.put(given, 1)

    kept = table.get(60_000)
    assert kept is not None
    assert is_same_candle(given, kept)
    assert kept.event_symbol == NAME


def test_an_odd_row_that_becomes_a_usual_one_and_back_is_the_last_one_put() -> None:
    table = CandleTable(NAME)
    for close in ("12.50", 12.5, None, 13.0):
        table.put(row(1, close=close), 1)
        kept = table.get(1)
        assert kept is not None
        assert kept.close == close

    assert len(table) == 1


def test_places_of_removed_rows_are_used_again_and_nothing_of_them_is_left() -> None:
    table = CandleTable(NAME)
    for time in range(10):
        table.put(row(time, close=float(time)), time)

    assert table.drop_oldest(4) == 3
    table.put(row(99, close=7.0), 42)
    assert [each.time for each in table.changed_since(0, 0)] == [4, 5, 6, 7, 8, 9, 99]
    assert [each.close for each in table.changed_since(8, 0)] == [9.0, 7.0]
    table.remove(99)
    table.remove(1234)
    assert table.get(99) is None
    assert len(table) == 6
