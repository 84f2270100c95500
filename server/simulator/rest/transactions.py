"""`/accounts/{n}/transactions`, one of them, and a day's total fees."""

from __future__ import annotations

__all__ = ["routes"]

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from aiohttp import web

from server.simulator.envelope import BrokerError, envelope, page, reply
from server.simulator.exchange.clock import new_york_date
from server.simulator.exchange.ledger import Transaction
from server.simulator.exchange.money import with_effect
from server.simulator.exchange.views.transactions import transaction_json
from server.simulator.rest import queries
from server.simulator.rest.ownership import account_of

if TYPE_CHECKING:
    from server.simulator.app import Simulator

PER_PAGE = 250
MOST_PER_PAGE = 2000


def routes(sim: Simulator) -> list[web.RouteDef]:
    """Returns the routes of an account's history."""

    async def every(request: web.Request) -> web.Response:
        account = account_of(sim, request)
        wanted = _Filter(request)
        found = [one for one in account.ledger.journal if wanted.matches(one)]
        if queries.sort_descending(request):
            found.reverse()

        return reply(
            page(found, request, per_page=PER_PAGE, most=MOST_PER_PAGE, render=transaction_json)
        )

    async def single(request: web.Request) -> web.Response:
        account = account_of(sim, request)
        number = queries.identifier(request, "transaction_id")
        transaction = None if number is None else account.ledger.find(number)
        if transaction is None:
            text = request.match_info["transaction_id"]
            raise BrokerError(404, "record_not_found", f"Couldn't find transaction {text}")

        return reply(envelope(transaction_json(transaction), request.path))

    async def total_fees(request: web.Request) -> web.Response:
        account = account_of(sim, request)
        day = queries.day(request, "date") or new_york_date(sim.clock.now())
        total = sum(
            (one.fees.total for one in account.ledger.journal if one.day == day), Decimal(0)
        )
        return reply(envelope(with_effect("total-fees", -total), request.path))

    path = "/accounts/{account_number}/transactions"
    return [
        web.get(path, every),
        web.get(path + "/total-fees", total_fees),
        web.get(path + "/{transaction_id}", single),
    ]


class _Filter:
    """The query parameters of a history search."""

    def __init__(self, request: web.Request) -> None:
        self._types = queries.many(request, "types") or queries.many(request, "type")
        self._sub_types = queries.many(request, "sub-type")
        self._first = queries.day(request, "start-date")
        self._last = queries.day(request, "end-date")
        self._from = queries.instant(request, "start-at") or datetime.min.replace(tzinfo=UTC)
        self._until = queries.instant(request, "end-at") or datetime.max.replace(tzinfo=UTC)
        self._kind = queries.one(request, "instrument-type")
        self._symbol = queries.one(request, "symbol")
        self._underlying = queries.one(request, "underlying-symbol")
        self._future = queries.one(request, "futures-symbol")
        self._action = queries.one(request, "action")

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
