"""A quote's wire form without a message: the one encoding that is done for every event.

Building the message costs seven microseconds, most of it in setting fields that are the same as for
the event before (symbols, source, the second of a time). Here what does not change is kept with the
topic, encoded. `market_data.quote` says what the bytes mean, and a test holds the two together for
any input.
"""

from __future__ import annotations

__all__ = ["encode_quotes"]

import struct
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Any

from tasty.v1 import quote_pb2

from server.brokerage.streaming import feed_numbers as feed
from server.brokerage.streaming.dxlink_events import FIELDS, Row
from server.market.topics import Kind, Topic
from server.wire.field_bytes import FIXED64, LENGTH, VARINT, delimited, tag_of, text, varint
from server.wire.price_bytes import PRICES, Sides

USUAL_LENGTH = 512

NO_QUOTE: Row = ("", None, None, 0, 0, 0, 0, "", "")
"""Stands for the quote of what nobody quotes."""


def _tag(field: str, wire_type: int) -> bytes:
    return tag_of(quote_pb2.Quote, field, wire_type)


_LAST = _tag("last_price", LENGTH)
_BID_SIZE, _ASK_SIZE = _tag("bid_size", FIXED64), _tag("ask_size", FIXED64)
_BID_TIME, _ASK_TIME = _tag("bid_time", LENGTH), _tag("ask_time", LENGTH)
_BID_CODE, _ASK_CODE = _tag("bid_exchange_code", LENGTH), _tag("ask_exchange_code", LENGTH)
_EVENT_TIME, _RECEIVED = _tag("event_time", LENGTH), _tag("received_at", LENGTH)
_STALE = _tag("stale", VARINT) + b"\1"

_DOUBLE = struct.Struct("<d").pack

_QUOTE = FIELDS["Quote"]
_TRADE_PRICE, _TRADE_TIME = FIELDS["Trade"].index("price"), FIELDS["Trade"].index("time")
assert _QUOTE[1:] == (  # noqa: S101  the rows below are taken apart by place
    "bidPrice",
    "askPrice",
    "bidSize",
    "askSize",
    "bidTime",
    "askTime",
    "bidExchangeCode",
    "askExchangeCode",
)


def encode_quotes(topics: Iterable[Topic], tag: bytes) -> None:
    """Makes the wire form of quotes, elements of the field `tag`, in `topic.encoded`.

    Each means `market_data.quote(topic)`. Passes over topics of other kinds, and those that have
    their wire form. What came in one frame mostly has its times in common: they are encoded where
    they differ from those of the topic before.
    """
    heads, prices = _heads(tag), PRICES
    came = bid_at = ask_at = traded = was_stale = None
    ending = b""
    kind = Kind.QUOTES  # looked up once: the members of an enum are found slowly
    for topic in topics:
        if topic.encoded is not None or topic.key.kind is not kind:
            continue

        quote = topic.main_row
        _, bid, ask, bids, asks, bid_time, ask_time, bidding, asking = quote or NO_QUOTE
        kept = topic.kept
        if kept is None:
            kept = topic.kept = _Kept(topic)
        try:
            priced, sides = prices[bid, ask]
        except TypeError:  # a list or an object: no price, and no key of a dictionary either
            priced, sides = prices[_scalar(bid), _scalar(ask)]
        if (
            bids != kept.bid_size
            or asks != kept.ask_size
            or bidding != kept.bid_code
            or asking != kept.ask_code
            or topic.other_row is not kept.trade
            or sides != kept.sides
        ):
            kept.renew(sides, bids, asks, bidding, asking, topic.other_row)
        # As `topic.stale`, without the call.
        stale = topic.silent or topic.renewed <= topic.freshness.after
        if (
            bid_time != bid_at
            or ask_time != ask_at
            or kept.traded != traded
            or topic.received_at != came
            or stale is not was_stale
        ):
            bid_at, ask_at, traded = bid_time, ask_time, kept.traded
            came, was_stale = topic.received_at, stale
            ending = _times(bid_at, ask_at, traded) + _received(came)
            if stale:
                ending += _STALE
        length = len(kept.resting) + len(priced) + len(ending)
        head = heads[length] if length < USUAL_LENGTH else tag + varint(length)
        topic.encoded = b"".join((head, kept.resting, priced, ending))


