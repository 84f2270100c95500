"""Sends a change once: recorded before, settled after, and never cancelled by whoever waits for it.

A caller's deadline ends the waiting, not the sending: the flight goes on in a task of this object.
So does a server that stops: its callers are told that nothing is known yet while they can still be
told something, since "send the request again" would be the wrong advice.
Every step is logged under its name, in this order: intended, recorded, (connecting, connected,)
sending, leaving, sent, answering, answered, settled. A crash between any two of them leaves a row
from which the truth is found (`Reconciler`): one that is only recorded was certainly not sent,
since `sending` is written when the connection stands and before the first byte leaves.
"""

from __future__ import annotations

__all__ = ["OrderSubmitter", "OrderSubmitterStatistics", "Send"]

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self

import structlog

from server.brokerage.transport.send_progress import Outcome, SendProgress, outcome_of
from server.clock import Clock
from server.errors import DeadlineExceeded, GatewayError, ShuttingDown
from server.orders.model.receipts import refusal_record
from server.orders.submitting.journal import Entry, Intent, OrderJournal, State
from server.orders.submitting.reconciler import Reconciler
from server.tenants import Tenant

log = structlog.get_logger(__name__)

LOOKS = (timedelta(), timedelta(seconds=1), timedelta(seconds=2))
"""Pauses before the readings that follow a lost answer, while somebody still waits for it."""

LAST_MOMENT = timedelta(seconds=3)
"""What flights get to land when the server stops; their rows say `sending` if they do not."""

LAST_WORD = timedelta(seconds=1)
"""How long before a stopping server cuts its calls their callers get an answer."""

Answer = Mapping[str, Any]
Send = Callable[[SendProgress], Awaitable[tuple[Answer, str]]]
"""Sends the request, and returns what is kept of the answer and the number that it gave."""


class Journal(Protocol):
    """Where the steps of one change are written: the ledger, or for a cancel what may fail."""

    async def record(self, intent: Intent) -> tuple[Entry, bool]: ...

    async def mark_sending(self, entry: Entry) -> bool: ...

    async def settle(
        self,
        entry: Entry,
        state: State,
        *,
        answer: Answer | None = None,
        order_id: str | None = None,
    ) -> None: ...

    async def get(self, entry: Entry) -> Entry: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSubmitterStatistics:
    flights: int
    sent: int
    refused: int
    unsent: int
    lost: int
    """Sendings whose answer was lost, whatever was found out later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Landing:
    """How a flight ended: a task of a group must not raise what is one caller's business."""

    entry: Entry | None = None
    mine: bool = True
    failure: Exception | None = None


