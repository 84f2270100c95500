"""Finds out what became of changes whose answer was lost, from the broker's own list of orders.

It reads and never sends. A missing order does not prove that it was rejected; the broker may only
be slow to list it. After two readings some seconds apart a change counts as not seen, which is not
refused, and it is never sent again for that.
"""

from __future__ import annotations

__all__ = ["Reconciler", "ReconcilerStatistics"]

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from server.brokerage import Brokerage
from server.brokerage.api.order_api import OrderApi
from server.brokerage.api.order_requests import (
    AcceptedChange,
    CancelComplexRequest,
    CancelRequest,
    PlaceComplexRequest,
)
from server.brokerage.transport.urgency import Lane, urgent
from server.clock import Clock, new_york_today
from server.errors import (
    AccountNotFound,
    ComplexOrderNotFound,
    GatewayError,
    OrderNotFound,
    OrdersReconciling,
)
from server.orders.submitting.journal import Entry, OrderJournal, ReconciliationResult, State
from server.orders.submitting.reconciliation import find_order, is_cancelled
from server.tenants import Tenant

log = structlog.get_logger(__name__)

READ_AFTER_S = (1.0, 2.0, 5.0, 10.0, 15.0)
"""Seconds after the loss at which the broker is asked; afterwards every `PAUSE`."""
PAUSE = timedelta(minutes=1)
UNREADABLE_PAUSE = timedelta(seconds=5)
"""The pause while the broker does not answer: it is to be found soon after it does again."""
APART = timedelta(seconds=5)
"""What must lie between two readings for both to count."""
FOLLOWED = timedelta(days=1)
"""How long a change that is not seen is still looked for by itself; a repeat always asks."""
REMEMBERED = timedelta(days=7)
"""How far back a start looks for changes without an end."""
GATE_PATIENCE = timedelta(seconds=2)

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcilerStatistics:
    waiting: int
    """Changes whose end is not known."""
    closed_gates: int
    """Accounts that take no orders yet, since a start."""
    readings: int
    found: int


@dataclass(slots=True)
class _Wait:
    entry: Entry
    since: float
    due: float


