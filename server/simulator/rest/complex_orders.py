"""`/accounts/{n}/complex-orders`: OCO, OTO and OTOCO."""

from __future__ import annotations

__all__ = ["routes"]

from typing import TYPE_CHECKING, Any

from aiohttp import web

from server.simulator.envelope import BrokerError, envelope, page, reply
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
from server.simulator.rest.bodies import json_body
from server.simulator.rest.ownership import account_of, customer_of

if TYPE_CHECKING:
    from server.simulator.app import Simulator

PER_PAGE = 10
MOST_PER_PAGE = 100
CHILDREN = {"OCO": (2, 3), "OTO": (1, 3), "OTOCO": (2, 3)}
"""Fewest and most orders beside the trigger."""


def routes(sim: Simulator) -> list[web.RouteDef]:
    """Returns the routes of complex orders."""
    pages = _ComplexOrders(sim)
    path = "/accounts/{account_number}/complex-orders"
    single = path + "/{order_id}"
    return [
        web.get(path, pages.search),
        web.post(path, pages.place),
        web.get(path + "/live", pages.live),
        web.post(path + "/dry-run", pages.dry_run),
        web.get(single, pages.single),
        web.delete(single, pages.cancel),
    ]


class _ComplexOrders:
    """Handlers of this file's routes."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim

    async def place(self, request: web.Request) -> web.Response:
        account = account_of(self._sim, request)
        kind, trigger, tickets = _read(await json_body(request))
        complex_order, checks = self._sim.exchange.order_entry.place_complex(
            account, kind, trigger, tickets
        )
        self._sim.exchange.wake()
        body = check_json(
            checks, complex_order=complex_order_json(complex_order), one_cancels_other=kind == "OCO"
        )
        return reply(envelope(body, request.path), 201)

    async def dry_run(self, request: web.Request) -> web.Response:
        account = account_of(self._sim, request)
        kind, trigger, tickets = _read(await json_body(request))
        checks = self._sim.exchange.order_entry.check_complex(account, kind, trigger, tickets)
        body = check_json(
            checks,
            complex_order=_unplaced(account, kind, checks, triggered=trigger is not None),
            one_cancels_other=kind == "OCO",
            dry_run=True,
        )
        return reply(envelope(body, request.path))

    async def single(self, request: web.Request) -> web.Response:
        account = account_of(self._sim, request)
        complex_order = self._complex_order(request, account)
        return reply(envelope(complex_order_json(complex_order), request.path))

    async def cancel(self, request: web.Request) -> web.Response:
        account = account_of(self._sim, request)
        complex_order = self._complex_order(request, account)
        self._sim.exchange.order_entry.cancel_complex(complex_order, customer_of(request).user_id)
        self._sim.exchange.wake()
        return reply(envelope(complex_order_json(complex_order), request.path))

    async def live(self, request: web.Request) -> web.Response:
        """Everything that works or changed today."""
        account = account_of(self._sim, request)
        today = new_york_date(self._sim.clock.now())
        items = [
            complex_order_json(complex_order)
            for complex_order in reversed(
                self._sim.exchange.registry.complex_orders_of(account.number)
            )
            if complex_order.terminal_at is None
            or new_york_date(complex_order.terminal_at) == today
        ]
        return reply(envelope({"items": items}, request.path))

    async def search(self, request: web.Request) -> web.Response:
        account = account_of(self._sim, request)
        found = self._sim.exchange.registry.complex_orders_of(account.number)
        if queries.sort_descending(request):
            found.reverse()

        body = page(
            found, request, per_page=PER_PAGE, most=MOST_PER_PAGE, render=complex_order_json
        )
        return reply(body)

    def _complex_order(self, request: web.Request, account: Account) -> ComplexOrder:
        number = queries.identifier(request, "order_id")
        registry = self._sim.exchange.registry
        complex_order = None if number is None else registry.complex_orders.get(number)
        if complex_order is None or complex_order.account_number != account.number:
            text = request.match_info["order_id"]
            raise BrokerError(404, "record_not_found", f"Couldn't find complex order {text}")

        found: ComplexOrder = complex_order
        return found


def _read(body: Any) -> tuple[str, Ticket | None, list[Ticket]]:
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


def _unplaced(
    account: Account, kind: str, checks: list[PreflightCheck], *, triggered: bool
) -> dict[str, Any]:
    shown = []
    for place, check in enumerate(checks):
        if place or not triggered:
            check.order.status = Status.CONTINGENT

        # Nothing has a number yet: the broker puts in placeholders.
        check.order.complex_id = len(checks) + 1
        shown.append(unplaced_json(check.order, preflight_id=place))

    body: dict[str, Any] = {"account-number": account.number, "type": kind}
    if triggered:
        body["trigger-order"] = shown.pop(0)

    return body | {"orders": shown}
