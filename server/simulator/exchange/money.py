"""Formats and rounds amounts: signed inside, with an `-effect` key beside them on the wire.

Inside, a credit (money to the customer) is positive. The broker prints decimals without trailing
zeros but with at least one place: `1.0`, `76.12`, `0.000166`. Cents are rounded half up.
"""

from __future__ import annotations

__all__ = [
    "CENT",
    "ZERO",
    "effect_of",
    "format_decimal",
    "format_quantity",
    "round_cents",
    "with_effect",
]

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from server.simulator.exchange.vocabulary import Effect

ZERO = Decimal(0)
CENT = Decimal("0.01")


def round_cents(amount: Decimal) -> Decimal:
    """Rounds to whole cents, halves away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def format_decimal(amount: Decimal) -> str:
    """Formats a decimal as the broker does."""
    if not amount:
        return "0.0"

    whole, _, places = f"{amount:f}".partition(".")
    return f"{whole}.{places.rstrip('0') or '0'}"


def format_quantity(quantity: Decimal) -> int | str:
    """Formats a quantity as the broker does: a JSON integer, or a string if it is fractional."""
    whole = int(quantity)
    return whole if whole == quantity else format_decimal(quantity)


def effect_of(amount: Decimal) -> Effect:
    """Returns the effect that the sign of an amount means."""
    if not amount:
        return Effect.NONE

    return Effect.CREDIT if amount > 0 else Effect.DEBIT


def with_effect(name: str, amount: Decimal) -> dict[str, Any]:
    """Formats a signed amount as the broker's pair of keys."""
    return {name: format_decimal(abs(amount)), f"{name}-effect": effect_of(amount).value}
