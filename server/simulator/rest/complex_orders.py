"""Serves `/accounts/{n}/complex-orders`: OCO, OTO and OTOCO."""

from __future__ import annotations

__all__ = ["routes"]

from typing import Any

from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import BrokerError, envelope, paginate, reply
from server.simulator.exchange.account import Account
from server.simulator.exchange.clock import new_york_date
from server.simulator.exchange.complex_orders import COMPLEX_TYPES, ComplexOrder
from server.simulator.exchange.orders import Ticket
from server.simulator.exchange.preflight_checks import PreflightCheck
from server.simulator.exchange.tickets import parse_ticket
from server.simulator.exchange.views.orders import complex_order_json, unplaced_json
from server.simulator.exchange.views.preflight_checks import check_json
from server.simulator.exchange.vocabulary import Status
from server.simulator.rest import queries
from server.simulator.rest.bodies import read_json
from server.simulator.rest.ownership import get_account, get_customer

PER_PAGE = 10
MAX_PER_PAGE = 100
CHILDREN = {"OCO": (2, 3), "OTO": (1, 3), "OTOCO": (2, 3)}
"""Smallest and largest number of orders beside the trigger."""


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes of complex orders."""
    handlers = _ComplexOrderHandlers(broker)
    path = "/accounts/{account_number}/complex-orders"
    single = path + "/{order_id}"
    return [
        web.get(path, handlers.search),
        web.post(path, handlers.place),
        web.get(path + "/live", handlers.list_live),
        web.post(path + "/dry-run", handlers.dry_run),
        web.get(single, handlers.get),
        web.delete(single, handlers.cancel),
    ]


class _ComplexOrderHandlers:
    """Handles the routes of this file."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def place(self, request: web.Request) -> web.Response:
        account = get_account(self._broker, request)
        kind, trigger, tickets = _parse(await read_json(request))
        complex_order, checks = self._broker.exchange.order_entry.place_complex(
            account, kind, trigger, tickets
        )
        self._broker.exchange.wake()
        body = check_json(
            checks, complex_order=complex_order_json(complex_order), one_cancels_other=kind == "OCO"
        )
        return reply(envelope(body, request.path), 201)

    async def dry_run(self, request: web.Request) -> web.Response:
        account = get_account(self._broker, request)
        kind, trigger, tickets = _parse(await read_json(request))
        checks = self._broker.exchange.order_entry.check_complex(account, kind, trigger, tickets)
        body = check_json(
            checks,
            complex_order=_make_dry_run_json(account, kind, checks, triggered=trigger is not None),
            one_cancels_other=kind == "OCO",
            dry_run=True,
        )
        return reply(envelope(body, request.path))

    async def get(self, request: web.Request) -> web.Response:
        account = get_account(self._broker, request)
        complex_order = self._find_complex_order(request, account)
        return reply(envelope(complex_order_json(complex_order), request.path))

    async def cancel(self, request: web.Request) -> web.Response:
        account = get_account(self._broker, request)
        complex_order = self._find_complex_order(request, account)
        user_id = get_customer(request).user_id
        self._broker.exchange.order_entry.cancel_complex(complex_order, user_id)
        self._broker.exchange.wake()
        return reply(envelope(complex_order_json(complex_order), request.path))

    async def list_live(self, request: web.Request) -> web.Response:
        """Lists all complex orders that are working or ended today."""
        account = get_account(self._broker, request)
        today = new_york_date(self._broker.clock.now())
        items = [
            complex_order_json(complex_order)
            for complex_order in reversed(
                self._broker.exchange.registry.complex_orders_of(account.number)
            )
            if complex_order.terminal_at is None
            or new_york_date(complex_order.terminal_at) == today
        ]
        return reply(envelope({"items": items}, request.path))

    async def search(self, request: web.Request) -> web.Response:
        account = get_account(self._broker, request)
        found = self._broker.exchange.registry.complex_orders_of(account.number)
        if queries.is_newest_first(request):
            found.reverse()

        body = paginate(
            found, request, per_page=PER_PAGE, maximum=MAX_PER_PAGE, render=complex_order_json
        )
        return reply(body)

    def _find_complex_order(self, request: web.Request, account: Account) -> ComplexOrder:
        number = queries.read_id(request, "order_id")
        registry = self._broker.exchange.registry
        complex_order = None if number is None else registry.complex_orders.get(number)
        if complex_order is None or complex_order.account_number != account.number:
            text = request.match_info["order_id"]
            raise BrokerError(404, "record_not_found", f"Couldn't find complex order {text}")

        found: ComplexOrder = complex_order
        return found


def _parse(body: Any) -> tuple[str, Ticket | None, list[Ticket]]:
    if not isinstance(body, dict):
        raise queries.invalid("body", "must be a JSON object")

    kind = body.get("type")
    if kind not in COMPLEX_TYPES:
        raise queries.invalid("type", f"must be one of {', '.join(COMPLEX_TYPES)}")

    orders = body.get("orders")
    fewest, most = CHILDREN[kind]
    if not isinstance(orders, list) or not fewest <= len(orders) <= most:
        raise queries.invalid("orders", f"must hold {fewest} to {most} orders")

    trigger = body.get("trigger-order")
    if (trigger is None) != (kind == "OCO"):
        raise queries.invalid("trigger-order", "is for OTO and OTOCO, which need one")

    first = None if trigger is None else parse_ticket(trigger)
    return kind, first, [parse_ticket(order) for order in orders]


def _make_dry_run_json(
    account: Account, kind: str, checks: list[PreflightCheck], *, triggered: bool
) -> dict[str, Any]:
    shown = []
    for place, check in enumerate(checks):
        if place or not triggered:
            check.order.status = Status.CONTINGENT

        # There are no ids yet: the broker puts placeholders.
        check.order.complex_id = len(checks) + 1
        shown.append(unplaced_json(check.order, preflight_id=place))

    body: dict[str, Any] = {"account-number": account.number, "type": kind}
    if triggered:
        body["trigger-order"] = shown.pop(0)

    return body | {"orders": shown}
