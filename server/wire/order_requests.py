"""Converts requested orders to drafts.

Quantities and strikes are JSON numbers in the guide, so they arrive as doubles: the shortest text
of a double is the number that was written, and that is what becomes the Decimal.
"""

from __future__ import annotations

__all__ = ["change_draft", "complex_draft", "name_of", "order_draft"]

from collections.abc import Sequence
from decimal import Decimal

from tasty.v1 import new_order_pb2
from tasty.v1 import order_placement_pb2 as pb

from server.brokerage.instruments.lookup import InstrumentQuery
from server.errors import InvalidBody, InvalidField
from server.orders.model.drafts import ChangeDraft, ComplexDraft, LegDraft, OrderDraft
from server.wire.numbers import decimal_from

AnyOrder = new_order_pb2.NewOrder | new_order_pb2.ComplexOrderPart


def order_draft(order: AnyOrder, where: str = "") -> OrderDraft:
    """Returns the draft; raises BadInput for numbers that are none."""
    return OrderDraft(
        legs=tuple(_leg(leg, f"{where}legs[{place}]") for place, leg in enumerate(order.legs)),
        price=_decimal(order, "price", where),
        time_in_force=order.time_in_force if order.HasField("time_in_force") else "Day",
        order_type=order.order_type if order.HasField("order_type") else "Limit",
        stop_trigger=_decimal(order, "stop_trigger", where),
        value=_decimal(order, "value", where)
        if isinstance(order, new_order_pb2.NewOrder)
        else None,
    )


def complex_draft(order: new_order_pb2.NewComplexOrder) -> ComplexDraft:
    """Returns the draft; raises BadInput for numbers that are none."""
    trigger = order.trigger_order if order.HasField("trigger_order") else None
    return ComplexDraft(
        type=order.type,
        trigger=None if trigger is None else order_draft(trigger, "trigger_order."),
        orders=tuple(
            order_draft(part, f"orders[{place}].") for place, part in enumerate(order.orders)
        ),
    )


def change_draft(request: pb.ReplaceOrderRequest) -> ChangeDraft:
    """Returns the draft; the price stands in the body, or (older clients) in the query."""
    if request.HasField("change") and request.HasField("price"):
        raise InvalidField("price", request.price, "it in the body or in the query, not in both")
    if not request.HasField("change") and not request.HasField("price"):
        raise InvalidBody("it is empty. Expected a JSON object")

    named = request.change if request.HasField("change") else request
    return ChangeDraft(order_id=request.order_id.strip(), price=_decimal(named, "price", ""))


def name_of(given: str | None, headers: Sequence[str]) -> str | None:
    """Returns the name of a change, from the body or the Idempotency-Key header.

    Raises InvalidField for two names: whichever was taken, a repeat might be known by the other.
    """
    names = set(headers)
    if len(names) > 1:
        shown = ", ".join(sorted(names))
        raise InvalidField("client_order_id", shown, "the header Idempotency-Key once")
    if given is not None and names - {given}:
        raise InvalidField("client_order_id", given, "the same as in the header Idempotency-Key")

    return given if given is not None else next(iter(names), None)


def _leg(leg: new_order_pb2.NewOrderLeg, place: str) -> LegDraft:
    option = leg.HasField("option_type") or leg.HasField("strike_price")
    return LegDraft(
        instrument=InstrumentQuery(
            symbol=leg.symbol,
            option_type=leg.option_type if leg.HasField("option_type") else None,
            strike=_double(leg.strike_price, f"{place}.strike_price")
            if leg.HasField("strike_price")
            else None,
            expiration=leg.expiration_date if leg.HasField("expiration_date") or option else None,
        ),
        action=leg.action,
        quantity=_double(leg.quantity, f"{place}.quantity") if leg.HasField("quantity") else None,
    )


def _double(value: float, field: str) -> Decimal:
    number = Decimal(repr(value))
    if not number.is_finite():
        raise InvalidField(field, value, "a number")

    return number


def _decimal(message: object, name: str, where: str) -> Decimal | None:
    has = message.HasField(name)  # type: ignore[attr-defined]  # any of the messages above
    return decimal_from(getattr(message, name), field=f"{where}{name}") if has else None
