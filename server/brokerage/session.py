"""Reads a tenant's data from the broker: each read names its path here, and returns domain values.

What an answer means is in the module of its noun. An account id from outside goes through
`account` first: whatever is not the tenant's own is not found, and never reaches the broker.
"""

from __future__ import annotations

__all__ = ["BrokerSession"]

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING

from server.brokerage.api.accounts import Account, read_account
from server.brokerage.api.balances import Balances, read_balances
from server.brokerage.api.history import NetLiquidatingValue, read_net_liquidating_value
from server.brokerage.api.hours import (
    UNSUPPORTED,
    ExchangeHours,
    Holidays,
    read_holidays,
    read_hours,
)
from server.brokerage.api.json_reader import (
    JsonReader,
    Listing,
    ParseFaults,
    items_of,
    read_all,
    read_listing,
)
from server.brokerage.api.metrics import MarketMetrics, read_market_metrics
from server.brokerage.api.orders import Order, read_order
from server.brokerage.api.positions import Position, read_position
from server.brokerage.api.search import SymbolMatch, read_symbol_match
from server.brokerage.api.transactions import Transaction, read_transaction
from server.brokerage.api.watchlist_api import WatchlistApi
from server.brokerage.instruments.chain_memory import ChainRoom
from server.brokerage.instruments.chains import OptionChain
from server.brokerage.instruments.option_chain_cache import OptionChainCache
from server.brokerage.transport.pacing import Customer
from server.brokerage.transport.paths import is_number, segment
from server.brokerage.transport.single_flight import SingleFlight
from server.clock import Clock, new_york_today
from server.errors import (
    AccountNotFound,
    BrokerUnavailable,
    MissingAccountId,
    NotKnownToBroker,
    OrderNotFound,
    Unavailable,
)
from server.tenants import Tenant

if TYPE_CHECKING:
    # Importing these imports the SDK: done in a thread, when the first session is opened.
    from server.brokerage.transport.connection import Connection
    from server.brokerage.transport.sdk import Session


ACCOUNTS_AGE = timedelta(minutes=1)
"""An account that is missing from a list younger than this does not exist."""
TRANSACTIONS_A_PAGE = 2000
ORDERS_A_PAGE = 50


