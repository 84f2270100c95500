"""Calls the broker's endpoints of orders as one tenant: changes, dry runs and lookups.

A change is sent exactly once, watched by its `SendProgress`; `outcome_of` tells what its failure
proves. An answer comes back as the broker's raw JSON, so that it can be stored as it came and read
again; `placement_of` turns it into values.
"""

from __future__ import annotations

__all__ = ["OrderApi", "placement_of"]

import itertools
from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from typing import Any

import orjson

from server.brokerage.api.accounts import Account
from server.brokerage.api.json_reader import JsonReader, ParseFaults, Unreadable, items_of
from server.brokerage.api.order_replies import (
    BrokerWord,
    Placement,
    read_placement,
)
from server.brokerage.api.order_requests import (
    AcceptedChange,
    CancelComplexRequest,
    CancelRequest,
    OrderRequest,
    PlaceComplexRequest,
    PlaceRequest,
    ReplaceRequest,
)
from server.brokerage.api.order_specs import ComplexSpec, OrderSpec
from server.brokerage.api.orders import Order
from server.brokerage.session import BrokerSession
from server.brokerage.transport.failures import answered
from server.brokerage.transport.paths import segment
from server.brokerage.transport.send_progress import SendProgress
from server.errors import (
    BrokerUnreadable,
    ComplexOrderNotFound,
    GatewayError,
    NotKnownToBroker,
    OrderNotFound,
    OrderRefused,
)

Answer = dict[str, Any]
ORDERS_A_PAGE = 50
WORKING = ("Received", "Routed", "In Flight", "Live", "Contingent", "Replace Requested")
"""Statuses of orders that may still trade, and that nobody has asked to end."""
EVER = timedelta(days=3650)
"""How far back an order may have been placed that still works."""


