"""Publishes changes of orders, positions and balances to account streamers.

Always sends the whole object, in the order of the events.
"""

from __future__ import annotations

__all__ = ["Notifier"]

from server.simulator.exchange.account import Account
from server.simulator.exchange.balances import calculate_balances
from server.simulator.exchange.clock import Clock, new_york_date
from server.simulator.exchange.contracts import Publisher, Venue
from server.simulator.exchange.ledger import Transaction
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.orders import Order
from server.simulator.exchange.registry import Registry
from server.simulator.exchange.views.balances import balance_json
from server.simulator.exchange.views.orders import complex_order_json, order_json
from server.simulator.exchange.views.positions import position_json
from server.simulator.exchange.views.transactions import (
    external_transaction_json,
    year_gain_json,
)


class Notifier:
    """Publishes orders, positions and balances."""

    def __init__(
        self, publisher: Publisher, registry: Registry, venue: Venue, clock: Clock
    ) -> None:
        self._publisher = publisher
        self._registry = registry
        self._venue = venue
        self._clock = clock
        self.muted = False
        """True while an account's history is booked, which nobody is notified about."""

    def publish_order(self, order: Order) -> None:
        """Publishes an order, and the complex order that it belongs to."""
        if self.muted:
            return

        number = order.account_number
        self._publisher.publish(number, "Order", order_json(order))
        if (complex_order := self._registry.find_complex_order(order)) is not None:
            self._publisher.publish(number, "ComplexOrder", complex_order_json(complex_order))

    def publish_position(self, account: Account, symbol: str) -> None:
        """Publishes a position after a fill, and the new balance."""
        if self.muted:
            return

        marks = Marks(self._venue)
        today = new_york_date(self._clock.now())
        position = account.positions.get(symbol)
        if position is not None:
            self._publisher.publish(
                account.number,
                "CurrentPosition",
                position_json(account.number, position, marks, today=today, with_marks=False),
            )

            if position.realized_on == today:
                # The broker sends the year's gain of an underlying whenever it may have changed.
                self._publisher.publish(
                    account.number,
                    "UnderlyingYearGainSummary",
                    year_gain_json(account, position.contract, today.year),
                )

        self.publish_balance(account, marks)

    def publish_transfer(self, account: Account, transaction: Transaction) -> None:
        """Publishes a deposit or withdrawal, and the new balance."""
        if not self.muted:
            self._publisher.publish(
                account.number, "ExternalTransaction", external_transaction_json(transaction)
            )
            self.publish_balance(account)

    def publish_balance(self, account: Account, marks: Marks | None = None) -> None:
        """Publishes an account's balance."""
        if self.muted:
            return

        now = self._clock.now()
        balances = calculate_balances(
            account,
            marks or Marks(self._venue),
            reserved=self._registry.reserved(account.number),
        )
        self._publisher.publish(
            account.number,
            "AccountBalance",
            balance_json(account.number, balances, at=now, day=new_york_date(now)),
        )
