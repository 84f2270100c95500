"""Converts topics of the hub, and quotes of the broker's REST service, into messages."""

from __future__ import annotations

__all__ = [
    "InstrumentMessage",
    "InstrumentQuery",
    "greeks",
    "greeks_of",
    "problems",
    "quote",
    "quote_of",
    "rest_quote",
    "trade",
]

from collections.abc import Iterable
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from tasty.v1 import greeks_pb2, instrument_pb2, quote_pb2, trade_pb2

from server.brokerage.api.rest_quotes import RestQuote
from server.brokerage.instruments.lookup import InstrumentQuery
from server.brokerage.instruments.symbols import occ_to_streamer
from server.brokerage.streaming import feed_numbers as feed
from server.market.market_data_service import Problem
from server.market.topics import Topic
from server.wire.numbers import money_or_none, number
from server.wire.quote_values import milliseconds, values_of

InstrumentMessage = instrument_pb2.Instrument


def quote(topic: Topic) -> quote_pb2.Quote:
    """Returns what is known of the bid, the offer and the last trade."""
    known = values_of(topic)
    message = quote_pb2.Quote(
        event_symbol=topic.label,
        bid_price=known.bid,
        ask_price=known.ask,
        last_price=known.last,
        bid_size=known.bid_size,
        ask_size=known.ask_size,
        symbol=topic.label,
        streamer_symbol=topic.key.symbol,
        mid_price=known.mid,
        bid_exchange_code=known.bid_code,
        ask_exchange_code=known.ask_code,
        source="stream",
        stale=topic.stale,
    )
    _stamp(message.bid_time, known.bid_time)
    _stamp(message.ask_time, known.ask_time)
    _stamp(message.event_time, known.event_time)
    _received(message.received_at, topic)
    return message


def greeks(topic: Topic) -> greeks_pb2.Greeks:
    """Returns the greeks of one contract, as the feed has them."""
    row = topic.greeks
    if row is None:
        raise ValueError("a topic without greeks")

    message = greeks_pb2.Greeks(
        event_symbol=topic.label,
        symbol=topic.label,
        streamer_symbol=topic.key.symbol,
        delta=feed.text(row.delta) or "",
        gamma=feed.text(row.gamma) or "",
        theta=feed.text(row.theta) or "",
        vega=feed.text(row.vega) or "",
        rho=feed.text(row.rho) or "",
        price=feed.price(row.price),
        volatility=feed.text(row.volatility),
        stale=topic.stale,
    )
    _stamp(message.time, milliseconds(row.time))
    _received(message.received_at, topic)
    return message


def trade(topic: Topic) -> trade_pb2.Trade:
    """Returns the last trade."""
    row = topic.trade
    if row is None:
        raise ValueError("a topic without a trade")

    message = trade_pb2.Trade(
        event_symbol=topic.label,
        symbol=topic.label,
        streamer_symbol=topic.key.symbol,
        price=feed.price(row.price) or "",
        change=feed.price(row.change),
        day_volume=feed.text(row.day_volume),
        day_turnover=feed.price(row.day_turnover),
        exchange_code=feed.exchange_code(row.exchange_code),
        tick_direction=str(row.tick_direction or "UNDEFINED"),
        extended_trading_hours=row.extended_trading_hours is True,
        stale=topic.stale,
    )
    traded = feed.size(row.size)
    if traded:
        message.size = traded
    _stamp(message.time, milliseconds(row.time))
    _received(message.received_at, topic)
    return message


def quote_of(item: Topic | RestQuote, now: datetime) -> quote_pb2.Quote:
    """Returns the quote of a snapshot, wherever it comes from."""
    return quote(item) if isinstance(item, Topic) else rest_quote(item, now)


def greeks_of(item: Topic | RestQuote) -> greeks_pb2.Greeks:
    """Returns the greeks of a snapshot; only the feed has any."""
    if not isinstance(item, Topic):
        raise TypeError("the broker's REST service has no greeks")
    return greeks(item)


def problems(found: Iterable[Problem]) -> list[instrument_pb2.SymbolError]:
    """Returns what got no answer, and why."""
    return [instrument_pb2.SymbolError(symbol=p.symbol, reason=p.reason) for p in found]


def rest_quote(item: RestQuote, now: datetime) -> quote_pb2.Quote:
    """Returns the quote that the broker's REST service told."""
    message = quote_pb2.Quote(
        event_symbol=item.symbol,
        symbol=item.symbol,
        streamer_symbol=occ_to_streamer(item.symbol) or item.symbol,
        bid_price=money_or_none(item.bid),
        ask_price=money_or_none(item.ask),
        last_price=money_or_none(item.last if item.last is not None else item.mark),
        bid_size=number(item.bid_size) or 0,
        ask_size=number(item.ask_size) or 0,
        source="rest",
        # A snapshot of the broker's is not followed by updates: it may be old already.
        stale=True,
    )
    if item.bid is not None and item.ask is not None:
        message.mid_price = f"{(item.bid + item.ask) / 2:f}"
    if item.updated_at is not None:
        message.event_time.FromDatetime(item.updated_at)
    message.received_at.FromDatetime(now)
    return message


def _stamp(field: Timestamp, moment: int) -> None:
    if moment:
        # As FromMilliseconds, which is written in Python and takes three times as long.
        field.seconds, rest = divmod(moment, 1000)
        field.nanos = rest * 1_000_000


def _received(field: Timestamp, topic: Topic) -> None:
    field.seconds, rest = divmod(int(topic.received_at * 1e6), 1_000_000)
    field.nanos = rest * 1000
