"""Rounds whole columns of prices to their tick tables.

Prices are whole numbers of millionths here: bond options move by 15,625 of them, and a float tick
would sometimes print `5.1000000000000005`.
"""

from __future__ import annotations

__all__ = ["MICRO", "TickTables"]

from decimal import Decimal

import numpy as np

from server.simulator.market.brownian import Floats, Ints
from server.simulator.market.instrument import TickSize

MICRO = 1_000_000

Rows = tuple[TickSize, ...]

_ROWS = 4
"""Length of the longest table (options on index futures)."""

_NEVER = 2**62


class TickTables:
    """Numbers tick tables; equal tables get the same number."""

    def __init__(self) -> None:
        self._numbers: dict[Rows, int] = {}
        self._below = np.empty((0, _ROWS), dtype=np.int64)
        self._value = np.empty((0, _ROWS), dtype=np.int64)

    def register(self, rows: Rows) -> int:
        """Returns the number of a table; the first call assigns it."""
        if rows not in self._numbers:
            below = [_NEVER if row.threshold is None else _micro(row.threshold) for row in rows]
            value = [_micro(row.value) for row in rows]
            missing = _ROWS - len(rows)
            self._below = np.vstack([self._below, below + [_NEVER] * missing])
            self._value = np.vstack([self._value, value + value[-1:] * missing])
            self._numbers[rows] = len(self._numbers)

        return self._numbers[rows]

    def tick_at(self, table: Ints, prices: Ints | Floats) -> Ints:
        """Returns the tick, in millionths, of each price, in millionths."""
        row = (prices[:, None] >= self._below[table]).sum(axis=1)
        result: Ints = self._value[table, np.minimum(row, _ROWS - 1)]
        return result

    def round_down(self, table: Ints, prices: Floats) -> Ints:
        """Returns the highest prices on the tick, in millionths, that are not above `prices`."""
        micro = prices * MICRO
        tick = self.tick_at(table, micro)
        # A price on its tick must stay there although its float is slightly below.
        return np.floor(micro / tick + 1e-7).astype(np.int64) * tick

    def round_up(self, table: Ints, prices: Floats) -> Ints:
        """Returns the lowest prices on the tick, in millionths, that are not below `prices`."""
        micro = prices * MICRO
        tick = self.tick_at(table, micro)
        return np.ceil(micro / tick - 1e-7).astype(np.int64) * tick

    def round_to_nearest(self, table: Ints, prices: Floats) -> Ints:
        """Returns the nearest prices on the tick, in millionths."""
        micro = prices * MICRO
        tick = self.tick_at(table, micro)
        return np.rint(micro / tick).astype(np.int64) * tick


def _micro(value: Decimal) -> int:
    return int(value * MICRO)
