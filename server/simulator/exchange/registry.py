"""Stores everything that the exchange keeps, by number: accounts, orders, complex orders.

The only place that issues ids. Orders of all accounts share one sequence of numbers, so an id of
another account exists; asking for it must look like asking for one that does not exist.
"""

from __future__ import annotations

__all__ = ["Registry"]

import itertools
from collections.abc import Iterable
from decimal import Decimal

from server.simulator.exchange.account import Account
from server.simulator.exchange.complex_orders import ComplexOrder
from server.simulator.exchange.money import ZERO
from server.simulator.exchange.orders import Order

FIRST_ORDER = 1_000_001
FIRST_COMPLEX = 50_001
FIRST_TRANSACTION = 2_000_001


class Registry:
    """Stores the state of the exchange; it has no rules of its own."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.orders: dict[int, Order] = {}
        self.complex_orders: dict[int, ComplexOrder] = {}
        self.working: dict[int, Order] = {}
        """Orders that each step looks at, oldest first."""

        self._reserved: dict[str, Decimal] = {}
        self._by_account: dict[str, dict[int, Order]] = {}
        self._order_ids = itertools.count(FIRST_ORDER)
        self._complex_ids = itertools.count(FIRST_COMPLEX)
        self._transaction_ids = itertools.count(FIRST_TRANSACTION)
        self._executions = itertools.count(1)

    def next_order_id(self) -> int:
        return next(self._order_ids)

    def next_complex_id(self) -> int:
        return next(self._complex_ids)

    def next_transaction_id(self) -> int:
        return next(self._transaction_ids)

    def next_execution_id(self) -> int:
        return next(self._executions)

    def add(self, order: Order) -> None:
        """Stores an order, and lets it work unless it has ended."""
        self.orders[order.id] = order
        self._by_account.setdefault(order.account_number, {})[order.id] = order
        if not order.status.terminal:
            self.working[order.id] = order

    def orders_of(self, account_number: str) -> Iterable[Order]:
        """Returns an account's orders, oldest first."""
        return self._by_account.get(account_number, {}).values()

    def complex_orders_of(self, account_number: str) -> list[ComplexOrder]:
        """Returns an account's complex orders, oldest first."""
        return [one for one in self.complex_orders.values() if one.account_number == account_number]

    def reserve(self, order: Order, amount: Decimal) -> None:
        """Sets the buying power that an order reserves, and updates the account's sum."""
        number = order.account_number
        self._reserved[number] = self.reserved(number) + amount - order.reserved
        order.reserved = amount

    def reserved(self, account_number: str) -> Decimal:
        """Returns the buying power that an account's working orders reserve."""
        return self._reserved.get(account_number, ZERO)

    def find_complex_order(self, order: Order) -> ComplexOrder | None:
        """Returns the complex order that an order belongs to, or None."""
        return None if order.complex_id is None else self.complex_orders.get(order.complex_id)
