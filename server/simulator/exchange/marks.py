"""What positions are worth now: one look at the market, shared by everything that one answer says.

Two figures of one answer must come from the same instant, so a `Marks` is made for one answer (or
one step of the exchange) and thrown away.
"""

from __future__ import annotations

__all__ = ["Marks"]

from decimal import Decimal

from server.simulator.exchange.contracts import Contract, Top, Venue
from server.simulator.exchange.money import ZERO


class Marks:
    """Remembers the top of the book of every contract it was asked about."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._tops: dict[str, Top] = {}

    def top(self, contract: Contract) -> Top:
        top = self._tops.get(contract.symbol)
        if top is None:
            top = self._tops[contract.symbol] = self._venue.top(contract)

        return top

    def mark(self, contract: Contract) -> Decimal:
        """Returns the price of one unit; a contract that nobody quotes is worth nothing."""
        mark = self.top(contract).mark
        return ZERO if mark is None else mark

    def close(self, contract: Contract) -> Decimal:
        """Returns the last close before today, or the mark where the market has none."""
        close = self.top(contract).close
        return self.mark(contract) if close is None else close

    def spot(self, contract: Contract) -> Decimal:
        """Returns the price below an option; of everything else, its own."""
        if not contract.kind.is_option:
            return self.mark(contract)

        below = self._venue.find(contract.underlying_contract or contract.underlying)
        return ZERO if below is None else self.mark(below)

    def worth(self, contract: Contract, quantity: Decimal) -> Decimal:
        """Returns the signed value of a holding; of a future, its notional value."""
        return self.mark(contract) * quantity * contract.multiplier