class BrokerSession:
    """One tenant's way to the broker; `Brokerage.session` gives it, for one request or a feed."""

    def __init__(
        self, tenant: Tenant, connection: Connection, clock: Clock, chains: ChainRoom
    ) -> None:
        self.tenant = tenant
        self.connection = connection
        self.faults = ParseFaults()
        self._clock = clock
        self._touched = clock.monotonic()
        self._holds = 0
        self._accounts: SingleFlight[tuple[Account, ...]] = SingleFlight()
        self._accounts_at = clock.monotonic()
        self._chains = OptionChainCache(connection, clock, self.faults, chains, tenant.id)
        self._holidays: dict[tuple[date, str], SingleFlight[Holidays]] = {}
        self.watchlists = WatchlistApi(connection, self.faults)

    @property
    def customer(self) -> Customer:
        """Whose session it is at the broker: another API key may have the same customer's."""
        return self.connection.pacer.customer

    @property
    def sdk(self) -> Session:
        """The SDK's own session, for its streamers."""
        return self.connection.sdk

    def touch(self) -> None:
        """Notes that the session is used."""
        self._touched = self._clock.monotonic()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keeps the session from being evicted as idle, for what lives longer than a request."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            self.touch()

    def idle(self) -> timedelta:
        """Returns for how long nobody has used it."""
        if self._holds:
            return timedelta()

        return timedelta(seconds=self._clock.monotonic() - self._touched)

    def end(self) -> None:
        """Lets no further request out; Brokerage calls it."""
        self.connection.end()
        self._chains.close()

    async def accounts(self) -> tuple[Account, ...]:
        """Returns the tenant's open accounts, asked for once."""
        if self._accounts.busy:
            self.connection.pacer.hurry()

        return await self._accounts.get(self._ask_accounts)

    async def account(self, account_id: str) -> Account:
        """Returns the account of that number; raises MissingAccountId or AccountNotFound."""
        account_id = account_id.strip()
        if not account_id:
            raise MissingAccountId

        accounts = await self.accounts()
        age = self._clock.monotonic() - self._accounts_at
        if all(each.number != account_id for each in accounts) and age > (
            ACCOUNTS_AGE.total_seconds()
        ):
            # It may have been opened since; those who ask at the same time share the asking.
            self._accounts_at = self._clock.monotonic()
            self._accounts = SingleFlight()
            accounts = await self.accounts()

        for account in accounts:
            if account.number == account_id:
                return account

        raise AccountNotFound(account_id, [each.number for each in accounts])

    async def balances(self, account: Account) -> Balances:
        data = await self.connection.get(f"/accounts/{account.number}/balances/USD")
        return read_balances(JsonReader(data, self.faults, "balances"))

    async def positions(self, account: Account) -> tuple[Position, ...]:
        """Returns the open positions, with the broker's marks."""
        data = await self.connection.get(
            f"/accounts/{account.number}/positions", {"include-marks": "true"}
        )
        return read_all(items_of(data), read_position, self.faults, "position")

    async def net_liquidating_values(
        self, account: Account, time_back: str
    ) -> tuple[NetLiquidatingValue, ...]:
        """Returns the values of a period, oldest first."""
        self._not_in_sandbox("history of net liquidating value")
        data = await self.connection.get(
            f"/accounts/{account.number}/net-liq/history", {"time-back": time_back}
        )
        values = read_all(items_of(data), read_net_liquidating_value, self.faults, "net-liq")
        return tuple(sorted(values, key=lambda each: each.time))

    async def transactions(
        self,
        account: Account,
        *,
        since: date,
        underlying_symbol: str | None = None,
        transaction_type: str | None = None,
    ) -> Listing[Transaction]:
        """Returns all bookings since a day, newest first."""
        items = await self.connection.pages(
            f"/accounts/{account.number}/transactions",
            {
                "start-date": since.isoformat(),
                "underlying-symbol": underlying_symbol,
                "type": transaction_type,
                "sort": "Desc",
            },
            per_page=TRANSACTIONS_A_PAGE,
        )
        return read_listing(items, read_transaction, self.faults, "transaction")

    async def orders_of_today(self, account: Account) -> Listing[Order]:
        """Returns every order made or changed today, whatever became of it."""
        data = await self.connection.get(f"/accounts/{account.number}/orders/live")
        return read_listing(items_of(data), read_order, self.faults, "order")

    async def live_orders(self, account: Account) -> Listing[Order]:
        """Returns the orders that still work."""
        today = await self.orders_of_today(account)
        working = tuple(order for order in today.items if not order.is_terminal)
        return Listing(items=working, skipped=today.skipped)

    async def order_history(
        self, account: Account, *, since: date, underlying_symbol: str | None = None
    ) -> Listing[Order]:
        """Returns all orders since a day, newest first."""
        items = await self.connection.pages(
            f"/accounts/{account.number}/orders",
            {
                "start-date": since.isoformat(),
                "underlying-symbol": underlying_symbol,
                "sort": "Desc",
            },
            per_page=ORDERS_A_PAGE,
        )
        return read_listing(items, read_order, self.faults, "order")

    async def order(self, account: Account, order_id: str) -> Order:
        """Returns one order; raises OrderNotFound."""
        if not is_number(order_id):
            raise OrderNotFound(order_id)

        try:
            data = await self.connection.get(
                f"/accounts/{account.number}/orders/{segment(order_id)}"
            )
        except NotKnownToBroker as unknown:
            raise OrderNotFound(order_id) from unknown

        return read_order(JsonReader(data, self.faults, "order"))

    async def market_metrics(self, symbols: Sequence[str]) -> tuple[MarketMetrics, ...]:
        """Returns the metrics of those symbols that the broker knows, in its own order."""
        self._not_in_sandbox("market metrics")
        data = await self.connection.get("/market-metrics", {"symbols": ",".join(symbols)})
        return read_all(items_of(data), read_market_metrics, self.faults, "metrics")

    async def hours(self, exchanges: Sequence[str]) -> tuple[ExchangeHours, ...]:
        """Returns the sessions of those exchanges that the broker gives hours for."""
        asked = [each for each in exchanges if each not in UNSUPPORTED]
        if not asked:
            return ()

        data = await self.connection.get(
            "/market-time/sessions/current", {"instrument-collections[]": asked}
        )
        return read_all(items_of(data), read_hours, self.faults, "session")

    async def holidays(self, exchange: str) -> Holidays | None:
        """Returns an exchange's days off, asked for once a day; None if the broker has none."""
        today = new_york_today(self._clock)
        for old in [each for each in self._holidays if each[0] != today]:
            del self._holidays[old]

        kept = self._holidays.setdefault((today, exchange), SingleFlight())
        try:
            return await kept.get(lambda: self._ask_holidays(exchange))
        except (NotKnownToBroker, Unavailable):
            return None

    async def search(self, text: str) -> tuple[SymbolMatch, ...]:
        """Returns what begins with `text`; nothing found is an empty result."""
        try:
            data = await self.connection.get(f"/symbols/search/{segment(text)}")
        except NotKnownToBroker:
            return ()

        return read_all(items_of(data), read_symbol_match, self.faults, "symbol")

    async def chain(self, symbol: str) -> OptionChain:
        """Returns the whole chain of an underlying, asked for once a day; raises SymbolNotFound."""
        return await self._chains.get(symbol)

    async def _ask_accounts(self) -> tuple[Account, ...]:
        data = await self.connection.get("/customers/me/accounts")
        accounts = read_all(items_of(data), read_account, self.faults, "account")
        self._accounts_at = self._clock.monotonic()
        self.connection.pacer.recognise(each.number for each in accounts)
        return tuple(each for each in accounts if not each.is_closed)

    async def _ask_holidays(self, exchange: str) -> Holidays:
        kind = "equities/holidays" if exchange == "Equity" else f"futures/holidays/{exchange}"
        data = await self.connection.get(f"/market-time/{kind}")
        return read_holidays(JsonReader(data, self.faults, "holidays"))

    def _not_in_sandbox(self, what: str) -> None:
        if self.connection.sdk.is_test:
            raise BrokerUnavailable(f"its sandbox has no {what}")
