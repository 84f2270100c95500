"""Decimals as the contract writes them: exact text, and JSON numbers where the guide shows those.

`Decimal("1E+2")` prints as "1E+2" and `Decimal("14000.0")` as "14000.0": neither is how money is
written, so text is made here and nowhere else.
"""

from __future__ import annotations

__all__ = ["decimal_from", "decimal_or_none", "decimal_text", "money", "money_or_none", "number"]

from decimal import Decimal

from server.contract.spelling import decimal_of
from server.errors import InvalidField


def decimal_text(value: Decimal) -> str:
    """Returns the digits that count, and no exponent: `Decimal("100.0")` is "100"."""
    text = f"{value or Decimal(0):f}"  # no "-0"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(value: Decimal) -> str:
    """Returns an amount with cents at least: 14000 is "14000.00", 0.1250 is "0.125"."""
    whole, _, digits = decimal_text(value).partition(".")
    return f"{whole}.{digits:0<2}"


def decimal_or_none(value: Decimal | None) -> str | None:
    """As `decimal_text`, where an absent value leaves an optional field unset."""
    return None if value is None else decimal_text(value)


def money_or_none(value: Decimal | None) -> str | None:
    """As `money`, where an absent value leaves an optional field unset."""
    return None if value is None else money(value)


def number(value: Decimal | None) -> float | None:
    """Returns the JSON number for fields that the guide shows as such (strikes, quantities)."""
    return None if value is None else float(value)


def decimal_from(text: str, *, field: str) -> Decimal:
    """Returns the number that a request writes; raises InvalidField, naming `field`."""
    value = decimal_of(text)
    if value is None:
        raise InvalidField(field, text, "a decimal number such as 4.50")

    return value
