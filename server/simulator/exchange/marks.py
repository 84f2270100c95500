"""Provides the market values of positions, all as of one instant.

Two figures of one answer must come from the same instant, so a `Marks` is made for one answer (or
one step of the exchange) and then dropped.
"""

from __future__ import annotations

__all__ = ["Marks"]

from collections.abc import Iterable
from decimal import Decimal

from server.simulator.exchange.contracts import Contract, TopOfBook, Venue
from server.simulator.exchange.money import ZERO


class Marks:
    """Caches the top of the book of every contract that it was asked about."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._tops: dict[str, TopOfBook] = {}
        self._closes: dict[str, Decimal | None] = {}

    def load(self, contracts: Iterable[Contract]) -> None:
        """Loads the tops of many contracts and of their underlyings in one call."""
        wanted: dict[str, Contract] = {}
        for contract in contracts:
            wanted[contract.symbol] = contract
            underlying = self._find_underlying(contract)
            if underlying is not None:
                wanted[underlying.symbol] = underlying

        missing = [one for symbol, one in wanted.items() if symbol not in self._tops]
        if missing:
            tops = self._venue.tops(missing)
            self._tops |= {one.symbol: top for one, top in zip(missing, tops, strict=True)}

    def load_closes(self, contracts: Iterable[Contract]) -> None:
        """Loads the last closes of many contracts in one call."""
        missing = [one for one in contracts if one.symbol not in self._closes]
        if missing:
            closes = self._venue.closes(missing)
            self._closes |= {one.symbol: close for one, close in zip(missing, closes, strict=True)}

    def top(self, contract: Contract) -> TopOfBook:
        if contract.symbol not in self._tops:
            self.load([contract])

        return self._tops[contract.symbol]

    def mark(self, contract: Contract) -> Decimal:
        """Returns the price of one unit; zero for a contract without any price."""
        mark = self.top(contract).mark
        return ZERO if mark is None else mark

    def close(self, contract: Contract) -> Decimal:
        """Returns the last close before today, or the mark if there is none."""
        self.load_closes([contract])
        close = self._closes[contract.symbol]
        return self.mark(contract) if close is None else close

    def spot(self, contract: Contract) -> Decimal:
        """Returns the price of an option's underlying; for everything else, its own price."""
        if not contract.instrument_type.is_option:
            return self.mark(contract)

        underlying = self._find_underlying(contract)
        return ZERO if underlying is None else self.mark(underlying)

    def market_value(self, contract: Contract, quantity: Decimal) -> Decimal:
        """Returns the signed market value of a position; for a future, its notional value."""
        return self.mark(contract) * quantity * contract.multiplier

    def _find_underlying(self, contract: Contract) -> Contract | None:
        return self._venue.find(contract.underlying) if contract.instrument_type.is_option else None
