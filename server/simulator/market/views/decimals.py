"""Formats decimals and instants as the broker does: `1.0`, `76.12`, `2026-12-18T14:30:00.000Z`."""

from __future__ import annotations

__all__ = ["format_decimal", "format_offset", "format_rounded", "format_zulu"]

import math
from datetime import UTC, datetime
from decimal import Decimal


def format_decimal(value: Decimal | float) -> str:
    """Formats a number in full, without trailing zeros but with at least one decimal place."""
    number = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    if not number:
        return "0.0"

    whole, _, places = f"{number:f}".partition(".")
    return f"{whole}.{places.rstrip('0') or '0'}"


def format_rounded(value: float, places: int) -> str:
    """Formats a number with at most so many decimal places; NaN and infinity are `0.0`."""
    return format_decimal(round(value, places)) if math.isfinite(value) else "0.0"


def format_offset(at: datetime) -> str:
    """Formats an instant with an offset, as instruments and orders have it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def format_zulu(at: datetime) -> str:
    """Formats an instant with a Z, as market data and metrics have it."""
    return format_offset(at).replace("+00:00", "Z")