class Reconciler:
    """Looks for lost changes periodically, and at once when asked; runs inside `running`."""

    def __init__(self, brokerage: Brokerage, journal: OrderJournal, clock: Clock) -> None:
        self._brokerage = brokerage
        self._journal = journal
        self._clock = clock
        self._waiting: dict[str, _Wait] = {}
        self._gates: dict[str, asyncio.Event] = {}
        self._woken = asyncio.Event()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._readings = 0
        self._found = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Takes over what an earlier process left, and looks for it while the block runs."""
        released = await self._journal.release_recorded()
        since = self._clock.now() - REMEMBERED
        left = await self._journal.open_entries(since=since)
        if released or left:
            log.warning("orders of an earlier run", released=released, open=len(left))

        now = self._clock.monotonic()
        for entry in left:
            self._waiting[entry.id] = _Wait(entry, now, now)
            self._gates.setdefault(entry.account_number, asyncio.Event())

        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._run(), name="order reconciler")
            try:
                yield
            finally:
                reading.cancel()

    def follow(self, entry: Entry) -> None:
        """Looks for a change until its end is known."""
        now = self._clock.monotonic()
        self._waiting.setdefault(entry.id, _Wait(entry, now, now + READ_AFTER_S[0]))
        self._woken.set()

    def hint(self, account_number: str, client_order_id: str | None) -> None:
        """Looks at once for a change whose name has just been seen in a notification."""
        for wait in self._waiting.values():
            entry = wait.entry
            if (entry.account_number, entry.client_order_id) == (account_number, client_order_id):
                wait.due = self._clock.monotonic()
                self._woken.set()

    async def ready(self, account_number: str, tenant: Tenant) -> None:
        """Returns once an account has no open question from before the start; asks if it has.

        Raises OrdersReconciling when that takes longer than a moment.
        """
        gate = self._gates.get(account_number)
        if gate is None or gate.is_set():
            return

        entries = [
            wait.entry
            for wait in self._waiting.values()
            if wait.entry.account_number == account_number
        ]
        try:
            async with asyncio.timeout(GATE_PATIENCE.total_seconds()):
                # As the caller: whoever left the questions may have no key any more.
                await self._read(account_number, tenant, entries)
        except (GatewayError, TimeoutError) as failure:
            raise OrdersReconciling(left=len(entries)) from failure

    async def reconcile(self, entry: Entry, tenant: Tenant | None = None) -> Entry:
        """Returns a change as it is after one reading now; as it was if nothing can be read."""
        try:
            await self._read(entry.account_number, tenant or _owner(entry), [entry])
        except GatewayError as failure:
            log.info("orders not readable", reason=failure.reason)

        return await self._journal.get(entry)

    def statistics(self) -> ReconcilerStatistics:
        return ReconcilerStatistics(
            waiting=len(self._waiting),
            closed_gates=sum(not gate.is_set() for gate in self._gates.values()),
            readings=self._readings,
            found=self._found,
        )

    async def _run(self) -> None:
        with urgent(Lane.ORDER):
            while True:
                self._woken.clear()
                await self._round()
                await self._pause()

    async def _pause(self) -> None:
        dues = [wait.due for wait in self._waiting.values()]
        if not dues:
            await self._woken.wait()
            return

        left = timedelta(seconds=max(0.0, min(dues) - self._clock.monotonic()))
        waits = [
            asyncio.ensure_future(self._woken.wait()),
            asyncio.ensure_future(self._clock.sleep(left)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def _round(self) -> None:
        now = self._clock.monotonic()
        groups: defaultdict[tuple[str, str], list[_Wait]] = defaultdict(list)
        for wait in list(self._waiting.values()):
            if wait.due <= now:
                groups[wait.entry.account_number, wait.entry.tenant_id].append(wait)

        async with asyncio.TaskGroup() as tasks:
            for (account_number, _), waits in groups.items():
                tasks.create_task(self._visit(account_number, waits))

    async def _visit(self, account_number: str, waits: Sequence[_Wait]) -> None:
        entries = [wait.entry for wait in waits]
        try:
            await self._read(account_number, _owner(entries[0]), entries)
        except AccountNotFound:
            # The tenant, or its account, is gone: nobody can ask, and nobody will.
            for entry in entries:
                self._waiting.pop(entry.id, None)
        except GatewayError as failure:
            log.warning("orders not readable", reason=failure.reason, open=len(entries))
            due = self._clock.monotonic() + UNREADABLE_PAUSE.total_seconds()
            for wait in waits:
                wait.due = due
        except Exception:
            log.exception("orders not readable", open=len(entries))
            due = self._clock.monotonic() + PAUSE.total_seconds()
            for wait in waits:
                wait.due = due

    async def _read(self, account_number: str, tenant: Tenant, entries: Sequence[Entry]) -> None:
        # One at a time: two readings at once would count as two, though they saw one moment.
        async with self._locks[account_number]:
            session = await self._brokerage.session(tenant)
            api = OrderApi(session, await session.account(account_number))
            current = await self._journal.get_all(account_number, entries)
            still = [entry for entry in current if entry.is_open]
            shown = await self._shown(api, still)
            self._readings += 1
            await self._judge(api, still, shown)
            for before, after in zip(entries, current, strict=True):
                if not after.is_open or after.id != before.id:
                    self._waiting.pop(before.id, None)

            self._open_gate(account_number)

    async def _shown(self, api: OrderApi, entries: Iterable[Entry]) -> Sequence[Raw]:
        days = [entry.day for entry in entries]
        if not days:
            return ()

        today = list(await api.raw_today())
        if min(days) < new_york_today(self._clock):
            today += await api.raw_since(min(days))

        return today

    async def _judge(self, api: OrderApi, entries: Sequence[Entry], shown: Sequence[Raw]) -> None:
        results: list[ReconciliationResult] = []
        unreadable: GatewayError | None = None
        for entry in entries:
            try:
                results.append(await self._result(api, entry, shown))
            except GatewayError as failure:
                unreadable = (
                    failure  # one lookup that fails must not keep the others from their end
                )

        await self._journal.note_reading(results)
        for each in results:
            entry = each.entry
            if each.state is not State.ACCEPTED:
                self._wait_on(entry, each.state)
                continue

            self._waiting.pop(entry.id, None)
            self._found += 1
            log.info("order found", kind=entry.kind, client_order_id=entry.client_order_id)

        if unreadable is not None:
            raise unreadable

    async def _result(
        self, api: OrderApi, entry: Entry, shown: Sequence[Raw]
    ) -> ReconciliationResult:
        found = await self._found_as(api, entry, shown)
        if found is not None:
            return ReconciliationResult(
                entry=entry, state=State.ACCEPTED, answer=found.answer, order_id=found.order_id
            )

        now = self._clock.now()
        again = entry.first_look_at is not None and now - entry.first_look_at >= APART
        state = State.NOT_SEEN if again or entry.state is State.NOT_SEEN else State.UNKNOWN
        return ReconciliationResult(entry=entry, state=state)

    async def _found_as(
        self, api: OrderApi, entry: Entry, shown: Sequence[Raw]
    ) -> AcceptedChange | None:
        """Returns what a change became at the broker; None if it is not there."""
        if entry.kind == CancelRequest.kind:
            return await self._cancelled(api, entry)
        if entry.kind == CancelComplexRequest.kind:
            return await self._complex_cancelled(api, entry)

        raw = find_order(entry, shown)
        if raw is None:
            return None
        if entry.kind != PlaceComplexRequest.kind:
            return AcceptedChange(answer={"order": raw}, order_id=str(raw.get("id")))

        number = str(raw.get("complex-order-id") or "")
        if not number:
            return None

        whole = await api.raw_complex_order(number)
        return AcceptedChange(answer={"complex-order": whole}, order_id=number)

    async def _cancelled(self, api: OrderApi, entry: Entry) -> AcceptedChange | None:
        number = entry.target_id or ""
        try:
            raw = await api.raw_order(number)
        except OrderNotFound:
            return None

        return AcceptedChange(answer={"order": raw}, order_id=number) if is_cancelled(raw) else None

    async def _complex_cancelled(self, api: OrderApi, entry: Entry) -> AcceptedChange | None:
        number = entry.target_id or ""
        try:
            raw = await api.raw_complex_order(number)
        except ComplexOrderNotFound:
            return None

        if raw.get("terminal-at") is None:
            return None

        return AcceptedChange(answer={"complex-order": raw}, order_id=number)

    def _wait_on(self, entry: Entry, state: State) -> None:
        wait = self._waiting.get(entry.id)
        if wait is None:
            return

        now = self._clock.monotonic()
        later = [wait.since + offset for offset in READ_AFTER_S if wait.since + offset > now]
        cancels = entry.kind.startswith("cancel")
        old = self._clock.now() - entry.recorded_at > FOLLOWED
        if state is State.NOT_SEEN and not later and (cancels or old):
            # A cancel that did nothing is simply asked for again.
            del self._waiting[entry.id]
            return

        wait.due = later[0] if later else now + PAUSE.total_seconds()

    def _open_gate(self, account_number: str) -> None:
        gate = self._gates.get(account_number)
        if gate is not None:
            gate.set()


def _owner(entry: Entry) -> Tenant:
    # Whatever generation its credentials have by now: the brokerage asks for the newest.
    return Tenant(id=entry.tenant_id, generation=0)
