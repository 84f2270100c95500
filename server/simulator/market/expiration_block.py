"""Defines the contracts of one expiration, as a block of rows of the market."""

from __future__ import annotations

__all__ = ["ExpirationBlock"]

from dataclasses import dataclass

from server.simulator.market.brownian import Floats
from server.simulator.market.expirations import Expiration
from server.simulator.market.instrument import Instrument


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExpirationBlock:
    """Holds the contracts of one expiration: for each strike a call, followed by its put."""

    first: int
    """Row of the first call; strike `i` has its call at `first + 2i` and its put after it."""

    expiration: Expiration
    underlying: Instrument
    strikes: Floats
    places: dict[float, int]

    @property
    def count(self) -> int:
        return 2 * len(self.strikes)

    def row(self, strike: float, kind: str) -> int | None:
        place = self.places.get(strike)
        return None if place is None else self.first + 2 * place + (kind == "P")
