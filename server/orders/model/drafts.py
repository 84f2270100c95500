"""Describes orders as callers ask for them, with prices and actions still to be decided.

The digest of a draft is what a `client_order_id` is bound to: it is taken of what was asked, not of
what was sent, so that a repeat without a price is the same order although the market has moved.
"""

from __future__ import annotations

__all__ = ["ChangeDraft", "ComplexDraft", "Draft", "LegDraft", "OrderDraft", "digest_of"]

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from server.brokerage.instruments.lookup import InstrumentQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class LegDraft:
    """One leg."""

    instrument: InstrumentQuery
    action: str
    quantity: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDraft:
    """One order."""

    legs: tuple[LegDraft, ...]
    price: Decimal | None = None
    """Signed, per unit; None asks for the mid of the quotes."""
    time_in_force: str = "Day"
    order_type: str = "Limit"
    stop_trigger: Decimal | None = None
    value: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDraft:
    """Another price for a working order."""

    order_id: str
    price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplexDraft:
    """Orders that depend on each other."""

    type: str
    trigger: OrderDraft | None
    orders: tuple[OrderDraft, ...]


Draft = OrderDraft | ChangeDraft | ComplexDraft


def digest_of(draft: Draft) -> str:
    """Returns the same text for the same request, however its numbers and symbols were spelled."""
    canonical = json.dumps(_plain(draft), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(draft: Draft) -> Mapping[str, Any]:
    match draft:
        case OrderDraft():
            return {
                "legs": [_plain_leg(leg) for leg in draft.legs],
                "price": _number(draft.price),
                "time_in_force": draft.time_in_force,
                "order_type": draft.order_type,
                "stop_trigger": _number(draft.stop_trigger),
                "value": _number(draft.value),
            }
        case ChangeDraft():
            return {"replaces": draft.order_id, "price": _number(draft.price)}
        case ComplexDraft():
            return {
                "type": draft.type,
                "trigger": None if draft.trigger is None else _plain(draft.trigger),
                "orders": [_plain(order) for order in draft.orders],
            }


def _plain_leg(leg: LegDraft) -> Mapping[str, Any]:
    named = leg.instrument
    return {
        "symbol": " ".join(named.symbol.upper().split()),
        "option_type": named.option_type,
        "strike": _number(named.strike),
        "expiration": named.expiration,
        "action": leg.action,
        "quantity": _number(leg.quantity),
    }


def _number(value: Decimal | None) -> str | None:
    # 4.5, 4.50 and 450E-2 are one price.
    return None if value is None else f"{value.normalize():f}"
