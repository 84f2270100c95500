"""Cancels: asked once, and answered with what the order has become.

Success means that the broker was asked. An answer that was lost is looked for in the order itself:
if it is on its way out, the cancel arrived. Cancelling twice does no harm, so a caller who is told
that nothing is known simply asks again.
"""

from __future__ import annotations

__all__ = ["Cancelled", "Cancels"]

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from server.brokerage.item import Faults
from server.brokerage.order_journey import Journey
from server.brokerage.order_pages import complex_order_of, replacement_of
from server.brokerage.order_replies import ComplexOrder
from server.brokerage.orders import Order
from server.clock import Clock
from server.errors import (
    CancelUnknown,
    ComplexOrderNotFound,
    GatewayError,
    NotFound,
    OrderRefused,
)
from server.orders.dispatch import Dispatch
from server.orders.errands import Caller
from server.orders.ledger import Entry, Intent, Ledger, State
from server.orders.receipts import UNKNOWN
from server.orders.records import record_of
from server.orders.sightings import ENDING

ENDED_BY_US = frozenset({"Cancelled", "Canceled", "Removed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """What a cancel led to."""

    order_id: str
    status: str
    order: Order | None = None
    complex_order: ComplexOrder | None = None


class Cancels:
    """Asks the broker for the end of orders."""

    def __init__(self, ledger: Ledger, dispatch: Dispatch, clock: Clock) -> None:
        self._ledger = ledger
        self._dispatch = dispatch
        self._clock = clock

    async def cancel(self, caller: Caller, order_id: str) -> Cancelled:
        """Asks for the end of an order.

        Raises OrderNotFound; OrderRefused for one that works no more; CancelUnknown.
        """

        async def send(journey: Journey) -> tuple[dict[str, Any], str]:
            data = await caller.pages.cancel(order_id, journey)
            return {"order": data}, replacement_of(data, Faults()).id

        before = await self._ledger.was_cancelled_here(caller.account.number, order_id)
        entry = await self._carry_out(caller, "cancel", order_id, send)
        answer = None if entry is None else entry.answer
        if entry is not None and entry.state is State.ACCEPTED and answer is not None:
            order = replacement_of(answer["order"], Faults())
            return Cancelled(order_id=order_id, status=order.status, order=order)

        return await self._judged(caller, order_id, entry, before=before)

    async def cancel_complex(self, caller: Caller, complex_order_id: str) -> Cancelled:
        """Asks for the end of a complex order; raises as `cancel`."""

        async def send(journey: Journey) -> tuple[dict[str, Any], str]:
            data = await caller.pages.cancel_complex(complex_order_id, journey)
            return {"complex-order": data}, complex_order_of(data, Faults()).id

        entry = await self._carry_out(caller, "cancel_complex", complex_order_id, send)
        answer = None if entry is None else entry.answer
        if entry is not None and entry.state is State.ACCEPTED and answer is not None:
            whole = complex_order_of(answer["complex-order"], Faults())
            return Cancelled(order_id=complex_order_id, status="", complex_order=whole)
        if entry is not None and entry.state is State.REFUSED:
            if (answer or {}).get("reason") == ComplexOrderNotFound.reason:
                raise ComplexOrderNotFound(complex_order_id)

            raise _refusal(entry)

        raise CancelUnknown(complex_order_id, UNKNOWN)

    async def _carry_out(
        self, caller: Caller, kind: str, target_id: str, send: Any
    ) -> Entry | None:
        intent = Intent(
            account_number=caller.account.number,
            client_order_id=str(uuid4()),
            tenant_id=caller.tenant.id,
            kind=kind,
            digest="",
            notional=Decimal(0),
            symbols=(),
            closes=True,
            request=record_of(None),
            target_id=target_id,
        )
        patience = timedelta(seconds=max(0.0, caller.deadline - self._clock.monotonic()))
        entry, _ = await self._dispatch.carry_out(caller.tenant, intent, send, patience)
        return entry

    async def _judged(
        self, caller: Caller, order_id: str, entry: Entry | None, *, before: bool
    ) -> Cancelled:
        """Decides by the order itself, where the broker refused or its answer was lost."""
        refused = entry is not None and entry.state is State.REFUSED
        try:
            order = await caller.pages.order(order_id)
        except NotFound:
            raise
        except GatewayError as failure:
            if refused and entry is not None:
                raise _refusal(entry) from failure

            raise CancelUnknown(order_id, UNKNOWN) from failure

        ours = order.status in ENDED_BY_US and (before or not refused)
        if order.status in ENDING - ENDED_BY_US or ours:
            return Cancelled(order_id=order_id, status=order.status, order=order)
        if refused and entry is not None:
            raise _refusal(entry)
        if order.is_terminal:
            words = f"Order {order_id} is {order.status} and can no longer be cancelled."
            raise OrderRefused(words, ["cannot_update_order"])

        raise CancelUnknown(order_id, order.status)


def _refusal(entry: Entry) -> OrderRefused:
    kept: Mapping[str, Any] = entry.answer or {}
    return OrderRefused(kept.get("words", ""), kept.get("codes", ()))
