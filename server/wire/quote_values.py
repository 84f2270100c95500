"""A quote as texts and numbers, from the rows of its topic: what its message and its JSON share."""

from __future__ import annotations

__all__ = ["QuoteValues", "milliseconds", "values_of"]

from decimal import Decimal
from typing import NamedTuple

from server.brokerage.streaming import feed_numbers as feed
from server.brokerage.streaming.dxlink_events import FIELDS
from server.market.topics import Topic

_Q = {name: place for place, name in enumerate(FIELDS["Quote"])}
_BID, _ASK = _Q["bidPrice"], _Q["askPrice"]
_BID_SIZE, _ASK_SIZE = _Q["bidSize"], _Q["askSize"]
_BID_TIME, _ASK_TIME = _Q["bidTime"], _Q["askTime"]
_BID_CODE, _ASK_CODE = _Q["bidExchangeCode"], _Q["askExchangeCode"]
_TRADE_PRICE, _TRADE_TIME = FIELDS["Trade"].index("price"), FIELDS["Trade"].index("time")


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
    row = topic.rows.get("Quote")
    if row is not None:
        bid, ask = feed.price(row[_BID]), feed.price(row[_ASK])
        if bid is not None:
            bid_size = feed.size(row[_BID_SIZE])
        if ask is not None:
            ask_size = feed.size(row[_ASK_SIZE])
        if bid is not None and ask is not None:
            mid = f"{(Decimal(bid) + Decimal(ask)) / 2:f}"
        bid_time, ask_time = milliseconds(row[_BID_TIME]), milliseconds(row[_ASK_TIME])
        bid_code, ask_code = feed.exchange_code(row[_BID_CODE]), feed.exchange_code(row[_ASK_CODE])

    row = topic.rows.get("Trade")
    if row is not None:
        last = feed.price(row[_TRADE_PRICE])
        traded = milliseconds(row[_TRADE_TIME])

    newest = max(bid_time, ask_time, traded)
    return QuoteValues(
        bid, ask, mid, last, bid_size, ask_size, bid_time, ask_time, newest, bid_code, ask_code
    )


def milliseconds(raw: object) -> int:
    """Returns a time of the feed; 0 or NaN is "unknown"."""
    return raw if isinstance(raw, int) and raw > 0 else 0