class OrderSubmitter:
    """Owns the flights; an async context manager that lets them land."""

    def __init__(
        self,
        journal: OrderJournal,
        reconciler: Reconciler,
        clock: Clock,
        draining: asyncio.Event,
        grace: timedelta,
    ) -> None:
        self._journal = journal
        self._reconciler = reconciler
        self._clock = clock
        self._draining = draining
        self._grace = grace
        self._hurried = asyncio.Event()
        """Set when nobody may wait any longer, see `LAST_WORD`."""
        self._flights: dict[tuple[str, str], asyncio.Task[_Landing]] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._stack = AsyncExitStack()
        self._sent = self._refused = self._unsent = self._lost = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._reconciler.running())
            self._tasks = await stack.enter_async_context(asyncio.TaskGroup())
            hurrying = self._tasks.create_task(self._hurry(), name="order farewell")
            stack.callback(hurrying.cancel)
            stack.push_async_callback(self._land)
            self._stack = stack.pop_all()

        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        self._tasks = None

    async def carry_out(
        self,
        tenant: Tenant,
        intent: Intent,
        send: Send,
        patience: timedelta,
        journal: Journal | None = None,
    ) -> tuple[Entry | None, bool]:
        """Returns the row and whether this call wrote it; None while it is still under way.

        The steps are written to the ledger, unless the caller brings a journal of its own.

        Raises what kept the change from being sent; without patience nothing is, for whoever is
        told that it took too long expects that. Cancelling the caller cancels nothing else.
        """
        name = (intent.account_number, intent.client_order_id)
        flight = self._flights.get(name)
        if flight is not None:
            # Another call with this name is ahead: its row says whether it is the same order.
            await self._landing(flight, patience)
            return await self._journal.find(*name), False
        if self._tasks is None or self._hurried.is_set():
            raise ShuttingDown
        if patience <= timedelta():
            raise DeadlineExceeded

        flying = self._fly(tenant, intent, send, journal or self._journal)
        flight = self._tasks.create_task(flying, name=f"order {name[1]}")
        self._flights[name] = flight
        flight.add_done_callback(partial(self._landed, name))
        if not await self._landing(flight, patience):
            return None, True

        landing = flight.result()
        if landing.failure is not None:
            raise landing.failure

        return landing.entry, landing.mine

    async def wait(self, account_number: str, client_order_id: str, patience: timedelta) -> bool:
        """Returns once no flight of that name is under way; False if there was none."""
        flight = self._flights.get((account_number, client_order_id))
        if flight is None:
            return False

        await self._landing(flight, patience)
        return True

    def is_flying(self, account_number: str, client_order_id: str) -> bool:
        """Whether a change of that name is under way at this moment."""
        flight = self._flights.get((account_number, client_order_id))
        return flight is not None and not flight.done()

    def statistics(self) -> OrderSubmitterStatistics:
        return OrderSubmitterStatistics(
            flights=len(self._flights),
            sent=self._sent,
            refused=self._refused,
            unsent=self._unsent,
            lost=self._lost,
        )

    def _landed(self, name: tuple[str, str], flight: asyncio.Task[_Landing]) -> None:
        if self._flights.get(name) is flight:
            del self._flights[name]

    async def _landing(self, flight: asyncio.Task[_Landing], patience: timedelta) -> bool:
        """Waits for a flight while that is of use; returns whether it has landed."""
        hurried = asyncio.ensure_future(self._hurried.wait())
        try:
            await asyncio.wait(
                [flight, hurried],
                timeout=max(0.0, patience.total_seconds()),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            hurried.cancel()

        return flight.done()

    async def _hurry(self) -> None:
        await self._draining.wait()
        await self._clock.sleep(max(timedelta(), self._grace - LAST_WORD))
        self._hurried.set()

    async def _land(self) -> None:
        flights = list(self._flights.values())
        if flights:
            _, flying = await asyncio.wait(flights, timeout=LAST_MOMENT.total_seconds())
            for flight in flying:
                flight.cancel()

    async def _fly(self, tenant: Tenant, intent: Intent, send: Send, journal: Journal) -> _Landing:
        step = partial(_log_step, intent)
        try:
            step("intended")
            entry, mine = await journal.record(intent)
            if not mine:
                return _Landing(entry=entry, mine=False)

            step("recorded")
            return _Landing(entry=await self._send(tenant, entry, send, journal, step))
        except Exception as failure:
            if not isinstance(failure, GatewayError):
                log.exception("order failed", client_order_id=intent.client_order_id)

            return _Landing(failure=failure)

    async def _send(
        self,
        tenant: Tenant,
        entry: Entry,
        send: Send,
        journal: Journal,
        step: Callable[[str], None],
    ) -> Entry:
        async def leaving() -> None:
            if not await journal.mark_sending(entry):
                # Another process has just started and freed the row: nothing leaves here.
                raise ShuttingDown

            step("sending")

        progress = SendProgress(step, leaving)
        try:
            answer, order_id = await send(progress)
        except Exception as failure:  # noqa: BLE001 - whatever it is, it must become a row
            return await self._failed(tenant, entry, failure, progress, journal)

        self._sent += 1
        settled = await self._settle(journal, entry, State.ACCEPTED, answer, order_id)
        step("settled")
        return settled

    async def _failed(
        self,
        tenant: Tenant,
        entry: Entry,
        failure: Exception,
        progress: SendProgress,
        journal: Journal,
    ) -> Entry:
        match outcome_of(failure, progress):
            case Outcome.UNSENT:
                self._unsent += 1
                await self._settle(journal, entry, State.UNSENT)
                raise failure
            case Outcome.REFUSED if isinstance(failure, GatewayError):
                self._refused += 1
                return await self._settle(journal, entry, State.REFUSED, refusal_record(failure))

        self._lost += 1
        reason = failure.reason if isinstance(failure, GatewayError) else type(failure).__name__
        log.warning("answer lost", client_order_id=entry.client_order_id, reason=reason)
        entry = await self._settle(journal, entry, State.UNKNOWN)
        if not entry.written:
            return entry  # a cancel: whoever asked for it looks at the order itself

        self._reconciler.follow(entry)
        for pause in LOOKS:
            await self._clock.sleep(pause)
            try:
                entry = await self._reconciler.look(entry, tenant)
            except Exception:
                # It may be at the broker: no failure of ours may be told as one of the order.
                log.exception("order not looked up", client_order_id=entry.client_order_id)
            if not entry.is_open:
                break

        return entry

    async def _settle(
        self,
        journal: Journal,
        entry: Entry,
        state: State,
        answer: Answer | None = None,
        order_id: str | None = None,
    ) -> Entry:
        try:
            await journal.settle(entry, state, answer=answer, order_id=order_id)
            return await journal.get(entry)
        except Exception:
            # The truth is known, and told; the row says `sending` and is settled by a reading.
            log.exception("outcome not stored", client_order_id=entry.client_order_id)
            self._reconciler.follow(entry)
            return replace(entry, state=state, answer=answer, order_id=order_id)


def _log_step(intent: Intent, step: str) -> None:
    log.debug("order step", step=step, kind=intent.kind, client_order_id=intent.client_order_id)
