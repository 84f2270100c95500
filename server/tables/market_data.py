"""Quotes and greeks as text tables."""

from __future__ import annotations

__all__ = ["greeks_table", "quotes_table", "quotes_table_of"]

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from tasty.v1 import greeks_pb2, quote_pb2

from server.tables.layout import NO_DATA, cell_text, lay_out

QUOTE_COLUMNS = (
    "event_symbol",
    "bid_price",
    "ask_price",
    "last_price",
    "bid_size",
    "ask_size",
    "mid_price",
)
GREEKS_COLUMNS = ("event_symbol", "delta", "gamma", "theta", "vega", "rho", "volatility", "price")


def quotes_table(quotes: Sequence[quote_pb2.Quote]) -> str:
    """Returns one line a quote; an empty cell where there is no price."""
    return _table(QUOTE_COLUMNS, map(attrgetter(*QUOTE_COLUMNS), quotes))


def quotes_table_of(fields: Sequence[Mapping[str, Any]]) -> str:
    """Returns the same of the quotes' fields by name, without those that are absent."""
    return _table(
        QUOTE_COLUMNS, ([each.get(name, "") for name in QUOTE_COLUMNS] for each in fields)
    )


def greeks_table(greeks: Sequence[greeks_pb2.Greeks]) -> str:
    """Returns one line a contract."""
    return _table(GREEKS_COLUMNS, map(attrgetter(*GREEKS_COLUMNS), greeks))


def _table(columns: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    cells = [map(cell_text, line) for line in lines]
    if not cells:
        return NO_DATA

    return lay_out(zip(columns, zip(*cells, strict=True), strict=True))
