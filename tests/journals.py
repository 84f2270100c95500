"""Journals that have grown long and were compacted, and databases that were altered."""

from __future__ import annotations

__all__ = [
    "BUSY",
    "GONE",
    "ONE",
    "TWO",
    "alter",
    "compacted",
    "contents",
    "credentials",
    "grow",
    "grown",
    "put_back",
]

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from server.secret import Secret
from server.settings import Settings
from server.store import Database
from server.tenants import Credentials, Tenant, Tenants
from server.tenants.change import Action, Change
from server.tenants.compaction import EVERY
from server.tenants.journal import Journal
from server.tenants.pepper import Pepper
from server.tenants.schema import changes, checkpoints
from server.tenants.schema import tenants as table
from tests.clock import ManualClock
from tests.waiting import eventually

ONE, TWO, BUSY, GONE = (Secret(f"key-of-{name}-tenant") for name in ("one", "two", "busy", "gone"))

Alteration = Callable[[AsyncConnection], Awaitable[object]]


def credentials(name: str) -> Credentials:
    return Credentials(client_secret=Secret(f"{name}-s"), refresh_token=Secret(f"{name}-t"))


async def grow(settings: Settings, tenant: Tenant, saves: int, clock: ManualClock) -> None:
    """Appends what so many saves of a tenant would have, as another process with the keys."""
    journal = Journal(Pepper.load(settings, make=False).journal_key)
    async with Database(settings) as database, database.write(alone="tenants") as connection:
        newest = sa.select(changes).order_by(changes.c.sequence.desc()).limit(1)
        row = (await connection.execute(newest)).one()
        head = Change(**{**row._mapping, "action": Action(row.action)})
        kept = sa.select(table.c.key_digest).where(table.c.id == tenant.id)
        digest = await connection.scalar(kept)
        made = []
        for number in range(saves):
            head = journal.following(
                head,
                Change(
                    sequence=0,
                    environment=settings.broker,
                    tenant_id=tenant.id,
                    generation=tenant.generation + 1 + number,
                    action=Action.SAVED,
                    key_digest=digest or b"",
                    changed_at=clock.now(),
                ),
            )
            made.append(asdict(head))

        await connection.execute(sa.insert(changes), made)


async def contents(settings: Settings) -> Mapping[str, list[Any]]:
    async with Database(settings) as database, database.read() as connection:
        return {
            which.name: [
                row._asdict()
                for row in await connection.execute(sa.select(which).order_by(*which.primary_key))
            ]
            for which in (changes, checkpoints, table)
        }


async def put_back(settings: Settings, earlier: Mapping[str, list[Any]], *names: str) -> None:
    async with Database(settings) as database, database.write() as connection:
        for which in (changes, checkpoints, table):
            if which.name in names:
                await connection.execute(sa.delete(which))
                if earlier[which.name]:
                    await connection.execute(sa.insert(which), earlier[which.name])


async def alter(settings: Settings, alteration: Alteration) -> None:
    async with Database(settings) as database, database.write() as connection:
        await alteration(connection)


async def compacted(tenants: Tenants, beyond: int = 0) -> None:
    await eventually(lambda: tenants.statistics().checkpoint > beyond)


async def grown(settings: Settings, clock: ManualClock) -> None:
    """Makes a database of three tenants and one that is deleted, whose journal is compacted."""
    async with Tenants(settings, clock) as tenants:
        await tenants.save(ONE, credentials("one"))
        gone = await tenants.save(GONE, credentials("gone"))
        await tenants.delete(GONE, gone)
        busy = await tenants.save(BUSY, credentials("busy"))
        await clock.advance(60)
        await grow(settings, busy, EVERY, clock)
        await tenants.save(BUSY, credentials("newest"))
        await compacted(tenants)
        await tenants.save(TWO, credentials("two"))
