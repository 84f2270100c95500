"""Account events as messages of the contract, and what their stream says beside them.

The fields of `StreamAccountEventsResponse` have the numbers that they have in every stream, so its
last message is the one of all streams (`server.rpc.end_in_band`).
"""

from __future__ import annotations

__all__ = ["account_item"]

from collections.abc import Mapping
from datetime import datetime

from tasty.v1 import account_event_pb2, stream_pb2
from tasty.v1 import order_service_pb2 as pb

from server.brokerage.api.balances import read_balances
from server.brokerage.api.json_reader import JsonReader, ParseFaults
from server.brokerage.api.order_replies import read_complex_order
from server.brokerage.api.orders import Order, read_order
from server.brokerage.api.positions import read_position
from server.orders.events.items import Batch, Beat, Begun, LiveChange, StreamItem
from server.orders.events.log import Event
from server.orders.events.object_states import EventKind
from server.portfolio.valuation import NO_GREEKS, value
from server.wire.balance import balances_to
from server.wire.order import fill_to, order_to
from server.wire.order_receipt import complex_to
from server.wire.position import position_to
from server.wire.times import timestamp

TYPES: Mapping[EventKind, account_event_pb2.AccountEventType] = {
    EventKind.ORDER: account_event_pb2.ACCOUNT_EVENT_TYPE_ORDER,
    EventKind.FILL: account_event_pb2.ACCOUNT_EVENT_TYPE_FILL,
    EventKind.COMPLEX_ORDER: account_event_pb2.ACCOUNT_EVENT_TYPE_COMPLEX_ORDER,
    EventKind.BALANCE: account_event_pb2.ACCOUNT_EVENT_TYPE_BALANCE,
    EventKind.POSITION: account_event_pb2.ACCOUNT_EVENT_TYPE_POSITION,
}


def account_item(item: StreamItem, now: datetime) -> bytes:
    """Returns one message of the stream."""
    match item:
        case Batch():
            message = pb.StreamAccountEventsResponse(
                kind=stream_pb2.STREAM_EVENT_KIND_UPDATE,
                events=[_event(event) for event in item.events],
            )
        case Begun():
            kind = stream_pb2.STREAM_EVENT_KIND_ACKNOWLEDGEMENT
            message = _notice(kind, item.cursor, now)
        case Beat():
            message = _notice(stream_pb2.STREAM_EVENT_KIND_HEARTBEAT, item.cursor, now)
        case LiveChange():
            kind = (
                stream_pb2.STREAM_EVENT_KIND_RECONNECTED
                if item.live
                else stream_pb2.STREAM_EVENT_KIND_STALE
            )
            message = _notice(kind, item.cursor, now, item.cause)

    return message.SerializeToString()


def _notice(
    kind: stream_pb2.StreamEventKind, cursor: str, now: datetime, detail: str = ""
) -> pb.StreamAccountEventsResponse:
    notice = stream_pb2.StreamNotice(sent_at=timestamp(now), cursor=cursor, detail=detail)
    return pb.StreamAccountEventsResponse(kind=kind, notice=notice)


def _event(event: Event) -> account_event_pb2.AccountEvent:
    message = account_event_pb2.AccountEvent(
        cursor=event.cursor,
        type=TYPES[event.kind],
        account_number=event.account_number,
        event_time=timestamp(event.event_time),
        received_at=timestamp(event.received_at),
        recovered=event.recovered,
    )
    item = JsonReader(event.body, ParseFaults())
    match event.kind:
        case EventKind.ORDER:
            message.order.CopyFrom(order_to(read_order(item)))
        case EventKind.FILL:
            _add_fill(message, read_order(item), event.fill_id)
        case EventKind.COMPLEX_ORDER:
            message.complex_order.CopyFrom(complex_to(read_complex_order(item)))
        case EventKind.BALANCE:
            message.balances.CopyFrom(balances_to(read_balances(item)))
        case EventKind.POSITION:
            valued = value(read_position(item), None, NO_GREEKS)
            message.position.CopyFrom(position_to(valued))

    return message


def _add_fill(message: account_event_pb2.AccountEvent, order: Order, fill_id: str | None) -> None:
    message.order.CopyFrom(order_to(order))
    for leg in order.legs:
        for fill in leg.fills:
            if fill.fill_id == fill_id:
                message.fill.CopyFrom(fill_to(fill))
                message.fill_symbol = leg.symbol
                return
