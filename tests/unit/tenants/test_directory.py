"""The directory: each change is told once, in whatever order the database answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from server.settings import Settings
from server.store import Database
from server.tenants.directory import Directory
from server.tenants.journal import Action, Change, Journal, News
from server.tenants.model import Tenant
from tests.clock import ManualClock


class Gate:
    """Holds up the next who comes by; the others pass."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()
        self._shut = False

    def shut(self) -> None:
        self._shut = True

    async def passed(self) -> None:
        if self._shut:
            self._shut = False
            self.reached.set()
            await self.opened.wait()


class GatedJournal(Journal):
    """A journal whose answer can be held up after it was asked for."""

    __slots__ = ("gate",)

    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        self.gate = Gate()

    async def after(self, connection: AsyncConnection, head: Change) -> News:
        await self.gate.passed()
        return await super().after(connection, head)


class GatedDatabase(Database):
    """A database that can be late to say that it has committed."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.gate = Gate()

    @asynccontextmanager
    async def write(self, *, alone: str | None = None) -> AsyncIterator[AsyncConnection]:
        async with super().write(alone=alone) as connection:
            yield connection

        await self.gate.passed()


async def test_a_change_that_ends_while_the_journal_is_read_is_told_once(
    database_settings: Settings, clock: ManualClock
) -> None:
    journal = GatedJournal(b"k" * 32)
    told: list[str] = []

    async def tell(tenant_id: str) -> None:
        told.append(tenant_id)

    async with GatedDatabase(database_settings) as database, asyncio.TaskGroup() as tasks:
        directory = Directory(
            environment="simulator", journal=journal, database=database, clock=clock, tasks=tasks
        )
        directory.on_change(tell)

        async def save(generation: int) -> None:
            async with directory.changing() as changing:
                await changing.record(Action.SAVED, Tenant(id="t", generation=generation), b"d")

        journal.gate.shut()
        reading = tasks.create_task(directory.catch_up())
        await journal.gate.reached.wait()
        await save(1)  # begins and ends while the reader waits for its answer
        database.gate.shut()
        saving = tasks.create_task(save(2))
        await database.gate.reached.wait()  # in the database, and not known to have come there
        assert told == ["t"]

        journal.gate.opened.set()
        await reading
        assert told == ["t"]

        database.gate.opened.set()
        await saving

    assert told == ["t", "t"]
