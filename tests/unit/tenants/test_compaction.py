"""A journal that is replaced by its checkpoint says what it said before."""

from __future__ import annotations

import asyncio

import pytest

from server.errors import CredentialsUnreadable, InvalidApiKey
from server.secret import Secret
from server.settings import Settings
from server.tenants import Tenants
from server.tenants.compaction import EVERY
from server.tenants.directory import REFRESH
from tests.clock import ManualClock
from tests.journals import (
    BUSY,
    GONE,
    ONE,
    TWO,
    compacted,
    contents,
    credentials,
    grow,
    grown,
    put_back,
)
from tests.waiting import eventually


async def test_old_entries_are_replaced_and_nothing_else_changes(
    database_settings: Settings, clock: ManualClock
) -> None:
    await grown(database_settings, clock)
    stored = await contents(database_settings)
    (checkpoint,) = stored["tenant_checkpoints"]
    assert [row["sequence"] for row in stored["tenant_changes"]] == [
        checkpoint["sequence"],
        checkpoint["sequence"] + 1,
    ]
    async with Tenants(database_settings, clock) as tenants:
        for key, name in ((ONE, "one"), (TWO, "two"), (BUSY, "newest")):
            found = await tenants.credentials(await tenants.authenticate(key))
            assert found.refresh_token == Secret(f"{name}-t")

        assert (await tenants.authenticate(BUSY)).generation == EVERY + 2
        with pytest.raises(InvalidApiKey):
            await tenants.authenticate(GONE)

        entries = (await tenants.list(None, admin=True)).entries
        assert [entry.shown for entry in entries] == ["key…ant"] * 3
        assert [(each.updated_at - each.created_at).seconds for each in entries] == [0, 60, 0]
        assert tenants.statistics().tenants == 3
        assert tenants.statistics().checkpoint == checkpoint["sequence"]


async def test_other_processes_take_the_checkpoint_over(
    database_settings: Settings, clock: ManualClock
) -> None:
    async with Tenants(database_settings, clock) as tenants:
        one = await tenants.save(ONE, credentials("one"))
        gone = await tenants.save(GONE, credentials("gone"))
        busy = await tenants.save(BUSY, credentials("busy"))
        async with Tenants(database_settings, clock) as other:
            told: list[str] = []

            async def tell(tenant_id: str) -> None:
                told.append(tenant_id)

            other.on_change(tell)
            await tenants.delete(GONE, gone)
            await grow(database_settings, busy, EVERY, clock)
            newest = await tenants.save(BUSY, credentials("newest"))
            await compacted(tenants)
            assert other.statistics().changes < tenants.statistics().checkpoint

            await clock.advance(REFRESH.total_seconds())
            await eventually(lambda: other.statistics().changes == tenants.statistics().changes)
            assert await other.authenticate(BUSY) == newest
            assert await other.authenticate(ONE) == one
            with pytest.raises(InvalidApiKey):
                await other.authenticate(GONE)

            await eventually(lambda: len(told) == 2)
            assert set(told) == {busy.id, gone.id}
            # And it goes on from there, also writing.
            two = await other.save(TWO, credentials("two"))
            assert await tenants.authenticate(TWO) == two


async def test_tenants_of_other_brokers_are_kept(
    database_settings: Settings, clock: ManualClock
) -> None:
    sandbox = database_settings.model_copy(update={"broker": "sandbox"})
    async with Tenants(sandbox, clock) as tenants:
        theirs = await tenants.save(ONE, credentials("sandbox"))

    await grown(database_settings, clock)
    async with Tenants(sandbox, clock) as tenants:
        assert await tenants.authenticate(ONE) == theirs
        found = await tenants.credentials(theirs)
        assert found.refresh_token == Secret("sandbox-t")
        with pytest.raises(InvalidApiKey):
            await tenants.authenticate(TWO)


async def test_two_processes_at_once_make_one_checkpoint_after_the_other(
    database_settings: Settings, clock: ManualClock
) -> None:
    async with (
        Tenants(database_settings, clock) as tenants,
        Tenants(database_settings, clock) as other,
    ):
        busy = await tenants.save(BUSY, credentials("busy"))
        for _ in range(2):
            await grow(database_settings, busy, EVERY, clock)
            saved = await asyncio.gather(
                tenants.save(BUSY, credentials("a")), other.save(BUSY, credentials("b"))
            )
            busy = max(saved, key=lambda each: each.generation)
            await compacted(tenants, busy.generation - EVERY)
            await compacted(other, busy.generation - EVERY)

        assert await other.authenticate(BUSY) == await tenants.authenticate(BUSY) == busy

    stored = await contents(database_settings)
    assert len(stored["tenant_checkpoints"]) == 1
    assert len(stored["tenant_changes"]) < 10


async def test_a_long_journal_of_before_is_compacted_at_the_start(
    database_settings: Settings, clock: ManualClock
) -> None:
    async with Tenants(database_settings, clock) as tenants:
        busy = await tenants.save(BUSY, credentials("busy"))

    await grow(database_settings, busy, 6 * EVERY, clock)  # more than a batch, more than a step
    async with Tenants(database_settings, clock) as tenants:
        await compacted(tenants, 5 * EVERY)
        assert (await tenants.authenticate(BUSY)).generation == 6 * EVERY + 1

    async with Tenants(database_settings, clock) as tenants:
        assert (await tenants.authenticate(BUSY)).generation == 6 * EVERY + 1


async def test_rows_of_before_the_checkpoint_open_nothing(
    database_settings: Settings, clock: ManualClock
) -> None:
    async with Tenants(database_settings, clock) as tenants:
        await tenants.save(BUSY, credentials("old"))
        gone = await tenants.save(GONE, credentials("gone"))
        earlier = await contents(database_settings)
        await tenants.delete(GONE, gone)
        busy = await tenants.save(BUSY, credentials("newer"))
        await grow(database_settings, busy, EVERY, clock)
        await tenants.save(BUSY, credentials("newest"))
        await compacted(tenants)

    await put_back(database_settings, earlier, "tenants")
    async with Tenants(database_settings, clock) as tenants:
        with pytest.raises(CredentialsUnreadable):
            await tenants.credentials(await tenants.authenticate(BUSY))

        with pytest.raises(InvalidApiKey):
            await tenants.authenticate(GONE)

        with pytest.raises(InvalidApiKey):
            await tenants.credentials(gone)
