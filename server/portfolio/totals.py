"""Sums up valued positions."""

from __future__ import annotations

__all__ = ["Exposure", "Totals", "totals_of"]

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from server.portfolio.valuation import ValuedPosition

ZERO = Decimal(0)
TO_THE_CENT = Decimal("0.0001")
"""Weighted deltas are quotients: more digits than these would only look exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Holds what beta-weighting needs: the underlying's beta to SPY, and both prices."""

    beta: Decimal | None
    underlying_price: Decimal | None
    spy_price: Decimal | None

    def weighted(self, delta: Decimal) -> Decimal | None:
        """Returns the delta in shares of SPY, or None where something is missing."""
        if self.beta is None or self.underlying_price is None or not self.spy_price:
            return None
        return delta * self.beta * self.underlying_price / self.spy_price


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Holds sums over all positions; those without a figure are left out of its sum, and named."""

    unrealized_pnl: Decimal
    market_value: Decimal
    delta: Decimal
    gamma: Decimal
    theta: Decimal
    vega: Decimal
    beta_weighted_delta: Decimal | None
    incomplete: tuple[str, ...]


def totals_of(positions: Iterable[ValuedPosition], exposures: Mapping[str, Exposure]) -> Totals:
    """Returns the sums; `exposures` is by underlying symbol."""
    sums = dict.fromkeys(("pnl", "value", "delta", "gamma", "theta", "vega"), ZERO)
    weighted: Decimal | None = None
    incomplete: list[str] = []
    for each in positions:
        greeks = each.position_greeks
        figures: dict[str, Decimal | None] = {
            "pnl": each.unrealized_pnl,
            "value": each.market_value,
            "delta": greeks.delta,
        }
        if each.position.is_option:
            figures |= {"gamma": greeks.gamma, "theta": greeks.theta, "vega": greeks.vega}
        for name, figure in figures.items():
            sums[name] += figure or ZERO

        share = None
        exposure = exposures.get(each.position.underlying_symbol)
        if exposure is not None and greeks.delta is not None:
            share = exposure.weighted(greeks.delta)
        if share is not None:
            weighted = share + (weighted or ZERO)
        if share is None or None in figures.values():
            incomplete.append(each.position.symbol)

    return Totals(
        unrealized_pnl=sums["pnl"],
        market_value=sums["value"],
        delta=sums["delta"],
        gamma=sums["gamma"],
        theta=sums["theta"],
        vega=sums["vega"],
        beta_weighted_delta=None if weighted is None else weighted.quantize(TO_THE_CENT),
        incomplete=tuple(incomplete),
    )
