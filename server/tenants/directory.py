"""The tenants that this process knows of: follows the journal, and tells of every change in it.

Other processes change tenants too, so nothing here is written down: it is all read from the
journal, including what this process has just appended itself.
"""

from __future__ import annotations

__all__ = ["REFRESH", "STALENESS", "TELLING_S", "Directory", "OnChange"]

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.errors import StoreUnavailable
from server.store import Database
from server.tenants.journal import Action, Change, Journal, JournalBroken
from server.tenants.model import Tenant
from server.tenants.roster import Known, Roster

logger = logging.getLogger(__name__)

OnChange = Callable[[str], Awaitable[None]]

REFRESH = timedelta(seconds=1)
"""How often the changes of other processes are looked for."""

STALENESS = timedelta(seconds=10)
"""Longest time that keys stay valid while the database cannot be asked."""

TELLING_S = 10.0
"""Longest time that those who are told of a change may take, each."""


class Directory:
    """Keeps a roster as new as the journal; what it starts runs in the task group it is given."""

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
        self._told: list[OnChange] = []
        self._verified_at = 0.0
        self._catching_up = asyncio.Lock()
        self._rounds = 0
        self._failure: Exception | None = None

    def on_change(self, told: OnChange) -> None:
        """Has `told` awaited with the tenant's id after each change from now on."""
        self._told.append(told)

    async def find(self, key_digest: bytes) -> Known | None:
        """Returns the tenant of an API key, asking the database only where it has to.

        That is before it says that a key is unknown (another process may have registered it a
        moment ago), and when what is known here was not confirmed for `STALENESS`.
        """
        if self._clock.monotonic() - self._verified_at > STALENESS.total_seconds():
            await self.catch_up()

        known = self.roster.find(key_digest)
        if known is None:
            await self.catch_up()
            known = self.roster.find(key_digest)

        return known

    async def watch(self) -> None:
        """Keeps up with other processes until it is cancelled, whatever happens to the database."""
        while True:
            await self._clock.sleep(REFRESH)
            try:
                await self.catch_up()
            except StoreUnavailable:
                continue  # the database has logged it; `find` decides when it is too long
            except JournalBroken as broken:
                logger.critical("%s", broken)

    async def catch_up(self) -> None:
        """Takes over what other processes changed; all who wait meanwhile share one query."""
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

    async def follow(self, connection: AsyncConnection) -> None:
        """Takes over what other processes changed, as this connection sees it, and has it told."""
        asked_at = self._clock.monotonic()
        news = await self._journal.after(connection, self.roster.head)
        for tenant_id in self.roster.apply(news):
            if self._told:
                self._tasks.create_task(self._tell(tenant_id), name=f"tenants: tell {tenant_id}")

        self._verified_at = asked_at

    async def record(
        self, connection: AsyncConnection, action: Action, tenant: Tenant, key_digest: bytes
    ) -> Change:
        """Appends to the journal, in a transaction that is alone and has called `follow`."""
        change = self._journal.following(
            self.roster.head,
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
        await self._journal.append(connection, change)
        return change

    async def committed(self, change: Change) -> None:
        """Takes over what `record` returned, once it is committed; returns when all are told."""
        self.roster.apply((change,))
        await self._tell(change.tenant_id)

    async def _tell(self, tenant_id: str) -> None:
        for told in self._told:
            try:
                async with asyncio.timeout(TELLING_S):
                    await told(tenant_id)
            except Exception:
                # The others have to end their sessions all the same, and the change is committed.
                logger.exception("tenant %s: a change could not be told to all", tenant_id)
