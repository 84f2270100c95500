"""Calculates margin requirements in the manner of Regulation T.

A requirement is stated against net liquidating value, so buying power is what remains of that
value. Per underlying:

| position | initial | maintenance |
|---|---|---|
| long stock | 50 % of its value (cash account: 100 %) | 25 % |
| short stock | 50 % on top of the proceeds | 30 % |
| long option | its value: paid in full, no loan value | the same |
| short option, covered by stock | nothing beyond the stock | the same |
| short option, spread | the spread's greatest loss, less what the pair is worth | the same |
| short option, naked | 20 % of the underlying less what it is out of the money, | the same |
| | at least 10 % of underlying (call) or strike (put), at least 250 dollars | |
| strangle, condor | the greater side, plus the value of the other side's naked shorts | the same |
| cash account, short put | the strike, in cash | the same |
| future | a fixed amount a contract, else 8 % of its notional value | the same |
| future option, short | as a naked option with the future's amount in place of the 20 % | |
| cryptocurrency | its value | the same |

Longs that expire before a short do not cover it. Pairs are chosen greedily, the cheapest first.
"""

from __future__ import annotations

__all__ = [
    "CASH",
    "REG_T",
    "Exposure",
    "MarginRates",
    "Requirement",
    "UnderlyingRequirement",
    "calculate_requirement",
]

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from server.simulator.exchange.contracts import Contract
from server.simulator.exchange.money import ZERO, round_cents
from server.simulator.exchange.vocabulary import InstrumentType

_FUTURES = {
    "ES": Decimal(22_000),
    "MES": Decimal(2_200),
    "NQ": Decimal(33_000),
    "MNQ": Decimal(3_300),
    "CL": Decimal(6_500),
    "MCL": Decimal(650),
    "GC": Decimal(16_000),
    "MGC": Decimal(1_600),
    "ZB": Decimal(4_200),
}
_FUTURE_RATE = Decimal("0.08")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginRates:
    """Holds the rates of one kind of account."""

    long_initial: Decimal
    long_maintenance: Decimal
    short_initial: Decimal = Decimal("0.5")
    short_maintenance: Decimal = Decimal("0.3")
    naked_standard: Decimal = Decimal("0.2")
    naked_minimum: Decimal = Decimal("0.1")
    naked_floor: Decimal = Decimal(250)
    cash: bool = False
    """True: short puts are secured by their strike, and nothing is lent."""


