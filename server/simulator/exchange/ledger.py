"""Keeps the books of one account: every transaction has postings that sum to zero.

Cash is not a field that is added to; it is the balance of the ledger account `cash`. What the
customer sees (transactions, cash, fees, realized gains) is derived from the same journal, so it
always agrees. A debit to the customer's cash is negative.
"""

from __future__ import annotations

__all__ = ["Ledger", "Origin", "Posting", "Transaction", "UnbalancedTransaction"]

from bisect import insort
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from server.simulator.exchange.contracts import Contract
from server.simulator.exchange.fees import NO_FEES, Fees
from server.simulator.exchange.money import ZERO
from server.simulator.exchange.vocabulary import Action

Posting = tuple[str, Decimal]
"""A ledger account (`cash`, `positions`, `realized`, `commission`, …) and a signed amount."""


class UnbalancedTransaction(Exception):
    """Tells that postings do not sum to zero or disagree with their transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Names the execution that a trade comes from."""

    order_id: int
    exec_id: str
    leg_count: int
    venue: str = "MARKET_SIMULATOR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """Holds one line of the account's history."""

    id: int
    account_number: str
    type: str
    """`Trade`, `Receive Deliver` or `Money Movement`."""

    sub_type: str
    description: str
    executed_at: datetime
    created_at: datetime
    day: date
    """The trading day (New York)."""

    value: Decimal
    """Signed, without fees."""

    postings: tuple[Posting, ...]
    fees: Fees = NO_FEES
    """Already rounded to cents (`Fees.rounded`)."""

    contract: Contract | None = None
    action: Action | None = None
    quantity: Decimal | None = None
    """Positive."""

    price: Decimal | None = None
    origin: Origin | None = None

    @property
    def order_id(self) -> int | None:
        return None if self.origin is None else self.origin.order_id

    @property
    def net_value(self) -> Decimal:
        return self.value - self.fees.total


class Ledger:
    """Keeps the journal and the balance of every ledger account."""

    def __init__(self) -> None:
        self._journal: list[Transaction] = []
        self._by_id: dict[int, Transaction] = {}
        self._balances: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)

    def post(self, transaction: Transaction) -> None:
        """Appends a transaction; one whose postings do not balance is refused."""
        if sum((amount for _, amount in transaction.postings), ZERO):
            raise UnbalancedTransaction(
                f"postings of transaction {transaction.id} do not sum to zero"
            )

        cash = sum((amount for name, amount in transaction.postings if name == "cash"), ZERO)
        if cash != transaction.net_value:
            raise UnbalancedTransaction(
                f"transaction {transaction.id} moves {cash}, says otherwise"
            )

        for name, amount in transaction.postings:
            self._balances[name] += amount

        insort(self._journal, transaction, key=lambda one: one.executed_at)
        self._by_id[transaction.id] = transaction

    @property
    def cash(self) -> Decimal:
        return self._balances["cash"]

    @property
    def journal(self) -> Sequence[Transaction]:
        """Every transaction, oldest first."""
        return self._journal

    def find(self, number: int) -> Transaction | None:
        return self._by_id.get(number)

    def balances(self) -> Mapping[str, Decimal]:
        """Returns the balance of every ledger account; they sum to zero."""
        return dict(self._balances)
