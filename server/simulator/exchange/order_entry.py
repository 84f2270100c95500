"""Takes orders in: checks them, answers dry runs, accepts, cancels and replaces them.

The broker does not recognise a repeated order: the same request twice is two orders, whatever its
`external-identifier` says. Nothing here waits; what takes time happens in the matching engine.
"""

from __future__ import annotations

__all__ = ["OrderEntry", "make_remaining_ticket"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from server.simulator.envelope import BrokerError
from server.simulator.exchange.account import Account
from server.simulator.exchange.clock import Clock
from server.simulator.exchange.complex_orders import ComplexOrder, make_tag
from server.simulator.exchange.contingent_orders import ContingentOrders
from server.simulator.exchange.matching_engine import MatchingEngine
from server.simulator.exchange.money import ZERO, round_cents
from server.simulator.exchange.notifier import Notifier
from server.simulator.exchange.orders import Order, Ticket
from server.simulator.exchange.positions import Position
from server.simulator.exchange.preflight_checks import PreflightCheck, PreflightChecker
from server.simulator.exchange.problems import preflight_failure
from server.simulator.exchange.registry import Registry
from server.simulator.exchange.settings import ExchangeSettings
from server.simulator.exchange.vocabulary import (
    OrderType,
    Status,
)


class OrderEntry:
    """Accepts, cancels and replaces orders, or refuses to."""

    def __init__(
        self,
        registry: Registry,
        checker: PreflightChecker,
        clock: Clock,
        notifier: Notifier,
        settings: ExchangeSettings,
        matching_engine: MatchingEngine,
        contingent_orders: ContingentOrders,
        script: Callable[[str, Ticket], Ticket],
    ) -> None:
        self._registry = registry
        self._checker = checker
        self._clock = clock
        self._notifier = notifier
        self._settings = settings
        self._matching_engine = matching_engine
        self._contingent_orders = contingent_orders
        self._script = script

    def check(self, account: Account, ticket: Ticket) -> PreflightCheck:
        """Checks an order without placing it; one that breaks a rule is refused here."""
        return self._checker.check(account, ticket)

    def place(self, account: Account, ticket: Ticket) -> PreflightCheck:
        """Accepts an order, or refuses it with everything that is wrong with it."""
        check = self._checker.check(account, self._script(account.number, ticket))
        if check.blocked:
            raise preflight_failure(check.problems)

        order = check.order
        order.id = self._registry.next_order_id()
        self._registry.reserve(order, _buying_power_to_reserve(check))
        self._registry.add(order)
        self._matching_engine.route(order, order.received_at)
        return check

    def cancel(self, order: Order, by: str) -> None:
        """Requests the cancellation of an order; refuses it for one that has ended."""
        if not order.cancellable:
            raise _cannot_update(order)

        order.cancel_user = by
        self._contingent_orders.cancel(order, self._clock.now())

    def check_replacement(self, account: Account, old: Order, ticket: Ticket) -> PreflightCheck:
        """Checks a replacement without placing it."""
        if not is_replaceable(old):
            raise _cannot_update(old)

        check = self._checker.check(account, ticket, released=old.reserved)
        check.order.replaces = old.id
        check.order.complex_id, check.order.complex_tag = old.complex_id, old.complex_tag
        return check

    def replace(self, account: Account, old: Order, ticket: Ticket) -> Order:
        """Places a new order that takes effect once the old one is cancelled."""
        check = self.check_replacement(account, old, self._script(account.number, ticket))
        if check.blocked:
            raise preflight_failure(check.problems)

        now = self._clock.now()
        waiting = old.status is Status.CONTINGENT
        new = check.order
        new.id = self._registry.next_order_id()
        self._registry.reserve(new, _buying_power_to_reserve(check))
        new.status = Status.CONTINGENT
        old.replacing, old.edited = new.id, True
        old.units_at_replace = old.open_units
        self._registry.add(new)
        self._notifier.publish_order(new)
        if waiting:
            # The old order is not at the exchange: the new one waits in its place.
            self._matching_engine.end(old, Status.CANCELLED, now)
        else:
            old.set_status(Status.REPLACE_REQUESTED, now)
            old.due = now + self._settings.replacing
            self._notifier.publish_order(old)

        return new

    def check_complex(
        self, account: Account, kind: str, trigger: Ticket | None, tickets: Sequence[Ticket]
    ) -> list[PreflightCheck]:
        """Returns the checks of every order of a complex one, the trigger's first.

        Children are checked against the positions and cash after the trigger's fill.
        """
        checks: list[PreflightCheck] = []
        positions: Mapping[str, Position] | None = None
        cash: Decimal | None = None
        marks = self._checker.look_at_market()
        if trigger is not None:
            first = self._checker.check(account, trigger, marks=marks)
            checks.append(first)
            positions, cash = first.effect.positions, first.effect.cash

        checks += [
            self._checker.check(account, ticket, positions=positions, cash=cash, marks=marks)
            for ticket in tickets
        ]
        for index, check in enumerate(checks):
            is_trigger = trigger is not None and index == 0
            place = index - (trigger is not None)
            check.order.complex_tag = make_tag(kind, trigger=is_trigger, index=place)

        return checks

    def place_complex(
        self, account: Account, kind: str, trigger: Ticket | None, tickets: Sequence[Ticket]
    ) -> tuple[ComplexOrder, list[PreflightCheck]]:
        """Accepts the orders of a complex order, or refuses all of them."""
        scripted = [self._script(account.number, ticket) for ticket in tickets]
        checks = self.check_complex(account, kind, trigger, scripted)
        if any(check.blocked for check in checks):
            raise preflight_failure([problem for check in checks for problem in check.problems])

        number = self._registry.next_complex_id()
        orders = [check.order for check in checks]
        first = orders[0] if trigger is not None else None
        children = orders[1:] if trigger is not None else orders
        complex_order = ComplexOrder(
            id=number,
            account_number=account.number,
            type=kind,
            orders=children,
            trigger=first,
            received_at=orders[0].received_at,
        )
        self._registry.complex_orders[number] = complex_order
        for check in checks:
            order = check.order
            order.id = self._registry.next_order_id()
            order.complex_id = number
            if order is not first and first is not None:
                order.status = Status.CONTINGENT

        # One cancels the other, so only the costliest of them can be filled.
        working = checks[:1] if first is not None else checks
        costliest = min(working, key=lambda check: check.effect.change)
        self._registry.reserve(costliest.order, _buying_power_to_reserve(costliest))
        for order in orders:
            self._registry.add(order)

        for order in orders:
            if order.status is Status.CONTINGENT:
                self._notifier.publish_order(order)
            else:
                self._matching_engine.route(order, order.received_at)

        return complex_order, checks

    def cancel_complex(self, complex_order: ComplexOrder, by: str) -> None:
        """Requests the cancellation of every order of a complex one."""
        if complex_order.terminal_at is not None:
            raise BrokerError(
                422,
                "cannot_update_order",
                f"Complex order {complex_order.id} can no longer be cancelled.",
            )

        now = self._clock.now()
        # Contingent children first: cancelling the trigger would cancel them anyway.
        waiting_first = sorted(
            complex_order.all_orders(), key=lambda one: one.status is not Status.CONTINGENT
        )
        for order in waiting_first:
            if order.cancellable:
                order.cancel_user = by
                self._contingent_orders.cancel(order, now)


def _buying_power_to_reserve(check: PreflightCheck) -> Decimal:
    return round_cents(max(ZERO, -check.effect.change))


def is_replaceable(order: Order) -> bool:
    """Tells whether an order may still be replaced."""
    return order.editable and order.type is not OrderType.NOTIONAL_MARKET


def make_remaining_ticket(order: Order) -> Ticket:
    """Returns a ticket for what is left of an order, without its filled part."""
    return replace(
        order.ticket,
        legs=tuple(
            replace(asked, quantity=order.ratio(leg) * order.open_units, action=leg.action)
            for asked, leg in zip(order.ticket.legs, order.legs, strict=True)
        ),
    )


def _cannot_update(order: Order) -> BrokerError:
    return BrokerError(
        422,
        "cannot_update_order",
        f"Order {order.id} is {order.status.value} and can no longer be changed.",
    )
