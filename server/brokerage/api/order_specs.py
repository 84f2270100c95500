"""Describes an order as it is sent, with nothing left to decide.

Prices are signed: what is paid is negative.
"""

from __future__ import annotations

__all__ = ["CLOSING", "OPENING", "ComplexSpec", "LegSpec", "OrderSpec"]

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

CLOSING = frozenset({"Buy to Close", "Sell to Close"})
OPENING = frozenset({"Buy to Open", "Sell to Open"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LegSpec:
    """One leg."""

    symbol: str
    instrument_type: str
    action: str
    quantity: Decimal | None
    """None in a notional order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSpec:
    """One order."""

    legs: tuple[LegSpec, ...]
    order_type: str
    time_in_force: str
    price: Decimal | None = None
    stop_trigger: Decimal | None = None
    value: Decimal | None = None
    gtc_date: date | None = None
    external_identifier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplexSpec:
    """Orders that depend on each other."""

    type: str
    trigger: OrderSpec | None
    orders: tuple[OrderSpec, ...]
