"""Spaces requests to what the broker publishes as its limits, so that it need not refuse any.

The broker counts a customer, not one of our API keys: the paces for kinds of paths belong to a
customer, whatever number of keys use his accounts. The overall pace is the whole process's, and is
shared by `Turns`. A second's worth may go at once after a pause.
"""

from __future__ import annotations

__all__ = ["INSTANT_S", "OVERALL", "Customer", "Customers", "Kind", "Pace", "Pacer", "kind_of"]

import hashlib
import re
import secrets
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from server.brokerage.transport.urgency import current_urgency
from server.clock import Clock
from server.tenants import Credentials

if TYPE_CHECKING:
    from server.brokerage.transport.turns import Turns

OVERALL = 50.0
CAUTION = 0.95
"""The share of a published rate that is used: requests drift together on their way."""
PAUSE = timedelta(seconds=1)
"""How long a kind of path is left alone after a 429, which the broker sends without a figure."""
INSTANT_S = 0.001
"""A shorter wait is none: it may be no more than the rounding of sums."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A group of paths that the broker counts together."""

    name: str
    paths: re.Pattern[str]
    rate: float | None
    """Requests a second and customer; None: the overall pace only."""
    shared: bool = False
    """Whether several calls of a tenant may wait for one such request, made by the first."""


KINDS = (
    Kind("login", re.compile(r"/oauth/token$"), None, shared=True),
    Kind("market-data", re.compile(r"/market-data(/|$)"), 2),
    Kind("option-chains", re.compile(r"/(futures-)?option-chains/"), 2, shared=True),
    Kind("equities", re.compile(r"/instruments/equities(/active)?$"), 2),
    Kind("equity", re.compile(r"/instruments/equities/."), 3),
    Kind("positions", re.compile(r"/accounts/[^/]+/positions"), 1),
    Kind("balances", re.compile(r"/accounts/[^/]+/balances"), 1),
    Kind("accounts", re.compile(r"/customers/[^/]+/accounts"), 1, shared=True),
    Kind("trading-status", re.compile(r"/accounts/[^/]+/trading-status"), 1),
)
"""The first that matches counts."""
OTHER = Kind("other", re.compile(""), None)


def kind_of(path: str) -> Kind:
    """Returns what the broker counts a path as."""
    return next((kind for kind in KINDS if kind.paths.match(path)), OTHER)


class Pace:
    """One rate: hands out turns, each as early as the rate allows."""

    __slots__ = ("_at_once", "_clock", "_next", "gap")

    def __init__(self, rate: float, clock: Clock) -> None:
        self.gap = 1 / (rate * CAUTION)
        """Seconds between two turns."""
        self._at_once = self.gap * max(1, int(rate))
        self._clock = clock
        self._next = 0.0

    @property
    def ready_at(self) -> float:
        """When the turn that `take` would give is due; it may lie in the past."""
        return self._next + self.gap - self._at_once

    def wait(self) -> float:
        """Returns the seconds until the turn that `take` would give."""
        return max(0.0, self.ready_at - self._clock.monotonic())

    def take(self) -> None:
        """Uses up one turn."""
        self._next = max(self._next, self._clock.monotonic()) + self.gap

    def give_back(self) -> None:
        """Returns a turn that was taken and not used."""
        self._next -= self.gap

    def postpone(self, pause: timedelta) -> None:
        """Gives no turn for as long as `pause`."""
        due = self._clock.monotonic() + pause.total_seconds()
        self._next = max(self._next, due + self._at_once - self.gap)


class Customer:
    """A customer of the broker, as far as its limits go: the paces that his sessions share."""

    __slots__ = ("__weakref__", "_paces")

    def __init__(self, clock: Clock) -> None:
        self._paces = {kind.name: Pace(kind.rate, clock) for kind in KINDS if kind.rate}

    def pace(self, kind: Kind) -> Pace | None:
        """Returns the pace of a kind; None where it has none of its own."""
        return self._paces.get(kind.name)


class Customers:
    """Finds out which sessions are one customer's: first by credentials, then by accounts.

    What credentials are told apart by is a digest under a key of this process, and is never logged.
    A customer is forgotten with his last session.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._known: WeakValueDictionary[Hashable, Customer] = WeakValueDictionary()

    def of_credentials(self, credentials: Credentials) -> tuple[Hashable, Customer]:
        """Returns the customer, and the mark by which these credentials are known."""
        words = (credentials.client_secret.reveal(), credentials.refresh_token.reveal())
        # Each by its length first, or two pairs could be spelled alike.
        text = b"".join(len(each.encode()).to_bytes(4) + each.encode() for each in words)
        mark = hashlib.blake2b(text, key=self._key, digest_size=32).digest()
        customer = self._known.get(mark)
        if customer is None:
            customer = self._known[mark] = Customer(self._clock)

        return mark, customer

    def of_accounts(
        self, mark: Hashable, customer: Customer, account_numbers: Iterable[str]
    ) -> Customer:
        """Returns the customer whose accounts these are; `customer` if nobody else has them.

        By all of them together: a joint account alone does not make two customers one.
        """
        accounts = frozenset(account_numbers)
        if not accounts:
            return customer

        found = self._known.setdefault(accounts, customer)
        self._known[mark] = found
        return found


class Pacer:
    """Takes the turns of one session's requests."""

    def __init__(
        self,
        clock: Clock,
        turns: Turns,
        customers: Customers,
        credentials: Credentials,
        *,
        on: bool,
    ) -> None:
        self._clock = clock
        self._turns = turns
        self._customers = customers
        self._on = on
        self._mark, self.customer = customers.of_credentials(credentials)
        self.waited = 0
        """Requests that had to wait so far."""

    def recognise(self, account_numbers: Iterable[str]) -> None:
        """Shares the paces of whoever else has these accounts."""
        self.customer = self._customers.of_accounts(self._mark, self.customer, account_numbers)

    async def turn(self, path: str) -> None:
        """Returns when a request to `path` may leave.

        Raises BrokerPaceUsedUp or CustomerPaceUsedUp instead of too late. A cancelled wait gives
        its turn back.
        """
        if not self._on:
            return

        if await self._turns.turn(self.customer, kind_of(path), current_urgency()):
            self.waited += 1

    def hurry(self) -> None:
        """Lets what several calls may be waiting for go as soon as the running one would."""
        if self._on:
            self._turns.hurry(self.customer, current_urgency())

    async def back_off(self, path: str) -> None:
        """Slows down what answered 429; returns when `turn` may be taken again."""
        pace = self.customer.pace(kind_of(path))
        if pace is not None:
            pace.postpone(PAUSE)

        if pace is None or not self._on:
            await self._clock.sleep(PAUSE)
