"""Streams account events to readers: those that they missed, then new ones.

Readers read the log, not the notifications: a slow one costs no memory, and one that resumes reads
the same rows as one that never left. A reader that falls too far behind is ended all the same, so
that nobody trades on what was true minutes ago; its cursor is in the error.
"""

from __future__ import annotations

__all__ = ["AccountStreams", "AccountStreamsStatistics"]

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from types import TracebackType
from typing import Self

from server.brokerage import Brokerage
from server.clock import Clock
from server.errors import BrokerUnavailable, GatewayError, ReaderTooSlow, ShuttingDown
from server.orders.events.items import Batch, Beat, Begun, LiveChange, StreamItem
from server.orders.events.log import EventLog
from server.orders.events.object_states import ObjectState
from server.orders.events.subscription import AccountSubscription, AccountSubscriptionStatistics
from server.settings import Settings
from server.streams.stream_count import StreamCount
from server.tenants import Tenant

FIRST_CHECK = timedelta(seconds=10)
"""How long a new stream waits for the first backfill of the account."""

STUCK = timedelta(seconds=5)
"""How long a reader that is far behind may take for one message: a burst alone is no slowness."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStreamsStatistics:
    readers: int
    subscriptions: dict[str, AccountSubscriptionStatistics]
    """By tenant id."""
    closed_slow: int


class _Reader:
    """One open stream."""

    def __init__(
        self, account_number: str, end: Callable[[GatewayError], None], now: float
    ) -> None:
        self.account_number = account_number
        self.position = 0
        self.moved_at = now
        """When it last took something, on the clock's monotonic scale."""
        self.caught_up = False
        """Whether it has once seen everything: catching up is no slowness."""
        self.woken = asyncio.Event()
        self.end = end


class _Followed:
    """A tenant's subscription with its readers."""

    def __init__(self, subscription: AccountSubscription, task: asyncio.Task[None]) -> None:
        self.subscription = subscription
        self.task = task
        self.readers: set[_Reader] = set()
        self.ended = asyncio.Event()
        """Set when the credentials changed."""
        self.unused_since: float | None = None


