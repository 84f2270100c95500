"""Serves candle subscriptions: a snapshot of the past, then updates.

A snapshot is sent newest first; its first event is flagged SNAPSHOT_BEGIN and its last
SNAPSHOT_END. A client that ignores the flags cannot tell history from the update that follows it.
"""

from __future__ import annotations

__all__ = ["CandleSeries", "CandleSymbol", "parse_symbol"]

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from server.simulator.market import Market

REMOVE_EVENT = 0x2
SNAPSHOT_BEGIN = 0x4
SNAPSHOT_END = 0x8
_LONGEST = timedelta(days=400)  # a candle that is still being made began at most this long ago
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleSymbol:
    """Holds the parts of a candle symbol such as `AAPL{=5m,tho=true}`."""

    text: str
    """As dxFeed writes it: `{=1d}` becomes `{=d}`, the period first, then the attributes in
    order."""

    symbol: str
    interval: str
    regular_hours: bool


class CandleSeries:
    """Produces the candles of one symbol for one subscriber, from one instant on."""

    def __init__(
        self, market: Market, symbol: CandleSymbol, from_time: int | None, *, history: bool
    ) -> None:
        self.symbol = symbol
        self._market = market
        self._history = history
        self._from = None if from_time is None else _to_instant(from_time)
        self._latest: dict[str, Any] | None = None

    def snapshot(self) -> Iterator[dict[str, Any]]:
        """Yields past candles, newest first; if there are none, a single event that says so.

        Lazy: past candles that a client does not read are not computed.
        """
        if self._from is None:
            return

        candles = self._candles(self._from) if self._history else iter(())
        flags = SNAPSHOT_BEGIN
        ahead = next(candles, None)
        if ahead is None:
            yield self._make_empty_event()
            return

        self._latest = dict(ahead)
        while ahead is not None:
            candle, ahead = ahead, next(candles, None)
            last = SNAPSHOT_END if ahead is None else 0
            yield candle | {"eventFlags": flags | last}
            flags = 0

    def updates(self, now: datetime) -> Iterator[dict[str, Any]]:
        """Yields candles that are new or have changed since the last call, oldest first."""
        if self._latest is None:
            fresh = list(islice(self._candles(now - _LONGEST), 1))
        else:
            # The candle that was the newest may have changed since.
            fresh = list(self._candles(_to_instant(int(self._latest["time"]))))

        for candle in reversed(fresh):
            if candle != self._latest:
                yield candle

        if fresh:
            self._latest = fresh[0]

    def _candles(self, since: datetime) -> Iterator[dict[str, Any]]:
        for candle in self._market.candles(
            self.symbol.symbol,
            self.symbol.interval,
            since,
            regular_hours=self.symbol.regular_hours,
        ):
            plain = {name: _to_json(value) for name, value in candle.items()}
            yield plain | {"eventType": "Candle", "eventSymbol": self.symbol.text, "eventFlags": 0}

    def _make_empty_event(self) -> dict[str, Any]:
        nothing: dict[str, Any] = {
            name: 0 if kind == "int" else "NaN"
            for name, kind in self._market.fields("Candle").items()
        }
        flags = REMOVE_EVENT | SNAPSHOT_BEGIN | SNAPSHOT_END
        return nothing | {
            "eventType": "Candle",
            "eventSymbol": self.symbol.text,
            "eventFlags": flags,
        }


def parse_symbol(text: str) -> CandleSymbol | None:
    """Parses a candle symbol; returns None if it is not one."""
    match = re.fullmatch(r"([^{}]+)\{([^{}]*)\}", text)
    if match is None:
        return None

    attributes = dict(part.partition("=")[::2] for part in match[2].split(",") if part)
    period = re.fullmatch(r"([0-9]*)(s|m|h|d|w|mo|y|t)", attributes.pop("", "1d").lower())
    if period is None or not (count := int(period[1] or 1)):
        return None

    interval = f"{'' if count == 1 else count}{period[2]}"
    rest = "".join(f",{name}={attributes[name]}" for name in sorted(attributes))
    return CandleSymbol(
        text=f"{match[1]}{{={interval}{rest}}}",
        symbol=match[1],
        interval=f"{count}{period[2]}",
        regular_hours=attributes.get("tho", "").lower() == "true",
    )


def _to_json(value: Any) -> Any:
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


def _to_instant(milliseconds: int) -> datetime:
    # A client may ask for an instant that datetime cannot represent.
    try:
        return max(_EARLIEST, datetime.fromtimestamp(milliseconds / 1000, UTC))
    except (OverflowError, ValueError, OSError):
        return _EARLIEST if milliseconds < 0 else datetime.max.replace(tzinfo=UTC)
