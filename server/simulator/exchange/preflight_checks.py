"""Checks an order before it is accepted: rules, position effects, permissions and buying power.

A check changes nothing; a dry run is a check and nothing else.
"""

from __future__ import annotations

__all__ = ["SIZE_LIMITS", "PreflightCheck", "PreflightChecker"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from server.simulator.exchange import problems
from server.simulator.exchange.account import Account
from server.simulator.exchange.buying_power import (
    BuyingPowerEffect,
    calculate_buying_power_effect,
    calculate_order_fees,
)
from server.simulator.exchange.clock import Clock, new_york_date
from server.simulator.exchange.contracts import Contract, Venue
from server.simulator.exchange.fees import Fees
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.money import ZERO
from server.simulator.exchange.order_rules import find_broken_rules
from server.simulator.exchange.orders import Leg, Order, Ticket
from server.simulator.exchange.position_effects import resolve_position_effects
from server.simulator.exchange.positions import Position
from server.simulator.exchange.problems import Problem, preflight_failure
from server.simulator.exchange.registry import Registry
from server.simulator.exchange.vocabulary import CLOSING, Action, InstrumentType, TimeInForce

SIZE_LIMITS: Mapping[str, int] = {
    "equity-order-size": 50_000,
    "equity-position-size": 500_000,
    "equity-option-order-size": 5_000,
    "equity-option-position-size": 50_000,
    "future-order-size": 500,
    "future-position-size": 5_000,
    "future-option-order-size": 500,
    "future-option-position-size": 5_000,
    "underlying-opening-order-limit": 1_000,
}
"""What `/position-limit` answers, and what an order is checked against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightCheck:
    """Holds an order with everything that the preflight check found."""

    order: Order
    problems: tuple[Problem, ...]
    effect: BuyingPowerEffect
    fees: Fees

    @property
    def blocked(self) -> bool:
        return any(problem.blocks for problem in self.problems)


class PreflightChecker:
    """Checks tickets against an account, the market and the rules."""

    def __init__(self, registry: Registry, venue: Venue, clock: Clock) -> None:
        self._registry = registry
        self._venue = venue
        self._clock = clock

    def look_at_market(self) -> Marks:
        """Returns new marks, to be shared by checks that belong together."""
        return Marks(self._venue)

    def check(
        self,
        account: Account,
        ticket: Ticket,
        *,
        positions: Mapping[str, Position] | None = None,
        cash: Decimal | None = None,
        released: Decimal = ZERO,
        marks: Marks | None = None,
    ) -> PreflightCheck:
        """Returns the result of checking a ticket; one that breaks a rule is refused here.

        `positions` and `cash` are those that the order will meet (after a trigger's fill),
        `released` is the buying power that a replaced order gives back.
        """
        now = self._clock.now()
        today = new_york_date(now)
        contracts = [self._venue.find(leg.symbol) for leg in ticket.legs]
        if broken := find_broken_rules(ticket, contracts, now=now, today=today):
            raise preflight_failure(broken)

        known = [contract for contract in contracts if contract is not None]
        held = account.positions if positions is None else positions
        actions, found = resolve_position_effects(ticket, known, held)
        order = self._make_order(account, ticket, known, actions, now)
        found += self._check_permissions(account, order)
        marks = marks or Marks(self._venue)
        effect = calculate_buying_power_effect(
            account,
            order,
            marks,
            at=now,
            day=today,
            reserved=self._registry.reserved(account.number) - released,
            positions=positions,
            cash=cash,
        )
        if effect.refused:
            found.append(problems.margin_check_failed())

        if not all(self._venue.is_open(contract) for contract in known):
            found.append(problems.next_session())

        return PreflightCheck(
            order=order,
            problems=tuple(found),
            effect=effect,
            fees=calculate_order_fees(order, marks),
        )

    def _make_order(
        self,
        account: Account,
        ticket: Ticket,
        contracts: Sequence[Contract],
        actions: Sequence[Action],
        now: datetime,
    ) -> Order:
        legs = [
            Leg(
                contract=contract,
                action=action,
                quantity=leg.quantity,
                remaining=leg.quantity or ZERO,
            )
            for leg, contract, action in zip(ticket.legs, contracts, actions, strict=True)
        ]
        order = Order(
            id=0,
            account_number=account.number,
            ticket=ticket,
            legs=legs,
            received_at=now,
            updated_at=now,
            expires_at=self._find_expiry(ticket, now),
        )
        order.open_units = order.size or Decimal(1)
        return order

    def _find_expiry(self, ticket: Ticket, now: datetime) -> datetime | None:
        force = ticket.time_in_force
        if force is TimeInForce.GTD and ticket.gtc_date is not None:
            return self._venue.session_end(_afternoon_of(ticket.gtc_date, now))

        if force.outlives_the_day or force is TimeInForce.IOC:
            return None

        return self._venue.session_end(now)

    def _check_permissions(self, account: Account, order: Order) -> list[Problem]:
        found: list[Problem] = []
        margin = account.profile.margin
        for leg in order.legs:
            contract, opens = leg.contract, leg.action not in CLOSING
            if contract.closing_only and opens:
                found.append(problems.closing_only(contract.symbol))

            sells_open = leg.action is Action.SELL_TO_OPEN
            if not margin and sells_open and contract.instrument_type is InstrumentType.EQUITY:
                found.append(problems.not_permitted("sell short"))

            if contract.instrument_type is InstrumentType.CRYPTOCURRENCY and sells_open:
                found.append(problems.not_permitted("sell short"))

            if (
                contract.instrument_type in (InstrumentType.FUTURE, InstrumentType.FUTURE_OPTION)
                and not account.profile.futures
            ):
                found.append(problems.not_permitted("trade futures"))

            covered = account.held(contract.underlying) >= contract.multiplier * (leg.quantity or 0)
            if not margin and sells_open and contract.call and not covered:
                found.append(problems.not_permitted("sell uncovered options"))

            limit = SIZE_LIMITS.get(
                f"{contract.instrument_type.value.lower().replace(' ', '-')}-order-size"
            )
            if limit is not None and (leg.quantity or ZERO) > limit:
                found.append(problems.order_too_large(limit))

        return found


def _afternoon_of(day: date, now: datetime) -> datetime:
    return datetime.combine(day, now.timetz()).replace(hour=17, minute=0)
