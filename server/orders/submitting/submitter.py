"""Submits each change once: records it, sends it and settles what became of it.

A caller's deadline ends the waiting and not the sending, which runs in a task of this object. A
server that stops answers its callers "not known yet" while they still listen, because "send it
again" would be wrong advice.

Every step is logged under its name, in this order: intended, recorded, (connecting, connected,)
sending, leaving, sent, answering, answered, settled. A crash between any two of them leaves a row
from which `Reconciler` finds the truth. A row that is only recorded was certainly not sent, since
`sending` is written when the connection stands and before the first byte leaves.
"""

from __future__ import annotations

__all__ = ["OrderSubmitter", "OrderSubmitterStatistics"]

import asyncio
from collections.abc import Mapping
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
from server.orders.submitting.journal import (
    AlreadyRecorded,
    Entry,
    Intent,
    OrderJournal,
    Recorded,
    State,
)
from server.orders.submitting.reconciler import Reconciler
from server.orders.submitting.submission import (
    AlreadyKnown,
    InFlight,
    NothingSent,
    Submission,
    SubmissionResult,
    Submitted,
)

log = structlog.get_logger(__name__)

RECONCILE_PAUSES = (timedelta(), timedelta(seconds=1), timedelta(seconds=2))
"""Pauses before the reconciliations that follow a lost answer while somebody still waits for it."""

DRAIN_GRACE = timedelta(seconds=3)
"""Time that submissions in flight get when the server stops; else their rows say `sending`."""

DRAIN_ANSWER_MARGIN = timedelta(seconds=1)
"""How long before a stopping server cuts its calls their callers get an answer."""

Answer = Mapping[str, Any]


