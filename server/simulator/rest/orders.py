"""Serves `/accounts/{n}/orders`: place, dry run, look up, replace, cancel."""

from __future__ import annotations

__all__ = ["routes"]

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import BrokerError, envelope, paginate, reply
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
from server.simulator.rest.bodies import read_json
from server.simulator.rest.ownership import get_account, get_customer, list_own_accounts

PER_PAGE = 10
MAX_PER_PAGE = 100


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes of orders; the fixed words come before `{order_id}`."""
    handlers = _OrderHandlers(broker)
    path = "/accounts/{account_number}/orders"
    single = path + "/{order_id}"
    return [
        web.get("/customers/{customer_id}/orders", handlers.search_of_customer),
        web.get("/customers/{customer_id}/orders/live", handlers.list_live_of_customer),
        web.get(path, handlers.search),
        web.post(path, handlers.place),
        web.get(path + "/live", handlers.list_live),
        web.post(path + "/dry-run", handlers.dry_run),
        web.get(single, handlers.get),
        web.put(single, handlers.replace),
        web.patch(single, handlers.replace),
        web.delete(single, handlers.cancel),
        web.post(single + "/dry-run", handlers.dry_run_replace),
    ]


class _OrderHandlers:
    """Handles the routes of this file."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def place(self, request: web.Request) -> web.Response:
        account = get_account(self._broker, request)
        check = self._broker.exchange.order_entry.place(
            account, parse_ticket(await read_json(request))
        )
        self._broker.exchange.wake()
        body = check_json([check], order=order_json(check.order))
        return reply(envelope(body, request.path), 201)

    async def dry_run(self, request: web.Request) -> web.Response:
        account = get_account(self._broker, request)
        check = self._broker.exchange.order_entry.check(
            account, parse_ticket(await read_json(request))
        )
        return self._reply_to_dry_run(request, check)

    async def dry_run_replace(self, request: web.Request) -> web.Response:
        account = get_account(self._broker, request)
        old = self._find_order(request, account)
        ticket = amend_ticket(make_remaining_ticket(old), await read_json(request))
        return self._reply_to_dry_run(
            request, self._broker.exchange.order_entry.check_replacement(account, old, ticket)
        )

    async def replace(self, request: web.Request) -> web.Response:
        account = get_account(self._broker, request)
        old = self._find_order(request, account)
        ticket = amend_ticket(make_remaining_ticket(old), await read_json(request))
        new = self._broker.exchange.order_entry.replace(account, old, ticket)
        self._broker.exchange.wake()
        return reply(envelope(order_json(new), request.path))

    async def cancel(self, request: web.Request) -> web.Response:
        account = get_account(self._broker, request)
        order = self._find_order(request, account)
        self._broker.exchange.order_entry.cancel(order, get_customer(request).user_id)
        self._broker.exchange.wake()
        return reply(envelope(order_json(order), request.path))

    async def get(self, request: web.Request) -> web.Response:
        account = get_account(self._broker, request)
        return reply(envelope(order_json(self._find_order(request, account)), request.path))

    async def list_live(self, request: web.Request) -> web.Response:
        """Lists all orders created or changed today, whatever their status, newest first."""
        return self._reply_with_live(request, [get_account(self._broker, request)])

    async def list_live_of_customer(self, request: web.Request) -> web.Response:
        return self._reply_with_live(request, self._choose_accounts(request))

    async def search(self, request: web.Request) -> web.Response:
        return self._reply_with_found(request, [get_account(self._broker, request)])

    async def search_of_customer(self, request: web.Request) -> web.Response:
        return self._reply_with_found(request, self._choose_accounts(request))

    def _reply_to_dry_run(self, request: web.Request, check: PreflightCheck) -> web.Response:
        body = check_json([check], order=unplaced_json(check.order), dry_run=True)
        refuses = self._broker.exchange.settings.dry_run_refuses_margin
        if refuses and check.effect.refused:
            return reply(
                envelope(body, request.path) | preflight_failure(check.problems).body(), 422
            )

        return reply(envelope(body, request.path))

    def _reply_with_live(self, request: web.Request, accounts: list[Account]) -> web.Response:
        today = new_york_date(self._broker.clock.now())
        items = [
            order_json(order)
            for order in self._list_orders(accounts)
            if not order.status.terminal or new_york_date(order.updated_at) == today
        ]
        return reply(envelope({"items": items}, request.path))

    def _reply_with_found(self, request: web.Request, accounts: list[Account]) -> web.Response:
        wanted = _Filter(request)
        found = [order for order in self._list_orders(accounts) if wanted.matches(order)]
        if not queries.is_newest_first(request):
            found.reverse()

        body = paginate(found, request, per_page=PER_PAGE, maximum=MAX_PER_PAGE, render=order_json)
        return reply(body)

    def _list_orders(self, accounts: list[Account]) -> list[Order]:
        orders = [
            order
            for account in accounts
            for order in self._broker.exchange.registry.orders_of(account.number)
        ]
        return sorted(orders, key=lambda one: one.id, reverse=True)

    def _choose_accounts(self, request: web.Request) -> list[Account]:
        accounts = list_own_accounts(self._broker, request)
        numbers = queries.read_many(request, "account-numbers")
        return [one for one in accounts if not numbers or one.number in numbers]

    def _find_order(self, request: web.Request, account: Account) -> Order:
        number = queries.read_id(request, "order_id")
        order = None if number is None else self._broker.exchange.registry.orders.get(number)
        if order is None or order.account_number != account.number:
            text = request.match_info["order_id"]
            raise BrokerError(404, "record_not_found", f"Couldn't find order {text}")

        found: Order = order
        return found


class _Filter:
    """Matches orders against the query parameters of a search."""

    def __init__(self, request: web.Request) -> None:
        self._first = queries.read_date(request, "start-date")
        self._last = queries.read_date(request, "end-date")
        self._from = queries.read_instant(request, "start-at") or datetime.min.replace(tzinfo=UTC)
        self._until = queries.read_instant(request, "end-at") or datetime.max.replace(tzinfo=UTC)
        self._statuses = queries.read_many(request, "status")
        self._underlying = queries.read_one(request, "underlying-symbol")
        self._future = queries.read_one(request, "futures-symbol")
        self._kind = queries.read_one(request, "underlying-instrument-type")
        self._identifier = queries.read_one(request, "external-identifier")

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
