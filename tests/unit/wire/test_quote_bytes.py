"""The hand-made wire form of a quote says what the message says, whatever the feed sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasty.v1 import market_data_stream_pb2 as pb

from server.brokerage.streaming.dxlink_events import FIELDS
from server.market.topics import Freshness, Kind, Topic, TopicKey
from server.wire import market_data
from server.wire.quote_bytes import encode_quotes

NO_SCALARS: list[Any] = [[], {}, [687.5], {"price": 687.5}]
NUMBERS = st.one_of(
    st.sampled_from(["NaN", "Infinity", None, 0, 0.0, 1, 687.5, 1e-7, 12345.6789, 0.05]),
    st.floats(0, 1e6, allow_nan=False).map(lambda value: round(value, 4)),
    st.integers(0, 10**6),
    st.sampled_from(["-Infinity", "", "687.5", "1e5", "1e999999999", "null", "12,5"]),
    st.sampled_from([True, *NO_SCALARS]),
)
TIMES = st.one_of(
    st.sampled_from([0, -1, "NaN", None, *NO_SCALARS]), st.integers(1, 4_000_000_000_000)
)
CODES = st.sampled_from(["Q", "", "\0", "NaN", None, 1, *NO_SCALARS])
QUOTES = st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS, TIMES, TIMES, CODES, CODES)
TRADES = st.tuples(NUMBERS, NUMBERS, TIMES)


@given(
    quote=st.none() | QUOTES,
    trade=st.none() | TRADES,
    received=st.floats(1, 4e9),
    live=st.booleans(),
    silent=st.booleans(),
)
def test_bytes_and_message_agree(
    quote: tuple[Any, ...] | None,
    trade: tuple[Any, ...] | None,
    received: float,
    live: bool,
    silent: bool,
) -> None:
    freshness = Freshness()
    freshness.after = 0 if live else 1
    key = TopicKey(Kind.QUOTES, ".SPY261218P685")
    topic = Topic(key, "SPY   261218P00685000", freshness)
    if quote is not None:
        topic.take("Quote", ["x", *quote], 1, received)
    if trade is not None:
        price, size, time = trade
        row = ["x", price, size, time, 0, 0, 0, "Q", "UP", False]
        topic.take("Trade", row, 1, received)
    topic.received_at = received
    topic.silent = silent

    encode_quotes([topic], b"\x2a")
    piece = topic.encoded
    assert piece is not None
    made = pb.StreamQuotesResponse.FromString(piece)
    assert list(made.quotes) == [market_data.quote(topic)]
    assert made.quotes[0].stale is (silent or not live or (quote is None and trade is None))
    assert made.quotes[0].received_at.nanos % 1000 == 0  # a float holds no more than microseconds
    assert topic.encoded == piece


USUAL = ["x", 1.5, 1.51, 100.0, 200.0, 1000, 2000, "Q", "Q"]
TRADE = ["x", 1.5, 1, 3000, 0, 0, 0, "Q", "UP", False]
OTHER = ["y", "NaN", None, 300.0, 400.0, 5000, 6000, "Z", "Z"]

Change = Callable[[Topic], None]


def _quote(place: int) -> Change:
    row = [*USUAL[:place], OTHER[place], *USUAL[place + 1 :]]
    return lambda topic: topic.take("Quote", row, 2, 1.0)


def _trade(price: float, time: int) -> Change:
    row = [TRADE[0], price, 1, time, *TRADE[4:]]
    return lambda topic: topic.take("Trade", row, 2, 1.0)


CHANGES: dict[str, Change] = {
    **{name: _quote(place) for place, name in enumerate(FIELDS["Quote"])},
    "last price": _trade(2.5, 3000),
    "time of the last trade": _trade(1.5, 4000),
    "received": lambda topic: topic.take("Quote", USUAL, 2, 2.0),
    "silence": lambda topic: topic.mark_silent(2),
    "label": lambda topic: topic.rename("SPY   261218P00685000"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_each_thing_that_changes_alone_is_shown(change: Change) -> None:
    freshness = Freshness()
    freshness.after = 0
    names = ("before", "changed", "after")
    topics = [Topic(TopicKey(Kind.QUOTES, name), name, freshness) for name in names]
    for topic in topics:
        topic.take("Quote", USUAL, 1, 1.0)
        topic.take("Trade", TRADE, 1, 1.0)
    for changed in (lambda _: None, change, lambda topic: topic.take("Quote", USUAL, 3, 1.0)):
        changed(topics[1])
        for topic in topics:
            topic.encoded = None
        encode_quotes(topics, b"\x2a")
        for topic in topics:
            made = pb.StreamQuotesResponse.FromString(topic.encoded or b"")
            assert list(made.quotes) == [market_data.quote(topic)]
