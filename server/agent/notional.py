"""What a change commits, in dollars, as the agent's caps count it: from what the broker checked.

The legs count and not the buying power alone: the broker nets what opens against what closes, so
an order that buys for thousands and sells as much later may take no buying power at all.
"""

from __future__ import annotations

__all__ = ["notional_of"]

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tasty.v1 import order_pb2
from tasty.v1.complex_order_pb2 import ComplexOrder
from tasty.v1.order_placement_pb2 import PlaceComplexOrderResponse, PlaceOrderResponse

ZERO = Decimal(0)
ONE_OF = ("OCO", "OTOCO")
"""Types whose orders cancel each other: only one of them can be filled."""
MULTIPLIERS = {
    "Equity": Decimal(1),
    "Cryptocurrency": Decimal(1),
    "Equity Option": Decimal(100),
}
"""Of others the contract does not tell it; the broker's buying-power effect counts for them."""


def notional_of(receipt: Any) -> Decimal | None:
    """Returns what an order commits: None where nothing that the broker said tells it.

    Opening legs count, each by the order's own price where it is the only one, else by its mid; at
    least what the order takes of the buying power counts. Closing legs count nothing: a cap must
    not keep anybody from getting out.
    """
    if isinstance(receipt, PlaceComplexOrderResponse):
        return _of_several(receipt)

    if not isinstance(receipt, PlaceOrderResponse):  # of a tool that is new
        return _taken(receipt)

    if receipt.order.legs and not _opening(receipt.order):
        return ZERO

    if receipt.order.HasField("value"):
        return abs(Decimal(receipt.order.value))

    own = receipt.price if receipt.HasField("price") else ""
    legs = _legs(receipt.order, own, _mids(receipt)) if receipt.order.legs else None
    known = [each for each in (legs, _taken(receipt)) if each is not None]
    return max(known) if known else None


def _of_several(receipt: PlaceComplexOrderResponse) -> Decimal | None:
    """Returns what the parts commit; none of them may be unknown, since the whole is netted."""
    whole = receipt.complex_order
    amounts = [_of_part(part) for part in whole.orders]
    first = _of_part(whole.trigger_order) if whole.HasField("trigger_order") else ZERO
    known = [each for each in amounts if each is not None]
    if first is None or not known or len(known) < len(amounts):
        return None

    later = max(known) if whole.type in ONE_OF else sum(known, ZERO)
    committed = first + later
    return max(committed, _taken(receipt) or ZERO) if _opens(whole) else ZERO


def _of_part(order: order_pb2.Order) -> Decimal | None:
    own = order.price if order.HasField("price") else order.stop_trigger
    return _legs(order, own, {}) if order.legs else None


def _opens(whole: ComplexOrder) -> bool:
    return any(_opening(part) for part in (whole.trigger_order, *whole.orders))


def _opening(order: order_pb2.Order) -> list[order_pb2.OrderLeg]:
    return [leg for leg in order.legs if not leg.action.endswith("Close")]


def _legs(order: order_pb2.Order, own: str, mids: Mapping[str, Decimal]) -> Decimal | None:
    total = ZERO
    for leg in _opening(order):
        mid = mids.get(leg.symbol)
        # Without quotes the net price stands for each leg of several, as in the risk switches.
        price = abs(Decimal(own)) if own and (len(order.legs) == 1 or mid is None) else mid
        multiplier = MULTIPLIERS.get(leg.instrument_type)
        if price is None or multiplier is None:
            return None

        total += Decimal(str(leg.quantity)) * multiplier * price

    return total


def _mids(receipt: PlaceOrderResponse) -> dict[str, Decimal]:
    return {
        quote.symbol: (Decimal(quote.bid_price) + Decimal(quote.ask_price)) / 2
        for quote in receipt.pricing.quotes
        if quote.HasField("bid_price") and quote.HasField("ask_price")
    }


def _taken(receipt: Any) -> Decimal | None:
    change = receipt.buying_power_effect.change_in_buying_power
    return max(-Decimal(change), ZERO) if change else None
