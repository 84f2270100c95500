"""Calculates the fees of one leg: commission, clearing, regulatory and index fees.

The fees of a leg are calculated over its whole quantity and charged as the difference to what its
earlier fills paid, so that ten partial fills cost exactly what one fill costs.

| | commission open / close | clearing | regulatory | index |
|---|---|---|---|---|
| Equity | 0 | 0.001 a share | sale: TAF 0.000166 a share, at most 8.30 | |
| Equity Option | 1.00 / 0, at most 10.00 a leg | 0.10 | ORF 0.02; sale: TAF 0.00279 | by root |
| Future | 1.00 / 1.00 | 0.30 | exchange 1.38, NFA 0.02 | |
| Future Option | 2.50 / 0 | 0.30 | exchange 0.60, NFA 0.02 | |
| Cryptocurrency | 1 % of the value, at most 10.00 | 0 | 0 | |

Amounts are in US dollars per contract or share. The figures of equities and of a bought option are
those of the broker's recorded replies; the others are of the magnitude of its price list.
"""

from __future__ import annotations

__all__ = ["NO_FEES", "Fees", "calculate_fees"]

from dataclasses import dataclass
from decimal import Decimal

from server.simulator.exchange.contracts import Contract
from server.simulator.exchange.money import ZERO, format_decimal, round_cents
from server.simulator.exchange.vocabulary import Effect, InstrumentType

_INDEX_FEES = {
    "SPX": Decimal("0.60"),
    "SPXW": Decimal("0.60"),
    "NDX": Decimal("0.25"),
    "NDXP": Decimal("0.25"),
    "VIX": Decimal("0.45"),
    "VIXW": Decimal("0.45"),
    "RUT": Decimal("0.18"),
    "RUTW": Decimal("0.18"),
}
_COMMISSION_CAP = Decimal("10.00")
_TAF_CAP = Decimal("8.30")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """Holds the fees of a trade; each amount is positive (a debit)."""

    commission: Decimal = ZERO
    clearing: Decimal = ZERO
    exchange: Decimal = ZERO
    nfa: Decimal = ZERO
    orf: Decimal = ZERO
    taf: Decimal = ZERO
    index: Decimal = ZERO

    @property
    def regulatory(self) -> Decimal:
        return self.exchange + self.nfa + self.orf + self.taf

    @property
    def total(self) -> Decimal:
        return self.commission + self.clearing + self.regulatory + self.index

    def __add__(self, other: Fees) -> Fees:
        return self._combine(other, 1)

    def __sub__(self, other: Fees) -> Fees:
        return self._combine(other, -1)

    def rounded(self) -> Fees:
        """Rounds the four amounts that a transaction shows to cents, not their parts."""
        return Fees(
            commission=round_cents(self.commission),
            clearing=round_cents(self.clearing),
            orf=round_cents(self.regulatory),
            index=round_cents(self.index),
        )

    def to_json(self) -> dict[str, object]:
        """Returns the broker's `fee-calculation`, in full precision as in its dry runs."""
        return {
            **_debit_fields("regulatory-fees", self.regulatory),
            "regulatory-fees-breakdown": [
                _breakdown_entry("exchange", self.exchange),
                _breakdown_entry("nfa", self.nfa),
                _breakdown_entry("orf", self.orf),
                _breakdown_entry("sec", ZERO),
                _breakdown_entry("taf", self.taf),
            ],
            **_debit_fields("clearing-fees", self.clearing),
            "clearing-fees-breakdown": [_breakdown_entry("clearing", self.clearing)],
            **_debit_fields("commission", self.commission),
            "commission-breakdown": [_breakdown_entry("brokerage", self.commission)],
            **_debit_fields("proprietary-index-option-fees", self.index),
            "proprietary-fees-breakdown": [_breakdown_entry("proprietary", self.index)],
            **_debit_fields("total-fees", self.total),
            **_debit_fields("rebates", ZERO),
            "rebates-breakdown": [_breakdown_entry("rebate", ZERO)],
            "per-quantity": False,
        }

    def _combine(self, other: Fees, sign: int) -> Fees:
        return Fees(
            commission=self.commission + sign * other.commission,
            clearing=self.clearing + sign * other.clearing,
            exchange=self.exchange + sign * other.exchange,
            nfa=self.nfa + sign * other.nfa,
            orf=self.orf + sign * other.orf,
            taf=self.taf + sign * other.taf,
            index=self.index + sign * other.index,
        )


NO_FEES = Fees()


def calculate_fees(
    contract: Contract, quantity: Decimal, *, buys: bool, opens: bool, value: Decimal
) -> Fees:
    """Returns the fees of trading `quantity` (positive) for `value` (positive, in dollars)."""
    match contract.instrument_type:
        case InstrumentType.EQUITY_OPTION:
            commission = min(quantity * 1, _COMMISSION_CAP) if opens else ZERO
            return Fees(
                commission=commission,
                clearing=quantity * Decimal("0.10"),
                orf=quantity * Decimal("0.02"),
                taf=ZERO if buys else quantity * Decimal("0.00279"),
                index=quantity * _INDEX_FEES.get(contract.symbol[:6].strip(), ZERO),
            )
        case InstrumentType.FUTURE:
            return Fees(
                commission=quantity * 1,
                clearing=quantity * Decimal("0.30"),
                exchange=quantity * Decimal("1.38"),
                nfa=quantity * Decimal("0.02"),
            )
        case InstrumentType.FUTURE_OPTION:
            return Fees(
                commission=quantity * Decimal("2.50") if opens else ZERO,
                clearing=quantity * Decimal("0.30"),
                exchange=quantity * Decimal("0.60"),
                nfa=quantity * Decimal("0.02"),
            )
        case InstrumentType.CRYPTOCURRENCY:
            return Fees(commission=min(value / 100, _COMMISSION_CAP))
        case _:
            taf = ZERO if buys else min(quantity * Decimal("0.000166"), _TAF_CAP)
            return Fees(clearing=quantity * Decimal("0.001"), taf=taf)


def _debit_fields(name: str, amount: Decimal) -> dict[str, str]:
    return {name: format_decimal(amount), f"{name}-effect": _effect_of(amount)}


def _breakdown_entry(name: str, amount: Decimal) -> dict[str, str]:
    return {"name": name, "value": format_decimal(amount), "effect": _effect_of(amount)}


def _effect_of(amount: Decimal) -> str:
    return (Effect.DEBIT if amount else Effect.NONE).value
