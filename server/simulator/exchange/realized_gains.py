"""Sums up what each underlying has gained in a year, since every closing fill reports it."""

from __future__ import annotations

__all__ = ["YearGain", "YearGains"]

from dataclasses import dataclass
from decimal import Decimal

from server.simulator.exchange.ledger import Transaction
from server.simulator.exchange.money import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class YearGain:
    """Holds realized gain (signed) and fees (positive) of an underlying and its derivatives."""

    realized: Decimal = ZERO
    commission: Decimal = ZERO
    other_fees: Decimal = ZERO


class YearGains:
    """Sums transactions by underlying and calendar year."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, int], YearGain] = {}

    def get(self, underlying: str, year: int) -> YearGain:
        return self._sums.get((underlying, year), YearGain())

    def add(self, transaction: Transaction) -> None:
        """Adds a transaction; one without an instrument is ignored."""
        if transaction.contract is None:
            return

        key = transaction.contract.underlying, transaction.day.year
        before, fees = self.get(*key), transaction.fees
        gain = -sum((amount for name, amount in transaction.postings if name == "realized"), ZERO)
        self._sums[key] = YearGain(
            realized=before.realized + gain,
            commission=before.commission + fees.commission,
            other_fees=before.other_fees + fees.total - fees.commission,
        )
