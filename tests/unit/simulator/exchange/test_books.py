"""Tests that the books balance to the cent after random orders, prices, cancels and nights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.simulator.customers import DEMO_REFRESH_TOKEN, Customers
from server.simulator.envelope import BrokerError
from server.simulator.exchange import Exchange
from server.simulator.exchange.account import Account
from server.simulator.exchange.fees import calculate_fees
from server.simulator.exchange.ledger import Ledger, Transaction, UnbalancedTransaction
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.money import ZERO, format_decimal, round_cents
from server.simulator.exchange.order_entry import make_remaining_ticket
from server.simulator.exchange.orders import Leg, Order
from server.simulator.exchange.tickets import amend_ticket, parse_ticket
from server.simulator.exchange.valuation_history import ValuationHistory
from server.simulator.exchange.views.orders import order_json
from server.simulator.exchange.vocabulary import CLOSING, Action, InstrumentType, Status
from tests.effort import LONG
from tests.unit.simulator.exchange.conftest import (
    START,
    ExchangeHarness,
    ManualVenue,
    RecordingPublisher,
    leg,
    request,
)
from tests.unit.simulator.stopped_clock import StoppedClock

SYMBOLS = (
    ("AAPL", "Equity"),
    ("F", "Equity"),
    ("AAPL  260320C00250000", "Equity Option"),
    ("AAPL  260417P00240000", "Equity Option"),
    ("SPX   260320P06000000", "Equity Option"),
    ("/ESH6", "Future"),
    ("BTC/USD", "Cryptocurrency"),
)
SPREADS = (
    ("AAPL  260417C00250000", "AAPL  260417C00260000"),
    ("QQQ   260417P00470000", "QQQ   260417P00460000"),
)


@settings(
    max_examples=50 * LONG or 5,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(seed=st.integers(0, 2**32), steps=st.integers(20, 120))
def test_random_flows_leave_balanced_books(seed: int, steps: int) -> None:
    Flow(seed).run(steps)


@pytest.mark.parametrize("seed", [1, 20251219])
def test_the_same_seed_gives_the_same_books(seed: int) -> None:
    first, second = Flow(seed), Flow(seed)
    first.run(60)
    second.run(60)
    assert first.harness.recorder.published == second.harness.recorder.published


def test_a_ledger_refuses_postings_that_do_not_sum_to_zero() -> None:
    ledger = Ledger()
    with pytest.raises(UnbalancedTransaction):
        ledger.post(_movement(Decimal(5), ("cash", Decimal(5)), ("external", Decimal(-4))))

    with pytest.raises(UnbalancedTransaction):
        ledger.post(_movement(Decimal(4), ("cash", Decimal(5)), ("external", Decimal(-5))))

    assert not ledger.journal
    assert ledger.cash == 0


class Flow:
    """Trades at random on a market that moves at random, and checks the books after every step."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.orders: list[Order] = []
        clock, venue, recorder = StoppedClock(START), ManualVenue(), RecordingPublisher()
        exchange = Exchange(venue=venue, clock=clock, publisher=recorder)
        owner = Customers().of_grant(DEMO_REFRESH_TOKEN)
        margin, cash = exchange.accounts_of(owner, owner.accounts)
        self.harness = ExchangeHarness(exchange, venue, clock, recorder, margin, cash)
        cash.move_money(Decimal(80_000), sub_type="Deposit", description="Deposit", at=START)

    def run(self, steps: int) -> None:
        # Nights are rare: most orders do not live to see another day.
        moves = (self.place, self.place, self.place, self.wander, self.cancel, self.replace)
        for _ in range(steps):
            self.random.choice(moves * 3 + (self.wait,) * 9 + (self.night,))()
            self.check()

        self.drain()

    def place(self) -> None:
        for _ in range(4):
            account = self.random.choice((self.harness.margin, self.harness.cash))
            ticket = parse_ticket(self._request())
            with _refusals("preflight_check_failure"):
                self.orders.append(self.harness.exchange.order_entry.place(account, ticket).order)

    def wander(self) -> None:
        symbol, _ = self.random.choice(SYMBOLS)
        top = self.harness.venue.books[symbol]
        factor = Decimal(self.random.randrange(90, 111)) / 100
        price = max(Decimal("0.10"), round_cents((top.mark or Decimal(1)) * factor))
        self.harness.venue.quote(symbol, price)
        if self.random.random() < 0.5:
            # Less than most orders want, so that they are filled in parts.
            size = Decimal(self.random.randrange(1, 8)) / 10
            book = self.harness.venue.books[symbol]
            self.harness.venue.books[symbol] = replace(book, bid_size=size, ask_size=size)

    def cancel(self) -> None:
        self._try(lambda order: self.harness.exchange.order_entry.cancel(order, "me"))

    def replace(self) -> None:
        def attempt(order: Order) -> None:
            price = order.ticket.price
            if price is None:
                return

            raised = format_decimal(round_cents(abs(price) * Decimal("1.05")))
            body = {"price": raised, "price-effect": "Credit" if price > 0 else "Debit"}
            account = self.harness.exchange.registry.accounts[order.account_number]
            ticket = amend_ticket(make_remaining_ticket(order), body)
            self.orders.append(self.harness.exchange.order_entry.replace(account, order, ticket))

        self._try(attempt)

    def wait(self) -> None:
        self.harness.run(self.random.choice((0.02, 0.1, 1.0, 3.0)), step=0.02)

    def night(self) -> None:
        self.harness.clock.forward(hours=self.random.choice((8, 24, 72)))
        self.harness.exchange.step()

    def drain(self) -> None:
        """Lets everything come to its end, and checks what has to be true then."""
        self.harness.run(1)
        for order in self.orders:
            if order.cancellable:
                self.harness.exchange.order_entry.cancel(order, "me")

        self.harness.run(1)
        for order in self.orders:
            assert order.status.terminal
            if order.status is Status.FILLED:
                assert all(not each.remaining for each in order.legs)

            for each in order.legs:
                assert each.filled + each.remaining == (each.quantity or ZERO)

        for account in (self.harness.margin, self.harness.cash):
            mine = {one.id for one in self.orders if one.account_number == account.number}
            assert not mine & set(self.harness.exchange.registry.working)

        self.check()
        self._check_notices()

    def check(self) -> None:
        for account in (self.harness.margin, self.harness.cash):
            _check_ledger(account)
            _check_positions(account)
            self._check_orders(account)
            self._check_worth(account)

    def _check_orders(self, account: Account) -> None:
        # What orders say that they traded is what the books say, leg by leg, fees included.
        values: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)
        fees: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)
        actions: defaultdict[tuple[int, str], set[Action | None]] = defaultdict(set)
        for transaction in account.ledger.journal:
            if transaction.type == "Trade" and transaction.order_id is not None:
                fees[transaction.order_id] += transaction.fees.total
                assert transaction.contract is not None
                symbol = transaction.contract.symbol
                actions[transaction.order_id, symbol].add(transaction.action)
                if transaction.contract.instrument_type is not InstrumentType.FUTURE:
                    values[transaction.order_id] += transaction.value

        for order in self.orders:
            if order.account_number != account.number:
                continue

            traded = sum(
                (
                    -each.action.side
                    * round_cents(fill.price * fill.quantity * each.contract.multiplier)
                    for each in order.legs
                    for fill in each.fills
                    if each.contract.instrument_type is not InstrumentType.FUTURE
                ),
                ZERO,
            )
            assert values[order.id] == traded
            # Ten partial fills cost what one fill costs, unless they changed their meaning.
            if all(len(actions[order.id, each.contract.symbol]) <= 1 for each in order.legs):
                assert fees[order.id] == sum((_fees_once(each) for each in order.legs), ZERO)

        working = self.harness.exchange.registry.working.values()
        bound = [one.reserved for one in working if one.account_number == account.number]
        assert self.harness.exchange.registry.reserved(account.number) == sum(bound, ZERO)

    def _check_worth(self, account: Account) -> None:
        marks = Marks(self.harness.venue)
        worth = account.ledger.cash
        for position in account.positions.values():
            value = marks.market_value(position.contract, position.quantity)
            is_future = position.contract.instrument_type is InstrumentType.FUTURE
            worth += value - position.cost if is_future else value

        now = self.harness.clock.now()
        balances = self.harness.exchange.balances(account)
        assert balances.net_liquidating_value == round_cents(worth)
        past = ValuationHistory(account, self.harness.venue, now).balances_at(now)
        assert past.net_liquidating_value == balances.net_liquidating_value
        assert past.cash == account.ledger.cash

    def _check_notices(self) -> None:
        latest = {one["id"]: one for one in self.harness.recorder.of("Order")}
        for order in self.orders:
            assert latest[order.id] == order_json(order)

        for account in (self.harness.margin, self.harness.cash):
            told = [
                one
                for one in self.harness.recorder.of("AccountBalance")
                if one["account-number"] == account.number
            ]
            traded = {one.type for one in account.ledger.journal if one.executed_at > START}
            if traded & {"Trade", "Receive Deliver"}:
                assert told

    def _request(self) -> dict[str, Any]:
        random = self.random
        kind = random.choice(("Limit", "Limit", "Limit", "Market", "Stop", "Stop Limit"))
        if random.random() < 0.2:
            bought, sold = random.sample(random.choice(SPREADS), 2)
            quantity = random.randrange(1, 4)
            legs = [leg(bought, "Buy to Open", quantity), leg(sold, "Sell to Open", quantity)]
            return request(*legs, price=Decimal(random.randrange(-900, 900)) / 100)

        symbol, instrument = random.choice(SYMBOLS)
        action = random.choice(("Buy to Open", "Sell to Open", "Buy to Close", "Sell to Close"))
        if instrument == "Future":
            action = action.split()[0]

        quantity = Decimal(random.randrange(1, 20))
        if instrument == "Cryptocurrency":
            quantity /= 7
            quantity = round(quantity, 8)

        mark = self.harness.venue.books[symbol].mark or Decimal(1)
        side = 1 if action.startswith("Buy") else -1
        # Mostly where it fills: the price gives way by up to a tenth, or asks a little more.
        factor = 1 + side * Decimal(random.randrange(-2, 10)) / 100
        price = max(Decimal("0.25"), round(mark * factor * 4) / Decimal(4))
        body = request(
            leg(symbol, action, str(quantity), instrument),
            order_type=kind,
            time_in_force=random.choice(("Day", "Day", "GTC", "IOC")),
        )
        if kind in ("Limit", "Stop Limit"):
            body |= {"price": str(price), "price-effect": "Debit" if side > 0 else "Credit"}

        if kind in ("Stop", "Stop Limit"):
            body["stop-trigger"] = str(price)

        return body

    def _try(self, attempt: Callable[[Order], None]) -> None:
        working = [order for order in self.orders if not order.status.terminal]
        if not working:
            return

        with _refusals("cannot_update_order", "preflight_check_failure"):
            attempt(self.random.choice(working))


