"""What is asked of DXLink, and how a connection to it ends; light, so that anyone may import it."""

from __future__ import annotations

__all__ = ["FIELDS", "SYMBOLS_A_MESSAGE", "ConnectionEnded", "Row"]


from collections.abc import Mapping, Sequence
from typing import Any

Row = Sequence[Any]
"""One event as DXLink's COMPACT format has it: JSON values in the order of `FIELDS`."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    "Quote": (
        "eventSymbol",
        "bidPrice",
        "askPrice",
        "bidSize",
        "askSize",
        "bidTime",
        "askTime",
        "bidExchangeCode",
        "askExchangeCode",
    ),
    "Trade": (
        "eventSymbol",
        "price",
        "size",
        "time",
        "change",
        "dayVolume",
        "dayTurnover",
        "exchangeCode",
        "tickDirection",
        "extendedTradingHours",
    ),
    "Greeks": (
        "eventSymbol",
        "time",
        "price",
        "volatility",
        "delta",
        "gamma",
        "theta",
        "rho",
        "vega",
    ),
    "Candle": (
        "eventSymbol",
        "eventFlags",
        "time",
        "count",
        "open",
        "high",
        "low",
        "close",
        "volume",
        "vwap",
        "impVolatility",
        "openInterest",
    ),
}
"""The fields of each event, in the order in which rows hold them; the symbol comes first."""


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
