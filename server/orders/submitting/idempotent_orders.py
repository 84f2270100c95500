"""Runs a change once under its name: answers a repeat from the ledger, sends what is new.

What a name is bound to is the digest of what was asked. While only the broker knows what became of
a change, each repeat asks it again, and none sends anything. A name is not new before the account's
history was read: it may have been used before this database was there.
"""

from __future__ import annotations

__all__ = ["Caller", "IdempotentOrders", "OrderCommand"]

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from server.brokerage import BrokerSession
from server.brokerage.api.accounts import Account
from server.brokerage.api.order_api import OrderApi
from server.brokerage.api.order_replies import Placement
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
from server.orders.submitting.journal import Entry, Intent, OrderJournal, State
from server.orders.submitting.reconciler import Reconciler
from server.orders.submitting.submitter import OrderSubmitter, Send
from server.orders.submitting.used_names import UsedNames
from server.tenants import Tenant

ATTEMPTS = 3
"""How often a call tries to go first, where those ahead of it under its name sent nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, for which account, and until when an answer is of use."""

    tenant: Tenant
    session: BrokerSession
    account: Account
    deadline: float
    """On the clock's monotonic scale; a moment before the caller stops listening."""

    @property
    def pages(self) -> OrderApi:
        return OrderApi(self.session, self.account)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCommand:
    """A change that is ready to be sent."""

    record: Mapping[str, Any]
    send: Send
    notional: Decimal | None = Decimal(0)
    symbols: tuple[str, ...] = ()
    closes: bool = False
    target_id: str | None = None
    whole: Decimal | None = None


class IdempotentOrders:
    """The one way from a prepared change to its receipt."""

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

    async def run(
        self,
        caller: Caller,
        kind: str,
        name: str | None,
        draft: Draft,
        make: Callable[[str], Awaitable[OrderCommand]],
    ) -> Receipt:
        """Returns what became of the change of that name; `make` prepares it if it is new.

        Raises ClientOrderIdTaken for another change of that name, the broker's refusal, and
        OrderNotRecorded where the store fails: then this call has sent nothing.
        """
        try:
            return await self._run(caller, kind, name, draft, make)
        except StoreUnavailable as failure:
            raise OrderNotRecorded from failure

    async def _run(
        self,
        caller: Caller,
        kind: str,
        name: str | None,
        draft: Draft,
        make: Callable[[str], Awaitable[OrderCommand]],
    ) -> Receipt:
        chosen = name if name is not None else str(uuid4())
        check_name(chosen)
        digest = digest_of(draft)
        if name is not None:
            number, tenant_id = caller.account.number, caller.tenant.id
            await self._names.ready(number, tenant_id, caller.pages, self._patience(caller))

        for _ in range(ATTEMPTS):
            if name is not None:
                known = await self._known(caller, kind, chosen, draft, digest)
                if known is not None:
                    return receipt_of(known, replayed=True)

            await self._reconciler.ready(caller.account.number, caller.tenant)
            command = await make(chosen)
            intent = _intent(caller, kind, chosen, digest, command)
            entry, mine = await self._submitter.carry_out(
                caller.tenant, intent, command.send, self._patience(caller)
            )
            if entry is None or (entry.state is State.UNSENT and not mine):
                if self._submitter.is_flying(caller.account.number, chosen):
                    return _under_way(chosen, command, mine=mine)

                continue  # who was ahead sent nothing

            _refuse_other(entry, digest)
            return receipt_of(entry, replayed=not mine)

        raise BrokerUnavailable("the same order is being tried by other calls, and was not sent")

    async def _known(
        self, caller: Caller, kind: str, name: str, draft: Draft, digest: str
    ) -> Entry | None:
        number = caller.account.number
        entry = await self._journal.find(number, name)
        if entry is None:
            return None

        if entry.state is State.RESTORED:
            if entry.kind != kind:
                raise ClientOrderIdTaken(name)

            await self._names.adopt(entry, draft, caller.pages)
            entry = await self._journal.get(entry)

        _refuse_other(entry, digest)
        if entry.state is State.RECORDED or entry.is_open:
            if await self._submitter.wait(number, name, self._patience(caller)):
                entry = await self._journal.get(entry)
            elif entry.state is State.RECORDED:
                # Its process died before it sent anything.
                await self._journal.release_recorded(entry.id)
                entry = await self._journal.get(entry)
            else:
                entry = await self._looked(caller, entry)

        return None if entry.state is State.UNSENT else entry

    async def _looked(self, caller: Caller, entry: Entry) -> Entry:
        """Returns a change after a reading, or as it was if the caller cannot wait for one."""
        try:
            async with asyncio.timeout(self._patience(caller).total_seconds()):
                return await self._reconciler.look(entry, caller.tenant)
        except TimeoutError:
            return entry

    def _patience(self, caller: Caller) -> timedelta:
        return timedelta(seconds=max(0.0, caller.deadline - self._clock.monotonic()))


def _intent(caller: Caller, kind: str, name: str, digest: str, command: OrderCommand) -> Intent:
    return Intent(
        account_number=caller.account.number,
        client_order_id=name,
        tenant_id=caller.tenant.id,
        kind=kind,
        digest=digest,
        notional=command.notional,
        symbols=command.symbols,
        closes=command.closes,
        request=command.record,
        target_id=command.target_id,
        whole=command.whole,
    )


def _under_way(name: str, command: OrderCommand, *, mine: bool) -> Receipt:
    # What another call is sending has the price that it was given there.
    return Receipt(
        client_order_id=name,
        status=UNKNOWN,
        placement=Placement(),
        priced=priced_of(command.record if mine else {}),
        replaced_order_id=command.target_id or "",
    )


def _refuse_other(entry: Entry, digest: str) -> None:
    if entry.digest != digest:
        raise ClientOrderIdTaken(entry.client_order_id)
