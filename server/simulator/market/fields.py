"""Defines the fields of dxFeed's events, and interleaves columns into dxLink's flat lists.

A column is an array, a list, one value for all rows, or a function that makes one of these. NaN
becomes the text `NaN`, as on dxLink, because JSON cannot express it.
"""

from __future__ import annotations

__all__ = ["FIELDS", "Columns", "flatten"]

from collections.abc import Sequence
from typing import Any

import numpy as np

from server.simulator.market.brownian import Ints

Columns = dict[str, Any]


def _kinds(**kinds: str) -> dict[str, str]:
    return {"eventSymbol": "text", "eventTime": "int", **_expand(kinds)}


def _expand(kinds: dict[str, str]) -> dict[str, str]:
    return {name: kind for kind, names in kinds.items() for name in names.split()}


_INDEXED = "eventFlags index time sequence"

FIELDS: dict[str, dict[str, str]] = {
    "Quote": _kinds(
        int="sequence timeNanoPart bidTime askTime",
        text="bidExchangeCode askExchangeCode",
        double="bidPrice askPrice bidSize askSize",
    ),
    "Trade": _kinds(
        int="time timeNanoPart sequence dayId size",
        text="exchangeCode tickDirection",
        bool="extendedTradingHours",
        double="price change dayVolume dayTurnover",
    ),
    "Summary": _kinds(
        int="dayId prevDayId openInterest",
        text="dayClosePriceType prevDayClosePriceType",
        double="dayOpenPrice dayHighPrice dayLowPrice dayClosePrice prevDayClosePrice "
        "prevDayVolume",
    ),
    "Profile": _kinds(
        text="description shortSaleRestriction tradingStatus statusReason",
        int="haltStartTime haltEndTime exDividendDayId",
        double="highLimitPrice lowLimitPrice high52WeekPrice low52WeekPrice beta earningsPerShare "
        "dividendFrequency exDividendAmount shares freeFloat",
    ),
    "Greeks": _kinds(int=_INDEXED, double="price volatility delta gamma theta rho vega"),
    "TheoPrice": _kinds(int=_INDEXED, double="price underlyingPrice delta gamma dividend interest"),
    "Underlying": _kinds(
        int=f"{_INDEXED} callVolume putVolume optionVolume",
        double="volatility frontVolatility backVolatility putCallRatio",
    ),
    "TimeAndSale": _kinds(
        int=f"{_INDEXED} timeNanoPart size",
        text="exchangeCode exchangeSaleConditions tradeThroughExempt aggressorSide type buyer "
        "seller",
        double="price bidPrice askPrice",
        bool="spreadLeg extendedTradingHours validTick",
    ),
    "Candle": _kinds(
        int=f"{_INDEXED} count",
        double="open high low close volume vwap bidVolume askVolume impVolatility openInterest",
    ),
}
FIELDS["TradeETH"] = FIELDS["Trade"]


def flatten(
    columns: Columns, symbols: Sequence[str], chosen: Any, fields: Sequence[str]
) -> list[Any]:
    """Interleaves the fields of the chosen events into dxLink's flat list."""
    picks = np.flatnonzero(chosen)
    count, width = len(picks), len(fields)
    result: list[Any] = [None] * (count * width)
    for place, name in enumerate(fields):
        if name == "eventSymbol":
            column: Any = [symbols[pick] for pick in picks.tolist()]
        else:
            column = _to_values(columns.get(name), picks, count, whole=name in _WHOLE)

        result[place::width] = column

    return result


_WHOLE = {"size", "callVolume", "putVolume", "optionVolume"}
"""Computed as floats but counted in whole numbers."""


def _to_values(column: Any, picks: Ints, count: int, *, whole: bool) -> list[Any]:
    """Converts a column to Python values; NaN becomes the text `NaN`."""
    if callable(column):
        column = column()

    if isinstance(column, np.ndarray):
        column = column[picks]
        if whole:
            column = column.astype(np.int64)

        values: list[Any] = column.tolist()
        if column.dtype.kind == "f":
            for place in np.flatnonzero(~np.isfinite(column)).tolist():
                values[place] = "NaN"

        return values

    if isinstance(column, list):
        return [column[pick] for pick in picks.tolist()]

    return [column] * count
