"""Assembles the exchange: accounts, order entry, matching and settlement.

The exchange steps by itself inside `run`, a task of the application, or by hand: a test moves the
clock and calls `step`. Both do the same, in the same order.
"""

from __future__ import annotations

__all__ = ["Exchange", "ExchangeStatistics"]

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

from server.simulator.exchange.account import Account
from server.simulator.exchange.account_opening import AccountOpener, AccountSpec
from server.simulator.exchange.balances import Balances, calculate_balances
from server.simulator.exchange.clock import Clock
from server.simulator.exchange.contingent_orders import ContingentOrders
from server.simulator.exchange.contracts import Publisher, Venue
from server.simulator.exchange.ledger import Transaction
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.matching import Execution
from server.simulator.exchange.matching_engine import MatchingEngine
from server.simulator.exchange.notifier import Notifier
from server.simulator.exchange.order_entry import OrderEntry
from server.simulator.exchange.orders import Order, Script, Ticket
from server.simulator.exchange.preflight_checks import PreflightChecker
from server.simulator.exchange.registry import Registry
from server.simulator.exchange.settings import ExchangeSettings
from server.simulator.exchange.settlement import Settlement
from server.simulator.exchange.vocabulary import OrderType

LONGEST_PAUSE = timedelta(seconds=1)
"""Longest time between two steps of `run`: days end even when no order is working."""


class Owner(Protocol):
    """Describes the customer, as far as accounts need it."""

    @property
    def id(self) -> str: ...

    @property
    def number(self) -> int: ...

    @property
    def demo(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeStatistics:
    """Counts accounts, orders, executions, transactions and scripts."""

    accounts: int
    orders: int
    working: int
    executions: int
    rejected: int
    transactions: int
    scripts: int


class Exchange:
    """Keeps accounts, takes orders and executes them."""

    def __init__(
        self,
        *,
        venue: Venue,
        clock: Clock,
        publisher: Publisher,
        settings: ExchangeSettings | None = None,
    ) -> None:
        self.settings = settings or ExchangeSettings()
        self.venue = venue
        self.clock = clock
        self.registry = Registry()
        self._notifier = Notifier(publisher, self.registry, venue, clock)
        self._contingent_orders = ContingentOrders(self.registry, self._notifier, self.settings)
        self.matching_engine = MatchingEngine(
            self.registry,
            venue,
            clock,
            self._notifier,
            self.settings,
            on_end=self._contingent_orders.on_end,
            on_first_fill=self._contingent_orders.on_first_fill,
        )
        self._contingent_orders.matching_engine = self.matching_engine
        self.order_entry = OrderEntry(
            self.registry,
            PreflightChecker(self.registry, venue, clock),
            clock,
            self._notifier,
            self.settings,
            self.matching_engine,
            self._contingent_orders,
            script=self._apply_script,
        )
        self._account_opener = AccountOpener(
            self.registry, venue, clock, self.order_entry, self.matching_engine
        )
        self._settlement = Settlement(self.registry, venue, clock, self._notifier)
        self._scripts: dict[str, deque[Script]] = {}
        self._wake_event = asyncio.Event()

    def accounts_of(self, owner: Owner, accounts: Sequence[AccountSpec]) -> list[Account]:
        """Returns a customer's accounts; opens them with their history at the first call."""
        if any(spec.number not in self.registry.accounts for spec in accounts):
            self._notifier.muted = True
            try:
                self._account_opener.open_accounts(
                    owner.id, accounts, seed=owner.number, demo=owner.demo
                )
            finally:
                self._notifier.muted = False

            self._wake_event.set()

        return [self.registry.accounts[spec.number] for spec in accounts]

    def balances(self, account: Account, marks: Marks | None = None) -> Balances:
        """Returns what an account is worth and may spend now."""
        return calculate_balances(
            account,
            marks or Marks(self.venue),
            reserved=self.registry.reserved(account.number),
        )

    def step(self) -> None:
        """Carries out everything that is due."""
        self._settlement.step(self.clock.now())
        self.matching_engine.step()

    def wake(self) -> None:
        """Lets `run` step at once: an order was placed, changed or scripted."""
        self._wake_event.set()

    async def run(self) -> None:
        """Steps forever: when something is due, when woken, and at least once a second.

        Ends only by cancellation. The pauses are real seconds: a test that moves the clock by hand
        calls `step` by hand, too.
        """
        while True:
            self._wake_event.clear()
            self.step()
            due = self.matching_engine.next_due()
            pause = LONGEST_PAUSE if due is None else min(LONGEST_PAUSE, due - self.clock.now())
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.001, pause.total_seconds())):
                    await self._wake_event.wait()

    def script(self, account_number: str, script: Script, count: int = 1) -> None:
        """Queues a script for the next orders of an account (`*`: of any account)."""
        self._scripts.setdefault(account_number, deque()).extend([script] * count)

    def fill(self, order: Order, *, units: Decimal | None, price: Decimal | None) -> bool:
        """Executes an order regardless of the market; returns False if it is not at the exchange.

        Without `units`, fills all open units; without `price`, at the order's own price or the
        mark. A notional order has no units and is filled by the market only.
        """
        if not order.status.at_the_exchange or order.type is OrderType.NOTIONAL_MARKET:
            return False

        marks = Marks(self.venue)
        prices = [marks.mark(leg.contract) for leg in order.legs]
        if len(prices) == 1:
            own = price if price is not None else order.ticket.price
            prices = [abs(own)] if own is not None else prices

        size = min(units or order.open_units, order.open_units)
        self.matching_engine.fill(
            order, Execution(units=size, prices=tuple(prices)), self.clock.now()
        )
        self._wake_event.set()
        return True

    def transfer(self, account: Account, amount: Decimal) -> Transaction:
        """Deposits money into an account, or withdraws it (negative)."""
        kind = "Deposit" if amount > 0 else "Withdrawal"
        transaction = account.move_money(
            amount, sub_type=kind, description=f"Cash {kind.lower()}", at=self.clock.now()
        )
        self._notifier.publish_transfer(account, transaction)
        return transaction

    def statistics(self) -> ExchangeStatistics:
        matching = self.matching_engine.statistics()
        return ExchangeStatistics(
            accounts=len(self.registry.accounts),
            orders=len(self.registry.orders),
            working=matching.working,
            executions=matching.executions,
            rejected=matching.rejected,
            transactions=sum(
                len(account.ledger.journal) for account in self.registry.accounts.values()
            ),
            scripts=sum(len(waiting) for waiting in self._scripts.values()),
        )

    def _apply_script(self, account_number: str, ticket: Ticket) -> Ticket:
        if self._notifier.muted:
            # Scripts are for the orders of tests, not for those of an account's history.
            return ticket

        for name in (account_number, "*"):
            if waiting := self._scripts.get(name):
                return replace(ticket, script=waiting.popleft())

        return ticket
