"""Serves one FEED channel: its configuration, its subscriptions and the frames that are due.

It reads neither socket nor clock and keeps no events: values are asked of the market when they are
sent, so a client that does not read costs nothing meanwhile.
"""

from __future__ import annotations

__all__ = ["CONTRACTS", "FeedChannel", "Frame"]

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from server.simulator.dxlink import messages
from server.simulator.dxlink.candles import CandleSeries, parse_symbol
from server.simulator.dxlink.messages import BadAction, InvalidMessage, Subscription
from server.simulator.market import Market
from server.simulator.market.market import SymbolHandles

Frame = tuple[str, bytes]
"""A message type and the message."""

CONTRACTS = ("AUTO", "HISTORY", "TICKER", "STREAM")
EVENT_TYPES = (
    "Quote",
    "Trade",
    "TradeETH",
    "Summary",
    "Profile",
    "Greeks",
    "TheoPrice",
    "Underlying",
    "TimeAndSale",
    "Candle",
)
UNSERVED_TYPES = {
    "Order",
    "AnalyticOrder",
    "SpreadOrder",
    "OtcMarketsOrder",
    "OptionSale",
    "Series",
    "Configuration",
    "Message",
    "TextMessage",
}
"""Event types of dxFeed that the broker's token does not include: accepted, but never sent."""

RESOLVE_BATCH = 2_000
"""Number of symbols that are priced at once."""

MAX_FRAME_VALUES = 4_000
"""Most values in one FEED_DATA message: about 32 KB, as in the real feed's batches."""

LONGEST_PERIOD_S = 86_400.0
"""Longest aggregation period that is granted; FEED_CONFIG tells the client."""


