"""Cancels orders, each request once, and answers with what the order has become.

A cancel needs no record: it goes out while the store is locked, full or gone, and what could not be
written is told in the log and in the answer.

Success means that the broker was asked. If its answer was lost, the order itself is looked at: if
it is being cancelled, the request arrived. Cancelling twice does no harm, so a caller who is told
that nothing is known asks again.
"""

from __future__ import annotations

__all__ = ["CancelService", "Cancelled"]

from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

from server.brokerage.api.json_reader import ParseFaults
from server.brokerage.api.order_api import placement_of
from server.brokerage.api.order_replies import BrokerWord, ComplexOrder, Placement
from server.brokerage.api.order_requests import CancelComplexRequest, CancelRequest
from server.brokerage.api.orders import Order
from server.brokerage.transport.paths import is_number
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
from server.orders.submitting.caller import Caller
from server.orders.submitting.cancel_record import CancelRecord
from server.orders.submitting.journal import Entry, Intent, OrderJournal, State
from server.orders.submitting.reconciliation import ENDING, is_whole_ending
from server.orders.submitting.submission import Submission, Submitted
from server.orders.submitting.submitter import RECONCILE_PAUSES, OrderSubmitter
from server.orders.submitting.time_limited_store import TimeLimitedStore

ENDED_BY_CANCEL = frozenset({"Cancelled", "Canceled", "Removed"})

