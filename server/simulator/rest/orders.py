"""`/accounts/{n}/orders` and what belongs to it: place, dry run, look up, replace, cancel."""

from __future__ import annotations

__all__ = ["routes"]

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from server.simulator.envelope import BrokerError, envelope, page, reply
from server.simulator.exchange.account import Account
from server.simulator.exchange.clock import new_york_date
from server.simulator.exchange.order_entry import make_remaining_ticket
from server.simulator.exchange.orders import Order
from server.simulator.exchange.preflight_checks import PreflightCheck
from server.simulator.exchange.problems import preflight_failure
from server.simulator.exchange.tickets import amend_ticket, parse_ticket
from server.simulator.exchange.views.orders import order_json, unplaced_json
from server.simulator.exchange.views.preflight_checks import check_json
from server.simulator.rest import queries
from server.simulator.rest.bodies import json_body
from server.simulator.rest.ownership import account_of, customer_of, own_accounts

if TYPE_CHECKING:
    from server.simulator.app import Simulator

PER_PAGE = 10
MOST_PER_PAGE = 100


def routes(sim: Simulator) -> list[web.RouteDef]:
    """Returns the routes of orders; the fixed words come before `{order_id}`."""
    pages = _Orders(sim)
    path = "/accounts/{account_number}/orders"
    single = path + "/{order_id}"
    return [
        web.get("/customers/{customer_id}/orders", pages.of_customer),
        web.get("/customers/{customer_id}/orders/live", pages.live_of_customer),
        web.get(path, pages.search),
        web.post(path, pages.place),
        web.get(path + "/live", pages.live),
        web.post(path + "/dry-run", pages.dry_run),
        web.get(single, pages.single),
        web.put(single, pages.replace),
        web.patch(single, pages.replace),
        web.delete(single, pages.cancel),
        web.post(single + "/dry-run", pages.dry_run_replace),
    ]


class _Orders:
    """Handlers of this file's routes."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim

    async def place(self, request: web.Request) -> web.Response:
        account = account_of(self._sim, request)
        check = self._sim.exchange.order_entry.place(
            account, parse_ticket(await json_body(request))
        )
        self._sim.exchange.wake()
        body = check_json([check], order=order_json(check.order))
        return reply(envelope(body, request.path), 201)

    async def dry_run(self, request: web.Request) -> web.Response:
        account = account_of(self._sim, request)
        check = self._sim.exchange.order_entry.check(
            account, parse_ticket(await json_body(request))
        )
        return self._dry(request, check)

    async def dry_run_replace(self, request: web.Request) -> web.Response:
        account = account_of(self._sim, request)
        old = self._order(request, account)
        ticket = amend_ticket(make_remaining_ticket(old), await json_body(request))
        return self._dry(
            request, self._sim.exchange.order_entry.check_replacement(account, old, ticket)
        )

    async def replace(self, request: web.Request) -> web.Response:
        account = account_of(self._sim, request)
        old = self._order(request, account)
        ticket = amend_ticket(make_remaining_ticket(old), await json_body(request))
        new = self._sim.exchange.order_entry.replace(account, old, ticket)
        self._sim.exchange.wake()
        return reply(envelope(order_json(new), request.path))

    async def cancel(self, request: web.Request) -> web.Response:
        account = account_of(self._sim, request)
        order = self._order(request, account)
        self._sim.exchange.order_entry.cancel(order, customer_of(request).user_id)
        self._sim.exchange.wake()
        return reply(envelope(order_json(order), request.path))

    async def single(self, request: web.Request) -> web.Response:
        account = account_of(self._sim, request)
        return reply(envelope(order_json(self._order(request, account)), request.path))

    async def live(self, request: web.Request) -> web.Response:
        """Everything created or changed today, whatever its status, newest first."""
        return self._live(request, [account_of(self._sim, request)])

    async def live_of_customer(self, request: web.Request) -> web.Response:
        return self._live(request, self._chosen(request))

    async def search(self, request: web.Request) -> web.Response:
        return self._found(request, [account_of(self._sim, request)])

    async def of_customer(self, request: web.Request) -> web.Response:
        return self._found(request, self._chosen(request))

    def _dry(self, request: web.Request, check: PreflightCheck) -> web.Response:
        body = check_json([check], order=unplaced_json(check.order), dry_run=True)
        refuses = self._sim.exchange.settings.dry_run_refuses_margin
        if refuses and check.effect.refused:
            return reply(
                envelope(body, request.path) | preflight_failure(check.problems).body(), 422
            )

        return reply(envelope(body, request.path))

    def _live(self, request: web.Request, accounts: list[Account]) -> web.Response:
        today = new_york_date(self._sim.clock.now())
        items = [
            order_json(order)
            for order in self._orders(accounts)
            if not order.status.terminal or new_york_date(order.updated_at) == today
        ]
        return reply(envelope({"items": items}, request.path))

    def _found(self, request: web.Request, accounts: list[Account]) -> web.Response:
        wanted = _Filter(request)
        found = [order for order in self._orders(accounts) if wanted.matches(order)]
        if not queries.sort_descending(request):
            found.reverse()

        body = page(found, request, per_page=PER_PAGE, most=MOST_PER_PAGE, render=order_json)
        return reply(body)

    def _orders(self, accounts: list[Account]) -> list[Order]:
        orders = [
            order
            for account in accounts
            for order in self._sim.exchange.registry.orders_of(account.number)
        ]
        return sorted(orders, key=lambda one: one.id, reverse=True)

    def _chosen(self, request: web.Request) -> list[Account]:
        accounts = own_accounts(self._sim, request)
        numbers = queries.many(request, "account-numbers")
        return [one for one in accounts if not numbers or one.number in numbers]

    def _order(self, request: web.Request, account: Account) -> Order:
        number = queries.identifier(request, "order_id")
        order = None if number is None else self._sim.exchange.registry.orders.get(number)
        if order is None or order.account_number != account.number:
            text = request.match_info["order_id"]
            raise BrokerError(404, "record_not_found", f"Couldn't find order {text}")

        found: Order = order
        return found


class _Filter:
    """The query parameters of an order search."""

    def __init__(self, request: web.Request) -> None:
        self._first = queries.day(request, "start-date")
        self._last = queries.day(request, "end-date")
        self._from = queries.instant(request, "start-at") or datetime.min.replace(tzinfo=UTC)
        self._until = queries.instant(request, "end-at") or datetime.max.replace(tzinfo=UTC)
        self._statuses = queries.many(request, "status")
        self._underlying = queries.one(request, "underlying-symbol")
        self._future = queries.one(request, "futures-symbol")
        self._kind = queries.one(request, "underlying-instrument-type")
        self._identifier = queries.one(request, "external-identifier")

    def matches(self, order: Order) -> bool:
        contract = order.underlying
        received = order.received_at
        day = new_york_date(received)
        conditions: list[Any] = [
            self._first is None or day >= self._first,
            self._last is None or day <= self._last,
            self._from <= received <= self._until,
            not self._statuses or order.status.value in self._statuses,
            self._underlying is None or contract.underlying == self._underlying,
            self._future is None or self._future in (contract.underlying, contract.symbol),
            self._kind is None or contract.reported_underlying_type == self._kind,
            self._identifier is None or order.ticket.external_identifier == self._identifier,
        ]
        return all(conditions)
