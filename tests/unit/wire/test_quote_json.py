"""A quote that is printed without its message says what the message says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from tasty.v1.market_data_service_pb2 import GetQuotesResponse

from server.brokerage.api.rest_quotes import RestQuote
from server.market.market_data_service import Problem
from server.market.topics import Freshness, Kind, Topic, TopicKey
from server.tables.market_data import quotes_table, quotes_table_of
from server.wire import market_data
from server.wire.quote_json import quote_fields, quotes_body

NOW = datetime(2026, 11, 27, 18, 24, 46, 414850, UTC)
NUMBERS = st.one_of(
    st.sampled_from(["NaN", "Infinity", "-Infinity", None, "", "687.5", "1e5", "null"]),
    st.sampled_from([0, 0.0, 1, 687.5, 1e-7, 12345.6789, 0.05]),
    st.sampled_from([True, [], {}, [687.5]]),
    st.floats(0, 1e6, allow_nan=False).map(lambda value: round(value, 4)),
    st.integers(0, 10**6),
)
TIMES = st.one_of(st.sampled_from([0, -1, "NaN", None, [], {}]), st.integers(1, 4_000_000_000_000))
CODES = st.sampled_from(["Q", "", "\0", "NaN", None, [], {}])
LABELS = st.sampled_from(["SPY", "SPY   261218P00685000", "BRK/B"])
QUOTES = st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS, TIMES, TIMES, CODES, CODES)
TRADES = st.tuples(NUMBERS, NUMBERS, TIMES)
AMOUNTS = st.none() | st.decimals(0, 10**6, places=4)


def topic(
    label: str,
    quote: tuple[Any, ...] | None,
    trade: tuple[Any, ...] | None,
    received: float,
    silent: bool,
) -> Topic:
    freshness = Freshness()
    freshness.after = 0
    made = Topic(TopicKey(Kind.QUOTES, "." + label), label, freshness)
    if quote is not None:
        made.take("Quote", ["x", *quote], 1, received)
    if trade is not None:
        price, size, time = trade
        made.take("Trade", ["x", price, size, time, 0, 0, 0, "Q", "UP", False], 1, received)
    made.received_at = received
    made.silent = silent
    return made


TOPICS = st.builds(
    topic, LABELS, st.none() | QUOTES, st.none() | TRADES, st.floats(1, 4e9), st.booleans()
)
REST_QUOTES = st.builds(
    RestQuote,
    symbol=LABELS,
    bid=AMOUNTS,
    ask=AMOUNTS,
    bid_size=AMOUNTS,
    ask_size=AMOUNTS,
    last=AMOUNTS,
    mark=AMOUNTS,
    updated_at=st.none() | st.just(NOW),
    is_halted=st.none(),
)


def plain(message: Message) -> dict[str, Any]:
    fields: dict[str, Any] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return fields


@given(st.lists(TOPICS | REST_QUOTES, max_size=4))
def test_json_and_message_agree(items: list[Topic | RestQuote]) -> None:
    messages = [market_data.quote_of(item, NOW) for item in items]
    fields = [quote_fields(item, NOW) for item in items]
    problems = (Problem(symbol="NOPE", reason="Symbol 'NOPE' not found."),)
    answer = GetQuotesResponse(
        quotes=messages,
        table=quotes_table(messages),
        claude_error="It was not asked for.",
        errors=market_data.problems(problems),
    )
    body = HttpBody.FromString(
        quotes_body(
            fields,
            table=quotes_table_of(fields),
            problems=problems,
            claude_analysis="",
            claude_error="It was not asked for.",
        )
    )
    assert body.content_type == "application/json"
    printed = json.loads(body.data)
    assert printed == plain(answer)
    assert list(printed) == [field.name for field in answer.DESCRIPTOR.fields]
    for message, names in zip(messages, map(list, fields), strict=True):
        assert names == [field.name for field in message.DESCRIPTOR.fields if field.name in names]


def test_sizes_and_times_are_written_as_the_transcoder_writes_them() -> None:
    quote = (703.5, 703.52, 11.0, 0.5, 1795803887000, 1795803887120, "V", "Q")
    fields = quote_fields(topic("SPY", quote, None, 1795803887.41485, False), NOW)
    assert json.dumps([fields["bid_size"], fields["ask_size"]]) == "[11, 0.5]"
    assert fields["bid_time"] == "2026-11-27T18:24:47Z"
    assert fields["ask_time"] == "2026-11-27T18:24:47.120Z"
    assert fields["received_at"] == "2026-11-27T18:24:47.414850Z"
    assert fields["mid_price"] == str(Decimal("703.51"))
