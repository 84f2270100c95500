"""A new master key: every row comes under it, the old one goes, and stopping midway is harmless."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from server.errors import CredentialsUnreadable
from server.secret import Secret
from server.settings import Settings
from server.store import Database
from server.tenants import Credentials, Tenants
from server.tenants.keyfile import new_key
from server.tenants.keyring import KEY_FILE, Keyring
from server.tenants.rotation import MasterKeys, master_keys, rotate_master_key
from server.tenants.schema import tenants as table
from tests.clock import ManualClock
from tests.databases import begun


class StoppedError(Exception):
    """Stands for the process that dies."""


def api_key(n: int) -> Secret:
    return Secret(f"tenant-key-{n:04}")


def credentials(n: int) -> Credentials:
    return Credentials(client_secret=Secret(f"s{n}"), refresh_token=Secret(f"t{n}"))


async def fill(settings: Settings, count: int) -> None:
    async with Tenants(settings, ManualClock()) as tenants:
        for n in range(count):
            await tenants.save(api_key(n), credentials(n))


async def opens(settings: Settings, count: int) -> None:
    async with Tenants(settings, ManualClock()) as tenants:
        for n in range(count):
            found = await tenants.credentials(await tenants.authenticate(api_key(n)))
            assert found.refresh_token == Secret(f"t{n}")


def only(state: MasterKeys, rows: int) -> None:
    """Asserts that the newest key is the only one, and has all the rows."""
    assert [(use.id, use.rows, use.configured) for use in state.keys] == [
        (state.newest, rows, True)
    ]
    assert (state.behind, state.unreadable) == (0, 0)


async def test_every_row_comes_under_the_new_key_and_the_old_one_goes(
    database_settings: Settings,
) -> None:
    await fill(database_settings, 7)
    before = await master_keys(database_settings)
    only(before, 7)
    seen: list[int] = []
    after = await rotate_master_key(database_settings, seen.append)
    only(after, 7)
    assert after.newest != before.newest
    assert seen == [7]
    assert after == await master_keys(database_settings)
    path = database_settings.data_dir / KEY_FILE
    assert len(path.read_text().split()) == 1
    assert after.origin == str(path)
    await opens(database_settings, 7)


async def test_an_empty_database_gets_its_new_key_too(database_settings: Settings) -> None:
    before = await master_keys(database_settings)
    after = await rotate_master_key(database_settings)
    only(after, 0)
    assert after.newest != before.newest


@pytest.mark.parametrize("batches", [1, 2])
async def test_stopped_between_batches_it_goes_on_with_the_same_key(
    database_settings: Settings, batches: int
) -> None:
    await fill(database_settings, 7)

    def stop(moved: int) -> None:
        if moved >= batches * 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        await rotate_master_key(database_settings, stop, batch=3)

    halfway = await master_keys(database_settings)
    assert [use.rows for use in halfway.keys] == [batches * 3, 7 - batches * 3]
    await opens(database_settings, 7)
    after = await rotate_master_key(database_settings)
    assert after.newest == halfway.newest
    only(after, 7)
    await opens(database_settings, 7)


async def test_stopped_before_the_first_row_or_before_the_last_step_it_goes_on(
    database_settings: Settings,
) -> None:
    await fill(database_settings, 2)
    Keyring.load(database_settings, make=False).add()  # where a rotation dies after its first step
    added = await master_keys(database_settings)
    assert [use.rows for use in added.keys] == [0, 2]
    only(await rotate_master_key(database_settings), 2)

    def stop(_moved: int) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        await rotate_master_key(database_settings, stop)

    moved = await master_keys(database_settings)
    assert [use.rows for use in moved.keys] == [2, 0]
    after = await rotate_master_key(database_settings)
    assert after.newest == moved.newest
    only(after, 2)


async def test_rotations_at_once_lose_nothing(database_settings: Settings) -> None:
    await fill(database_settings, 3)
    await asyncio.gather(*(rotate_master_key(database_settings) for _ in range(4)))
    only(await master_keys(database_settings), 3)
    await opens(database_settings, 3)


async def test_a_running_server_reads_and_saves_through_a_rotation(
    database_settings: Settings, clock: ManualClock
) -> None:
    async with Tenants(database_settings, clock) as tenants:
        one = await tenants.save(api_key(0), credentials(0))
        await rotate_master_key(database_settings)
        assert (await tenants.credentials(one)).refresh_token == Secret("t0")
        await tenants.save(api_key(1), credentials(1))
        only(await master_keys(database_settings), 2)
        await rotate_master_key(database_settings)
        assert (await tenants.credentials(one)).refresh_token == Secret("t0")

    await opens(database_settings, 2)
    only(await master_keys(database_settings), 2)


async def test_with_the_setting_the_first_key_there_is_the_new_one(
    database_settings: Settings,
) -> None:
    old, new = new_key(), new_key()

    def configured(*keys: str) -> Settings:
        update = {"master_key": SecretStr(",".join(keys))}
        return database_settings.model_copy(update=update)

    await fill(await begun(configured(old)), 3)
    assert [use.rows for use in (await master_keys(configured(new, old))).keys] == [0, 3]
    after = await rotate_master_key(configured(new, old))
    assert [use.rows for use in after.keys] == [3, 0]
    assert after.origin == "TASTY_MASTER_KEY"
    await opens(configured(new), 3)
    only(await master_keys(configured(new)), 3)
    lost = await master_keys(configured(old))
    assert (lost.behind, lost.unreadable) == (3, 3)
    assert [(use.rows, use.configured) for use in lost.keys] == [(0, True), (3, False)]


async def test_an_altered_row_keeps_its_key_and_is_counted(database_settings: Settings) -> None:
    await fill(database_settings, 3)
    async with Database(database_settings) as database, database.write() as connection:
        row = (await connection.execute(sa.select(table).limit(1))).one()
        wrong = bytes(len(row.wrapped_key))
        await connection.execute(
            sa.update(table).where(table.c.id == row.id).values(wrapped_key=wrong)
        )

    state = await rotate_master_key(database_settings)
    assert [use.rows for use in state.keys] == [2, 1]
    assert (state.behind, state.unreadable) == (1, 1)
    again = await rotate_master_key(database_settings)
    assert again == state  # no heap of new keys
    unreadable = 0
    async with Tenants(database_settings, ManualClock()) as tenants:
        for n in range(3):
            try:
                await tenants.credentials(await tenants.authenticate(api_key(n)))
            except CredentialsUnreadable:
                unreadable += 1
                await tenants.save(api_key(n), credentials(n))

    assert unreadable == 1
    only(await rotate_master_key(database_settings), 3)