class Journal(Protocol):
    """Stores the steps of one change: `OrderJournal`, or `CancelRecord` for a cancel."""

    async def record(self, intent: Intent) -> Recorded | AlreadyRecorded: ...

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
    in_flight: int
    sent: int
    refused: int
    unsent: int
    lost: int
    """Changes whose answer was lost, whatever was found out later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    """A submission in flight."""

    intent: Intent
    task: asyncio.Task[SubmissionResult]


class OrderSubmitter:
    """Owns the submissions in flight; an async context manager that lets them end."""

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
        self._answer_now = asyncio.Event()
        """Set when no caller may wait any longer, see `DRAIN_ANSWER_MARGIN`."""
        self._running: dict[tuple[str, str], _Running] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._stack = AsyncExitStack()
        self._sent = self._refused = self._unsent = self._lost = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._reconciler.running())
            self._tasks = await stack.enter_async_context(asyncio.TaskGroup())
            watching = self._tasks.create_task(self._watch_drain(), name="order drain")
            stack.callback(watching.cancel)
            stack.push_async_callback(self._drain)
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

    async def submit(
        self, submission: Submission, patience: timedelta, journal: Journal | None = None
    ) -> SubmissionResult:
        """Sends a change, unless another call with its name is ahead: then waits for that one.

        The steps are written to the order journal, unless the caller brings a journal of its own.
        Raises what kept this call's change from being sent. Without patience nothing is sent, since
        a caller that is told "too late" expects that. Cancelling the caller cancels nothing else.
        """
        ahead = await self.follow(*submission.name, patience)
        if ahead is not None:
            return ahead
        if self._tasks is None or self._answer_now.is_set():
            raise ShuttingDown
        if patience <= timedelta():
            raise DeadlineExceeded

        work = self._run(submission, journal or self._journal)
        task = self._tasks.create_task(work, name=f"order {submission.name[1]}")
        self._running[submission.name] = _Running(intent=submission.intent, task=task)
        task.add_done_callback(partial(self._ended, submission.name))
        if not await self._wait(task, patience):
            return InFlight(intent=submission.intent, mine=True)

        result = task.result()
        if isinstance(result, NothingSent):
            raise result.failure

        return result

    async def follow(
        self, account_number: str, client_order_id: str, patience: timedelta
    ) -> AlreadyKnown | InFlight | NothingSent | None:
        """Waits for the submission of that name that is in flight; None if there is none."""
        ahead = self._running.get((account_number, client_order_id))
        if ahead is None:
            return None
        if not await self._wait(ahead.task, patience):
            return InFlight(intent=ahead.intent, mine=False)

        match ahead.task.result():
            case Submitted(entry=entry):
                return AlreadyKnown(entry=entry)
            case result:
                return result

    def statistics(self) -> OrderSubmitterStatistics:
        return OrderSubmitterStatistics(
            in_flight=len(self._running),
            sent=self._sent,
            refused=self._refused,
            unsent=self._unsent,
            lost=self._lost,
        )

    def _ended(self, name: tuple[str, str], task: asyncio.Task[SubmissionResult]) -> None:
        running = self._running.get(name)
        if running is not None and running.task is task:
            del self._running[name]

    async def _wait(self, task: asyncio.Task[SubmissionResult], patience: timedelta) -> bool:
        """Waits for a submission while that is of use; returns whether it came to its end."""
        answering = asyncio.ensure_future(self._answer_now.wait())
        try:
            await asyncio.wait(
                [task, answering],
                timeout=max(0.0, patience.total_seconds()),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            answering.cancel()

        return task.done() and not task.cancelled()

    async def _watch_drain(self) -> None:
        await self._draining.wait()
        await self._clock.sleep(max(timedelta(), self._grace - DRAIN_ANSWER_MARGIN))
        self._answer_now.set()

    async def _drain(self) -> None:
        tasks = [running.task for running in self._running.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=DRAIN_GRACE.total_seconds())
            for task in late:
                task.cancel()

    async def _run(self, submission: Submission, journal: Journal) -> SubmissionResult:
        """Records and sends; returns a failure, as a task of a group must not raise a caller's."""
        intent = submission.intent
        try:
            _log_step(intent, "intended")
            match await journal.record(intent):
                case AlreadyRecorded(entry=entry):
                    return AlreadyKnown(entry=entry)
                case Recorded(entry=entry):
                    _log_step(intent, "recorded")
                    return Submitted(entry=await self._send(submission, entry, journal))
        except Exception as failure:
            if not isinstance(failure, GatewayError):
                log.exception("order failed", client_order_id=intent.client_order_id)

            return NothingSent(intent=intent, failure=failure)

    async def _send(self, submission: Submission, entry: Entry, journal: Journal) -> Entry:
        """Sends a recorded change; raises only what proves that nothing was sent."""

        async def mark_sending() -> None:
            if not await journal.mark_sending(entry):
                # Another process has just started and freed the row: nothing leaves here.
                raise ShuttingDown

            _log_step(submission.intent, "sending")

        progress = SendProgress(partial(_log_step, submission.intent), mark_sending)
        try:
            accepted = await submission.broker.execute(submission.request, progress)
        except Exception as failure:  # noqa: BLE001 - whatever it is, it must become a row
            return await self._settle_failure(submission, entry, failure, progress, journal)

        self._sent += 1
        settled = await self._settle(
            journal, entry, State.ACCEPTED, accepted.answer, accepted.order_id
        )
        _log_step(submission.intent, "settled")
        return settled

    async def _settle_failure(
        self,
        submission: Submission,
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

        return await self._reconcile(submission, entry)

    async def _reconcile(self, submission: Submission, entry: Entry) -> Entry:
        """Returns a change whose answer was lost once the broker's list was read for it."""
        self._reconciler.follow(entry)
        for pause in RECONCILE_PAUSES:
            await self._clock.sleep(pause)
            try:
                entry = await self._reconciler.reconcile(entry, submission.tenant)
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
            # The truth is known, and told; the row says `sending` and is reconciled later.
            log.exception("outcome not stored", client_order_id=entry.client_order_id)
            self._reconciler.follow(entry)
            return replace(entry, state=state, answer=answer, order_id=order_id)


def _log_step(intent: Intent, step: str) -> None:
    log.debug("order step", step=step, kind=intent.kind, client_order_id=intent.client_order_id)
