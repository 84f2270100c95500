"""Gives each change of orders one outcome under its name: repeats are answered from the journal.

A name is bound to the digest of what was asked. While only the broker knows what became of a
change, each repeat asks it again, and none sends anything. A name counts as new only after the
account's history was read: it may have been used before this database existed.
"""

from __future__ import annotations

__all__ = ["IdempotencyKey", "IdempotentOrders", "OrderCommand", "unrecorded_orders"]

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self
from uuid import uuid4

from server.brokerage.api.order_replies import Placement
from server.brokerage.api.order_requests import OrderRequest
from server.clock import Clock
from server.errors import (
    BrokerUnavailable,
    ClientOrderIdTaken,
    OrderNotRecorded,
    StoreUnavailable,
)
from server.orders.model.drafts import Draft, digest_of
from server.orders.model.names import check_name
from server.orders.model.receipts import UNKNOWN, Receipt, receipt_of
from server.orders.model.records import priced_of
from server.orders.submitting.caller import Caller
from server.orders.submitting.journal import Entry, Intent, OrderJournal, State
from server.orders.submitting.reconciler import Reconciler
from server.orders.submitting.submission import (
    AlreadyKnown,
    InFlight,
    NothingSent,
    Submission,
    SubmissionResult,
    Submitted,
)
from server.orders.submitting.submitter import OrderSubmitter
from server.orders.submitting.used_names import UsedNames


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """Names one change, and tells whether another request under that name is the same one."""

    kind: str
    """The kind of its request, as `PlaceRequest.kind`."""
    name: str
    given: bool
    """Whether the caller gave the name; else it is new and nobody can ask for it again."""
    draft: Draft
    digest: str

    @classmethod
    def of(cls, kind: str, name: str | None, draft: Draft) -> Self:
        """Returns the key of a request; raises InvalidField for a name that no change can have."""
        chosen = str(uuid4()) if name is None else name
        check_name(chosen)
        return cls(
            kind=kind, name=chosen, given=name is not None, draft=draft, digest=digest_of(draft)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCommand:
    """A prepared request with what the journal and the risk limits must know of it."""

    request: OrderRequest
    record: Mapping[str, Any]
    """What is stored of it, as plain JSON."""
    notional: Decimal | None
    symbols: tuple[str, ...]
    closes: bool
    whole: Decimal | None = None
    """What a replacement commits; `notional` is then what it adds to the old order."""


class IdempotentOrders:
    """Finds what became of a change, or submits it if it is new."""

    def __init__(
        self,
        journal: OrderJournal,
        names: UsedNames,
        reconciler: Reconciler,
        submitter: OrderSubmitter,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._names = names
        self._reconciler = reconciler
        self._submitter = submitter
        self._clock = clock

    async def find(self, caller: Caller, key: IdempotencyKey) -> Receipt | None:
        """Returns what became of the change of that name; None if it may be sent now.

        Raises the broker's refusal of it, ClientOrderIdTaken for another change of that name, and
        OrdersReconciling while the account has open questions from before the start.
        """
        if key.given:
            number, patience = caller.account.number, caller.patience(self._clock)
            await self._names.ready(number, caller.tenant.id, caller.api, patience)
            known = await self._known(caller, key)
            if known is not None:
                return known

        await self._reconciler.ready(caller.account.number, caller.tenant)
        return None

    async def submit(self, caller: Caller, key: IdempotencyKey, command: OrderCommand) -> Receipt:
        """Sends a new change once and returns its receipt; raises as `find` and OrderNotRecorded.

        A call with the same name that was ahead decides: this one gets its receipt or its failure.
        """
        submission = Submission(
            tenant=caller.tenant,
            broker=caller.api,
            intent=_intent(caller, key, command),
            request=command.request,
        )
        result = await self._submitter.submit(submission, caller.patience(self._clock))
        return _receipt(result, caller, key)

    async def _known(self, caller: Caller, key: IdempotencyKey) -> Receipt | None:
        number = caller.account.number
        entry = await self._journal.find(number, key.name)
        if entry is None:
            return None

        if entry.state is State.RESTORED:
            if entry.kind != key.kind:
                raise ClientOrderIdTaken(key.name)

            await self._names.adopt(entry, key.draft, caller.api)
            entry = await self._journal.get(entry)

        _refuse_other(entry.digest, key)
        if entry.state is State.RECORDED or entry.is_open:
            ahead = await self._submitter.follow(number, key.name, caller.patience(self._clock))
            if ahead is not None:
                return _receipt(ahead, caller, key)

            entry = await self._reconciled(caller, entry)

        return None if entry.state is State.UNSENT else receipt_of(entry, replayed=True)

    async def _reconciled(self, caller: Caller, entry: Entry) -> Entry:
        """Returns a change that no call of this process sends, as far as it can be known now."""
        if entry.state is State.RECORDED:
            # Its process died before it sent anything.
            await self._journal.release_recorded(entry.id)
            return await self._journal.get(entry)

        try:
            async with asyncio.timeout(caller.patience(self._clock).total_seconds()):
                return await self._reconciler.reconcile(entry, caller.tenant)
        except TimeoutError:
            return entry


@contextmanager
def unrecorded_orders() -> Iterator[None]:
    """Tells a failure of the store as OrderNotRecorded: without its record nothing is sent."""
    try:
        yield
    except StoreUnavailable as failure:
        raise OrderNotRecorded from failure


def _receipt(result: SubmissionResult, caller: Caller, key: IdempotencyKey) -> Receipt:
    """Returns what a caller is told of a submission, or raises it."""
    match result:
        case Submitted(entry=entry):
            return receipt_of(entry)
        case AlreadyKnown(entry=entry):
            _refuse_other(entry.digest, key)
            return receipt_of(entry, replayed=True)
        case InFlight(intent=intent, mine=mine):
            _refuse_other(intent.digest, key)
            return Receipt(
                client_order_id=intent.client_order_id,
                status=UNKNOWN,
                placement=Placement(),
                priced=priced_of(intent.request),
                replaced_order_id=intent.target_id or "",
                replayed=not mine,
            )
        case NothingSent(intent=intent, failure=failure):
            _refuse_other(intent.digest, key)
            if intent.tenant_id == caller.tenant.id:
                raise failure.with_traceback(None)

            # Why it failed is another tenant's business.
            raise BrokerUnavailable("the same order was tried by another call, and was not sent")


def _intent(caller: Caller, key: IdempotencyKey, command: OrderCommand) -> Intent:
    return Intent(
        account_number=caller.account.number,
        client_order_id=key.name,
        tenant_id=caller.tenant.id,
        kind=command.request.kind,
        digest=key.digest,
        notional=command.notional,
        symbols=command.symbols,
        closes=command.closes,
        request=command.record,
        target_id=command.request.target_id,
        whole=command.whole,
    )


def _refuse_other(digest: str, key: IdempotencyKey) -> None:
    if digest != key.digest:
        raise ClientOrderIdTaken(key.name)
