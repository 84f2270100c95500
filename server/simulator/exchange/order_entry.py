"""Takes orders in: checks them, answers dry runs, accepts, cancels and replaces.

The broker does not recognise a repeated order: the same request twice is two orders, whatever its
`external-identifier` says. Nothing here waits; what takes time happens on the floor.
"""

from __future__ import annotations

__all__ = ["Desk", "remaining_ticket"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from server.simulator.envelope import BrokerError
from server.simulator.exchange.account import Account
from server.simulator.exchange.clock import Clock
from server.simulator.exchange.complex_orders import ComplexOrder, tag
from server.simulator.exchange.contingent_orders import Links
from server.simulator.exchange.matching_engine import Floor
from server.simulator.exchange.money import ZERO, cents
from server.simulator.exchange.notifier import Notices
from server.simulator.exchange.orders import Order, Ticket
from server.simulator.exchange.positions import Position
from server.simulator.exchange.preflight_checks import Check, Checks
from server.simulator.exchange.problems import refusal
from server.simulator.exchange.registry import Registry
from server.simulator.exchange.settings import ExchangeSettings
from server.simulator.exchange.vocabulary import (
    OrderType,
    Status,
)


class Desk:
    """The order entry of the exchange."""

    def __init__(
        self,
        registry: Registry,
        checks: Checks,
        clock: Clock,
        notices: Notices,
        settings: ExchangeSettings,
        floor: Floor,
        links: Links,
        script: Callable[[str, Ticket], Ticket],
    ) -> None:
        self._registry = registry
        self._checks = checks
        self._clock = clock
        self._notices = notices
        self._settings = settings
        self._floor = floor
        self._links = links
        self._script = script

    def check(self, account: Account, ticket: Ticket) -> Check:
        """Returns what placing an order would mean; one that breaks a rule is refused here."""
        return self._checks.check(account, ticket)

    def place(self, account: Account, ticket: Ticket) -> Check:
        """Accepts an order, or refuses it with everything that is wrong with it."""
        check = self._checks.check(account, self._script(account.number, ticket))
        if check.blocked:
            raise refusal(check.found)

        order = check.order
        order.id = self._registry.next_order()
        self._registry.bind(order, _bound(check))
        self._registry.add(order)
        self._floor.route(order, order.received_at)
        return check

    def cancel(self, order: Order, by: str) -> None:
        """Asks for the end of an order; a terminal one is refused."""
        if not order.cancellable:
            raise _cannot_update(order)

        order.cancel_user = by
        self._links.cancel(order, self._clock.now())

    def replacement(self, account: Account, old: Order, ticket: Ticket) -> Check:
        """Returns what replacing an order would mean."""
        if not order_can_change(old):
            raise _cannot_update(old)

        check = self._checks.check(account, ticket, released=old.reserved)
        check.order.replaces = old.id
        check.order.complex_id, check.order.complex_tag = old.complex_id, old.complex_tag
        return check

    def replace(self, account: Account, old: Order, ticket: Ticket) -> Order:
        """Puts a new order in the place of an old one, once the old one is cancelled."""
        check = self.replacement(account, old, self._script(account.number, ticket))
        if check.blocked:
            raise refusal(check.found)

        now = self._clock.now()
        waiting = old.status is Status.CONTINGENT
        new = check.order
        new.id = self._registry.next_order()
        self._registry.bind(new, _bound(check))
        new.status = Status.CONTINGENT
        old.replacing, old.edited = new.id, True
        old.units_at_replace = old.open_units
        self._registry.add(new)
        self._notices.order(new)
        if waiting:
            # Nothing is at the exchange: the new one waits where the old one waited.
            self._floor.end(old, Status.CANCELLED, now)
        else:
            old.move(Status.REPLACE_REQUESTED, now)
            old.due = now + self._settings.replacing
            self._notices.order(old)

        return new

    def check_complex(
        self, account: Account, kind: str, trigger: Ticket | None, tickets: Sequence[Ticket]
    ) -> list[Check]:
        """Returns the checks of every order of a complex one, the trigger's first.

        Children are checked against what the account holds once the trigger is filled.
        """
        checks: list[Check] = []
        positions: Mapping[str, Position] | None = None
        cash: Decimal | None = None
        marks = self._checks.marks()
        if trigger is not None:
            first = self._checks.check(account, trigger, marks=marks)
            checks.append(first)
            positions, cash = first.effect.positions, first.effect.cash

        checks += [
            self._checks.check(account, ticket, positions=positions, cash=cash, marks=marks)
            for ticket in tickets
        ]
        for index, check in enumerate(checks):
            is_trigger = trigger is not None and index == 0
            place = index - (trigger is not None)
            check.order.complex_tag = tag(kind, trigger=is_trigger, index=place)

        return checks

    def place_complex(
        self, account: Account, kind: str, trigger: Ticket | None, tickets: Sequence[Ticket]
    ) -> tuple[ComplexOrder, list[Check]]:
        """Accepts orders that belong together, or refuses all of them."""
        scripted = [self._script(account.number, ticket) for ticket in tickets]
        checks = self.check_complex(account, kind, trigger, scripted)
        if any(check.blocked for check in checks):
            raise refusal([problem for check in checks for problem in check.found])

        number = self._registry.next_complex()
        orders = [check.order for check in checks]
        first = orders[0] if trigger is not None else None
        children = orders[1:] if trigger is not None else orders
        whole = ComplexOrder(
            id=number,
            account_number=account.number,
            type=kind,
            orders=children,
            trigger=first,
            received_at=orders[0].received_at,
        )
        self._registry.complex_orders[number] = whole
        for check in checks:
            order = check.order
            order.id = self._registry.next_order()
            order.complex_id = number
            if order is not first and first is not None:
                order.status = Status.CONTINGENT

        # One cancels the other, so only the costlier of them can ever be filled.
        working = checks[:1] if first is not None else checks
        costliest = min(working, key=lambda check: check.effect.change)
        self._registry.bind(costliest.order, _bound(costliest))
        for order in orders:
            self._registry.add(order)

        for order in orders:
            if order.status is Status.CONTINGENT:
                self._notices.order(order)
            else:
                self._floor.route(order, order.received_at)

        return whole, checks

    def cancel_complex(self, whole: ComplexOrder, by: str) -> None:
        """Asks for the end of every order of a complex one."""
        if whole.terminal_at is not None:
            raise BrokerError(
                422, "cannot_update_order", f"Complex order {whole.id} can no longer be cancelled."
            )

        now = self._clock.now()
        # Dormant children first: a trigger that is cancelled would take them with it anyway.
        waiting_first = sorted(whole.every(), key=lambda one: one.status is not Status.CONTINGENT)
        for order in waiting_first:
            if order.cancellable:
                order.cancel_user = by
                self._links.cancel(order, now)


def _bound(check: Check) -> Decimal:
    return cents(max(ZERO, -check.effect.change))


def order_can_change(order: Order) -> bool:
    """Tells whether an order may still be replaced."""
    return order.editable and order.type is not OrderType.NOTIONAL_MARKET


def remaining_ticket(order: Order) -> Ticket:
    """Returns what an order still asks for: the filled part is not asked for again."""
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
