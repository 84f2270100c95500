"""Decimals as the contract writes them: exact text, and JSON numbers where the guide shows those.

`Decimal("1E+2")` prints as "1E+2" and `Decimal("14000.0")` as "14000.0": neither is how money is
written, so text is made here and nowhere else.
"""

from __future__ import annotations

__all__ = ["decimal_from", "decimal_or_none", "decimal_text", "money", "money_or_none", "number"]

from decimal import Decimal, InvalidOperation

from server.errors import InvalidField

LONGEST = 40
"""Characters of a decimal number from outside: far more than any price, far less than an attack."""


def decimal_text(value: Decimal) -> str:
    """Returns all digits and no exponent: `Decimal("1E-7")` is "0.0000001"."""
    if not value:
        value = abs(value)  # no "-0"

    return f"{value:f}"


def money(value: Decimal) -> str:
    """Returns an amount with cents at least: 14000 is "14000.00", 0.125 stays "0.125"."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent > -2:
        return decimal_text(value.quantize(Decimal("0.01")))

    text = decimal_text(value)
    if isinstance(exponent, int) and exponent < -2:
        whole, _, digits = text.partition(".")
        digits = digits.rstrip("0").ljust(2, "0")
        return f"{whole}.{digits}"

    return text


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
    try:
        if len(text) > LONGEST:
            raise InvalidField(field, text, "a decimal number such as 4.50")

        value = Decimal(text.strip())
    except InvalidOperation:
        raise InvalidField(field, text, "a decimal number such as 4.50") from None

    if not value.is_finite() or value.adjusted() > LONGEST:
        raise InvalidField(field, text, "a decimal number such as 4.50")

    return value
