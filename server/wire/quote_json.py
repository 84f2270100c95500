"""Quotes as the JSON of the REST face, without their messages.

What is polled over REST is printed by the server (`is_printed`), and quotes are polled most: making
a message first, to be read again field by field, would take longer than all the rest. A test holds
the two together for any quote.
"""

from __future__ import annotations

__all__ = ["Fields", "quote_fields", "quotes_body"]

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import orjson
from tasty.v1 import quote_pb2

from server.brokerage.api.rest_quotes import RestQuote
from server.market.market_data_service import Problem
from server.market.topics import Topic
from server.wire import printing
from server.wire.market_data import rest_quote
from server.wire.quote_values import values_of

Fields = dict[str, Any]
"""The fields of a message by name, in their order, without those that are absent."""

_fields_of_message = printing.converter_of(quote_pb2.Quote.DESCRIPTOR)


def quote_fields(item: Topic | RestQuote, now: datetime) -> Fields:
    """Returns the quote of a snapshot, wherever it comes from."""
    if isinstance(item, Topic):
        return _live(item)

    fields: Fields = _fields_of_message(rest_quote(item, now))
    return fields


def quotes_body(
    quotes: Sequence[Fields],
    *,
    table: str,
    problems: Iterable[Problem],
    claude_analysis: str,
    claude_error: str,
) -> bytes:
    """Returns a GetQuotesResponse as it is answered to a call through REST."""
    return printing.body(
        orjson.dumps(
            {
                "quotes": quotes,
                "table": table,
                "claude_analysis": claude_analysis,
                "claude_error": claude_error,
                "errors": [{"symbol": each.symbol, "reason": each.reason} for each in problems],
            }
        )
    )


def _live(topic: Topic) -> Fields:
    known = values_of(topic)
    fields: Fields = {"event_symbol": topic.label}
    if known.bid is not None:
        fields["bid_price"] = known.bid
    if known.ask is not None:
        fields["ask_price"] = known.ask
    if known.last is not None:
        fields["last_price"] = known.last
    fields["bid_size"] = printing.number(float(known.bid_size))
    fields["ask_size"] = printing.number(float(known.ask_size))
    fields["symbol"] = topic.label
    fields["streamer_symbol"] = topic.key.symbol
    if known.mid is not None:
        fields["mid_price"] = known.mid
    if known.bid_time:
        fields["bid_time"] = _moment(known.bid_time)
    if known.ask_time:
        fields["ask_time"] = _moment(known.ask_time)
    fields["bid_exchange_code"] = known.bid_code
    fields["ask_exchange_code"] = known.ask_code
    if known.event_time:
        fields["event_time"] = _moment(known.event_time)
    seconds, rest = divmod(int(topic.received_at * 1e6), 1_000_000)
    fields["received_at"] = printing.moment_text(seconds, rest * 1000)
    fields["source"] = "stream"
    fields["stale"] = topic.stale
    return fields


def _moment(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return printing.moment_text(seconds, rest * 1_000_000)
