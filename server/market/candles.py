"""Keeps candles: a history that arrives as one transaction, and its changes.

DXLink sends the history newest first, between two flags; it is complete at the second one. After a
reconnect it sends all of it again: candles that are the same then do not count as changed.
"""

from __future__ import annotations

__all__ = ["CandleBook", "CandleKey", "CandleSeries"]

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from server.brokerage.streaming.dxlink_events import CandleRow, Row, is_same_candle, split_rows
from server.clock import Clock
from server.market.candle_room import (
    EACH,
    LARGEST,
    SPARE,
    TOTAL,
    CandleRoom,
    candle_shares,
    expected_candles,
)
from server.market.candle_table import CandleTable
from server.market.subscription_set import Subscriber

TX_PENDING = 0x01
REMOVE_EVENT = 0x02
SNAPSHOT_BEGIN = 0x04
SNAPSHOT_END = 0x08
SNAPSHOT_SNIP = 0x10


@dataclass(frozen=True, slots=True)
class CandleKey:
    """Identifies a series: an instrument, and how its candles are made."""

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
    """Keeps the candles of one key by time, each with the version at which it last changed.

    It keeps as many as `room` was taken for, and takes more as it grows; if there is none, it drops
    the oldest. While a history arrives again, equal rows are kept once.
    """

    def __init__(
        self,
        key: CandleKey,
        label: str,
        since: int,
        room: CandleRoom | None = None,
        most: int = LARGEST,
    ) -> None:
        self.key = key
        self.label = label
        self.since = since
        """Epoch milliseconds from which the history is asked for."""
        self.loaded = asyncio.Event()
        """Set while the history is complete."""
        self.version = 0
        self.received_at = 0.0
        self.holds = 0
        self.most = most
        """How many rows it may have."""
        self.cut_at = -1
        """The newest time of a row that was dropped for lack of room."""
        self._room = room or CandleRoom(candle_shares(each=EACH, total=TOTAL), "")
        self._room.change(most)
        self._rows = CandleTable(key.streamer_symbol)
        self._arriving: CandleTable | None = None
        """What is new or different in a history that is arriving."""
        self._arriving_after = -1
        self._changed = asyncio.Event()

    def take(self, row: CandleRow, now: float) -> None:
        """Adds or replaces one candle."""
        flags = row.event_flags if isinstance(row.event_flags, int) else 0
        if flags & SNAPSHOT_BEGIN:
            self._arriving, self._arriving_after = CandleTable(self.key.streamer_symbol), -1
        if flags & REMOVE_EVENT:
            (self._rows if self._arriving is None else self._arriving).remove(row.time)
        elif self._arriving is None:
            self._put(row)
            if len(self._rows) > self.most and not self._grown():
                self._trim(self._rows)
        elif self._has(row):
            self._arriving.remove(row.time)  # what came of it before in this transfer is outdated
        elif row.time > self._arriving_after:
            self._arriving.put(row)
            if len(self._arriving) > self.most and not self._grown():
                # It comes newest first: what is older than this need not be looked at.
                self._arriving_after = self._trim(self._arriving)

        self.received_at = now
        if flags & (SNAPSHOT_END | SNAPSHOT_SNIP) and self._arriving is not None:
            arrived, self._arriving = self._arriving, None
            for time in arrived:
                each = arrived.get(time)
                if each is not None:
                    self._put(each)
            if len(self._rows) > self.most:
                self._trim(self._rows)
            self._fit()
            self.loaded.set()
        if self._arriving is None and not flags & TX_PENDING:
            self._changed.set()
            self._changed = asyncio.Event()

    def since_version(self, version: int, since: int) -> list[CandleRow]:
        """Returns the candles from `since` on that changed after a version, oldest first."""
        return self._rows.changed_since(version, since)

    async def changed(self) -> None:
        """Returns at the next change."""
        await self._changed.wait()

    def wake(self) -> None:
        """Wakes the readers for something other than a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    def reach_back(self, since: int, most: int) -> None:
        """Notes that an earlier history was subscribed to; `loaded` is set once it is complete."""
        self.since = since
        self.cut_at = -1
        self.loaded.clear()
        self._resize(max(most, self.most))

    def close(self) -> None:
        """Drops all candles, and gives the room back."""
        self._rows = CandleTable(self.key.streamer_symbol)
        self._arriving = None
        self._resize(0)

    def __len__(self) -> int:
        return len(self._rows)

    def _has(self, row: CandleRow) -> bool:
        old = self._rows.get(row.time)
        return old is not None and is_same_candle(old, row)

    def _put(self, row: CandleRow) -> None:
        if not self._has(row):
            self.version += 1
            self._rows.put(row, self.version)

    def _grown(self) -> bool:
        more = min(max(SPARE, self.most // 4), LARGEST - self.most)
        if more <= 0 or not self._room.grow(more):
            return False

        self.most += more
        return True

    def _fit(self) -> None:
        """Gives back room that the history did not need."""
        self._resize(min(LARGEST, len(self._rows) * 5 // 4 + SPARE))

    def _resize(self, most: int) -> None:
        if most < self.most or self._room.grow(most - self.most):
            self._room.change(min(0, most - self.most))
            self.most = most

    def _trim(self, rows: CandleTable) -> int:
        """Drops the oldest fifth, which is cheaper than one a row; returns its newest time."""
        newest = rows.drop_oldest(len(rows) - self.most * 4 // 5)
        self.cut_at = max(self.cut_at, newest)
        return newest


class CandleBook:
    """Keeps one tenant's series subscribed while somebody reads them."""

    def __init__(
        self, subscriber: Subscriber, clock: Clock, room: CandleRoom | None = None
    ) -> None:
        self._subscriber = subscriber
        self._clock = clock
        self._room = room or CandleRoom(candle_shares(each=EACH, total=TOTAL), "")
        self._series: dict[str, CandleSeries] = {}

    def publish(self, flat: Row, now: float) -> None:
        """Hands any number of candle events, flat, to their series."""
        for row in map(CandleRow._make, split_rows("Candle", flat)):
            series = self._series.get(_canonical(row.event_symbol))
            if series is not None:
                series.take(row, now)

    def ensure_room(self, keys: Iterable[CandleKey], since: int) -> None:
        """Raises TooManyCandles if there is no room for these histories."""
        wanted = 0
        for key in keys:
            series = self._series.get(_canonical(key.streamer_symbol))
            most = self._most(key, since)
            wanted += most if series is None else max(0, most - series.most)

        self._room.ensure(wanted)

    @contextmanager
    def hold(self, key: CandleKey, label: str, since: int) -> Iterator[CandleSeries]:
        """Keeps a series subscribed while the block runs, with history from `since` on."""
        name = _canonical(key.streamer_symbol)
        series = self._series.get(name)
        if series is None:
            series = self._series[name] = CandleSeries(
                key, label, since, self._room, self._most(key, since)
            )
            self._subscriber.subscribe("Candle", key.streamer_symbol, since)
        elif since < series.since or (since <= series.cut_at and series.most < LARGEST):
            # A moment earlier than before, or it would be taken for what is there already.
            series.reach_back(min(since, series.since - 1), self._most(key, since))
            self._subscriber.subscribe("Candle", key.streamer_symbol, series.since)

        series.holds += 1
        try:
            yield series
        finally:
            series.holds -= 1
            if not series.holds:
                # At once: a history is cheap to get again, and dear to keep.
                del self._series[name]
                series.close()
                self._subscriber.unsubscribe("Candle", key.streamer_symbol)

    @property
    def rows(self) -> int:
        """Candles that are kept now."""
        return sum(map(len, self._series.values()))

    @property
    def room_taken(self) -> int:
        """Candles that there may be, histories on their way included."""
        return self._room.held

    def _most(self, key: CandleKey, since: int) -> int:
        expected = expected_candles(
            key.symbol, key.interval, since, self._now(), extended=key.extended
        )
        return min(LARGEST, expected * 5 // 4 + SPARE)

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    def wake_all(self) -> None:
        """Wakes every reader for something other than candles."""
        for series in self._series.values():
            series.wake()

    def __len__(self) -> int:
        return len(self._series)


def _canonical(symbol: str) -> str:
    """Returns the canonical spelling of a series: dxFeed answers `{=m}` for `{=1m}`."""
    name, brace, rest = symbol.partition("{=")
    if not brace:
        return symbol
    period, comma, attributes = rest.rstrip("}").partition(",")
    if period.startswith("1") and not period[1:2].isdigit():
        period = period[1:]
    return f"{name}{{={period}{comma}{','.join(sorted(attributes.split(',')))}}}"
