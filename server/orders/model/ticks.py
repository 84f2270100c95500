"""The grid that prices stand on.

An entry with a threshold holds below it, the one without from there on. Of a spread the net price
counts, on the finest tick that its legs have at that price.
"""

from __future__ import annotations

__all__ = ["Grid"]

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from server.brokerage.instruments.chains import TickSize

FINEST = Decimal("0.01")
"""Where the broker names no tick: the exchanges' own for anything above a dollar."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The tick tables of the legs of one order; signs are kept, sizes decide."""

    tables: tuple[tuple[TickSize, ...], ...]

    @property
    def known(self) -> bool:
        """Whether the broker named a tick for every leg; else no price is refused for its tick."""
        return all(self.tables)

    def tick_at(self, price: Decimal) -> Decimal:
        """Returns the step between prices at a price."""
        return min((_tick_at(table, abs(price)) for table in self.tables), default=FINEST)

    def holds(self, price: Decimal) -> bool:
        """Whether a price stands on the grid."""
        return price % self.tick_at(price) == 0

    def below(self, price: Decimal) -> Decimal:
        """Returns the nearest price on the grid that is not higher (a debit: not smaller)."""
        return self._rounded(price, ROUND_FLOOR)

    def above(self, price: Decimal) -> Decimal:
        """Returns the nearest price on the grid that is not lower."""
        return self._rounded(price, ROUND_CEILING)

    def nearest(self, price: Decimal) -> Decimal:
        """Returns the nearest price on the grid; of two equally near the one that pays less."""
        lower, upper = self.below(price), self.above(price)
        return upper if upper - price <= price - lower else lower

    def _rounded(self, price: Decimal, rounding: str) -> Decimal:
        tick = self.tick_at(price)
        steps = (price / tick).to_integral_value(rounding)
        found = steps * tick
        if not self.holds(found):
            # The step led over a threshold, behind which the grid is coarser.
            tick = self.tick_at(found)
            found = (price / tick).to_integral_value(rounding) * tick

        return found


def _tick_at(table: Sequence[TickSize], size: Decimal) -> Decimal:
    for row in table:
        if row.threshold is None or size < row.threshold:
            return row.value

    return table[-1].value if table else FINEST