REG_T = MarginRates(long_initial=Decimal("0.5"), long_maintenance=Decimal("0.25"))
CASH = MarginRates(long_initial=Decimal(1), long_maintenance=Decimal(1), cash=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Holds a position with the prices that its requirement depends on."""

    contract: Contract
    quantity: Decimal
    mark: Decimal
    spot: Decimal
    """The price of the underlying."""

    @property
    def market_value(self) -> Decimal:
        return self.mark * self.quantity * self.contract.multiplier


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderlyingRequirement:
    """Holds the requirement of all positions in one underlying."""

    underlying: str
    underlying_instrument_type: InstrumentType
    initial: Decimal
    maintenance: Decimal
    futures: Decimal = ZERO
    """The part that is for futures."""

    crypto: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """Holds the requirement of an account, in total and by underlying."""

    groups: tuple[UnderlyingRequirement, ...]

    @property
    def initial(self) -> Decimal:
        return sum((group.initial for group in self.groups), ZERO)

    @property
    def maintenance(self) -> Decimal:
        return sum((group.maintenance for group in self.groups), ZERO)

    @property
    def futures(self) -> Decimal:
        return sum((group.futures for group in self.groups), ZERO)

    @property
    def crypto(self) -> Decimal:
        return sum((group.crypto for group in self.groups), ZERO)


def calculate_requirement(exposures: Iterable[Exposure], rates: MarginRates) -> Requirement:
    """Returns the requirement of some exposures, to the cent."""
    by_underlying: defaultdict[str, list[Exposure]] = defaultdict(list)
    for exposure in exposures:
        if exposure.quantity:
            by_underlying[exposure.contract.underlying].append(exposure)

    return Requirement(
        groups=tuple(
            _calculate_group(underlying, by_underlying[underlying], rates)
            for underlying in sorted(by_underlying)
        )
    )


def _calculate_group(
    underlying: str, exposures: list[Exposure], rates: MarginRates
) -> UnderlyingRequirement:
    initial = maintenance = futures = crypto = ZERO
    shares = ZERO
    options: list[Exposure] = []
    for exposure in exposures:
        market_value = abs(exposure.market_value)
        match exposure.contract.instrument_type:
            case InstrumentType.EQUITY | InstrumentType.WARRANT | InstrumentType.INDEX:
                shares += exposure.quantity
                long = exposure.quantity > 0
                initial += market_value * (rates.long_initial if long else rates.short_initial)
                maintenance += market_value * (
                    rates.long_maintenance if long else rates.short_maintenance
                )
            case InstrumentType.CRYPTOCURRENCY:
                initial += market_value
                maintenance += market_value
                crypto += market_value
            case InstrumentType.FUTURE:
                futures += abs(exposure.quantity) * _future_rate(exposure)
            case _:
                options.append(exposure)

    bound = _calculate_options(options, shares, rates)
    kind = exposures[0].contract.underlying_instrument_type
    return UnderlyingRequirement(
        underlying=underlying,
        underlying_instrument_type=kind,
        initial=round_cents(initial + futures + bound),
        maintenance=round_cents(maintenance + futures + bound),
        futures=round_cents(futures),
        crypto=round_cents(crypto),
    )


@dataclass(slots=True)
class _SideRequirement:
    """Holds the cash requirement of the short calls (or the short puts) of one underlying."""

    spreads: Decimal = ZERO
    naked: Decimal = ZERO
    naked_worth: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.spreads + self.naked


def _calculate_options(options: list[Exposure], shares: Decimal, rates: MarginRates) -> Decimal:
    # Calculated in cash first (the greatest loss of the shorts), then against net liquidating
    # value, which already includes the market value of all of them.
    market_value = sum((option.market_value for option in options), ZERO)
    calls = _calculate_side([one for one in options if one.contract.call], max(shares, ZERO), rates)
    puts = _calculate_side(
        [one for one in options if one.contract.is_put], max(-shares, ZERO), rates
    )
    greater, lesser = (calls, puts) if calls.total >= puts.total else (puts, calls)
    cash = greater.total + lesser.naked_worth
    if rates.cash:
        cash = calls.total + puts.total

    return cash + market_value


def _calculate_side(
    options: list[Exposure], cover: Decimal, rates: MarginRates
) -> _SideRequirement:
    side = _SideRequirement()
    longs = [one for one in options if one.quantity > 0]
    available = {one.contract.symbol: one.quantity for one in longs}
    for short in sorted((one for one in options if one.quantity < 0), key=_pairing_order):
        left = -short.quantity
        if short.contract.instrument_type is InstrumentType.EQUITY_OPTION:
            covered = min(left, cover // short.contract.multiplier)
            cover -= covered * short.contract.multiplier
            left -= covered
            # Covered by stock: the loss of the call is the gain of the stock.
            side.spreads += covered * short.mark * short.contract.multiplier

        for long in sorted(longs, key=lambda one: _spread_loss(short.contract, one.contract)):
            symbol = long.contract.symbol
            if _covers(short.contract, long.contract):
                paired = min(left, available[symbol])
                available[symbol] -= paired
                left -= paired
                side.spreads += paired * _spread_loss(short.contract, long.contract)

        side.naked += left * _naked_requirement(short, rates)
        side.naked_worth += left * short.mark * short.contract.multiplier

    return side


def _pairing_order(short: Exposure) -> tuple[datetime, Decimal]:
    strike = short.contract.strike or ZERO
    expires = short.contract.expires_at or datetime.max.replace(tzinfo=UTC)
    return expires, strike if short.contract.call else -strike


def _covers(short: Contract, long: Contract) -> bool:
    if short.expires_at is None or long.expires_at is None:
        return False

    return long.expires_at >= short.expires_at and long.multiplier == short.multiplier


def _spread_loss(short: Contract, long: Contract) -> Decimal:
    width = (long.strike or ZERO) - (short.strike or ZERO)
    return max(ZERO, width if short.call else -width) * short.multiplier


def _naked_requirement(short: Exposure, rates: MarginRates) -> Decimal:
    contract, multiplier = short.contract, short.contract.multiplier
    strike = contract.strike or ZERO
    premium = short.mark * multiplier
    if rates.cash and contract.is_put:
        return strike * multiplier

    out_of_the_money = max(ZERO, strike - short.spot if contract.call else short.spot - strike)
    if contract.instrument_type is InstrumentType.FUTURE_OPTION:
        standard = _FUTURES.get(contract.product, short.spot * multiplier * _FUTURE_RATE)
        return premium + max(standard - out_of_the_money * multiplier, standard / 2)

    standard = short.spot * rates.naked_standard - out_of_the_money
    minimum = (short.spot if contract.call else strike) * rates.naked_minimum
    return premium + max(max(standard, minimum) * multiplier, rates.naked_floor)


def _future_rate(exposure: Exposure) -> Decimal:
    notional = exposure.mark * exposure.contract.multiplier
    return _FUTURES.get(exposure.contract.product, notional * _FUTURE_RATE)
