"""Cancels: asked once, and answered with what the order has become.

A cancel needs no record: it goes out while the store is locked, full or gone, and what could not be
written is told in the log and in the answer.

Success means that the broker was asked. An answer that was lost is looked for in the order itself:
if it is on its way out, the cancel arrived. Cancelling twice does no harm, so a caller who is told
that nothing is known simply asks again.
"""

from __future__ import annotations

__all__ = ["CancelService", "Cancelled"]

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from server.brokerage.api.json_reader import ParseFaults
from server.brokerage.api.order_api import complex_order_of, replacement_of
from server.brokerage.api.order_replies import BrokerWord, ComplexOrder
from server.brokerage.api.orders import Order
from server.brokerage.transport.paths import is_number
from server.brokerage.transport.send_progress import SendProgress
from server.clock import Clock
from server.errors import (
    CancelUnknown,
    ComplexOrderNotFound,
    GatewayError,
    NotFound,
    OrderNotFound,
    OrderRefused,
)
from server.orders.model.receipts import UNKNOWN, refusal_of
from server.orders.model.records import record_of
from server.orders.risk_limits import RiskLimits
from server.orders.submitting.cancel_record import CancelRecord
from server.orders.submitting.idempotent_orders import Caller
from server.orders.submitting.journal import Entry, Intent, OrderJournal, State
from server.orders.submitting.reconciliation import ENDING, is_whole_ending
from server.orders.submitting.submitter import LOOKS, OrderSubmitter, Send
from server.orders.submitting.time_limited_store import TimeLimitedStore

ENDED_BY_US = frozenset({"Cancelled", "Canceled", "Removed"})


