"""Converts the feed's JSON numbers to texts and decimals.

A price has at most 15 significant digits, so the shortest text of its float is the very text that
the feed sent: nothing is rounded here, and no arithmetic is done on it.
"""

from __future__ import annotations

__all__ = ["exchange_code", "number", "price", "size", "text"]

import math
from decimal import Decimal, InvalidOperation
from typing import Any

LONGEST = 30
"""Digits before or after the point; "1e999999999" is no price, and would be a gigabyte of zeros."""


def text(raw: Any) -> str | None:
    """Returns the decimal text of a value of the feed, None for NaN, infinities and nothing."""
    if type(raw) is float:
        if not math.isfinite(raw):
            return None
        shown = repr(raw)
        if "e" in shown:
            return f"{Decimal(shown):f}"
        return shown.removesuffix(".0")

    if type(raw) is int:
        return str(raw)

    # NaN and infinities are strings in the feed's JSON; so is, for some fields, a number.
    if isinstance(raw, str) and raw != "NaN":
        return _text_of(raw)
    return None


def price(raw: Any) -> str | None:
    """Returns a price with at least two decimals, as prices are written ("687.50")."""
    if type(raw) is float and (usual := repr(raw))[-3:-2] == ".":
        return usual  # two decimals already, so neither an exponent nor NaN

    shown = text(raw)
    if shown is None:
        return None
    whole, point, cents = shown.partition(".")
    if not point:
        return f"{whole}.00"
    return shown if len(cents) >= 2 else f"{shown}0"


def size(raw: Any) -> float:
    """Returns a size as a number, 0 where the feed says NaN or nothing."""
    if type(raw) in (int, float):
        return raw if math.isfinite(raw) else 0.0
    return 0.0


def number(raw: Any) -> Decimal | None:
    """Returns the exact decimal of a value of the feed."""
    shown = text(raw)
    return None if shown is None else Decimal(shown)


def exchange_code(raw: Any) -> str:
    """Returns an exchange's letter; the feed says "\\0" or NaN where there is none."""
    shown = raw if isinstance(raw, str) else ""
    return "" if shown in ("\0", "NaN") else shown


def _text_of(raw: str) -> str | None:
    """Returns a number that came as a text; any other text would end every stream that shows it."""
    try:
        value = Decimal(raw)
    except InvalidOperation:
        return None
    if not value.is_finite() or abs(value.adjusted()) > LONGEST:
        return None
    return f"{value:f}"