class OrderApi:
    """Changes and reads the orders of one account."""

    def __init__(self, session: BrokerSession, account: Account) -> None:
        self._session = session
        self._account = account
        self._base = f"/accounts/{account.number}"

    async def execute(self, request: OrderRequest, progress: SendProgress) -> AcceptedChange:
        """Sends a change once, watched by `progress`, and returns the broker's answer.

        Raises OrderNotFound or ComplexOrderNotFound for a cancel of an order that the broker does
        not know, the broker's refusal, or BrokerUnreadable for an answer without its order.
        """
        from server.brokerage.api import order_forms as forms  # imports the SDK, open by now

        match request:
            case PlaceRequest(spec=spec):
                data = await self._send("POST", "/orders", forms.order_form(spec), progress)
                return _accepted(data)
            case PlaceComplexRequest(spec=whole):
                form = forms.complex_form(whole)
                data = await self._send("POST", "/complex-orders", form, progress)
                return _accepted_complex(data)
            case ReplaceRequest(target_id=number, spec=spec):
                path = f"/orders/{segment(number)}"
                data = await self._send("PUT", path, forms.change_form(spec), progress)
                return _accepted({"order": data})
            case CancelRequest(target_id=number):
                path = f"/orders/{segment(number)}"
                data = await self._cancel(path, OrderNotFound(number), progress)
                return _accepted({"order": data})
            case CancelComplexRequest(target_id=number):
                path = f"/complex-orders/{segment(number)}"
                data = await self._cancel(path, ComplexOrderNotFound(number), progress)
                return _accepted_complex({"complex-order": data})

    async def dry_run(self, spec: OrderSpec | ComplexSpec) -> Placement:
        """Returns what placing would mean; what the broker refuses is among its `errors`."""
        from server.brokerage.api.order_forms import complex_form, order_form  # the SDK, too

        if isinstance(spec, OrderSpec):
            path, form = f"{self._base}/orders/dry-run", order_form(spec)
        else:
            path, form = f"{self._base}/complex-orders/dry-run", complex_form(spec)

        try:
            data = await self._session.connection.send("POST", path, form)
        except OrderRefused as refused:
            return self._refused(refused)

        return placement_of(data, self._session.faults, dry_run=True)

    async def order(self, order_id: str) -> Order:
        """Returns one order; raises OrderNotFound."""
        return await self._session.order(self._account, order_id)

    async def raw_order(self, order_id: str) -> Answer:
        """Returns one order as the broker writes it; raises OrderNotFound."""
        return await self._found(f"/orders/{segment(order_id)}", OrderNotFound(order_id))

    async def raw_today(self) -> Sequence[Answer]:
        """Returns today's orders as the broker writes them."""
        return items_of(await self._session.connection.get(f"{self._base}/orders/live"))

    async def raw_since(self, day: date) -> Sequence[Answer]:
        """Returns all orders received since a day, as the broker writes them, newest first."""
        params = {"start-date": day.isoformat(), "sort": "Desc"}
        path = f"{self._base}/orders"
        return await self._session.connection.pages(path, params, per_page=ORDERS_A_PAGE)

    async def raw_working(self, today: date) -> Sequence[Answer]:
        """Returns the orders that may still trade, as the broker writes them, newest first.

        Today's list is the quicker one; an order of another day may stand in the history only.
        """
        params = {
            "status[]": list(WORKING),
            "start-date": (today - EVER).isoformat(),
            "sort": "Desc",
        }
        path = f"{self._base}/orders"
        older = await self._session.connection.pages(path, params, per_page=ORDERS_A_PAGE)
        both = [*await self.raw_today(), *older]
        found = {str(raw["id"]): raw for raw in both if raw.get("status") in WORKING}
        return list(found.values())

    async def raw_history(self, since: date) -> AsyncIterator[Sequence[Answer]]:
        """Yields all orders received since a day, page by page and newest first.

        Ends at a page that brings nothing new: the broker's count of pages is not relied on, since
        whoever reads this must not miss one.
        """
        seen: set[object] = set()
        for offset in itertools.count():
            params = {
                "start-date": since.isoformat(),
                "sort": "Desc",
                "per-page": ORDERS_A_PAGE,
                "page-offset": offset,
            }
            answer = items_of(await self._session.connection.get(f"{self._base}/orders", params))
            new = [raw for raw in answer if isinstance(raw, dict) and raw.get("id") not in seen]
            if not new:
                return

            seen.update(raw.get("id") for raw in new)
            yield new

    async def raw_complex_order(self, complex_order_id: str) -> Answer:
        """Returns one complex order as the broker writes it; raises ComplexOrderNotFound."""
        path = f"/complex-orders/{segment(complex_order_id)}"
        return await self._found(path, ComplexOrderNotFound(complex_order_id))

    async def _found(self, path: str, missing: GatewayError) -> Answer:
        try:
            data = await self._session.connection.get(self._base + path)
        except NotKnownToBroker as unknown:
            raise missing from unknown

        return _object(data)

    async def _cancel(self, path: str, missing: GatewayError, progress: SendProgress) -> Answer:
        try:
            return await self._send("DELETE", path, None, progress)
        except NotKnownToBroker as unknown:
            raise missing from unknown

    async def _send(
        self, method: str, path: str, body: Answer | None, progress: SendProgress
    ) -> Answer:
        data = await self._session.connection.send(
            method, self._base + path, body, progress=progress
        )
        return _object(data)

    def _refused(self, refused: OrderRefused) -> Placement:
        """Returns a refused dry run: its words, and its figures where the broker sent them."""
        refusal = answered(refused)
        body = orjson.loads(refusal.body) if refusal is not None and refusal.is_json else {}
        error = body.get("error") if isinstance(body, dict) else None
        error = error if isinstance(error, dict) else {}
        inner = error.get("errors")
        found = inner if isinstance(inner, list) and inner else [error]
        words = tuple(_word(each) for each in found if isinstance(each, dict))
        data = body.get("data") if isinstance(body, dict) else None
        known = Placement()
        if isinstance(data, dict):
            known = placement_of(data, self._session.faults, dry_run=True)

        return Placement(
            order=known.order,
            complex_order=known.complex_order,
            buying_power=known.buying_power,
            fees=known.fees,
            warnings=known.warnings,
            errors=words,
        )


def placement_of(data: object, faults: ParseFaults, *, dry_run: bool = False) -> Placement:
    """Returns the answer to a placement; raises BrokerUnreadable for one without its order."""
    try:
        return read_placement(JsonReader(data, faults, "placement"), dry_run=dry_run)
    except Unreadable:
        raise BrokerUnreadable("a placement without its order") from None


def _accepted(answer: Answer) -> AcceptedChange:
    order = placement_of(answer, ParseFaults()).order
    if order is None:
        raise BrokerUnreadable("a placement without its order")

    return AcceptedChange(answer=answer, order_id=order.id)


def _accepted_complex(answer: Answer) -> AcceptedChange:
    whole = placement_of(answer, ParseFaults()).complex_order
    if whole is None:
        raise BrokerUnreadable("a placement without its order")

    return AcceptedChange(answer=answer, order_id=whole.id)


def _object(data: object) -> Answer:
    if not isinstance(data, dict):
        raise BrokerUnreadable("an answer about orders without one")

    return data


def _word(error: Answer) -> BrokerWord:
    code = error.get("code") or error.get("domain") or ""
    message = error.get("message") or error.get("reason") or ""
    return BrokerWord(code=str(code), message=str(message))