MOST_REMEMBERED = 10_000
"""Cancels without a row that are remembered; the oldest are forgotten first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """What a cancel led to."""

    order_id: str
    status: str
    order: Order | None = None
    complex_order: ComplexOrder | None = None
    warnings: tuple[BrokerWord, ...] = ()
    """What the server could not do beside it: its record."""


class CancelService:
    """Asks the broker for the end of orders, whatever the store does."""

    def __init__(
        self,
        journal: OrderJournal,
        risk_limits: RiskLimits,
        submitter: OrderSubmitter,
        aside: TimeLimitedStore,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._risk_limits = risk_limits
        self._submitter = submitter
        self._aside = aside
        self._clock = clock
        self._unwritten: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def cancel(self, caller: Caller, order_id: str) -> Cancelled:
        """Asks for the end of an order.

        Raises OrderNotFound; OrderRefused for one that works no more; CancelUnknown.
        """
        if not is_number(order_id):
            raise OrderNotFound(order_id)

        async def send(progress: SendProgress) -> tuple[dict[str, Any], str]:
            data = await caller.pages.cancel(order_id, progress)
            return {"order": data}, replacement_of(data, ParseFaults()).id

        record = CancelRecord(order_id, self._journal, self._aside, self._clock)
        before = await self._before(caller, order_id, record)
        entry = await self._carry_out(caller, "cancel", order_id, send, record)
        answer = None if entry is None else entry.answer
        if entry is not None and entry.state is State.ACCEPTED and answer is not None:
            order = replacement_of(answer["order"], ParseFaults())
            done = Cancelled(order_id=order_id, status=order.status, order=order)
        else:
            done = await self._judged(caller, order_id, entry, before=before)

        return replace(done, warnings=_warnings(record))

    async def cancel_complex(self, caller: Caller, complex_order_id: str) -> Cancelled:
        """Asks for the end of a complex order; raises as `cancel`."""
        if not is_number(complex_order_id):
            raise ComplexOrderNotFound(complex_order_id)

        async def send(progress: SendProgress) -> tuple[dict[str, Any], str]:
            data = await caller.pages.cancel_complex(complex_order_id, progress)
            return {"complex-order": data}, complex_order_of(data, ParseFaults()).id

        record = CancelRecord(complex_order_id, self._journal, self._aside, self._clock)
        await self._before(caller, complex_order_id, record)
        entry = await self._carry_out(caller, "cancel_complex", complex_order_id, send, record)
        answer = None if entry is None else entry.answer
        if entry is not None and entry.state is State.ACCEPTED and answer is not None:
            whole = complex_order_of(answer["complex-order"], ParseFaults())
            return Cancelled(
                order_id=complex_order_id,
                status="",
                complex_order=whole,
                warnings=_warnings(record),
            )
        if entry is not None and entry.state is State.REFUSED:
            raise refusal_of(entry)

        shown = await self._shown_whole(caller, complex_order_id, entry)
        if shown is None:
            raise CancelUnknown(complex_order_id, UNKNOWN)

        return Cancelled(
            order_id=complex_order_id,
            status="",
            complex_order=shown,
            warnings=_warnings(record),
        )

    async def _before(self, caller: Caller, target_id: str, record: CancelRecord) -> bool:
        """Returns whether this server asked for the same before; raises TradingReadOnly."""
        number = caller.account.number
        remembered = (number, target_id) in self._unwritten
        asked = await record.ask(
            lambda: self._journal.before_cancel(caller.tenant.id, number, target_id), remembered
        )
        if record.trouble:
            self._risk_limits.refuse_known_viewer(caller.tenant.id)

        return asked or remembered

    async def _carry_out(
        self, caller: Caller, kind: str, target_id: str, send: Send, record: CancelRecord
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
        entry, _ = await self._submitter.carry_out(caller.tenant, intent, send, patience, record)
        if entry is not None and not entry.written and entry.state is not State.REFUSED:
            self._remember(caller.account.number, target_id)

        return entry

    def _remember(self, account_number: str, target_id: str) -> None:
        self._unwritten[account_number, target_id] = None
        if len(self._unwritten) > MOST_REMEMBERED:
            self._unwritten.popitem(last=False)

    async def _judged(
        self, caller: Caller, order_id: str, entry: Entry | None, *, before: bool
    ) -> Cancelled:
        """Decides by the order itself, where the broker refused or its answer was lost."""
        refused = entry is not None and entry.state is State.REFUSED
        try:
            order = await self._shown(caller, order_id, entry)
        except NotFound:
            raise
        except GatewayError as failure:
            if refused and entry is not None:
                raise refusal_of(entry) from failure

            raise CancelUnknown(order_id, UNKNOWN) from failure

        ours = order.status in ENDED_BY_US and (before or not refused)
        if order.status in ENDING - ENDED_BY_US or ours:
            return Cancelled(order_id=order_id, status=order.status, order=order)
        if refused and entry is not None:
            raise refusal_of(entry)
        if order.is_terminal:
            words = f"Order {order_id} is {order.status} and can no longer be cancelled."
            raise OrderRefused(words, ["cannot_update_order"])

        raise CancelUnknown(order_id, order.status)

    async def _shown(self, caller: Caller, order_id: str, entry: Entry | None) -> Order:
        """Returns the order, looked at as long as it may still be on its way out.

        A lost cancel that has a row was looked for by the resolver before.
        """
        order = await caller.pages.order(order_id)
        if entry is None or entry.written or entry.state is State.REFUSED:
            return order

        for pause in LOOKS[1:]:
            if order.status in ENDING or order.is_terminal:
                break

            await self._clock.sleep(pause)
            order = await caller.pages.order(order_id)

        return order

    async def _shown_whole(
        self, caller: Caller, complex_order_id: str, entry: Entry | None
    ) -> ComplexOrder | None:
        """Does the same for a complex order; None unless it is on its way out."""
        if entry is None or entry.written:
            return None

        for pause in LOOKS:
            await self._clock.sleep(pause)
            try:
                raw = await caller.pages.raw_complex_order(complex_order_id)
            except GatewayError:
                continue
            if is_whole_ending(raw):
                return complex_order_of(raw, ParseFaults())

        return None


def _warnings(record: CancelRecord) -> tuple[BrokerWord, ...]:
    if not record.trouble:
        return ()

    words = (
        "TastyTrade was asked to cancel, but the server's own store did not take that down "
        f"({record.trouble}). Nothing else is wrong with the cancel."
    )
    return (BrokerWord(code="not_recorded", message=words),)
