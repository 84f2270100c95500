"""Candles: a history that arrives as one transaction, then changes, the newest one many times.

DXLink sends the history newest first, between two flags; until the second of them what came is not
the history yet. After a reconnect it sends all of it again: what is the same then is not news.
"""

from __future__ import annotations

__all__ = ["CandleBook", "CandleKey", "CandleSeries"]

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from server.brokerage.dxlink_events import FIELDS, Row

TX_PENDING = 0x01
REMOVE_EVENT = 0x02
SNAPSHOT_BEGIN = 0x04
SNAPSHOT_END = 0x08
SNAPSHOT_SNIP = 0x10

MOST_CANDLES = 20_000
"""Candles kept of one series, the newest: what a reader a year behind would need of 15 minutes."""

TRIMMED_AT_ONCE = MOST_CANDLES // 4
"""How many more there may be before the oldest go: candles of a second are 23,400 more a day."""

_FLAGS = FIELDS["Candle"].index("eventFlags")
_TIME = FIELDS["Candle"].index("time")


class Wants(Protocol):
    """Where subscriptions are asked for; calls return at once."""

    def want(self, event: str, symbol: str, since: int | None = None) -> None: ...
    def unwant(self, event: str, symbol: str) -> None: ...


@dataclass(frozen=True, slots=True)
class CandleKey:
    """An instrument and how its candles are made."""

    symbol: str
    """The streamer symbol of the instrument."""
    interval: str
    """Such as "5m"."""
    extended: bool
    """Whether trades outside regular hours count."""

    @property
    def streamer_symbol(self) -> str:
        """The symbol of the series, as dxFeed spells it."""
        hours = "" if self.extended else ",tho=true"
        return f"{self.symbol}{{={self.interval}{hours}}}"


class CandleSeries:
    """The candles of one key, by time, each with the version at which it last changed."""

    def __init__(self, key: CandleKey, label: str, since: int) -> None:
        self.key = key
        self.label = label
        self.since = since
        """Epoch milliseconds from which the history is asked for."""
        self.loaded = asyncio.Event()
        """Set while the history is complete."""
        self.version = 0
        self.received_at = 0.0
        self.holds = 0
        self._rows: dict[int, Row] = {}
        self._versions: dict[int, int] = {}
        self._arriving: dict[int, Row] | None = None
        self._changed = asyncio.Event()

    def take(self, row: Row, now: float) -> None:
        """Takes one candle as it comes."""
        flags = row[_FLAGS] if isinstance(row[_FLAGS], int) else 0
        if flags & SNAPSHOT_BEGIN:
            self._arriving = {}
        rows = self._rows if self._arriving is None else self._arriving
        if flags & REMOVE_EVENT:
            rows.pop(row[_TIME], None)
            if self._arriving is None:
                self._versions.pop(row[_TIME], None)
        elif self._arriving is None:
            self._put(row)
            if len(self._rows) > MOST_CANDLES + TRIMMED_AT_ONCE:
                self._trim()
        else:
            rows[row[_TIME]] = row

        self.received_at = now
        if flags & (SNAPSHOT_END | SNAPSHOT_SNIP) and self._arriving is not None:
            arrived, self._arriving = self._arriving, None
            for each in arrived.values():
                self._put(each)
            self._trim()
            self.loaded.set()
        if self._arriving is None and not flags & TX_PENDING:
            self._changed.set()
            self._changed = asyncio.Event()

    def since_version(self, version: int, since: int) -> list[Row]:
        """Returns the candles from `since` on that changed after a version, oldest first."""
        times = [
            time for time, changed in self._versions.items() if changed > version and time >= since
        ]
        return [self._rows[time] for time in sorted(times)]

    async def changed(self) -> None:
        """Returns at the next change."""
        await self._changed.wait()

    def wake(self) -> None:
        """Lets readers look for something other than a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    def reach_back(self, since: int) -> None:
        """Asks for more history than there is; complete again once it has come."""
        self.since = since
        self.loaded.clear()

    def _put(self, row: Row) -> None:
        time = row[_TIME]
        old = self._rows.get(time)
        # Flags are about the transfer, not about the candle.
        if old is not None and old[_TIME:] == row[_TIME:]:
            return
        self.version += 1
        self._rows[time] = row
        self._versions[time] = self.version

    def _trim(self) -> None:
        for time in sorted(self._rows)[:-MOST_CANDLES]:
            del self._rows[time], self._versions[time]


class CandleBook:
    """One tenant's series, subscribed while somebody reads them."""

    def __init__(self, wants: Wants) -> None:
        self._wants = wants
        self._series: dict[str, CandleSeries] = {}

    def publish(self, flat: Row, now: float) -> None:
        """Takes any number of candle events, flat, in the order of `FIELDS`."""
        width = len(FIELDS["Candle"])
        for start in range(0, len(flat), width):
            series = self._series.get(_canonical(flat[start]))
            if series is not None:
                series.take(flat[start : start + width], now)

    @contextmanager
    def hold(self, key: CandleKey, label: str, since: int) -> Iterator[CandleSeries]:
        """Keeps a series subscribed while the block runs, with history from `since` on."""
        name = _canonical(key.streamer_symbol)
        series = self._series.get(name)
        if series is None:
            series = self._series[name] = CandleSeries(key, label, since)
            self._wants.want("Candle", key.streamer_symbol, since)
        elif since < series.since:
            series.reach_back(since)
            self._wants.want("Candle", key.streamer_symbol, since)

        series.holds += 1
        try:
            yield series
        finally:
            series.holds -= 1
            if not series.holds:
                # At once: a history is cheap to get again, and dear to keep.
                del self._series[name]
                self._wants.unwant("Candle", key.streamer_symbol)

    def wake_all(self) -> None:
        """Lets every reader look for news other than candles."""
        for series in self._series.values():
            series.wake()

    def __len__(self) -> int:
        return len(self._series)


def _canonical(symbol: str) -> str:
    """Returns one spelling of a series: dxFeed says `{=m}` to who asked for `{=1m}`."""
    name, brace, rest = symbol.partition("{=")
    if not brace:
        return symbol
    period, comma, attributes = rest.rstrip("}").partition(",")
    if period.startswith("1") and not period[1:2].isdigit():
        period = period[1:]
    return f"{name}{{={period}{comma}{','.join(sorted(attributes.split(',')))}}}"
