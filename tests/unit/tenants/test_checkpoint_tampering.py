"""A checkpoint of the journal that was altered, exchanged or lost is never served."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from server.settings import Settings
from server.tenants import Tenants
from server.tenants.compaction import EVERY
from server.tenants.journal import JournalBroken
from server.tenants.schema import changes, checkpoints
from tests.clock import ManualClock
from tests.journals import (
    BUSY,
    ONE,
    alter,
    compacted,
    contents,
    credentials,
    grow,
    grown,
    put_back,
)
from tests.waiting import eventually


async def broken(settings: Settings, clock: ManualClock) -> int:
    with pytest.raises(JournalBroken) as caught:
        async with Tenants(settings, clock):
            pass

    return caught.value.sequence


def flipped(text: bytes, place: int) -> bytes:
    altered = bytearray(text)
    altered[place] ^= 0x10
    return bytes(altered)


@pytest.mark.parametrize("column", ["sequence", "before", "roster", "mac"])
async def test_an_altered_checkpoint_stops_the_start(
    database_settings: Settings, clock: ManualClock, column: str
) -> None:
    await grown(database_settings, clock)
    (sound,) = (await contents(database_settings))["tenant_checkpoints"]
    wrong = [sound[column] + 1] if column == "sequence" else []
    wrong += [] if column == "sequence" else [flipped(sound[column], at) for at in (0, 20, -1)]
    for value in wrong:
        edit = sa.update(checkpoints).values({column: value})
        await alter(database_settings, lambda connection, it=edit: connection.execute(it))  # type: ignore[misc]  bound at once
        await broken(database_settings, clock)
        back = sa.update(checkpoints).values({column: sound[column]})
        await alter(database_settings, lambda connection, it=back: connection.execute(it))  # type: ignore[misc]  bound at once

    async with Tenants(database_settings, clock):
        pass


async def test_a_generation_or_a_key_in_the_checkpoint_cannot_be_exchanged(
    database_settings: Settings, clock: ManualClock
) -> None:
    await grown(database_settings, clock)
    (sound,) = (await contents(database_settings))["tenant_checkpoints"]
    roster = bytes(sound["roster"])
    assert str(EVERY + 2).encode() in roster
    edit = sa.update(checkpoints).values(roster=roster.replace(str(EVERY + 2).encode(), b"1"))
    await alter(database_settings, lambda connection: connection.execute(edit))
    await broken(database_settings, clock)


@pytest.mark.parametrize(
    "lost",
    [
        sa.delete(checkpoints),
        sa.delete(changes),
        sa.delete(changes).where(
            changes.c.sequence == sa.select(checkpoints.c.sequence).scalar_subquery()
        ),
    ],
    ids=["checkpoint", "entries", "entry of the checkpoint"],
)
async def test_what_is_missing_stops_the_start(
    database_settings: Settings, clock: ManualClock, lost: sa.Delete
) -> None:
    await grown(database_settings, clock)
    await alter(database_settings, lambda connection: connection.execute(lost))
    await broken(database_settings, clock)


@pytest.mark.parametrize(
    "change",
    [{"generation": 9}, {"tenant_id": "0" * 32}, {"mac": bytes(32)}, {"action": "deleted"}],
)
async def test_an_altered_entry_of_the_checkpoint_stops_the_start(
    database_settings: Settings, clock: ManualClock, change: dict[str, Any]
) -> None:
    await grown(database_settings, clock)
    first = sa.select(checkpoints.c.sequence).scalar_subquery()
    edit = sa.update(changes).where(changes.c.sequence == first).values(change)
    await alter(database_settings, lambda connection: connection.execute(edit))
    await broken(database_settings, clock)


async def test_an_older_checkpoint_does_not_reach_the_entries_that_are_left(
    database_settings: Settings, clock: ManualClock
) -> None:
    await grown(database_settings, clock)
    earlier = await contents(database_settings)
    async with Tenants(database_settings, clock) as tenants:
        old = await tenants.authenticate(BUSY)
        await grow(database_settings, old, EVERY, clock)
        await tenants.save(BUSY, credentials("newest"))
        await compacted(tenants, earlier["tenant_checkpoints"][0]["sequence"])

    later = await contents(database_settings)
    await put_back(database_settings, earlier, "tenant_checkpoints")
    await broken(database_settings, clock)

    # Nor with the entries that belonged to it, which leave a gap.
    both = {"tenant_changes": [*earlier["tenant_changes"], *later["tenant_changes"]]}
    await put_back(database_settings, earlier | both, "tenant_checkpoints", "tenant_changes")
    await broken(database_settings, clock)

    # Nor the newer checkpoint with older entries before it.
    await put_back(database_settings, later, "tenant_checkpoints")
    await broken(database_settings, clock)
    await put_back(database_settings, later, "tenant_changes")
    async with Tenants(database_settings, clock):
        pass


async def test_a_database_of_before_the_checkpoint_is_noticed_while_running(
    database_settings: Settings, clock: ManualClock
) -> None:
    async with Tenants(database_settings, clock) as tenants:
        busy = await tenants.save(BUSY, credentials("busy"))
        await grow(database_settings, busy, EVERY, clock)
        busy = await tenants.save(BUSY, credentials("newer"))
        await compacted(tenants)
        earlier = await contents(database_settings)
        await grow(database_settings, busy, EVERY, clock)
        busy = await tenants.save(BUSY, credentials("newest"))
        await compacted(tenants, earlier["tenant_checkpoints"][0]["sequence"])
        await put_back(
            database_settings, earlier, "tenant_changes", "tenant_checkpoints", "tenants"
        )
        with pytest.raises(JournalBroken):
            await tenants.credentials(busy)

        with pytest.raises(JournalBroken):
            await tenants.save(ONE, credentials("one"))


async def test_another_history_of_the_same_journal_is_not_sealed(
    database_settings: Settings, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A backup that went its own way has sound seals, and is not what this process has seen."""
    async with Tenants(database_settings, clock) as tenants:
        busy = await tenants.save(BUSY, credentials("busy"))

    start = await contents(database_settings)
    await grow(database_settings, busy, EVERY, clock)
    fork = await contents(database_settings)
    await put_back(database_settings, start, "tenant_changes")
    await clock.advance(60)
    await grow(database_settings, busy, EVERY - 100, clock)
    async with Tenants(database_settings, clock) as tenants:
        head = (await contents(database_settings))["tenant_changes"][-1]
        mixed = [*fork["tenant_changes"][: EVERY - 100], head]
        await put_back(database_settings, {"tenant_changes": mixed}, "tenant_changes")
        await grow(database_settings, busy, 200, clock)
        await tenants.save(ONE, credentials("one"))
        await eventually(lambda: "was not compacted" in caplog.text)
        assert tenants.statistics().checkpoint == 0
        assert len((await contents(database_settings))["tenant_changes"]) > EVERY
