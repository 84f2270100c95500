"""Follows the journal of tenants, and notifies listeners of every change.

Other processes change tenants too, so the known tenants are always read from the journal, even
after this process has appended to it.
"""

from __future__ import annotations

__all__ = ["CHANGES", "REFRESH", "STALENESS", "TELLING_S", "Changing", "Directory", "OnChange"]

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.errors import StoreUnavailable
from server.store import Database
from server.tenants.compaction import Compaction
from server.tenants.journal import Action, Change, Journal, JournalBroken, News
from server.tenants.known import Known
from server.tenants.model import Tenant
from server.tenants.roster import Roster

logger = logging.getLogger(__name__)

OnChange = Callable[[str], Awaitable[None]]

CHANGES = "tenants"
"""Name of the lock for transactions that change tenants: one at a time in all processes, because
the journal is one chain. Rotating the master key takes it too."""

REFRESH = timedelta(seconds=1)
"""Interval at which changes of other processes are read."""

STALENESS = timedelta(seconds=10)
"""How long known keys stay valid while the database does not answer."""

TELLING_S = 10.0
"""Time limit of each listener that is notified of a change."""


class Recorder(Protocol):
    """Appends one entry to the journal."""

    async def __call__(self, action: Action, tenant: Tenant, key_digest: bytes) -> None: ...


class Changing(NamedTuple):
    """A transaction that changes tenants, and records each change in the journal."""

    connection: AsyncConnection
    record: Recorder


class Directory:
    """Keeps a roster up to date with the journal; its tasks run in the given task group."""

    def __init__(
        self,
        *,
        environment: str,
        journal: Journal,
        database: Database,
        clock: Clock,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.roster = Roster(environment)
        self._journal = journal
        self._database = database
        self._clock = clock
        self._tasks = tasks
        self.compaction = Compaction(journal, database, self._alone, tasks)
        self._told: list[OnChange] = []
        self._ours: set[bytes] = set()  # seals of entries being committed by this process
        self._verified_at = 0.0
        self._catching_up = asyncio.Lock()
        self._rounds = 0
        self._failure: Exception | None = None

    def on_change(self, told: OnChange) -> None:
        """Adds a listener, awaited with the tenant's id after each change."""
        self._told.append(told)

    async def find(self, key_digest: bytes, *, unconfirmed: bool = False) -> Known | None:
        """Returns the tenant of an API key, asking the database only where it has to.

        That is before it says that a key is unknown (another process may have registered it a
        moment ago), and when what is known here was not confirmed for `STALENESS`: unless the
        caller takes a key that is known here `unconfirmed`, for what must not wait for the store.
        """
        known = self.roster.find(key_digest) if unconfirmed else None
        if known is not None:
            return known

        if self._clock.monotonic() - self._verified_at > STALENESS.total_seconds():
            await self.catch_up()

        known = self.roster.find(key_digest)
        if known is None:
            await self.catch_up()
            known = self.roster.find(key_digest)

        return known

    async def watch(self) -> None:
        """Reads changes of other processes until cancelled, also while the database fails."""
        while True:
            await self._clock.sleep(REFRESH)
            try:
                await self.catch_up()
            except StoreUnavailable:
                continue  # the database has logged it; `find` decides when it is too long
            except JournalBroken as broken:
                logger.critical("%s", broken)

    async def catch_up(self) -> None:
        """Reads changes of other processes; concurrent callers share one query."""
        asked_in = self._rounds
        async with self._catching_up:
            if self._rounds > asked_in:  # one that began after we asked is over
                if self._failure is not None:
                    raise self._failure

                return

            self._rounds += 1
            self._failure = None
            try:
                async with self._database.read() as connection:
                    await self.follow(connection)
            except (StoreUnavailable, JournalBroken) as failure:
                self._failure = failure
                raise

    async def follow(self, connection: AsyncConnection) -> int:
        """Reads changes of other processes as this connection sees them, and notifies listeners.

        Returns the number of the newest change that the connection sees; the roster may be ahead.
        """
        asked_at, head, more = self._clock.monotonic(), self.roster.head, True
        while more:
            news = await self._journal.after(connection, head)
            changed = self._take_over(news)
            for tenant_id in changed if self._told else ():
                self._tasks.create_task(self._tell(tenant_id), name=f"tenants: tell {tenant_id}")

            head = _last(news, head)
            more = news.more

        self._verified_at = asked_at
        return head.sequence

    def compact(self) -> None:
        """Starts a compaction of the journal in the background if it has grown long."""
        self.compaction.consider(self.roster.head.sequence)

    def _take_over(self, news: News) -> set[str]:
        """Applies new entries, and returns the ids of tenants that other processes changed."""
        changed: set[str] = set()
        if news.checkpoint is not None:
            self.compaction.noticed(news.checkpoint.head.sequence)
            changed.update(self.roster.restore(news.checkpoint))

        # Changes of our own that ended meanwhile are no news any more, and are told already.
        known = self.roster.head.sequence
        theirs = {
            change.tenant_id
            for change in news.changes
            if change.sequence > known and change.mac not in self._ours
        }
        return changed | theirs.intersection(self.roster.apply(news.changes))

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[AsyncConnection]:
        """Opens the only transaction that changes tenants at the moment, with an exact roster."""
        async with self._database.write(alone=CHANGES) as connection:
            await self.follow(connection)
            yield connection

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[Changing]:
        """Opens a transaction with an exact roster; leaving it commits, then notifies."""
        recorded: list[Change] = []
        try:
            async with self._alone() as connection:
                yield Changing(connection, functools.partial(self._record, connection, recorded))

            self.roster.apply(recorded)
            self.compact()
        finally:
            self._ours.difference_update(change.mac for change in recorded)
            # Where the commit failed as well: a broken connection does not say which way it went.
            for change in recorded:
                await self._tell(change.tenant_id)

    async def _record(
        self,
        connection: AsyncConnection,
        recorded: list[Change],
        action: Action,
        tenant: Tenant,
        key_digest: bytes,
    ) -> None:
        change = self._journal.following(
            recorded[-1] if recorded else self.roster.head,
            Change(
                sequence=0,
                environment=self.roster.environment,
                tenant_id=tenant.id,
                generation=tenant.generation,
                action=action,
                key_digest=key_digest,
                changed_at=self._clock.now(),
            ),
        )
        recorded.append(change)
        self._ours.add(change.mac)
        await self._journal.append(connection, change)

    async def _tell(self, tenant_id: str) -> None:
        for told in self._told:
            try:
                async with asyncio.timeout(TELLING_S):
                    await told(tenant_id)
            except Exception:
                # The others have to end their sessions all the same, and the change is committed.
                logger.exception("tenant %s: a change could not be told to all", tenant_id)


def _last(news: News, head: Change) -> Change:
    """Returns the newest entry that was read."""
    if news.changes:
        return news.changes[-1]

    return head if news.checkpoint is None else news.checkpoint.head
