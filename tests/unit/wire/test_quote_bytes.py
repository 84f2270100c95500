"""The hand-made wire form of a quote says what the message says, whatever the feed sends."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tasty.v1 import market_data_stream_pb2 as pb

from server.market.topics import Freshness, Kind, Topic, TopicKey
from server.wire import market_data
from server.wire.quote_bytes import quote_encoder

NUMBERS = st.one_of(
    st.sampled_from(["NaN", "Infinity", None, 0, 0.0, 1, 687.5, 1e-7, 12345.6789, 0.05]),
    st.floats(0, 1e6, allow_nan=False).map(lambda value: round(value, 4)),
    st.integers(0, 10**6),
    st.sampled_from(["-Infinity", "", "687.5", "1e5", "1e999999999", "null", "12,5"]),
)
TIMES = st.one_of(st.sampled_from([0, -1, "NaN", None]), st.integers(1, 4_000_000_000_000))
CODES = st.sampled_from(["Q", "", "\0", "NaN", None])
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

    piece = quote_encoder(topic, b"\x2a")()
    made = pb.StreamQuotesResponse.FromString(piece)
    assert list(made.quotes) == [market_data.quote(topic)]
    assert made.quotes[0].stale is (silent or not live or (quote is None and trade is None))
    assert made.quotes[0].received_at.nanos % 1000 == 0  # a float holds no more than microseconds
    assert topic.encoded == piece
