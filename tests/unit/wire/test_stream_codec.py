"""A batch holds every topic that changed, of whatever kind, and encodes each of them once."""

from __future__ import annotations

from tasty.v1 import market_data_stream_pb2 as pb
from tasty.v1 import stream_pb2

from server.market.topics import Freshness, Kind, Topic, TopicKey
from server.wire import market_data
from server.wire.streams import StreamCodec

QUOTE = ["SPY", 1.5, 1.51, 100.0, 200.0, 1000, 2000, "Q", "Q"]
TRADE = ["SPY", 1.5, 1, 3000, 0, 0, 0, "Q", "UP", False]
GREEKS = [".SPY261218C700", 1000, 1.5, 0.2, 0.5, 0.01, -0.1, 0.02, 0.3]


def _topic(kind: Kind, event: str, row: list[object], freshness: Freshness) -> Topic:
    topic = Topic(TopicKey(kind, str(row[0])), str(row[0]), freshness)
    topic.take(event, row, 1, 1.0)
    return topic


def test_kinds_may_be_mixed() -> None:
    freshness = Freshness()
    greeks = _topic(Kind.GREEKS, "Greeks", GREEKS, freshness)
    quote = _topic(Kind.QUOTES, "Quote", QUOTE, freshness)
    only_traded = _topic(Kind.QUOTES, "Trade", TRADE, freshness)
    trade = _topic(Kind.TRADES, "Trade", TRADE, freshness)
    topics = [greeks, quote, trade, only_traded]
    codec = StreamCodec()

    items = codec.items(topics)
    assert items == [topic.encoded for topic in topics]
    batch = pb.StreamMarketDataResponse.FromString(codec.batch(items, snapshot=True))
    assert batch.kind == stream_pb2.STREAM_EVENT_KIND_SNAPSHOT
    assert list(batch.greeks) == [market_data.greeks(greeks)]
    assert list(batch.quotes) == [market_data.quote(quote), market_data.quote(only_traded)]
    assert list(batch.trades) == [market_data.trade(trade)]


def test_what_is_encoded_already_is_taken_as_it_is() -> None:
    topic = _topic(Kind.QUOTES, "Quote", QUOTE, Freshness())
    topic.encoded = b"made before"
    assert StreamCodec().items([topic]) == [b"made before"]
