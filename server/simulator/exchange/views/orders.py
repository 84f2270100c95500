"""Renders orders as the broker does, in lists, in answers to a placement and in notifications.

A key that does not apply is left out, not null. As in the recorded samples, `updated-at` is in
epoch milliseconds while every other time is text, and sizes and quantities are JSON integers.
"""

from __future__ import annotations

__all__ = ["complex_order_json", "order_json", "unplaced_json"]

from datetime import datetime
from typing import Any

from server.simulator.exchange.complex_orders import ComplexOrder
from server.simulator.exchange.money import format_decimal, format_quantity, with_effect
from server.simulator.exchange.orders import Fill, Leg, Order
from server.simulator.exchange.views.times import format_offset, to_epoch_ms
from server.simulator.exchange.vocabulary import Status


def order_json(order: Order) -> dict[str, Any]:
    """Returns a placed order."""
    return {"id": order.id, **_shared(order), **_placed(order), "legs": _legs(order)}


def unplaced_json(order: Order, *, preflight_id: int | None = None) -> dict[str, Any]:
    """Returns the order of a dry run: it has no id, and `updated-at` is 0."""
    shown = _shared(order)
    if preflight_id is not None:
        shown["preflight-id"] = preflight_id

    return {**shown, "updated-at": 0, "legs": _legs(order)}


def complex_order_json(order: ComplexOrder) -> dict[str, Any]:
    """Returns a placed complex order with its children."""
    shown: dict[str, Any] = {
        "id": order.id,
        "account-number": order.account_number,
        "type": order.type,
        "orders": [order_json(child) for child in order.orders],
        "related-orders": [],
    }
    if order.trigger is not None:
        shown["trigger-order"] = order_json(order.trigger)

    if (ended := order.terminal_at) is not None:
        shown["terminal-at"] = format_offset(ended)

    return shown


def _shared(order: Order) -> dict[str, Any]:
    ticket = order.ticket
    first = order.legs[0].contract
    shown: dict[str, Any] = {
        "account-number": order.account_number,
        "time-in-force": ticket.time_in_force.value,
        "order-type": ticket.type.value,
        "size": format_quantity(order.size),
        "underlying-symbol": first.underlying,
        "underlying-instrument-type": first.reported_underlying_type.value,
        "status": order.status.value,
        "cancellable": order.cancellable,
        "editable": order.editable,
        "edited": order.edited,
        "global-request-id": _request_id(order),
        "leg-count": len(order.legs),
    }
    if ticket.price is not None:
        shown |= with_effect("price", ticket.price)

    if ticket.stop_trigger is not None:
        shown["stop-trigger"] = format_decimal(ticket.stop_trigger)

    if ticket.value is not None:
        shown |= with_effect("value", ticket.value)

    if ticket.gtc_date is not None:
        shown["gtc-date"] = ticket.gtc_date.isoformat()

    if order.status is Status.CONTINGENT:
        shown["contingent-status"] = "Pending Order"

    return shown | _drop_missing(
        {
            "source": ticket.source,
            "external-identifier": ticket.external_identifier,
            "complex-order-id": order.complex_id,
            "complex-order-tag": order.complex_tag,
            "replaces-order-id": order.replaces,
        }
    )


def _placed(order: Order) -> dict[str, Any]:
    return {
        "received-at": format_offset(order.received_at),
        "updated-at": to_epoch_ms(order.updated_at),
    } | _drop_missing(
        {
            "in-flight-at": _format_optional(order.in_flight_at),
            "live-at": _format_optional(order.live_at),
            "cancelled-at": _format_optional(order.cancelled_at),
            "terminal-at": _format_optional(order.terminal_at),
            "reject-reason": order.reject_reason,
            "cancel-user-id": order.cancel_user,
            "cancel-username": order.cancel_user,
            "replacing-order-id": order.replacing,
            "ext-client-order-id": order.client_order_id,
            "ext-exchange-order-number": str(order.exchange_number or "") or None,
            "ext-global-order-number": order.exchange_number,
            "destination-venue": "MARKET_SIMULATOR" if order.exchange_number else None,
        }
    )


def _legs(order: Order) -> list[dict[str, Any]]:
    return [_leg(leg) for leg in order.legs]


def _leg(leg: Leg) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "action": leg.action.value,
        "instrument-type": leg.contract.instrument_type.value,
        "symbol": leg.contract.symbol,
        "fills": [_fill(fill) for fill in leg.fills],
    }
    if leg.quantity is not None:
        shown["quantity"] = format_quantity(leg.quantity)
        shown["remaining-quantity"] = format_quantity(leg.remaining)

    return shown


def _fill(fill: Fill) -> dict[str, Any]:
    return {
        "ext-group-fill-id": fill.group_id,
        "ext-exec-id": fill.exec_id,
        "fill-id": fill.id,
        "quantity": format_quantity(fill.quantity),
        "fill-price": format_decimal(fill.price),
        "filled-at": format_offset(fill.at),
        "destination-venue": fill.venue,
    }


def _request_id(order: Order) -> str:
    # Has the form of the broker's id and is derived from the order, so that a repeated read is
    # equal.
    return (
        f"{order.id:08x}-0000-4000-8000-{to_epoch_ms(order.received_at):012x}=order-api=simulator"
    )


def _format_optional(at: datetime | None) -> str | None:
    return None if at is None else format_offset(at)


def _drop_missing(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
