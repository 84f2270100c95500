"""Converts orders to the bodies of the broker's requests, by the models of the SDK.

Import this only once a session is open: it imports the SDK. Every closing leg asks for strict
position-effect validation, because the broker otherwise turns it into an opening one, silently,
when the position is gone. The SDK's `behavior` is for its paper broker and never sent.
"""

from __future__ import annotations

__all__ = ["change_form", "complex_form", "order_form"]

from typing import Any

import orjson

from server.brokerage.api.order_specs import CLOSING, ComplexSpec, LegSpec, OrderSpec
from server.brokerage.transport import sdk  # noqa: F401 - first, or importing the SDK imports pandas

# isort: split
from tastytrade.order import (
    AdvancedInstructions,
    BaseOrder,
    InstrumentType,
    Leg,
    LimitOrder,
    MarketOrder,
    NotionalOrder,
    OrderAction,
    OrderTimeInForce,
    StopLimitOrder,
    StopOrder,
)

STRICT = AdvancedInstructions(strict_position_effect_validation=True)
NOT_SENT = {"behavior"}


def order_form(spec: OrderSpec) -> dict[str, Any]:
    """Returns the body of a placement or its dry run."""
    return _form(spec, NOT_SENT)


def change_form(spec: OrderSpec) -> dict[str, Any]:
    """Returns the body of a replacement: the whole order, but for the legs, which stay."""
    return _form(spec, NOT_SENT | {"legs"})


def complex_form(spec: ComplexSpec) -> dict[str, Any]:
    """Returns the body of a complex order."""
    body: dict[str, Any] = {"type": spec.type}
    if spec.trigger is not None:
        body["trigger-order"] = order_form(spec.trigger)

    return body | {"orders": [order_form(each) for each in spec.orders]}


def _form(spec: OrderSpec, left_out: set[str]) -> dict[str, Any]:
    text = _order(spec).model_dump_json(by_alias=True, exclude_none=True, exclude=left_out)
    form: dict[str, Any] = orjson.loads(text)
    return form


def _order(spec: OrderSpec) -> BaseOrder:
    closes = any(leg.action in CLOSING for leg in spec.legs)
    shared: dict[str, Any] = {
        "time_in_force": OrderTimeInForce(spec.time_in_force),
        "legs": [_leg(leg) for leg in spec.legs],
        "gtc_date": spec.gtc_date,
        "advanced_instructions": STRICT if closes else None,
        "external_identifier": spec.external_identifier,
    }
    match spec.order_type:
        case "Limit":
            return LimitOrder(price=_needed(spec.price), **shared)
        case "Market":
            return MarketOrder(**shared)
        case "Stop":
            return StopOrder(stop_trigger=_needed(spec.stop_trigger), **shared)
        case "Stop Limit":
            trigger = _needed(spec.stop_trigger)
            return StopLimitOrder(price=_needed(spec.price), stop_trigger=trigger, **shared)
        case "Notional Market":
            return NotionalOrder(value=_needed(spec.value), **shared)
        case other:
            raise ValueError(f"no form for orders of type {other}")


def _leg(leg: LegSpec) -> Leg:
    return Leg(
        instrument_type=InstrumentType(leg.instrument_type),
        symbol=leg.symbol,
        action=OrderAction(leg.action),
        quantity=leg.quantity,
    )


def _needed(value: Any) -> Any:
    if value is None:
        raise ValueError("an order of this type has no price")

    return value
