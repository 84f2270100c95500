"""The exchange as one object: accounts are opened here, orders come in at `desk`, time at `step`.

It runs by itself inside `run`, a task that the application owns, or by hand: a test moves the clock
and calls `step`. Both do the same, in the same order.
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
from server.simulator.exchange.account_opening import AccountSpec, open_accounts
from server.simulator.exchange.balances import Balances, weigh
from server.simulator.exchange.clock import Clock
from server.simulator.exchange.contingent_orders import Links
from server.simulator.exchange.contracts import Publisher, Venue
from server.simulator.exchange.ledger import Transaction
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.matching import Execution
from server.simulator.exchange.matching_engine import Floor
from server.simulator.exchange.notifier import Notices
from server.simulator.exchange.order_entry import Desk
from server.simulator.exchange.orders import Order, Script, Ticket
from server.simulator.exchange.preflight_checks import Checks
from server.simulator.exchange.registry import Registry
from server.simulator.exchange.settings import ExchangeSettings
from server.simulator.exchange.settlement import Sessions
from server.simulator.exchange.vocabulary import OrderType

IDLE = timedelta(seconds=1)
"""Longest time between two steps of `run`: days end also when nothing works."""


class Owner(Protocol):
    """The customer, as far as accounts need to know."""

    @property
    def id(self) -> str: ...

    @property
    def number(self) -> int: ...

    @property
    def demo(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeStatistics:
    """What the exchange holds and has done."""

    accounts: int
    orders: int
    working: int
    executions: int
    rejected: int
    transactions: int
    scripts: int


class Exchange:
    """Keeps accounts, takes orders, executes them."""

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
        self._notices = Notices(publisher, self.registry, venue, clock)
        self._links = Links(self.registry, self._notices, self.settings)
        self.floor = Floor(
            self.registry,
            venue,
            clock,
            self._notices,
            self.settings,
            ended=self._links.ended,
            filled=self._links.filled,
        )
        self._links.floor = self.floor
        self.desk = Desk(
            self.registry,
            Checks(self.registry, venue, clock),
            clock,
            self._notices,
            self.settings,
            self.floor,
            self._links,
            script=self._scripted,
        )
        self._sessions = Sessions(self.registry, venue, clock, self._notices)
        self._scripts: dict[str, deque[Script]] = {}
        self._woken = asyncio.Event()

    def accounts_of(self, owner: Owner, accounts: Sequence[AccountSpec]) -> list[Account]:
        """Returns a customer's accounts, opened (with their past) when first asked for."""
        if any(spec.number not in self.registry.accounts for spec in accounts):
            self._notices.muted = True
            try:
                open_accounts(self, owner.id, accounts, seed=owner.number, demo=owner.demo)
            finally:
                self._notices.muted = False

            self._woken.set()

        return [self.registry.accounts[spec.number] for spec in accounts]

    def balances(self, account: Account, marks: Marks | None = None) -> Balances:
        """Returns what an account is worth and may spend now."""
        return weigh(
            account,
            marks or Marks(self.venue),
            reserved=self.registry.reserved(account.number),
        )

    def step(self) -> None:
        """Does everything that the clock has made due."""
        self._sessions.step(self.clock.now())
        self.floor.step()

    def wake(self) -> None:
        """Lets `run` look again at once: something has been placed, changed or scripted."""
        self._woken.set()

    async def run(self) -> None:
        """Steps for ever: when something is due, when woken, and at least once a second.

        Ends by cancellation only. The pauses are the loop's own seconds: whoever moves the clock
        by hand calls `step` by hand too.
        """
        while True:
            self._woken.clear()
            self.step()
            due = self.floor.next_due()
            pause = IDLE if due is None else min(IDLE, due - self.clock.now())
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.001, pause.total_seconds())):
                    await self._woken.wait()

    def script(self, account_number: str, script: Script, count: int = 1) -> None:
        """Lays a script ready for the next orders of an account (`*`: of any account)."""
        self._scripts.setdefault(account_number, deque()).extend([script] * count)

    def fill(self, order: Order, *, units: Decimal | None, price: Decimal | None) -> bool:
        """Executes an order whatever the market says; False if it is not at the exchange.

        Without `units` all that is open, without `price` at the order's own price or the mark. A
        notional order has no units to give: the market fills it or nobody.
        """
        if not order.status.at_the_exchange or order.type is OrderType.NOTIONAL_MARKET:
            return False

        marks = Marks(self.venue)
        prices = [marks.mark(leg.contract) for leg in order.legs]
        if len(prices) == 1:
            own = price if price is not None else order.ticket.price
            prices = [abs(own)] if own is not None else prices

        size = min(units or order.open_units, order.open_units)
        self.floor.fill(order, Execution(units=size, prices=tuple(prices)), self.clock.now())
        self._woken.set()
        return True

    def transfer(self, account: Account, amount: Decimal) -> Transaction:
        """Brings money to an account, or takes it away (negative)."""
        kind = "Deposit" if amount > 0 else "Withdrawal"
        transaction = account.move_money(
            amount, sub_type=kind, description=f"Cash {kind.lower()}", at=self.clock.now()
        )
        self._notices.transfer(account, transaction)
        return transaction

    def statistics(self) -> ExchangeStatistics:
        floor = self.floor.statistics()
        return ExchangeStatistics(
            accounts=len(self.registry.accounts),
            orders=len(self.registry.orders),
            working=floor.working,
            executions=floor.executions,
            rejected=floor.rejected,
            transactions=sum(
                len(account.ledger.journal) for account in self.registry.accounts.values()
            ),
            scripts=sum(len(waiting) for waiting in self._scripts.values()),
        )

    def _scripted(self, account_number: str, ticket: Ticket) -> Ticket:
        if self._notices.muted:
            # The orders of an account's past are nobody's test.
            return ticket

        for name in (account_number, "*"):
            if waiting := self._scripts.get(name):
                return replace(ticket, script=waiting.popleft())

        return ticket
