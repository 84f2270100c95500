"""What an account is worth and what it may still spend, worked out from books and marks.

Nothing here is stored: balances are read off the ledger, the positions and one look at the market,
so they cannot fall behind a fill.
"""

from __future__ import annotations

__all__ = ["Balances", "exposures", "rules_of", "weigh"]

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from server.simulator.exchange.account import Account
from server.simulator.exchange.contracts import Contract
from server.simulator.exchange.margin import (
    CASH,
    REG_T,
    Exposure,
    Requirement,
    Rules,
    requirement,
)
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.money import ZERO, cents
from server.simulator.exchange.positions import Position
from server.simulator.exchange.vocabulary import Kind

DAY_TRADER_EQUITY = Decimal(25_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balances:
    """The figures that the broker's balance object is made of; all signed, in dollars."""

    cash: Decimal
    net_liquidating_value: Decimal
    requirement: Requirement
    reserved: Decimal
    """What working orders will bind when they fill."""

    long: Mapping[str, Decimal]
    """Value of long positions by group: equity, derivative, futures, …"""

    short: Mapping[str, Decimal]
    """The same of short ones, positive as the broker writes it."""

    margin: bool

    @property
    def option_buying_power(self) -> Decimal:
        """What may be spent without being lent anything."""
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
        """Four times the excess for whoever has the equity of a day trader, else nothing."""
        if not self.margin or self.net_liquidating_value < DAY_TRADER_EQUITY:
            return ZERO

        return max(ZERO, self.maintenance_excess * 4)

    @property
    def withdrawable(self) -> Decimal:
        return max(ZERO, min(self.cash, self.option_buying_power))


def rules_of(account: Account) -> Rules:
    return REG_T if account.profile.margin else CASH


def exposures(positions: Iterable[Position], marks: Marks) -> list[Exposure]:
    """Returns holdings with the prices that their requirement depends on."""
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


def weigh(
    account: Account,
    marks: Marks,
    *,
    positions: Mapping[str, Position] | None = None,
    cash: Decimal | None = None,
    reserved: Decimal = ZERO,
) -> Balances:
    """Returns an account's balances, or those it would have with other positions and cash."""
    held = account.positions if positions is None else positions
    money = account.ledger.cash if cash is None else cash
    long: dict[str, Decimal] = {}
    short: dict[str, Decimal] = {}
    value = money
    marks.load(position.contract for position in held.values() if position.quantity)
    for position in held.values():
        if not position.quantity:
            continue

        worth = marks.worth(position.contract, position.quantity)
        # A future's worth is not the customer's: only what it gained since its last settlement is.
        value += worth - position.cost if position.contract.is_future_like else worth
        side = long if position.quantity > 0 else short
        for group in _groups(position.contract):
            side[group] = side.get(group, ZERO) + abs(worth)

    return Balances(
        cash=money,
        net_liquidating_value=cents(value),
        requirement=requirement(exposures(held.values(), marks), rules_of(account)),
        reserved=reserved,
        long={group: cents(worth) for group, worth in long.items()},
        short={group: cents(worth) for group, worth in short.items()},
        margin=account.profile.margin,
    )


def _groups(contract: Contract) -> tuple[str, ...]:
    match contract.kind:
        case Kind.EQUITY_OPTION if contract.underlying_kind is Kind.INDEX:
            return ("derivative", "index-derivative")
        case Kind.EQUITY_OPTION:
            return ("derivative",)
        case Kind.FUTURE:
            return ("futures",)
        case Kind.FUTURE_OPTION:
            return ("futures-derivative",)
        case Kind.CRYPTOCURRENCY:
            return ("cryptocurrency",)
        case _:
            return ("equity", "margineable")
