"""Turns executions into fills, transactions and positions, one leg after the other.

The broker reports an order as Filled before the fills of all its legs are in: the first leg is
booked at once, the others some milliseconds later. A client that adds up fills when it first sees
`Filled` is wrong, here as at the broker.
"""

from __future__ import annotations

__all__ = ["Executions"]

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from server.simulator.exchange.fees import Fees, calculate_fees
from server.simulator.exchange.ledger import Origin
from server.simulator.exchange.matching import Execution
from server.simulator.exchange.money import round_cents
from server.simulator.exchange.notifier import Notifier
from server.simulator.exchange.orders import Fill, Leg, Order
from server.simulator.exchange.position_effects import resolve_fill_action
from server.simulator.exchange.registry import Registry
from server.simulator.exchange.vocabulary import CLOSING, OrderType, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class _Booking:
    """Holds a leg of an execution whose fill is still to be booked."""

    due: datetime
    order: Order
    leg: int
    quantity: Decimal
    price: Decimal
    group: str


class Executions:
    """Books fills when they are due."""

    def __init__(self, registry: Registry, notifier: Notifier, leg_gap: timedelta) -> None:
        self._registry = registry
        self._notifier = notifier
        self._leg_gap = leg_gap
        self._bookings: list[_Booking] = []
        self.count = 0
        """Number of executions so far."""

    def execute(self, order: Order, execution: Execution, at: datetime) -> None:
        """Executes units of an order and books its first leg; the last units make it Filled."""
        if order.type is OrderType.NOTIONAL_MARKET:
            leg = order.legs[0]
            leg.quantity = leg.remaining = order.open_units = execution.units

        self.count += 1
        group = f"{order.id}-{self._registry.next_execution_id()}"
        first, *others = (
            _Booking(
                due=at + position * self._leg_gap,
                order=order,
                leg=position,
                quantity=order.ratio(leg) * execution.units,
                price=price,
                group=group,
            )
            for position, (leg, price) in enumerate(zip(order.legs, execution.prices, strict=True))
        )
        left = order.open_units - execution.units
        self._registry.reserve(order, round_cents(order.reserved * left / order.open_units))
        order.open_units = left
        self._bookings += others
        self._book(first, done=not order.open_units)

    def book_due(self, now: datetime) -> None:
        """Books the legs that are due."""
        due = [booking for booking in self._bookings if booking.due <= now]
        self._bookings = [booking for booking in self._bookings if booking.due > now]
        for booking in sorted(due, key=lambda one: one.due):
            self._book(booking, done=False)

    def due_times(self) -> Iterator[datetime]:
        """Yields the instants at which legs are to be booked."""
        for booking in self._bookings:
            yield booking.due

    def _book(self, booking: _Booking, *, done: bool) -> None:
        order, leg = booking.order, booking.order.legs[booking.leg]
        account = self._registry.accounts[order.account_number]
        symbol = leg.contract.symbol
        leg.action = resolve_fill_action(leg.action, account.held(symbol), booking.quantity)
        fees = _charge_fees(leg, booking.quantity, booking.price)
        origin = Origin(
            order_id=order.id,
            exec_id=f"{self._registry.next_execution_id()}",
            leg_count=len(order.legs),
        )
        account.trade(
            leg.contract,
            leg.action,
            booking.quantity,
            booking.price,
            fees=fees,
            at=booking.due,
            origin=origin,
        )
        leg.remaining -= booking.quantity
        leg.fills.append(
            Fill(
                id=f"{order.id}_{origin.exec_id}",
                exec_id=origin.exec_id,
                group_id=booking.group,
                quantity=booking.quantity,
                price=booking.price,
                at=booking.due,
                venue=origin.venue,
            )
        )
        order.updated_at = max(order.updated_at, booking.due)
        if done and not order.status.terminal:
            order.set_status(Status.FILLED, booking.due)
            self._registry.working.pop(order.id, None)

        self._notifier.publish_order(order)
        self._notifier.publish_position(account, symbol)


def _charge_fees(leg: Leg, quantity: Decimal, price: Decimal) -> Fees:
    # Calculated over the whole leg, less what its earlier fills paid, so that caps and cents are
    # right.
    leg.traded_value += price * quantity * leg.contract.multiplier
    due = calculate_fees(
        leg.contract,
        leg.filled + quantity,
        buys=leg.action.side > 0,
        opens=leg.action not in CLOSING,
        value=leg.traded_value,
    ).rounded()
    owed = due - leg.charged
    leg.charged = due
    return owed
