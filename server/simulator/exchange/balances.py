"""Calculates what an account is worth and what it may still spend.

Nothing is stored: balances are derived from the ledger, the positions and one set of marks, so they
cannot lag behind a fill.
"""

from __future__ import annotations

__all__ = ["Balances", "calculate_balances", "collect_exposures", "select_margin_rates"]

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from server.simulator.exchange.account import Account
from server.simulator.exchange.contracts import Contract
from server.simulator.exchange.margin import (
    CASH,
    REG_T,
    Exposure,
    MarginRates,
    Requirement,
    calculate_requirement,
)
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.money import ZERO, round_cents
from server.simulator.exchange.positions import Position
from server.simulator.exchange.vocabulary import InstrumentType

DAY_TRADER_EQUITY = Decimal(25_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balances:
    """Holds the figures of the broker's balance object, signed and in dollars."""

    cash: Decimal
    net_liquidating_value: Decimal
    requirement: Requirement
    reserved: Decimal
    """Buying power that working orders reserve."""

    long: Mapping[str, Decimal]
    """Value of long positions by group: equity, derivative, futures, …"""

    short: Mapping[str, Decimal]
    """Value of short positions by group, positive as the broker writes it."""

    margin: bool

    @property
    def option_buying_power(self) -> Decimal:
        """Amount that may be spent without borrowing."""
        return self.net_liquidating_value - self.requirement.initial - self.reserved

    @property
    def equity_buying_power(self) -> Decimal:
        if not self.margin:
            return self.option_buying_power

        return self.option_buying_power / REG_T.long_initial

    @property
    def maintenance_excess(self) -> Decimal:
        return self.net_liquidating_value - self.requirement.maintenance

    @property
    def day_trading_buying_power(self) -> Decimal:
        """Four times the excess if the account has the equity of a day trader, else zero."""
        if not self.margin or self.net_liquidating_value < DAY_TRADER_EQUITY:
            return ZERO

        return max(ZERO, self.maintenance_excess * 4)

    @property
    def withdrawable(self) -> Decimal:
        return max(ZERO, min(self.cash, self.option_buying_power))


def select_margin_rates(account: Account) -> MarginRates:
    return REG_T if account.profile.margin else CASH


def collect_exposures(positions: Iterable[Position], marks: Marks) -> list[Exposure]:
    """Returns the open positions with the prices that their margin requirement depends on."""
    held = [position for position in positions if position.quantity]
    marks.load(position.contract for position in held)
    return [
        Exposure(
            contract=position.contract,
            quantity=position.quantity,
            mark=marks.mark(position.contract),
            spot=marks.spot(position.contract),
        )
        for position in held
    ]


def calculate_balances(
    account: Account,
    marks: Marks,
    *,
    positions: Mapping[str, Position] | None = None,
    cash: Decimal | None = None,
    reserved: Decimal = ZERO,
) -> Balances:
    """Returns an account's balances, or those with other positions and cash."""
    held = account.positions if positions is None else positions
    money = account.ledger.cash if cash is None else cash
    long: dict[str, Decimal] = {}
    short: dict[str, Decimal] = {}
    value = money
    marks.load(position.contract for position in held.values() if position.quantity)
    for position in held.values():
        if not position.quantity:
            continue

        market_value = marks.market_value(position.contract, position.quantity)
        # A future counts only with its gain since the last settlement, not with its notional value.
        value += market_value - position.cost if position.contract.pays_variation else market_value
        side = long if position.quantity > 0 else short
        for group in _find_balance_groups(position.contract):
            side[group] = side.get(group, ZERO) + abs(market_value)

    return Balances(
        cash=money,
        net_liquidating_value=round_cents(value),
        requirement=calculate_requirement(
            collect_exposures(held.values(), marks), select_margin_rates(account)
        ),
        reserved=reserved,
        long={group: round_cents(market_value) for group, market_value in long.items()},
        short={group: round_cents(market_value) for group, market_value in short.items()},
        margin=account.profile.margin,
    )


def _find_balance_groups(contract: Contract) -> tuple[str, ...]:
    match contract.instrument_type:
        case InstrumentType.EQUITY_OPTION if (
            contract.underlying_instrument_type is InstrumentType.INDEX
        ):
            return ("derivative", "index-derivative")
        case InstrumentType.EQUITY_OPTION:
            return ("derivative",)
        case InstrumentType.FUTURE:
            return ("futures",)
        case InstrumentType.FUTURE_OPTION:
            return ("futures-derivative",)
        case InstrumentType.CRYPTOCURRENCY:
            return ("cryptocurrency",)
        case _:
            return ("equity", "margineable")
