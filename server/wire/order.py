"""Converts orders to messages."""

from __future__ import annotations

__all__ = ["fill_to", "order_to"]

from decimal import Decimal

from tasty.v1 import order_pb2

from server.brokerage.api.orders import Fill, Order, OrderLeg
from server.wire.numbers import decimal_or_none, money_or_none
from server.wire.times import date_or_none, timestamp


def order_to(order: Order) -> order_pb2.Order:
    return order_pb2.Order(
        id=order.id,
        account_number=order.account_number or "",
        status=order.status,
        order_type=order.order_type or "",
        time_in_force=order.time_in_force or "",
        price=money_or_none(order.price),
        stop_trigger=money_or_none(order.stop_trigger),
        value=money_or_none(order.value),
        size=decimal_or_none(order.size) or "",
        underlying_symbol=order.underlying_symbol or "",
        underlying_instrument_type=order.underlying_instrument_type or "",
        legs=[_leg_to(leg) for leg in order.legs],
        cancellable=order.cancellable,
        editable=order.editable,
        edited=order.edited,
        received_at=timestamp(order.received_at),
        live_at=timestamp(order.live_at),
        cancelled_at=timestamp(order.cancelled_at),
        terminal_at=timestamp(order.terminal_at),
        updated_at=timestamp(order.updated_at),
        reject_reason=order.reject_reason or "",
        complex_order_id=order.complex_order_id,
        complex_order_tag=order.complex_order_tag,
        replaces_order_id=order.replaces_order_id,
        replacing_order_id=order.replacing_order_id,
        gtc_date=date_or_none(order.gtc_date),
        external_identifier=order.external_identifier or "",
    )


def fill_to(fill: Fill) -> order_pb2.LegFill:
    return order_pb2.LegFill(
        fill_id=fill.fill_id or "",
        quantity=_quantity(fill.quantity),
        fill_price=money_or_none(fill.fill_price) or "",
        filled_at=timestamp(fill.filled_at),
        destination_venue=fill.destination_venue or "",
    )


def _leg_to(leg: OrderLeg) -> order_pb2.OrderLeg:
    return order_pb2.OrderLeg(
        symbol=leg.symbol,
        instrument_type=leg.instrument_type or "",
        action=leg.action or "",
        quantity=_quantity(leg.quantity),
        remaining_quantity=_quantity(leg.remaining_quantity),
        fills=[fill_to(fill) for fill in leg.fills],
    )


def _quantity(quantity: Decimal | None) -> float:
    return float(quantity or 0)
