"""A quote as texts and numbers, from the rows of its topic: what its message and its JSON share."""

from __future__ import annotations

__all__ = ["QuoteValues", "milliseconds", "values_of"]

from decimal import Decimal
from typing import NamedTuple

from server.brokerage.streaming import feed_numbers as feed
from server.market.topics import Topic


class QuoteValues(NamedTuple):
    """Prices are None, and times (in milliseconds) 0, where the feed says nothing."""

    bid: str | None
    ask: str | None
    mid: str | None
    last: str | None
    bid_size: float
    ask_size: float
    bid_time: int
    ask_time: int
    event_time: int
    """The newest of all that the quote is made of."""
    bid_code: str
    ask_code: str


def values_of(topic: Topic) -> QuoteValues:
    """Returns what is known of the bid, the offer and the last trade."""
    bid = ask = mid = last = None
    bid_size: float = 0
    ask_size: float = 0
    bid_time = ask_time = traded = 0
    bid_code = ask_code = ""
    quote = topic.quote
    if quote is not None:
        bid, ask = feed.price(quote.bid_price), feed.price(quote.ask_price)
        if bid is not None:
            bid_size = feed.size(quote.bid_size)
        if ask is not None:
            ask_size = feed.size(quote.ask_size)
        if bid is not None and ask is not None:
            mid = f"{(Decimal(bid) + Decimal(ask)) / 2:f}"
        bid_time, ask_time = milliseconds(quote.bid_time), milliseconds(quote.ask_time)
        bid_code = feed.exchange_code(quote.bid_exchange_code)
        ask_code = feed.exchange_code(quote.ask_exchange_code)

    trade = topic.trade
    if trade is not None:
        last = feed.price(trade.price)
        traded = milliseconds(trade.time)

    newest = max(bid_time, ask_time, traded)
    return QuoteValues(
        bid, ask, mid, last, bid_size, ask_size, bid_time, ask_time, newest, bid_code, ask_code
    )


def milliseconds(raw: object) -> int:
    """Returns a time of the feed; 0 or NaN is "unknown"."""
    return raw if isinstance(raw, int) and raw > 0 else 0
