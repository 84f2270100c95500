"""Tells the account streamer what changed: always the full object, in the order it happened."""

from __future__ import annotations

__all__ = ["Notices"]

from server.simulator.exchange.account import Account
from server.simulator.exchange.balances import weigh
from server.simulator.exchange.contracts import Publisher, Venue
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.moments import Clock, new_york_day
from server.simulator.exchange.orders import Order
from server.simulator.exchange.registry import Registry
from server.simulator.exchange.views.balances import balance_json
from server.simulator.exchange.views.orders import complex_order_json, order_json
from server.simulator.exchange.views.positions import position_json


class Notices:
    """Publishes orders, positions and balances."""

    def __init__(
        self, publisher: Publisher, registry: Registry, venue: Venue, clock: Clock
    ) -> None:
        self._publisher = publisher
        self._registry = registry
        self._venue = venue
        self._clock = clock
        self.muted = False
        """True while an account's past is written: nobody is told about history."""

    def order(self, order: Order) -> None:
        """Publishes an order, and the complex order that it is part of."""
        if self.muted:
            return

        number = order.account_number
        self._publisher.publish(number, "Order", order_json(order))
        if (whole := self._registry.relatives(order)) is not None:
            self._publisher.publish(number, "ComplexOrder", complex_order_json(whole))

    def holding(self, account: Account, symbol: str) -> None:
        """Publishes a position after a fill, and the balance that it left."""
        if self.muted:
            return

        marks = Marks(self._venue)
        today = new_york_day(self._clock.now())
        position = account.positions.get(symbol)
        if position is not None:
            self._publisher.publish(
                account.number,
                "CurrentPosition",
                position_json(account.number, position, marks, today=today, with_marks=False),
            )

        self.balance(account, marks)

    def balance(self, account: Account, marks: Marks | None = None) -> None:
        """Publishes an account's balance."""
        if self.muted:
            return

        now = self._clock.now()
        balances = weigh(
            account,
            marks or Marks(self._venue),
            reserved=self._registry.reserved(account.number),
        )
        self._publisher.publish(
            account.number,
            "AccountBalance",
            balance_json(account.number, balances, at=now, day=new_york_day(now)),
        )
