"""Orders: placed, replaced, cancelled, and followed to their end."""

from __future__ import annotations

__all__ = ["Orders"]

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any

from tasty.v1 import order_placement_pb2 as placement_pb
from tasty.v1 import order_service_pb2 as pb
from tasty.v1 import order_service_pb2_grpc

from server.brokerage import Brokerage
from server.clock import Clock, new_york_today
from server.orders.model.receipts import Receipt
from server.orders.services import OrderServices
from server.orders.submitting.caller import Caller
from server.rpc.call import current_call
from server.rpc.end_in_band import end_in_band
from server.rpc.model_guard import ModelGuard
from server.tables.orders import orders_table
from server.wire.account_events import account_item
from server.wire.order import order_to
from server.wire.order_receipt import (
    complex_receipt_to,
    complex_to,
    placed_to,
    replaced_to,
    words_to,
)
from server.wire.order_requests import change_draft, complex_draft, name_of, order_draft
from server.wire.paging import page_of

DEFAULT_DAYS = 7
DEFAULT_HEARTBEAT_S = 15.0
REPLAYED = (("idempotency-replayed", "true"),)
"""Told in a header: a field would make the repeated answer another one than the first."""


class Orders(order_service_pb2_grpc.OrderServiceServicer):
    """Places and follows the calling tenant's orders."""

    def __init__(
        self, brokerage: Brokerage, orders: OrderServices, models: ModelGuard, clock: Clock
    ) -> None:
        self._brokerage = brokerage
        self._orders = orders
        self._models = models
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
        days = request.days or DEFAULT_DAYS
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
        order = await session.order(account, request.order_id.strip())
        return pb.GetOrderResponse(order=order_to(order))

    async def PlaceOrder(  # noqa: N802 - named by the contract
        self, request: placement_pb.PlaceOrderRequest, context: Any
    ) -> placement_pb.PlaceOrderResponse:
        order = request.order
        draft, name = order_draft(order), _name(order)
        caller = await self._caller(request.account_id)
        if order.dry_run:
            return placed_to(await self._orders.single.dry_run(caller, draft, name))

        with self._models.around(current_call(), caller.account.number) as guard:
            receipt = await self._orders.single.place(caller, draft, name, guard)

        await _tell_replay(receipt, context)
        return placed_to(receipt)

    async def ReplaceOrder(  # noqa: N802 - named by the contract
        self, request: placement_pb.ReplaceOrderRequest, context: Any
    ) -> placement_pb.ReplaceOrderResponse:
        draft, name = change_draft(request), _name(request.change)
        caller = await self._caller(request.account_id)
        with self._models.around(current_call(), caller.account.number) as guard:
            receipt = await self._orders.single.replace(caller, draft, name, guard)

        await _tell_replay(receipt, context)
        return replaced_to(receipt)

    async def CancelOrder(  # noqa: N802 - named by the contract
        self, request: placement_pb.CancelOrderRequest, context: object
    ) -> placement_pb.CancelOrderResponse:
        caller = await self._caller(request.account_id)
        done = await self._orders.cancels.cancel(caller, request.order_id.strip())
        return placement_pb.CancelOrderResponse(
            success=True,
            order_id=done.order_id,
            status=done.status,
            order=None if done.order is None else order_to(done.order),
            warnings=words_to(done.warnings),
        )

    async def PlaceComplexOrder(  # noqa: N802 - named by the contract
        self, request: placement_pb.PlaceComplexOrderRequest, context: Any
    ) -> placement_pb.PlaceComplexOrderResponse:
        order = request.order
        draft, name = complex_draft(order), _name(order)
        caller = await self._caller(request.account_id)
        if order.dry_run:
            return complex_receipt_to(await self._orders.complex.dry_run(caller, draft, name))

        with self._models.around(current_call(), caller.account.number) as guard:
            receipt = await self._orders.complex.place(caller, draft, name, guard)

        await _tell_replay(receipt, context)
        return complex_receipt_to(receipt)

    async def CancelComplexOrder(  # noqa: N802 - named by the contract
        self, request: placement_pb.CancelComplexOrderRequest, context: object
    ) -> placement_pb.CancelComplexOrderResponse:
        caller = await self._caller(request.account_id)
        number = request.complex_order_id.strip()
        done = await self._orders.cancels.cancel_complex(caller, number)
        whole = done.complex_order
        return placement_pb.CancelComplexOrderResponse(
            success=True,
            complex_order_id=done.order_id,
            complex_order=None if whole is None else complex_to(whole),
            warnings=words_to(done.warnings),
        )

    def StreamAccountEvents(  # noqa: N802 - named by the contract
        self, request: pb.StreamAccountEventsRequest, context: object
    ) -> AsyncIterator[bytes]:
        return end_in_band(self._events(request), self._clock)

    async def _events(self, request: pb.StreamAccountEventsRequest) -> AsyncGenerator[bytes, None]:
        call = current_call()
        seconds = (
            request.heartbeat_interval
            if request.HasField("heartbeat_interval")
            else DEFAULT_HEARTBEAT_S
        )
        items = self._orders.streams.follow(
            call.tenant,
            request.account_id,
            request.cursor if request.HasField("cursor") else None,
            timedelta(seconds=seconds),
            call.draining.is_set,
            call.end,
        )
        async with aclosing(items):
            async for item in items:
                yield account_item(item, self._clock.now())

    async def _caller(self, account_id: str) -> Caller:
        call = current_call()
        return await self._orders.single.caller(call.tenant, account_id, call.deadline)


def _name(message: Any) -> str | None:
    given = message.client_order_id if message.HasField("client_order_id") else None
    return name_of(given, current_call().headers("idempotency-key"))


async def _tell_replay(receipt: Receipt, context: Any) -> None:
    if receipt.replayed and context is not None:  # an inner call has no headers
        await context.send_initial_metadata(REPLAYED)
