"""Summarizes rows of data in requests without tools, such as quotes and metrics."""

from __future__ import annotations

__all__ = ["summarize_rows"]

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

ARRAY = re.compile(r"^\[.*\]$", re.MULTILINE)
Row = Mapping[str, Any]


def summarize_rows(text: str) -> str:
    """Returns sentences about the rows of the JSON array in a text."""
    rows = _rows(text)
    if not rows:
        return "There is nothing here that my rules could sum up."

    return " ".join(filter(None, (_spread(rows), _greeks(rows), _volatility(rows)))) or (
        f"{len(rows)} row(s), of which my rules have nothing to say."
    )


def _spread(rows: list[Row]) -> str:
    spreads = []
    for row in rows:
        bid, ask = _number(row.get("bid_price")), _number(row.get("ask_price"))
        if bid is not None and ask is not None and bid + ask > 0:
            spreads.append((2 * (ask - bid) / (ask + bid), str(row.get("symbol"))))

    if not spreads:
        return ""

    widest, symbol = max(spreads)
    tightest, other = min(spreads)
    if symbol == other:
        return f"{symbol}'s spread is {widest:.3%} of its price."

    return (
        f"The widest spread is {symbol}'s ({widest:.3%}), the tightest {other}'s ({tightest:.3%})."
    )


def _greeks(rows: list[Row]) -> str:
    deltas = [
        (abs(number), row) for row in rows if (number := _number(row.get("delta"))) is not None
    ]
    if not deltas:
        return ""

    _, row = max(deltas, key=lambda each: each[0])
    return f"{row.get('symbol')} moves most with its underlying (delta {row.get('delta')})."


def _volatility(rows: list[Row]) -> str:
    ranks = [
        (float(row["iv_rank"]), row) for row in rows if isinstance(row.get("iv_rank"), float | int)
    ]
    if not ranks:
        return ""

    rank, row = max(ranks, key=lambda each: each[0])
    word = "high" if rank >= 0.5 else "low"
    return f"{row.get('symbol')} has the highest IV rank, {rank:.1%}, which is {word}."


def _rows(text: str) -> list[Row]:
    array = ARRAY.search(text)
    try:
        found = orjson.loads(array[0]) if array else []
    except orjson.JSONDecodeError:
        return []

    return [row for row in found if isinstance(row, dict)]


def _number(value: object) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
