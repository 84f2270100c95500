"""Opens the accounts of customers who log in for the first time, with positions and history.

The demo customer's margin account has stock, a spread, long and short options at listed expirations
and strikes, working orders and half a year of history; the cash account is empty. Every other
customer gets other accounts, derived from the customer's number and therefore the same in every
run.
"""

from __future__ import annotations

__all__ = ["AccountOpener", "AccountSpec"]

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

from server.simulator.exchange.account import Account, Profile
from server.simulator.exchange.backfill import backfill_account
from server.simulator.exchange.clock import Clock, new_york_date
from server.simulator.exchange.contracts import Venue
from server.simulator.exchange.demo_histories import (
    HistoryContext,
    find_trading_time,
    make_demo_bracket,
    make_demo_history,
    make_demo_orders,
    make_derived_history,
)
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.matching_engine import MatchingEngine
from server.simulator.exchange.order_entry import OrderEntry
from server.simulator.exchange.registry import Registry

OPENED_DAYS_AGO = 190


class AccountSpec(Protocol):
    """Describes an account before it is opened."""

    @property
    def number(self) -> str: ...

    @property
    def margin_or_cash(self) -> str: ...

    @property
    def nickname(self) -> str: ...


class AccountOpener:
    """Opens the accounts of customers who log in for the first time."""

    def __init__(
        self,
        registry: Registry,
        venue: Venue,
        clock: Clock,
        order_entry: OrderEntry,
        matching_engine: MatchingEngine,
    ) -> None:
        self._registry = registry
        self._venue = venue
        self._clock = clock
        self._order_entry = order_entry
        self._matching_engine = matching_engine

    def open_accounts(
        self, owner_id: str, specs: Sequence[AccountSpec], *, seed: int, demo: bool
    ) -> None:
        """Opens accounts with their history and, for the demo customer, working orders."""
        now = self._clock.now()
        for place, spec in enumerate(specs):
            if spec.number in self._registry.accounts:
                continue

            margin = spec.margin_or_cash == "Margin"
            account = Account(
                self._make_profile(owner_id, spec, now, margin=margin),
                self._registry.next_transaction_id,
            )
            self._registry.accounts[spec.number] = account
            context = HistoryContext(
                self._venue, Marks(self._venue), now, Random(f"{seed}-{place}")
            )
            context.load_marks()
            if demo and margin:
                backfill_account(account, self._registry, make_demo_history(context))
                _start_today(account, context)
                self._place_demo_orders(account, context)
            elif not demo:
                history = make_derived_history(context, margin=margin)
                backfill_account(account, self._registry, history)
                _start_today(account, context)

    def _make_profile(
        self, owner_id: str, spec: AccountSpec, now: datetime, *, margin: bool
    ) -> Profile:
        today = new_york_date(now)
        return Profile(
            number=spec.number,
            margin=margin,
            nickname=spec.nickname,
            owner_id=owner_id,
            opened_at=find_trading_time(self._venue, today, OPENED_DAYS_AGO, hour=9),
            options_level="No Restrictions" if margin else "Covered And Cash Secured",
            futures=margin,
        )

    def _place_demo_orders(self, account: Account, context: HistoryContext) -> None:
        # Places the orders as any other order, then backdates them.
        orders = [
            self._order_entry.place(account, ticket).order for ticket in make_demo_orders(context)
        ]
        if (bracket := make_demo_bracket(context)) is not None:
            orders += self._order_entry.place_complex(account, "OCO", None, bracket)[0].orders

        for order in orders:
            lasting = order.ticket.time_in_force.outlives_the_day
            since = context.pick_time(2) if lasting else context.now - timedelta(minutes=1)
            self._matching_engine.backdate(order, since)


def _start_today(account: Account, context: HistoryContext) -> None:
    # As at the start of every day: closed positions are dropped, the others are valued at the last
    # close.
    context.marks.load_closes(held.contract for held in account.positions.values())
    account.start_day(
        {symbol: context.marks.close(held.contract) for symbol, held in account.positions.items()}
    )
