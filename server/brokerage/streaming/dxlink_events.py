"""Defines the columns of DXLink's events, and how a connection to it ends.

The columns are written here once: subscriptions ask for them in this order, and whoever reads a row
names its columns. Light, so that anyone may import it.
"""

from __future__ import annotations

__all__ = [
    "FIELDS",
    "SYMBOLS_A_MESSAGE",
    "CandleRow",
    "ConnectionEnded",
    "GreeksRow",
    "QuoteRow",
    "Row",
    "TradeRow",
    "is_same_candle",
    "split_rows",
]


from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Row = Sequence[Any]
"""One event as DXLink's COMPACT format has it: JSON values in the order of `FIELDS`.

Rows stay plain tuples where they are kept, and get their names where they are read: a named tuple
takes longer to make, and the garbage collector would visit a million of them for ever.
"""


class QuoteRow(NamedTuple):
    """Names the columns of a Quote; a value may be NaN or absent."""

    event_symbol: str
    bid_price: Any
    ask_price: Any
    bid_size: Any
    ask_size: Any
    bid_time: Any
    ask_time: Any
    bid_exchange_code: Any
    ask_exchange_code: Any


class TradeRow(NamedTuple):
    """Names the columns of a Trade; a value may be NaN or absent."""

    event_symbol: str
    price: Any
    size: Any
    time: Any
    change: Any
    day_volume: Any
    day_turnover: Any
    exchange_code: Any
    tick_direction: Any
    extended_trading_hours: Any


class GreeksRow(NamedTuple):
    """Names the columns of Greeks; a value may be NaN or absent."""

    event_symbol: str
    time: Any
    price: Any
    volatility: Any
    delta: Any
    gamma: Any
    theta: Any
    rho: Any
    vega: Any


class CandleRow(NamedTuple):
    """Names the columns of a Candle; a value may be NaN or absent."""

    event_symbol: str
    event_flags: Any
    time: Any
    count: Any
    open: Any
    high: Any
    low: Any
    close: Any
    volume: Any
    vwap: Any
    imp_volatility: Any
    open_interest: Any


def _fields(row: type[NamedTuple]) -> tuple[str, ...]:
    """Returns the names of the columns as DXLink spells them: `bidPrice` for `bid_price`."""
    words = (name.split("_") for name in row._fields)
    return tuple(first + "".join(map(str.title, rest)) for first, *rest in words)


FIELDS: Mapping[str, tuple[str, ...]] = {
    "Quote": _fields(QuoteRow),
    "Trade": _fields(TradeRow),
    "Greeks": _fields(GreeksRow),
    "Candle": _fields(CandleRow),
}
"""The fields of each event, in the order in which rows hold them; the symbol comes first."""


def split_rows(event: str, flat: Row) -> Iterator[tuple[Any, ...]]:
    """Returns the rows of any number of events of one type; the connection cut no row short."""
    # All arguments are one iterator: each row takes the next values from it, without slicing.
    return zip(*[iter(flat)] * len(FIELDS[event]), strict=False)


def is_same_candle(old: Row, new: Row) -> bool:
    """Returns whether two rows of one series tell the same; flags are about the transfer only."""
    first = CandleRow._fields.index("time")
    return tuple(old[first:]) == tuple(new[first:])


SYMBOLS_A_MESSAGE = 200
"""About 8 KB: dxFeed's own client sends no more at once, and a larger one ends with code 1009."""


class ConnectionEnded(Exception):
    """The connection is over. Not a failure of any request: nobody outside the feed sees it."""

    def __init__(self, cause: str, *, at_once: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        """A few words, for a log and for readers of a stream."""
        self.at_once = at_once
        """The server asked for a reconnect (1012), or ours is planned: no pause is needed."""
