"""Orders: reading those that work and those that came to their end."""

from __future__ import annotations

__all__ = ["Orders"]

from datetime import timedelta

from tasty.v1 import order_service_pb2 as pb
from tasty.v1 import order_service_pb2_grpc

from server.brokerage import Brokerage
from server.clock import Clock, new_york_today
from server.rpc.call import current_call
from server.tables.orders import orders_table
from server.wire.order import order_to
from server.wire.paging import page_of
from server.wire.rules import checked

DEFAULT_DAYS = 7


class Orders(order_service_pb2_grpc.OrderServiceServicer):
    """Follows the calling tenant's orders."""

    def __init__(self, brokerage: Brokerage, clock: Clock) -> None:
        self._brokerage = brokerage
        self._clock = clock

    async def ListLiveOrders(  # noqa: N802 - named by the contract
        self, request: pb.ListLiveOrdersRequest, context: object
    ) -> pb.ListLiveOrdersResponse:
        session = await self._brokerage.session(current_call().tenant)
        account = await session.account(request.account_id)
        if request.include_terminal:
            found = await session.orders_of_today(account)
        else:
            found = await session.live_orders(account)

        messages = [order_to(each) for each in found.items]
        return pb.ListLiveOrdersResponse(
            orders=messages, table=orders_table(messages), skipped=found.skipped
        )

    async def ListOrderHistory(  # noqa: N802 - named by the contract
        self, request: pb.ListOrderHistoryRequest, context: object
    ) -> pb.ListOrderHistoryResponse:
        days = checked(request).days or DEFAULT_DAYS
        session = await self._brokerage.session(current_call().tenant)
        found = await session.order_history(
            await session.account(request.account_id),
            since=new_york_today(self._clock) - timedelta(days=days),
            underlying_symbol=request.underlying_symbol.strip().upper() or None,
        )
        page = page_of(
            found.items,
            request.page_size if request.HasField("page_size") else None,
            request.page_token,
            lambda each: each.id,
        )
        messages = [order_to(each) for each in page.items]
        return pb.ListOrderHistoryResponse(
            orders=messages,
            table=orders_table(messages),
            next_page_token=page.next_token,
            skipped=found.skipped,
        )

    async def GetOrder(  # noqa: N802 - named by the contract
        self, request: pb.GetOrderRequest, context: object
    ) -> pb.GetOrderResponse:
        session = await self._brokerage.session(current_call().tenant)
        account = await session.account(request.account_id)
        order = await session.order(account, checked(request).order_id.strip())
        return pb.GetOrderResponse(order=order_to(order))
