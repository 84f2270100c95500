"""Reads numbers that callers spell as text, digit by digit and in one way only.

Python's `Decimal`, `int` and `float` take "1_1", " 1", "1e1", Arabic and full-width digits; Envoy's
parsers take hexadecimal. Whoever sends such a text has mistyped something else. A JSON number may
have an exponent, because JSON says so; it is read exactly too.
"""

from __future__ import annotations

__all__ = [
    "DECIMAL",
    "LONGEST_DECIMAL",
    "MAX_DIGITS",
    "WHOLE",
    "decimal_of",
    "double_of",
    "exact_of",
    "fits",
    "is_plain",
    "whole_of",
]

import math
import re
from decimal import Decimal, InvalidOperation

MAX_DIGITS = 18
"""More digits than any price or quantity has; beyond them a number is a mistake or an attack."""

SAFE_DIGITS = 15
"""Digits that every double keeps (IEEE 754's 15 decimal digits)."""

DECIMAL = r"-?[0-9]+(\.[0-9]+)?"
"""The spelling of a decimal number; the whole text must match."""

LONGEST_DECIMAL = len("-0.") + MAX_DIGITS
WHOLE = r"-?[0-9]{1,10}"
"""The spelling of a whole number of 32 bits; the whole text must match."""

INT32 = range(-(2**31), 2**31)

_DECIMAL = re.compile(DECIMAL)
_WHOLE = re.compile(WHOLE)


def decimal_of(text: str) -> Decimal | None:
    """Returns the number that a text spells, or None where it spells none."""
    if len(text) > LONGEST_DECIMAL or not _DECIMAL.fullmatch(text):
        return None

    number = Decimal(text)
    return number if fits(number) else None


def exact_of(number: str) -> Decimal | None:
    """Returns the value of a JSON number, or None where it has too many digits.

    The text must be what a JSON parser took for a number; it may have an exponent.
    """
    try:
        exact = Decimal(number)
    except InvalidOperation:  # an exponent beyond all bounds
        return None

    return exact if fits(exact) else None


def is_plain(text: str) -> bool:
    """Tells whether a text is a number of at most 15 digits without an exponent.

    So most numbers are, and a double holds each of those: nothing has to be counted.
    """
    return len(text) <= SAFE_DIGITS and _DECIMAL.fullmatch(text) is not None


def double_of(number: Decimal) -> float | None:
    """Returns a number as a double, or None where a double cannot hold it without loss."""
    double = float(number)
    return double if math.isfinite(double) and Decimal(repr(double)) == number else None


def whole_of(text: str) -> int | None:
    """Returns the whole number of 32 bits that a text spells, or None where it spells none."""
    if not _WHOLE.fullmatch(text):
        return None

    number = int(text)
    return number if number in INT32 else None


def fits(number: Decimal) -> bool:
    """Tells whether a number can be written with `MAX_DIGITS` digits before and after its point.

    They are counted, not written out: 1e999999999 is a short text and a long number.
    """
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):  # NaN and the infinities
        return False

    return max(len(digits), abs(len(digits) + exponent), -exponent) <= MAX_DIGITS
