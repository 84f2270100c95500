"""Requests of the bidirectional stream as changes of the domain."""

from __future__ import annotations

__all__ = ["changes"]

from collections.abc import AsyncIterator, Mapping

from tasty.v1 import market_data_stream_pb2 as pb
from tasty.v1 import subscription_pb2

from server.errors import InvalidField, NothingGiven, TooManyGiven
from server.market.changes import Action, Change
from server.market.topics import Kind
from server.streams.send_pacer import SendInterval
from server.wire.market_data_requests import send_interval_of

ACTIONS: Mapping[int, Action] = {
    subscription_pb2.SUBSCRIPTION_ACTION_SUBSCRIBE: Action.SUBSCRIBE,
    subscription_pb2.SUBSCRIPTION_ACTION_UNSUBSCRIBE: Action.UNSUBSCRIBE,
    subscription_pb2.SUBSCRIPTION_ACTION_CONFIGURE: Action.CONFIGURE,
}
KINDS: Mapping[int, Kind] = {
    subscription_pb2.MARKET_EVENT_TYPE_QUOTE: Kind.QUOTES,
    subscription_pb2.MARKET_EVENT_TYPE_GREEKS: Kind.GREEKS,
    subscription_pb2.MARKET_EVENT_TYPE_TRADE: Kind.TRADES,
}


async def changes(
    requests: AsyncIterator[pb.StreamMarketDataRequest],
    send_interval: SendInterval,
    *,
    allowed: int,
) -> AsyncIterator[Change]:
    """Yields each request as a change; a send interval once chosen holds until another is.

    Raises BadInput for a request that makes no sense at all.
    """
    async for request in requests:
        action = ACTIONS.get(request.action)
        if action is None:
            name = subscription_pb2.SubscriptionAction.Name
            choices = ", ".join(
                name(number).removeprefix("SUBSCRIPTION_ACTION_") for number in ACTIONS
            )
            raise InvalidField("action", request.action, f"one of {choices}")
        if action is not Action.CONFIGURE and not request.symbols:
            raise NothingGiven("symbol")
        if len(request.symbols) > allowed:
            raise TooManyGiven("symbols", given=len(request.symbols), allowed=allowed)

        send_interval = send_interval_of(request, send_interval)
        yield Change(
            action=action,
            symbols=tuple(request.symbols) if action is not Action.CONFIGURE else (),
            kinds=tuple(dict.fromkeys(_kind(number) for number in request.event_types)),
            send_interval=send_interval,
            request_id=request.request_id,
        )


def _kind(number: int) -> Kind:
    kind = KINDS.get(number)
    if kind is None:
        name = subscription_pb2.MarketEventType.Name
        choices = ", ".join(name(each).removeprefix("MARKET_EVENT_TYPE_") for each in KINDS)
        raise InvalidField("event_types", number, f"one of {choices}")
    return kind