class AccountStreams:
    """Opens streams, and follows accounts for as long as somebody reads, and a while longer."""

    def __init__(
        self,
        settings: Settings,
        brokerage: Brokerage,
        events: EventLog,
        count: StreamCount,
        clock: Clock,
        random: Random,
        draining: asyncio.Event,
        seen: Callable[[ObjectState], None] = lambda _state: None,
    ) -> None:
        self._brokerage = brokerage
        self._events = events
        self._count = count
        self._draining = draining
        self._clock = clock
        self._random = random
        self._seen = seen
        self._behind = settings.account_events_behind
        self._linger = timedelta(seconds=settings.account_events_linger_s)
        self._followed: dict[str, _Followed] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._stack = AsyncExitStack()
        self._closed_slow = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._tasks = await stack.enter_async_context(asyncio.TaskGroup())
            draining = self._tasks.create_task(self._wake_when_draining())
            stack.callback(draining.cancel)
            stack.push_async_callback(self._stop_all)
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

    async def follow(
        self,
        tenant: Tenant,
        account_id: str,
        cursor: str | None,
        heartbeat: timedelta,
        ended: Callable[[], bool],
        end: Callable[[GatewayError], None],
    ) -> AsyncGenerator[StreamItem, None]:
        """Yields where it begins, what was missed, then events, beats and interruptions.

        Returns when `ended()` is true or the credentials changed. Raises CursorNotKept before the
        first item. A reader that is too slow is ended through `end`, since it may never come back
        from a `yield`.
        """
        with self._count.one(tenant.id) as place:
            session = await self._brokerage.session(tenant)
            place.belongs_to(session.customer)
            account = await session.account(account_id)
            followed = self._subscribe(tenant)
            reader = _Reader(account.number, end, self._clock.monotonic())
            followed.readers.add(reader)
            followed.unused_since = None
            try:
                await self._checked(followed)
                if cursor is None:
                    reader.position = await self._events.newest(account.number)
                else:
                    reader.position = await self._events.position(account.number, cursor)

                yield Begun(cursor=await self._cursor(reader))
                items = self._items(followed, reader, heartbeat, ended)
                async with aclosing(items):
                    async for item in items:
                        yield item
            finally:
                followed.readers.discard(reader)
                if not followed.readers:
                    followed.unused_since = self._clock.monotonic()
                    self._linger_on(tenant.id, followed)

    async def end(self, tenant_id: str) -> None:
        """Ends what follows a tenant, as after new credentials; its streams end."""
        followed = self._followed.pop(tenant_id, None)
        if followed is not None:
            self._stop(followed)
            await asyncio.wait([followed.task])

    def statistics(self) -> AccountStreamsStatistics:
        return AccountStreamsStatistics(
            readers=sum(len(each.readers) for each in self._followed.values()),
            subscriptions={
                name: each.subscription.statistics() for name, each in self._followed.items()
            },
            closed_slow=self._closed_slow,
        )

    async def _items(
        self,
        followed: _Followed,
        reader: _Reader,
        heartbeat: timedelta,
        ended: Callable[[], bool],
    ) -> AsyncGenerator[StreamItem, None]:
        subscription = followed.subscription
        live = True
        while not ended() and not followed.ended.is_set():
            reader.woken.clear()
            events = await self._events.after(reader.account_number, reader.position)
            if events:
                reader.moved_at = self._clock.monotonic()
                yield Batch(events=tuple(events))
                reader.position = events[-1].sequence
                reader.moved_at = self._clock.monotonic()
                continue

            reader.caught_up = True
            if subscription.live != live:
                live = subscription.live
                cause = "" if live else subscription.cause
                yield LiveChange(live=live, cause=cause, cursor=await self._cursor(reader))
                continue
            if subscription.failure is not None and followed.task.done():
                raise subscription.failure

            if not await self._woken(reader, heartbeat):
                yield Beat(cursor=await self._cursor(reader))

    async def _woken(self, reader: _Reader, heartbeat: timedelta) -> bool:
        """Returns True when woken, False when nothing happened for a heartbeat."""
        waits = [
            asyncio.ensure_future(reader.woken.wait()),
            asyncio.ensure_future(self._clock.sleep(heartbeat)),
        ]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return waits[0] in done
        finally:
            for each in waits:
                each.cancel()

    async def _checked(self, followed: _Followed) -> None:
        subscription = followed.subscription
        try:
            async with asyncio.timeout(FIRST_CHECK.total_seconds()):
                await subscription.ready.wait()
        except TimeoutError:
            raise BrokerUnavailable("its account streamer does not answer") from None

        if not subscription.live and subscription.failure is not None:
            raise subscription.failure

    async def _cursor(self, reader: _Reader) -> str:
        return await self._events.cursor(reader.account_number, reader.position)

    def _subscribe(self, tenant: Tenant) -> _Followed:
        held = self._followed.get(tenant.id)
        if (
            held is not None
            and held.subscription.tenant.generation >= tenant.generation
            and not held.task.done()
        ):
            return held
        if self._tasks is None:
            raise ShuttingDown
        if held is not None:
            self._stop(held)

        subscription = AccountSubscription(
            tenant,
            self._brokerage,
            self._events,
            self._clock,
            self._random,
            self._told,
            self._seen,
        )
        task = self._tasks.create_task(subscription.run(), name=f"account subscription {tenant.id}")
        followed = self._followed[tenant.id] = _Followed(subscription, task)
        task.add_done_callback(lambda _: self._wake_all())
        return followed

    def _wake_all(self) -> None:
        """Wakes every reader, so that it checks whether it has ended."""
        for followed in self._followed.values():
            for reader in followed.readers:
                reader.woken.set()

    async def _wake_when_draining(self) -> None:
        await self._draining.wait()
        self._wake_all()

    def _told(self, account_number: str | None, newest: int) -> None:
        """Wakes the readers of an account, whichever subscription appended; ends slow ones."""
        for followed in self._followed.values():
            for reader in followed.readers:
                if account_number is None:
                    reader.woken.set()
                elif reader.account_number == account_number:
                    reader.woken.set()
                    self._end_slow(reader, newest)

    def _end_slow(self, reader: _Reader, newest: int) -> None:
        behind = newest - reader.position
        stuck = self._clock.monotonic() - reader.moved_at > STUCK.total_seconds()
        if not (reader.caught_up and stuck and behind > self._behind):
            return

        self._closed_slow += 1
        reader.caught_up = False  # warned once
        task = self._tasks
        if task is not None:
            task.create_task(self._end_with_cursor(reader, behind))

    async def _end_with_cursor(self, reader: _Reader, behind: int) -> None:
        reader.end(ReaderTooSlow(behind=behind, cursor=await self._cursor(reader)))

    def _linger_on(self, tenant_id: str, followed: _Followed) -> None:
        if self._tasks is not None and self._followed.get(tenant_id) is followed:
            self._tasks.create_task(self._leave_later(tenant_id, followed))

    async def _leave_later(self, tenant_id: str, followed: _Followed) -> None:
        left_at = followed.unused_since
        waits = [
            asyncio.ensure_future(self._clock.sleep(self._linger)),
            asyncio.ensure_future(followed.ended.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

        if not followed.readers and followed.unused_since == left_at:
            if self._followed.get(tenant_id) is followed:
                del self._followed[tenant_id]

            self._stop(followed)

    def _stop(self, followed: _Followed) -> None:
        followed.ended.set()
        followed.task.cancel()
        for reader in followed.readers:
            reader.woken.set()

    async def _stop_all(self) -> None:
        held = list(self._followed.values())
        self._followed.clear()
        for followed in held:
            self._stop(followed)

        if held:
            await asyncio.wait([followed.task for followed in held])