MOST_REMEMBERED = 10_000
"""Maximum number of cancels without a row that are remembered; the oldest are forgotten first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """What a cancel led to."""

    order_id: str
    status: str
    order: Order | None = None
    complex_order: ComplexOrder | None = None
    warnings: tuple[BrokerWord, ...] = ()
    """Whether the server could not record the cancel."""


class CancelService:
    """Asks the broker to cancel orders, whatever the store does."""

    def __init__(
        self,
        journal: OrderJournal,
        risk_limits: RiskLimits,
        submitter: OrderSubmitter,
        store: TimeLimitedStore,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._risk_limits = risk_limits
        self._submitter = submitter
        self._store = store
        self._clock = clock
        self._unwritten: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def cancel(self, caller: Caller, order_id: str) -> Cancelled:
        """Cancels an order.

        Raises OrderNotFound, the broker's refusal, OrderRefused for an order that has ended
        otherwise, and CancelUnknown.
        """
        if not is_number(order_id):
            raise OrderNotFound(order_id)

        request, record = CancelRequest(target_id=order_id), self._record(order_id)
        asked_before = await self._asked_before(caller, order_id, record)
        entry = await self._submit(caller, request, record)
        order = _accepted(entry).order
        if order is None:
            order = await self._ending_order(caller, order_id, entry, asked_before=asked_before)

        warnings = _warnings(record)
        return Cancelled(order_id=order_id, status=order.status, order=order, warnings=warnings)

    async def cancel_complex(self, caller: Caller, complex_order_id: str) -> Cancelled:
        """Cancels a complex order; raises ComplexOrderNotFound, the refusal or CancelUnknown."""
        if not is_number(complex_order_id):
            raise ComplexOrderNotFound(complex_order_id)

        request = CancelComplexRequest(target_id=complex_order_id)
        record = self._record(complex_order_id)
        await self._asked_before(caller, complex_order_id, record)
        entry = await self._submit(caller, request, record)
        whole = _accepted(entry).complex_order
        if whole is None:
            whole = await self._ending_complex_order(caller, complex_order_id, entry)

        warnings = _warnings(record)
        return Cancelled(
            order_id=complex_order_id, status="", complex_order=whole, warnings=warnings
        )

    def _record(self, target_id: str) -> CancelRecord:
        return CancelRecord(target_id, self._journal, self._store, self._clock)

    async def _asked_before(self, caller: Caller, target_id: str, record: CancelRecord) -> bool:
        """Returns whether this server asked for the same before; raises TradingReadOnly."""
        number = caller.account.number
        remembered = (number, target_id) in self._unwritten
        asked = await record.ask(
            lambda: self._journal.before_cancel(caller.tenant.id, number, target_id), remembered
        )
        if record.trouble:
            self._risk_limits.refuse_known_viewer(caller.tenant.id)

        return asked or remembered

    async def _submit(
        self, caller: Caller, request: CancelRequest | CancelComplexRequest, record: CancelRecord
    ) -> Entry | None:
        """Sends a cancel once; returns None if the caller's time was over before its end."""
        intent = Intent(
            account_number=caller.account.number,
            client_order_id=str(uuid4()),
            tenant_id=caller.tenant.id,
            kind=request.kind,
            digest="",
            notional=Decimal(0),
            symbols=(),
            closes=True,
            request=record_of(None),
            target_id=request.target_id,
        )
        submission = Submission(
            tenant=caller.tenant, broker=caller.api, intent=intent, request=request
        )
        patience = caller.patience(self._clock)
        match await self._submitter.submit(submission, patience, record):
            case Submitted(entry=entry):
                if not entry.written and entry.state is not State.REFUSED:
                    self._remember(caller.account.number, request.target_id)

                return entry
            case _:
                return None  # still in flight: its name is new, so no other call is ahead

    def _remember(self, account_number: str, target_id: str) -> None:
        self._unwritten[account_number, target_id] = None
        if len(self._unwritten) > MOST_REMEMBERED:
            self._unwritten.popitem(last=False)

    async def _ending_order(
        self, caller: Caller, order_id: str, entry: Entry | None, *, asked_before: bool
    ) -> Order:
        """Returns the order if it ends by a cancel, where the broker refused or did not answer.

        Raises the refusal, OrderRefused for an order that has ended otherwise, or CancelUnknown.
        """
        refused = entry if entry is not None and entry.state is State.REFUSED else None
        try:
            order = await self._order_now(caller, order_id, entry)
        except NotFound:
            raise
        except GatewayError as failure:
            if refused is not None:
                raise refusal_of(refused) from failure

            raise CancelUnknown(order_id, UNKNOWN) from failure

        ended_by_us = order.status in ENDED_BY_CANCEL and (asked_before or refused is None)
        if order.status in ENDING - ENDED_BY_CANCEL or ended_by_us:
            return order
        if refused is not None:
            raise refusal_of(refused)
        if order.is_terminal:
            words = f"Order {order_id} is {order.status} and can no longer be cancelled."
            raise OrderRefused(words, ["cannot_update_order"])

        raise CancelUnknown(order_id, order.status)

    async def _order_now(self, caller: Caller, order_id: str, entry: Entry | None) -> Order:
        """Returns the order, read again while a cancel without a row may still reach it.

        A lost cancel that has a row was reconciled before.
        """
        order = await caller.api.order(order_id)
        if entry is None or entry.written or entry.state is State.REFUSED:
            return order

        for pause in RECONCILE_PAUSES[1:]:
            if order.status in ENDING or order.is_terminal:
                break

            await self._clock.sleep(pause)
            order = await caller.api.order(order_id)

        return order

    async def _ending_complex_order(
        self, caller: Caller, complex_order_id: str, entry: Entry | None
    ) -> ComplexOrder:
        """Returns a complex order if it ends by a cancel; raises the refusal or CancelUnknown."""
        if entry is not None and entry.state is State.REFUSED:
            raise refusal_of(entry)

        pauses = () if entry is None or entry.written else RECONCILE_PAUSES
        for pause in pauses:
            await self._clock.sleep(pause)
            try:
                raw = await caller.api.raw_complex_order(complex_order_id)
            except GatewayError:
                continue

            whole = placement_of({"complex-order": raw}, ParseFaults()).complex_order
            if whole is not None and is_whole_ending(raw):
                return whole

        raise CancelUnknown(complex_order_id, UNKNOWN)


def _accepted(entry: Entry | None) -> Placement:
    """Returns the broker's answer to an accepted cancel; empty if there is none."""
    if entry is None or entry.state is not State.ACCEPTED:
        return Placement()

    return placement_of(entry.answer, ParseFaults())


def _warnings(record: CancelRecord) -> tuple[BrokerWord, ...]:
    if not record.trouble:
        return ()

    words = (
        "TastyTrade was asked to cancel, but the server's own store did not take that down "
        f"({record.trouble}). Nothing else is wrong with the cancel."
    )
    return (BrokerWord(code="not_recorded", message=words),)