class FeedChannel:
    """Keeps the subscriptions of one channel and makes the frames that are due."""

    def __init__(
        self,
        number: int,
        contract: str,
        market: Market,
        *,
        min_period: float,
        auto_candle_history: bool,
    ) -> None:
        self.number = number
        self.contract = contract
        self.period = min_period
        self.due_at = 0.0
        """When the next updates are due, on the connection's clock."""

        self.has_new = False
        """True if symbols were subscribed since the last frames; first values do not wait for a
        period."""

        self.events_sent = 0
        self._market = market
        self._min_period = min_period
        self._candle_history = contract == "HISTORY" or (contract == "AUTO" and auto_candle_history)
        self._format = "FULL"
        self._fields: dict[str, tuple[str, ...]] = {}
        self._config_due = True
        self._feeds: dict[str, _SymbolSet] = {}
        self._candles: dict[str, CandleSeries] = {}
        self._snapshots: dict[str, CandleSeries] = {}

    @property
    def subscriptions(self) -> int:
        return len(self._candles) + sum(len(feed.symbols) for feed in self._feeds.values())

    def configure(self, message: Mapping[str, Any]) -> bytes:
        """Carries out FEED_SETUP and returns the FEED_CONFIG that tells what was granted."""
        data_format = message.get("acceptDataFormat")
        if data_format not in (None, "FULL", "COMPACT"):
            raise InvalidMessage("acceptDataFormat is FULL or COMPACT", channel=self.number)

        wanted = message.get("acceptEventFields") or {}
        if not isinstance(wanted, dict) or not all(
            isinstance(names, list) and all(isinstance(name, str) for name in names)
            for names in wanted.values()
        ):
            raise InvalidMessage(
                "acceptEventFields is not lists of names by type", channel=self.number
            )

        period = messages.read_number(message, "acceptAggregationPeriod")
        if period is not None:
            self.period = min(max(period, self._min_period), LONGEST_PERIOD_S)

        if data_format is not None:
            self._format = data_format

        for event_type, names in wanted.items():
            if event_type in EVENT_TYPES:
                known = self._list_known_fields(event_type)
                # Fields that do not exist are left out; the answer lists the fields that remain.
                self._fields[event_type] = tuple(name for name in names if name in known) or known

        return self._make_config()

    def subscribe(self, message: Mapping[str, Any]) -> None:
        """Carries out FEED_SUBSCRIPTION: reset first, then removals, then additions."""
        removed = messages.read_subscriptions(message, "remove")
        added = messages.read_subscriptions(message, "add")
        for each in (*removed, *added):
            if each.event_type not in EVENT_TYPES and each.event_type not in UNSERVED_TYPES:
                raise BadAction(f"There are no {each.event_type} events", channel=self.number)

            if each.symbol == "*":
                raise BadAction("The wildcard is not served here", channel=self.number)

        if message.get("reset") is True:
            self._feeds.clear()
            self._candles.clear()
            self._snapshots.clear()

        for each in removed:
            self._remove(each)

        for each in added:
            self._add(each)

        self.has_new = self.has_new or bool(added)

    def first_frames(self, now: datetime) -> Iterator[Frame]:
        """Yields first values of new subscriptions: current events, candle snapshots."""
        self.has_new = False
        for event_type, feed in tuple(self._feeds.items()):
            for handles in feed.take_new(self._market, event_type, now):
                yield from self._make_column_frames(event_type, handles, None)

        while self._snapshots:
            series = self._snapshots.pop(next(iter(self._snapshots)))
            yield from self._make_candle_frames(series.snapshot())

    def update_frames(self, now: datetime) -> Iterator[Frame]:
        """Yields what has changed since the last call, one frame at a time and made on demand."""
        for event_type, feed in tuple(self._feeds.items()):
            # Recorded before anything is sent: a change while the client is slow comes after `now`,
            # and so belongs to the next round instead of being missed.
            every, since = feed.start_round(self._market, event_type, now)
            for handles in every:
                yield from self._make_column_frames(event_type, handles, since)

        for series in tuple(self._candles.values()):
            yield from self._make_candle_frames(series.updates(now))

    def _make_column_frames(
        self, event_type: str, handles: SymbolHandles, since: datetime | None
    ) -> Iterator[Frame]:
        if handles.symbols:
            fields = self._find_fields(event_type)
            values = self._market.columns(event_type, handles, fields, since)
            yield from self._split_frames(event_type, fields, values)

    def _split_frames(
        self, event_type: str, fields: Sequence[str], values: list[Any]
    ) -> Iterator[Frame]:
        width = len(fields)
        step = max(MAX_FRAME_VALUES // width, 1) * width
        for first in range(0, len(values), step):
            part = values[first : first + step]
            yield from self._make_frames(event_type, fields, part, len(part) // width)

    def _make_candle_frames(self, candles: Iterator[dict[str, Any]]) -> Iterator[Frame]:
        fields = self._find_fields("Candle")
        step = max(MAX_FRAME_VALUES // len(fields), 1)
        while part := list(islice(candles, step)):
            values = [candle.get(name) for candle in part for name in fields]
            yield from self._make_frames("Candle", fields, values, len(part))

    def _make_frames(
        self, event_type: str, fields: Sequence[str], values: list[Any], count: int
    ) -> Iterator[Frame]:
        if self._config_due or (self._format == "COMPACT" and event_type not in self._fields):
            if self._format == "COMPACT":
                self._fields.setdefault(event_type, tuple(fields))

            yield "FEED_CONFIG", self._make_config()

        self.events_sent += count
        if self._format == "COMPACT":
            yield "FEED_DATA", messages.feed_data(self.number, [event_type, values])
            return

        width = len(fields)
        events = [
            {name: value for name, value in zip(fields, row, strict=True) if value is not None}
            for row in (values[at : at + width] for at in range(0, len(values), width))
        ]
        yield "FEED_DATA", messages.feed_data(self.number, events)

    def _make_config(self) -> bytes:
        self._config_due = False
        return messages.feed_config(self.number, self.period, self._format, self._fields)

    def _find_fields(self, event_type: str) -> tuple[str, ...]:
        return self._fields.get(event_type) or self._list_known_fields(event_type)

    def _list_known_fields(self, event_type: str) -> tuple[str, ...]:
        names = tuple(self._market.fields(event_type))
        return ("eventType", *(name for name in names if name != "eventType"))

    def _add(self, wanted: Subscription) -> None:
        if wanted.event_type in UNSERVED_TYPES:
            return

        if wanted.event_type != "Candle":
            self._feeds.setdefault(wanted.event_type, _SymbolSet()).add(wanted.symbol)
            return

        symbol = parse_symbol(wanted.symbol)
        if symbol is None or self._market.find_streamer(symbol.symbol) is None:
            return  # the feed does not report unknown symbols

        # A new fromTime for the same symbol replaces the old one and causes a new snapshot.
        wants_past = self.contract in ("AUTO", "HISTORY")
        series = CandleSeries(
            self._market,
            symbol,
            wanted.from_time if wants_past else None,
            history=self._candle_history,
        )
        self._candles[symbol.text] = self._snapshots[symbol.text] = series

    def _remove(self, unwanted: Subscription) -> None:
        if unwanted.event_type != "Candle":
            if (feed := self._feeds.get(unwanted.event_type)) is not None:
                feed.discard(unwanted.symbol)
        elif (symbol := parse_symbol(unwanted.symbol)) is not None:
            self._candles.pop(symbol.text, None)
            self._snapshots.pop(symbol.text, None)


class _SymbolSet:
    """Keeps the symbols of one event type and resolves them again only when they change."""

    def __init__(self) -> None:
        self.symbols: dict[str, None] = {}
        self._new: dict[str, None] = {}
        self._handles: list[SymbolHandles] | None = None
        self._since: datetime | None = None

    def add(self, symbol: str) -> None:
        """Adds a symbol; adding it again sends its current value again, as dxFeed does."""
        if symbol not in self.symbols:
            self.symbols[symbol] = None
            self._handles = None

        self._new[symbol] = None

    def discard(self, symbol: str) -> None:
        if symbol in self.symbols:
            del self.symbols[symbol]
            self._new.pop(symbol, None)
            self._handles = None

    def take_new(self, market: Market, event_type: str, now: datetime) -> list[SymbolHandles]:
        """Returns the symbols that still need a first value, once."""
        symbols, self._new = self._new, {}
        if symbols:
            self._since = self._since or now

        return _resolve(market, event_type, symbols)

    def start_round(
        self, market: Market, event_type: str, now: datetime
    ) -> tuple[list[SymbolHandles], datetime | None]:
        """Returns all symbols, and the instant since when they may have changed."""
        if self._handles is None:
            self._handles = _resolve(market, event_type, self.symbols)

        since, self._since = self._since, now
        return self._handles, since


def _resolve(market: Market, event_type: str, symbols: Iterable[str]) -> list[SymbolHandles]:
    # In batches: resolving a whole chain at once would block the event loop for a tenth of a
    # second.
    rest = iter(symbols)
    portions = iter(lambda: list(islice(rest, RESOLVE_BATCH)), [])
    return [market.resolve_symbols(event_type, portion) for portion in portions]
