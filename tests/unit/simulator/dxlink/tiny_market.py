"""Simulates a market of three symbols and one candle series, moved by hand."""

from __future__ import annotations

__all__ = ["TinyMarket"]

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from server.simulator.clock import SimClock
from server.simulator.market.market import SymbolHandles

FIELDS = {
    "Quote": {"eventSymbol": "str", "eventTime": "int", "bidPrice": "float", "askPrice": "float"},
    "Trade": {"eventSymbol": "str", "price": "float", "exchangeCode": "str"},
    "Candle": {
        "eventSymbol": "str",
        "eventFlags": "int",
        "time": "int",
        "open": "float",
        "close": "float",
    },
}


class TinyMarket:
    """Offers the feed what it asks of a market, with values that a test sets."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock
        self._values: dict[str, tuple[float, datetime]] = {}
        self.candle_minutes = 5
        self.asked: list[tuple[str, tuple[str, ...], datetime | None]] = []
        for symbol in ("SPY", "AAPL", "VIX"):
            self._values[symbol] = (100.0, clock.now())

    def move(self, symbol: str, price: float) -> None:
        """Changes a price just after now: a query at this very instant has the old one."""
        self._values[symbol] = (price, self._clock.now() + timedelta(microseconds=1))

    def fields(self, event_type: str) -> Mapping[str, str]:
        return FIELDS.get(event_type, {"eventSymbol": "str"})

    def find_streamer(self, symbol: str) -> str | None:
        return symbol if symbol in self._values else None

    def resolve_symbols(self, event_type: str, symbols: Iterable[str]) -> SymbolHandles:
        given = tuple(symbols)
        known = tuple(symbol for symbol in given if symbol in self._values)
        return SymbolHandles(
            event_type=event_type,
            symbols=known,
            rows=np.arange(len(known)),
            unknown=tuple(set(given) - set(known)),
        )

    def columns(
        self,
        event_type: str,
        handles: SymbolHandles,
        fields: Sequence[str],
        since: datetime | None = None,
    ) -> list[Any]:
        self.asked.append((event_type, handles.symbols, since))
        flat: list[Any] = []
        for symbol in handles.symbols:
            price, moved_at = self._values[symbol]
            if since is None or moved_at > since:
                event = {
                    "eventType": event_type,
                    "eventSymbol": symbol,
                    "eventTime": 0,
                    "bidPrice": "NaN" if symbol == "VIX" else price - 0.5,
                    "askPrice": "NaN" if symbol == "VIX" else price + 0.5,
                    "price": price,
                    "exchangeCode": None,
                }
                flat += [event[field] for field in fields]

        return flat

    def candles(
        self, symbol: str, interval: str, from_time: datetime, *, regular_hours: bool = True
    ) -> Iterator[dict[str, Any]]:
        """One candle a minute, the newest of which closes at the symbol's price."""
        minute = self._clock.now().replace(second=0, microsecond=0)
        for back in range(self.candle_minutes):
            at = minute - timedelta(minutes=back)
            if at < from_time.replace(second=0, microsecond=0):
                return

            yield {
                "eventSymbol": symbol,
                "time": int(at.timestamp() * 1000),
                "open": float("nan") if back == 2 else 1.0,
                "close": self._values[symbol][0] if back == 0 else 2.0,
            }