@contextmanager
def _refusals(*codes: str) -> Iterator[None]:
    """Lets refusals with these codes pass, and no others."""
    try:
        yield
    except BrokerError as error:
        if error.code not in codes:
            raise


def _check_ledger(account: Account) -> None:
    balances = account.ledger.balances()
    journal = account.ledger.journal
    assert sum(balances.values(), ZERO) == 0
    assert account.ledger.cash == sum((one.net_value for one in journal), ZERO)
    assert all(one.net_value == round_cents(one.net_value) for one in journal)
    held = sum(
        (
            one.cost
            for one in account.positions.values()
            if one.contract.instrument_type is not InstrumentType.FUTURE
        ),
        ZERO,
    )
    assert balances.get("positions", ZERO) == held
    for name in ("commission", "clearing", "regulatory", "index"):
        charged = sum((getattr(one.fees, name) for one in journal), ZERO)
        assert balances.get(name, ZERO) == charged


def _check_positions(account: Account) -> None:
    quantities: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for one in account.ledger.journal:
        if one.contract is not None and one.action is not None and one.quantity is not None:
            quantities[one.contract.symbol] += one.action.side * one.quantity

    held = {symbol: one.quantity for symbol, one in account.positions.items() if one.quantity}
    assert held == {symbol: quantity for symbol, quantity in quantities.items() if quantity}
    for position in account.positions.values():
        if not position.quantity:
            assert position.cost == 0
            assert position.points == 0


def _fees_once(each: Leg) -> Decimal:
    value = sum(
        (fill.price * fill.quantity * each.contract.multiplier for fill in each.fills), ZERO
    )
    return (
        calculate_fees(
            each.contract,
            each.filled,
            buys=each.action.side > 0,
            opens=each.action not in CLOSING,
            value=value,
        )
        .rounded()
        .total
    )


def _movement(value: Decimal, *postings: tuple[str, Decimal]) -> Transaction:
    return Transaction(
        id=1,
        account_number="5WT00001",
        type="Money Movement",
        sub_type="Deposit",
        description="Cash deposit",
        executed_at=START,
        created_at=START,
        day=START.date(),
        value=value,
        postings=postings,
    )
