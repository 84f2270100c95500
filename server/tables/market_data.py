"""Quotes and greeks as text tables."""

from __future__ import annotations

__all__ = ["greeks_table", "quotes_table"]

from collections.abc import Sequence
from operator import attrgetter

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
    return _table(quotes, QUOTE_COLUMNS)


def greeks_table(greeks: Sequence[greeks_pb2.Greeks]) -> str:
    """Returns one line a contract."""
    return _table(greeks, GREEKS_COLUMNS)


def _table(
    messages: Sequence[quote_pb2.Quote] | Sequence[greeks_pb2.Greeks], columns: Sequence[str]
) -> str:
    if not messages:
        return NO_DATA

    lines = [map(cell_text, values) for values in map(attrgetter(*columns), messages)]
    return lay_out(zip(columns, zip(*lines, strict=True), strict=True))
