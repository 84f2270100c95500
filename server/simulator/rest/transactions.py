"""Serves `/accounts/{n}/transactions`, one of them, and a day's total fees."""

from __future__ import annotations

__all__ = ["routes"]

from datetime import UTC, datetime
from decimal import Decimal

from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import BrokerError, envelope, paginate, reply
from server.simulator.exchange.clock import new_york_date
from server.simulator.exchange.ledger import Transaction
from server.simulator.exchange.money import with_effect
from server.simulator.exchange.views.transactions import transaction_json
from server.simulator.rest import queries
from server.simulator.rest.ownership import get_account

PER_PAGE = 250
MAX_PER_PAGE = 2000


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes of an account's transactions."""

    async def list_transactions(request: web.Request) -> web.Response:
        account = get_account(broker, request)
        wanted = _Filter(request)
        found = [one for one in account.ledger.journal if wanted.matches(one)]
        if queries.is_newest_first(request):
            found.reverse()

        return reply(
            paginate(
                found, request, per_page=PER_PAGE, maximum=MAX_PER_PAGE, render=transaction_json
            )
        )

    async def get(request: web.Request) -> web.Response:
        account = get_account(broker, request)
        number = queries.read_id(request, "transaction_id")
        transaction = None if number is None else account.ledger.find(number)
        if transaction is None:
            text = request.match_info["transaction_id"]
            raise BrokerError(404, "record_not_found", f"Couldn't find transaction {text}")

        return reply(envelope(transaction_json(transaction), request.path))

    async def get_total_fees(request: web.Request) -> web.Response:
        account = get_account(broker, request)
        day = queries.read_date(request, "date") or new_york_date(broker.clock.now())
        total = sum(
            (one.fees.total for one in account.ledger.journal if one.day == day), Decimal(0)
        )
        return reply(envelope(with_effect("total-fees", -total), request.path))

    path = "/accounts/{account_number}/transactions"
    return [
        web.get(path, list_transactions),
        web.get(path + "/total-fees", get_total_fees),
        web.get(path + "/{transaction_id}", get),
    ]


class _Filter:
    """Matches transactions against the query parameters of a search."""

    def __init__(self, request: web.Request) -> None:
        self._types = queries.read_many(request, "types") or queries.read_many(request, "type")
        self._sub_types = queries.read_many(request, "sub-type")
        self._first = queries.read_date(request, "start-date")
        self._last = queries.read_date(request, "end-date")
        self._from = queries.read_instant(request, "start-at") or datetime.min.replace(tzinfo=UTC)
        self._until = queries.read_instant(request, "end-at") or datetime.max.replace(tzinfo=UTC)
        self._kind = queries.read_one(request, "instrument-type")
        self._symbol = queries.read_one(request, "symbol")
        self._underlying = queries.read_one(request, "underlying-symbol")
        self._future = queries.read_one(request, "futures-symbol")
        self._action = queries.read_one(request, "action")

    def matches(self, transaction: Transaction) -> bool:
        contract = transaction.contract
        symbol = None if contract is None else contract.symbol
        underlying = None if contract is None else contract.underlying
        return all(
            (
                not self._types or transaction.type in self._types,
                not self._sub_types or transaction.sub_type in self._sub_types,
                self._first is None or transaction.day >= self._first,
                self._last is None or transaction.day <= self._last,
                self._from <= transaction.executed_at <= self._until,
                self._kind is None
                or (contract is not None and contract.instrument_type == self._kind),
                self._symbol is None or symbol == self._symbol,
                self._underlying is None or underlying == self._underlying,
                self._future is None or self._future in (symbol, underlying),
                self._action is None or transaction.action == self._action,
            )
        )
