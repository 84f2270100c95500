"""Stores everything that can be quoted as columns, one row per instrument, added on demand.

A row's number never changes and no row is removed, because subscriptions and positions keep the
numbers. An expired contract stays, without a quote.
"""

from __future__ import annotations

__all__ = ["COLLECTIONS", "Flag", "Rows"]

from enum import IntFlag
from typing import Any

import numpy as np

from server.simulator.market.brownian import mix
from server.simulator.market.stocks import Quirk

COLLECTIONS = ("Equity", "CME", "CFE", "Always")
"""Exchanges whose hours a row follows; the column `collection` holds positions in this tuple."""

NEVER = np.inf


class Flag(IntFlag):
    """Marks what is unusual about a row."""

    UNQUOTED = 1
    UNSIZED = 2
    CROSSED = 4
    HALTED = 8
    NO_BID = 16
    AMERICAN = 32
    ON_FUTURE = 64
    FRACTIONAL = 128
    """Sizes are fractions (cryptocurrencies)."""

    INDEX = 256
    """Its published last price is the index itself, not a side of its quote."""


QUIRK_FLAGS = {
    Quirk.UNQUOTED: Flag.UNQUOTED,
    Quirk.UNSIZED: Flag.UNSIZED,
    Quirk.CROSSED: Flag.CROSSED,
    Quirk.HALTED: Flag.HALTED,
    Quirk.NO_BID: Flag.NO_BID,
    Quirk.CLOSING_ONLY: Flag(0),
}

_COLUMNS: dict[str, Any] = {
    "series": np.int64,
    "collection": np.int64,
    "sign": np.float64,  # 1 for a call, -1 for a put, 0 for anything else
    "strike": np.float64,
    "expires": np.float64,  # epoch seconds; infinite for what does not expire
    "delivers": np.float64,  # epoch seconds at which the forward is due; NaN for spot
    "carry": np.float64,
    "ticks": np.int64,
    "flags": np.int64,
    "spread": np.float64,  # half the spread: a share of the price; for an option, a factor
    "size": np.float64,  # typical size
    "trades": np.int64,  # ticks between trades
    "volume": np.float64,  # per day
    "seed": np.uint64,
}


class Rows:
    """Holds the columns; grows in blocks."""

    series: Any
    collection: Any
    sign: Any
    strike: Any
    expires: Any
    delivers: Any
    carry: Any
    ticks: Any
    flags: Any
    spread: Any
    size: Any
    trades: Any
    volume: Any
    seed: Any

    def __init__(self) -> None:
        self.count = 0
        self._capacity = 1024
        for name, kind in _COLUMNS.items():
            setattr(self, name, np.zeros(self._capacity, dtype=kind))

    def add(self, count: int, **values: Any) -> int:
        """Appends rows with all columns given (scalars are repeated); returns the first number."""
        if missing := _COLUMNS.keys() ^ values.keys():
            raise TypeError(f"columns given and known differ: {sorted(missing)}")

        first = self.count
        self._reserve(first + count)
        for name, value in values.items():
            getattr(self, name)[first : first + count] = value

        self.count += count
        return first

    def _reserve(self, count: int) -> None:
        if count <= self._capacity:
            return

        self._capacity = max(count, 2 * self._capacity)
        for name, kind in _COLUMNS.items():
            grown = np.zeros(self._capacity, dtype=kind)
            grown[: self.count] = getattr(self, name)[: self.count]
            setattr(self, name, grown)


def option_seeds(seed: int, strikes: Any, signs: Any, expires: float) -> Any:
    """Returns the seeds of contracts; they depend on the contract, not on when it was loaded."""
    words = np.round(strikes * 1000).astype(np.int64).astype(np.uint64) << np.uint64(2)
    words += (signs > 0).astype(np.uint64)
    # Masked as a Python integer: numpy warns when a scalar overflows.
    salt = np.uint64((seed ^ int(expires) * 0x9E3779B97F4A7C15) & 0xFFFF_FFFF_FFFF_FFFF)
    return mix(mix(words) ^ salt)
