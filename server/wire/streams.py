"""The messages of streams, made of pieces that are encoded once and shared by all readers.

All stream responses have `kind` as field 1, `notice` as field 3, and each sort of data under the
same number in every response, so that one encoded event fits any of them. A repeated field on the
wire is nothing but its elements, each with tag and length: a batch is a join.
"""

from __future__ import annotations

__all__ = ["StreamCodec", "end", "failure", "message"]

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from tasty.v1 import market_data_stream_pb2 as service
from tasty.v1 import stream_pb2

from server.market.feed_status import Condition
from server.market.read_stream import Heartbeat
from server.market.results import Acknowledgement, Outcome, SymbolResult
from server.market.topics import Kind, Topic
from server.wire import market_data
from server.wire.field_bytes import LENGTH, delimited, tag_of
from server.wire.quote_bytes import encode_quotes

_RESPONSE = service.StreamMarketDataResponse


def _kind_bytes(kind: int) -> bytes:
    return _RESPONSE(kind=kind).SerializeToString()  # type: ignore[arg-type]  # an open enum


SNAPSHOT = _kind_bytes(stream_pb2.STREAM_EVENT_KIND_SNAPSHOT)
UPDATE = _kind_bytes(stream_pb2.STREAM_EVENT_KIND_UPDATE)


class StreamCodec:
    """Encodes topics of any kind."""

    def items(self, topics: Sequence[Topic]) -> list[bytes]:
        encode_quotes(topics, _QUOTES)
        return [topic.encoded or _encoded(topic) for topic in topics]

    def batch(self, items: Sequence[bytes], *, snapshot: bool) -> bytes:
        return b"".join((SNAPSHOT if snapshot else UPDATE, *items))


def message(item: Acknowledgement | Condition | Heartbeat, now: datetime) -> bytes:
    """Returns the message of whatever a stream sends besides data."""
    notice = stream_pb2.StreamNotice(sent_at=_at(now))
    match item:
        case Acknowledgement():
            notice.subscriptions.extend(map(_subscription, item.results))
            return _RESPONSE(
                kind=stream_pb2.STREAM_EVENT_KIND_ACKNOWLEDGEMENT,
                request_id=item.request_id,
                notice=notice,
            ).SerializeToString()
        case Heartbeat():
            kind = stream_pb2.STREAM_EVENT_KIND_HEARTBEAT
            notice.conflated = item.conflated
        case Condition():
            kind = (
                stream_pb2.STREAM_EVENT_KIND_RECONNECTED
                if item.live
                else stream_pb2.STREAM_EVENT_KIND_STALE
            )
            notice.detail = item.cause
            notice.symbols.extend(item.symbols)
            if item.last_received_at:
                notice.last_received_at.FromDatetime(
                    datetime.fromtimestamp(item.last_received_at, UTC)
                )

    return _RESPONSE(kind=kind, notice=notice).SerializeToString()


def end(detail: str, now: datetime) -> bytes:
    """Returns the last message of a stream that the server ends."""
    body = stream_pb2.StreamNotice(sent_at=_at(now), detail=detail)
    return _RESPONSE(kind=stream_pb2.STREAM_EVENT_KIND_END, notice=body).SerializeToString()


def failure(reason: str, detail: str, status: int, now: datetime) -> bytes:
    """Returns the message that tells why a stream fails; the end follows it."""
    error = stream_pb2.StreamError(reason=reason, detail=detail, status=status)
    body = stream_pb2.StreamNotice(sent_at=_at(now), error=error)
    return _RESPONSE(kind=stream_pb2.STREAM_EVENT_KIND_ERROR, notice=body).SerializeToString()


def _subscription(result: SymbolResult) -> stream_pb2.SymbolSubscription:
    return stream_pb2.SymbolSubscription(
        requested_symbol=result.requested,
        symbol=result.symbol,
        streamer_symbol=result.streamer_symbol,
        status=_STATUS[result.outcome],
        detail=result.detail,
    )


def _at(now: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(now)
    return stamp


def _encoded(topic: Topic) -> bytes:
    tag, make = _ELEMENTS[topic.key.kind]
    topic.encoded = item = delimited(tag, make(topic).SerializeToString())
    return item


_STATUS = {
    Outcome.ACCEPTED: stream_pb2.SUBSCRIPTION_STATUS_ACCEPTED,
    Outcome.NO_DATA_YET: stream_pb2.SUBSCRIPTION_STATUS_NO_DATA_YET,
    Outcome.UNKNOWN: stream_pb2.SUBSCRIPTION_STATUS_UNKNOWN,
    Outcome.REMOVED: stream_pb2.SUBSCRIPTION_STATUS_REMOVED,
}

_QUOTES, _GREEKS, _TRADES = (
    tag_of(_RESPONSE, field, LENGTH) for field in ("quotes", "greeks", "trades")
)

_ELEMENTS: Mapping[Kind, tuple[bytes, Callable[[Topic], Message]]] = {
    Kind.GREEKS: (_GREEKS, market_data.greeks),
    Kind.TRADES: (_TRADES, market_data.trade),
}
"""The field of each kind but quotes, which have an encoder of their own, and what its elements
are made by."""
