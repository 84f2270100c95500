"""A quote's wire form without a message: the one encoding that is done for every event.

Building the message costs seven microseconds, most of it in setting fields that are the same as for
the event before (symbols, source, the second of a time). Here a field is a few bytes, looked up by
its value; what does not change for a topic is encoded once. `market_data.quote` says what the bytes
mean, and a test holds the two together for any input.
"""

from __future__ import annotations

__all__ = ["quote_encoder", "varint"]

import struct
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from tasty.v1 import quote_pb2

from server.brokerage import feed_numbers as feed
from server.brokerage.dxlink_events import FIELDS, Row
from server.market.topics import Topic

VARINT, FIXED64, LENGTH = 0, 1, 2
"""The wire types of protobuf that quotes need."""

PRICES_KEPT = 1 << 13
"""Encoded prices remembered, some 3 MiB of them: those of a day would be thirty times as much, and
a price is encoded anew in two microseconds."""

USUAL_LENGTH = 512

NO_QUOTE: Row = ["", None, None, 0, 0, 0, 0, "", ""]
"""Stands for the quote of what nobody quotes."""


def varint(value: int) -> bytes:
    """Returns a number as protobuf writes it: seven bits a byte, the lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _tag(field: str, wire_type: int) -> bytes:
    return varint(quote_pb2.Quote.DESCRIPTOR.fields_by_name[field].number << 3 | wire_type)


_BID, _ASK, _LAST, _MID = (
    _tag(name, LENGTH) for name in ("bid_price", "ask_price", "last_price", "mid_price")
)
_BID_SIZE, _ASK_SIZE = _tag("bid_size", FIXED64), _tag("ask_size", FIXED64)
_BID_TIME, _ASK_TIME = _tag("bid_time", LENGTH), _tag("ask_time", LENGTH)
_BID_CODE, _ASK_CODE = _tag("bid_exchange_code", LENGTH), _tag("ask_exchange_code", LENGTH)
_EVENT_TIME, _RECEIVED = _tag("event_time", LENGTH), _tag("received_at", LENGTH)
_STALE = _tag("stale", VARINT) + b"\1"

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


def quote_encoder(topic: Topic, tag: bytes) -> Callable[[], bytes]:
    """Returns what makes the wire form of a topic's quote as an element of the field `tag`.

    The element means `market_data.quote(topic)`. It is left in `topic.encoded`. Sizes, exchanges
    and the last trade mostly are what they were at the quote before: they are encoded with the
    names, and again only when one of them has changed.
    """
    heads = _heads(tag)
    rows, freshness = topic.rows, topic.freshness
    label, names = "", b""
    trade: Row | None = None
    traded: Any = 0
    bid_size = ask_size = bid_code = ask_code = None
    resting = b""

    def encode() -> bytes:
        nonlocal label, names, trade, traded, bid_size, ask_size, bid_code, ask_code, resting
        quote = rows.get("Quote", NO_QUOTE)
        _, bid, ask, bids, asks, bid_time, ask_time, bidding, asking = quote
        prices, has_bid, has_ask = _prices(bid, ask)
        if not has_bid:
            bids = 0
        if not has_ask:
            asks = 0
        if (
            bids != bid_size
            or asks != ask_size
            or bidding != bid_code
            or asking != ask_code
            or rows.get("Trade") is not trade
            or topic.label is not label
        ):
            if topic.label is not label:
                label = topic.label
                names = _names(label, topic.key.symbol)
            bid_size, ask_size, bid_code, ask_code = bids, asks, bidding, asking
            trade = rows.get("Trade")
            last, traded = b"", 0
            if trade is not None:
                last, traded = _last(trade[_TRADE_PRICE]), trade[_TRADE_TIME]
            resting = names + _sides(bids, asks, bidding, asking) + last
        times = _times(bid_time, ask_time, traded)
        received = _received(topic.received_at)
        body = resting + prices + times + received
        # As `topic.stale`, without the call.
        if topic.silent or topic.renewed <= freshness.after:
            body += _STALE
        length = len(body)
        head = heads[length] if length < USUAL_LENGTH else tag + varint(length)
        topic.encoded = piece = head + body
        return piece

    return encode


@cache
def _heads(tag: bytes) -> Sequence[bytes]:
    """Quotes are short: what stands before one is looked up by its length."""
    return [tag + varint(length) for length in range(USUAL_LENGTH)]


def _names(label: str, streamer_symbol: str) -> bytes:
    message = quote_pb2.Quote(
        event_symbol=label, symbol=label, streamer_symbol=streamer_symbol, source="stream"
    )
    return message.SerializeToString()


@lru_cache(maxsize=PRICES_KEPT)
def _prices(bid: Any, ask: Any) -> tuple[bytes, bool, bool]:
    """Both sides and the mid, and which of the sides there are."""
    low, high = _price(bid), _price(ask)
    if low is None or high is None:
        return (low[0] if low else b"") + (high[1] if high else b""), bool(low), bool(high)

    mid = _text(_MID, f"{(low[2] + high[2]) / 2:f}")
    return low[0] + high[1] + mid, True, True


@lru_cache(maxsize=PRICES_KEPT)
def _price(raw: Any) -> tuple[bytes, bytes, Decimal] | None:
    """A price as a bid, as an ask, and as a number: it comes back in many pairs."""
    shown = feed.price(raw)
    if shown is None:
        return None

    return _text(_BID, shown), _text(_ASK, shown), Decimal(shown)


@lru_cache(maxsize=PRICES_KEPT)
def _last(raw: Any) -> bytes:
    shown = feed.price(raw)
    return b"" if shown is None else _text(_LAST, shown)


@lru_cache(maxsize=1 << 12)
def _sides(bid_size: Any, ask_size: Any, bid_code: Any, ask_code: Any) -> bytes:
    sizes = ((_BID_SIZE, feed.size(bid_size)), (_ASK_SIZE, feed.size(ask_size)))
    codes = ((_BID_CODE, bid_code), (_ASK_CODE, ask_code))
    shown = ((tag, feed.exchange_code(raw)) for tag, raw in codes)
    parts = [tag + struct.pack("<d", size) for tag, size in sizes if size]
    parts += [_text(tag, code) for tag, code in shown if code]
    return b"".join(parts)


@lru_cache(maxsize=1 << 10)
def _times(bid_time: Any, ask_time: Any, traded: Any) -> bytes:
    """The times in milliseconds of both sides and of the newest of all; 0 or NaN is "unknown"."""
    bid, ask, trade = (
        raw if type(raw) is int and raw > 0 else 0 for raw in (bid_time, ask_time, traded)
    )
    newest = max(bid, ask, trade)
    return _time(_BID_TIME, bid) + _time(_ASK_TIME, ask) + _time(_EVENT_TIME, newest)


@lru_cache(maxsize=64)
def _received(instant: float) -> bytes:
    # Microseconds: what a float holds of today beyond them is noise.
    seconds, micros = divmod(int(instant * 1e6), 1_000_000)
    return _stamp(_RECEIVED, seconds, micros * 1000)


def _stamp(tag: bytes, seconds: int, nanos: int) -> bytes:
    body = b"\x08" + varint(seconds)
    if nanos:
        body += b"\x10" + varint(nanos)
    return tag + varint(len(body)) + body


def _time(tag: bytes, milliseconds: int) -> bytes:
    if not milliseconds:
        return b""
    seconds, rest = divmod(milliseconds, 1000)
    return _stamp(tag, seconds, rest * 1_000_000)


def _text(tag: bytes, shown: str) -> bytes:
    body = shown.encode()
    return _heads(tag)[len(body)] + body
