"""The columns that DXLink is asked for, and the rows that are cut out of what it sends."""

from __future__ import annotations

from server.brokerage.streaming.dxlink_events import (
    FIELDS,
    CandleRow,
    TradeRow,
    is_same_candle,
    split_rows,
)


def test_columns_are_asked_for_as_dxlink_spells_them() -> None:
    assert FIELDS["Quote"] == (
        "eventSymbol",
        "bidPrice",
        "askPrice",
        "bidSize",
        "askSize",
        "bidTime",
        "askTime",
        "bidExchangeCode",
        "askExchangeCode",
    )
    assert FIELDS["Candle"][-2:] == ("impVolatility", "openInterest")


def test_a_flat_list_becomes_rows_whose_columns_have_names() -> None:
    flat = ["SPY", 1.5, 1, 3000, 0, 0, 0, "Q", "UP", False]
    rows = [TradeRow._make(row) for row in split_rows("Trade", [*flat, "QQQ", 2.5, *flat[2:]])]
    assert [(row.event_symbol, row.price, row.time) for row in rows] == [
        ("SPY", 1.5, 3000),
        ("QQQ", 2.5, 3000),
    ]


def test_a_candle_is_the_same_whatever_its_flags() -> None:
    candle = CandleRow("SPY{=m}", 4, 60_000, 1, 1.0, 2.0, 0.5, 1.5, 10, 1.2, "NaN", 0)
    assert is_same_candle(candle, candle._replace(event_flags=0))
    assert not is_same_candle(candle, candle._replace(close=1.6))
