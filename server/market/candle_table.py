"""Keeps the candles of one series as numbers in arrays.

As a tuple a candle is half a kilobyte in a dozen small objects. Of a burst of histories the memory
stayed full of holes that went back to nobody; an array is one block, which goes back whole.
"""

from __future__ import annotations

__all__ = ["CandleTable"]

import math
from array import array
from collections.abc import Iterator
from typing import Any

from server.brokerage.streaming.dxlink_events import CandleRow

FIRST = CandleRow._fields.index("time") + 1
"""The columns from here on are numbers; the time is the key, what is before it is not kept."""
WIDTH = len(CandleRow._fields) - FIRST
LARGEST_EXACT = 1 << 53
"""Whole numbers up to here are exact as doubles."""
NAN = "NaN"


class CandleTable:
    """Maps the time of a candle (epoch milliseconds) to its row and its version.

    A row comes back equal to what was put, but for its symbol and flags, which belong to the series
    and to the transfer. Rows with values that are no number (a text, nothing) are kept as they are.
    """

    __slots__ = ("_free", "_name", "_odd", "_slots", "_values", "_versions")

    def __init__(self, name: str) -> None:
        self._name = name
        self._slots: dict[int, int] = {}
        self._values = array("d")
        self._versions = array("q")
        self._free: list[int] = []
        self._odd: dict[int, CandleRow] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[int]:
        return iter(self._slots)

    def get(self, time: int) -> CandleRow | None:
        """Returns the row of a time, None if there is none."""
        slot = self._slots.get(time)
        if slot is None:
            return None

        odd = self._odd.get(time)
        if odd is not None:
            return odd

        numbers = self._values[slot * WIDTH : (slot + 1) * WIDTH]
        return CandleRow(self._name, 0, time, *map(_given, numbers))

    def put(self, row: CandleRow, version: int = 0) -> None:
        """Adds or replaces the row of its time."""
        slot = self._slots.get(row.time)
        if slot is None:
            slot = self._slots[row.time] = self._new_slot()

        self._versions[slot] = version
        numbers = array("d", map(_kept, row[FIRST:])) if all(map(_fits, row[FIRST:])) else None
        if numbers is None:
            self._odd[row.time] = row._replace(event_symbol=self._name)
        else:
            self._odd.pop(row.time, None)
            self._values[slot * WIDTH : (slot + 1) * WIDTH] = numbers

    def remove(self, time: int) -> None:
        """Removes the row of a time, if there is one."""
        slot = self._slots.pop(time, None)
        if slot is not None:
            self._free.append(slot)
            self._odd.pop(time, None)

    def changed_since(self, version: int, since: int) -> list[CandleRow]:
        """Returns the rows from the time `since` on with a later version, oldest first."""
        versions = self._versions
        times = [
            time for time, slot in self._slots.items() if versions[slot] > version and time >= since
        ]
        return [row for time in sorted(times) if (row := self.get(time)) is not None]

    def drop_oldest(self, count: int) -> int:
        """Removes the oldest rows; returns the newest time of them."""
        gone = sorted(self._slots)[:count]
        for time in gone:
            self.remove(time)

        return gone[-1]

    def _new_slot(self) -> int:
        if self._free:
            return self._free.pop()

        self._values.extend([0.0] * WIDTH)
        self._versions.append(0)
        return len(self._versions) - 1


def _fits(value: Any) -> bool:
    if type(value) is float or value == NAN:
        return True

    return type(value) is int and -LARGEST_EXACT <= value <= LARGEST_EXACT


def _kept(value: Any) -> float:
    return math.nan if value == NAN else float(value)


def _given(value: float) -> float | str:
    return NAN if value != value else value
