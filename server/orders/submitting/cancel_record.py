"""Records one cancel in the order journal, as far as the store answers in time.

The row is written for those who ask later: a repeat, a new process, an audit. The cancel itself
needs none, so it goes out whatever the store does, and its answer tells what was not written.
"""

from __future__ import annotations

__all__ = ["CancelRecord"]

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from uuid import uuid4

import structlog

from server.clock import Clock, new_york_today
from server.errors import GatewayError, NotAllowed
from server.orders.submitting.journal import (
    AlreadyRecorded,
    Entry,
    Intent,
    OrderJournal,
    Recorded,
    State,
)
from server.orders.submitting.time_limited_store import TimeLimitedStore, TooSlow

log = structlog.get_logger(__name__)

T = TypeVar("T")


class CancelRecord:
    """Stands between one cancel and the journal; raises nothing but what forbids the cancel."""

    def __init__(
        self, order_id: str, journal: OrderJournal, store: TimeLimitedStore, clock: Clock
    ) -> None:
        self._order_id = order_id
        self._journal = journal
        self._store = store
        self._clock = clock
        self._settled: Entry | None = None
        self._too_slow = False
        self.trouble = ""
        """Why the store did not take something down; empty if all is written."""

    async def ask(self, question: Callable[[], Awaitable[T]], default: T) -> T:
        """Returns the store's answer to a question, or a default where it gives none."""
        return await self._tried("question", question, default)

    async def record(self, intent: Intent) -> Recorded | AlreadyRecorded:
        """Writes the intent; returns an entry without a row where that fails.

        Raises NotAllowed.
        """
        unwritten = Recorded(entry=self._unwritten(intent))
        return await self._tried("intent", lambda: self._journal.record(intent), unwritten)

    async def mark_sending(self, entry: Entry) -> bool:
        """Notes that the cancel leaves now, and never keeps it from that."""
        if entry.written:
            await self._tried("sending", lambda: self._journal.mark_sending(entry), default=False)

        return True

    async def settle(
        self,
        entry: Entry,
        state: State,
        *,
        answer: Mapping[str, Any] | None = None,
        order_id: str | None = None,
    ) -> None:
        """Notes what became of the cancel; raises where a row stays that does not say it."""
        self._settled = replace(entry, state=state, answer=answer, order_id=order_id)
        if not entry.written:
            return

        try:
            await self._store.within(
                lambda: self._journal.settle(entry, state, answer=answer, order_id=order_id)
            )
        except Exception as failure:
            self._note("outcome", failure)
            raise

    async def get(self, entry: Entry) -> Entry:
        """Returns what is known here: the row may say less."""
        return self._settled or entry

    async def _tried(self, step: str, work: Callable[[], Awaitable[T]], default: T) -> T:
        if self._too_slow:
            return default  # once is enough: the cancel waits for nothing else

        try:
            return await self._store.within(work)
        except NotAllowed:
            raise
        except Exception as failure:  # noqa: BLE001 - whatever it is, the cancel goes out
            self._note(step, failure)
            return default

    def _note(self, step: str, failure: Exception) -> None:
        self._too_slow = isinstance(failure, TooSlow)
        self.trouble = str(failure) if self._too_slow else "it failed"
        reason = failure.reason if isinstance(failure, GatewayError) else type(failure).__name__
        log.warning("cancel not recorded", order_id=self._order_id, step=step, reason=reason)

    def _unwritten(self, intent: Intent) -> Entry:
        return Entry(
            id=uuid4().hex,
            account_number=intent.account_number,
            client_order_id=intent.client_order_id,
            tenant_id=intent.tenant_id,
            kind=intent.kind,
            digest=intent.digest,
            state=State.RECORDED,
            day=new_york_today(self._clock),
            target_id=intent.target_id,
            request=intent.request,
            answer=None,
            order_id=None,
            looks=0,
            first_look_at=None,
            recorded_at=self._clock.now(),
            sent_at=None,
            written=False,
        )
