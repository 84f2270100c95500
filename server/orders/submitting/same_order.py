"""Checks whether an order at the broker can be what a request asked for.

Only the order is left of a request whose record was lost. Whatever both say must agree; what the
server chose itself, such as a price that was not given, is not compared.
"""

from __future__ import annotations

__all__ = ["can_be"]

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from server.brokerage.api.json_reader import JsonReader, ParseFaults
from server.brokerage.api.orders import Order, OrderLeg, read_order
from server.brokerage.instruments.lookup import InstrumentQuery, OptionParts, checked
from server.brokerage.instruments.symbols import Instrument, parse
from server.errors import BadInput
from server.orders.model.drafts import ChangeDraft, ComplexDraft, Draft, LegDraft, OrderDraft

Raw = Mapping[str, Any]


def can_be(draft: Draft, raw: Raw) -> bool:
    """Returns False where the order certainly is another one."""
    match draft:
        case OrderDraft():
            return _same(draft, read_order(JsonReader(raw, ParseFaults(), "order")))
        case ChangeDraft():
            order = read_order(JsonReader(raw, ParseFaults(), "order"))
            return order.replaces_order_id == draft.order_id and _agree(draft.price, order.price)
        case ComplexDraft():
            return raw.get("type") == draft.type and len(raw.get("orders", ())) == len(draft.orders)


def _same(draft: OrderDraft, order: Order) -> bool:
    return (
        draft.order_type == order.order_type
        and draft.time_in_force == order.time_in_force
        and _agree(draft.price, order.price)
        and _agree(draft.stop_trigger, order.stop_trigger)
        and _agree(draft.value, order.value)
        and len(draft.legs) == len(order.legs)
        and all(_traded(leg, order) for leg in draft.legs)
    )


def _traded(leg: LegDraft, order: Order) -> bool:
    """Whether one of the order's legs can be this one."""
    alike: Iterable[OrderLeg] = (
        each
        for each in order.legs
        if (each.action or "").split()[:1] == leg.action.split()[:1]
        and _agree(leg.quantity, each.quantity)
    )
    return any(_is(leg.instrument, each.symbol, order.underlying_symbol) for each in alike)


def _is(query: InstrumentQuery, symbol: str, underlying: str | None) -> bool:
    try:
        asked, had = checked(query), parse(symbol)
    except BadInput:
        return False

    match asked:
        case OptionParts():
            return (asked.underlying, asked.option_type, asked.strike, asked.expiration) == (
                underlying,
                had.option_type,
                had.strike,
                had.expiration,
            )
        case Instrument():
            # A future by the name that dxFeed gives it: only the broker knows which one that is.
            return asked.symbol == had.symbol or ":" in asked.symbol


def _agree(asked: Decimal | None, had: Decimal | None) -> bool:
    return asked is None or asked == had