class _Kept:
    """What of a topic's quote mostly is as it was at the quote before, and its wire form.

    `resting` is names, sizes, exchanges and the last trade: encoded again only when one of them has
    changed.
    """

    __slots__ = (
        "ask_code",
        "ask_size",
        "bid_code",
        "bid_size",
        "names",
        "resting",
        "sides",
        "trade",
        "traded",
    )

    def __init__(self, topic: Topic) -> None:
        self.names = _names(topic.label, topic.key.symbol)
        self.sides: Sides | None = None
        self.bid_size = self.ask_size = self.bid_code = self.ask_code = None
        self.trade: Row | None = None
        self.traded: Any = 0
        """The time of the last trade, in milliseconds."""
        self.resting = b""

    def renew(
        self, sides: Sides, bids: Any, asks: Any, bidding: Any, asking: Any, trade: Row | None
    ) -> None:
        self.sides = sides
        self.bid_size, self.ask_size, self.bid_code, self.ask_code = bids, asks, bidding, asking
        self.trade = trade
        has_bid, has_ask = sides
        self.resting = (
            self.names
            # What has no price has no size.
            + _size(_BID_SIZE, bids if has_bid else 0)
            + _size(_ASK_SIZE, asks if has_ask else 0)
            + _code(_BID_CODE, _scalar(bidding))
            + _code(_ASK_CODE, _scalar(asking))
            + (b"" if trade is None else _last(_scalar(trade[_TRADE_PRICE])))
        )
        self.traded = 0 if trade is None else trade[_TRADE_TIME]


@cache
def _heads(tag: bytes) -> Sequence[bytes]:
    """Quotes are short: what stands before one is looked up by its length."""
    return [tag + varint(length) for length in range(USUAL_LENGTH)]


def _scalar(raw: Any) -> Any:
    """Returns what the feed sent, or None for what nothing of a quote can be."""
    return None if isinstance(raw, (list, dict)) else raw


def _names(label: str, streamer_symbol: str) -> bytes:
    message = quote_pb2.Quote(
        event_symbol=label, symbol=label, streamer_symbol=streamer_symbol, source="stream"
    )
    return message.SerializeToString()


def _size(tag: bytes, raw: Any) -> bytes:
    shown = feed.size(raw)
    return tag + _DOUBLE(shown) if shown else b""


@lru_cache(maxsize=1 << 8)
def _code(tag: bytes, raw: Any) -> bytes:
    return text(tag, feed.exchange_code(raw))


@lru_cache(maxsize=1 << 10)
def _last(raw: Any) -> bytes:
    return text(_LAST, feed.price(raw))


def _times(bid_time: Any, ask_time: Any, traded: Any) -> bytes:
    """The times in milliseconds of both sides and of the newest of all; 0 or NaN is "unknown"."""
    bid = bid_time if type(bid_time) is int and bid_time > 0 else 0
    ask = ask_time if type(ask_time) is int and ask_time > 0 else 0
    trade = traded if type(traded) is int and traded > 0 else 0
    shown = b""
    if bid:
        shown += _BID_TIME + _instant(bid)
    if ask:
        shown += _ASK_TIME + _instant(ask)
    if newest := max(bid, ask, trade):
        shown += _EVENT_TIME + _instant(newest)
    return shown


@lru_cache(maxsize=1 << 10)
def _instant(milliseconds: int) -> bytes:
    """A time that stands behind any tag: feeds tell theirs in whole seconds, so that it is back."""
    seconds, rest = divmod(milliseconds, 1000)
    return delimited(b"", _stamp(seconds, rest * 1_000_000))


@lru_cache(maxsize=64)
def _received(instant: float) -> bytes:
    # Microseconds: what a float holds of today beyond them is noise.
    seconds, micros = divmod(int(instant * 1e6), 1_000_000)
    return delimited(_RECEIVED, _stamp(seconds, micros * 1000))


def _stamp(seconds: int, nanos: int) -> bytes:
    return _seconds(seconds) + (b"\x10" + varint(nanos) if nanos else b"")


@lru_cache(maxsize=1 << 8)
def _seconds(seconds: int) -> bytes:
    return b"\x08" + varint(seconds)
