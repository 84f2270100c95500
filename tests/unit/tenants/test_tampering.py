"""A stolen or altered database: it opens nothing without the keys, and no alteration is served."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from server.errors import CredentialsUnreadable, InvalidApiKey
from server.secret import Secret
from server.settings import Settings
from server.store import Database
from server.tenants import Credentials, Tenant, Tenants
from server.tenants.directory import STALENESS
from server.tenants.journal import JournalBroken
from server.tenants.keyfile import KeysUnusable, new_key
from server.tenants.schema import changes
from server.tenants.schema import tenants as table
from tests.clock import ManualClock

ONE, TWO = Secret("tenant-key-one"), Secret("tenant-key-two")
SEALED = ("wrapped_key", "sealed_credentials", "sealed_hint")

Alteration = Callable[[AsyncConnection], Awaitable[object]]


def credentials(name: str) -> Credentials:
    return Credentials(client_secret=Secret(f"{name}-s"), refresh_token=Secret(f"{name}-t"))


async def rows(connection: AsyncConnection, which: sa.Table = table) -> list[dict[str, Any]]:
    found = await connection.execute(sa.select(which).order_by(*which.primary_key))
    return [row._asdict() for row in found]


async def alter(settings: Settings, alteration: Alteration) -> None:
    """Changes the database as somebody would who can write to it but has no key."""
    async with Database(settings) as database, database.write() as connection:
        await alteration(connection)


async def put(connection: AsyncConnection, row: dict[str, Any]) -> None:
    await connection.execute(sa.delete(table).where(table.c.id == row["id"]))
    await connection.execute(sa.insert(table).values(row))


async def both(tenants: Tenants) -> tuple[Tenant, Tenant]:
    return await tenants.save(ONE, credentials("one")), await tenants.save(TWO, credentials("two"))


async def refused(settings: Settings, *api_keys: Secret) -> None:
    """Asserts that after a restart these keys get no credentials, and all others theirs."""
    async with Tenants(settings, ManualClock()) as tenants:
        for api_key, name in ((ONE, "one"), (TWO, "two")):
            tenant = await tenants.authenticate(api_key)
            if api_key in api_keys:
                with pytest.raises(CredentialsUnreadable):
                    await tenants.credentials(tenant)
            else:
                assert (await tenants.credentials(tenant)).refresh_token == Secret(f"{name}-t")

        listed = {entry.configured for entry in (await tenants.list(None, admin=True)).entries}
        assert listed == ({False, True} if len(api_keys) == 1 else {False})


async def test_a_copy_without_the_keys_opens_nothing(tmp_path: Path, clock: ManualClock) -> None:
    home = Settings(broker="production", data_dir=tmp_path / "home")
    async with Tenants(home, clock) as tenants:
        await both(tenants)

    stolen = home.model_copy(update={"data_dir": tmp_path / "stolen"})
    stolen.data_dir.mkdir()
    shutil.copy(home.data_dir / "tasty.db", stolen.data_dir)
    with pytest.raises(KeysUnusable, match="restore it"):
        async with Tenants(stolen, clock):
            pass

    own = {"pepper": SecretStr(new_key()), "master_key": SecretStr(new_key())}
    with pytest.raises(KeysUnusable, match="TASTY_PEPPER"):
        async with Tenants(stolen.model_copy(update=own), clock):
            pass

    # Not even with the pepper, which is enough to recognise keys but not to open what they hold.
    shutil.copy(home.data_dir / "pepper.key", stolen.data_dir)
    only_pepper = stolen.model_copy(update={"master_key": own["master_key"]})
    async with Tenants(only_pepper, clock) as tenants:
        with pytest.raises(CredentialsUnreadable):
            await tenants.credentials(await tenants.authenticate(ONE))

        assert {entry.shown for entry in (await tenants.list(None, admin=True)).entries} == {"…"}


async def test_exchanged_columns_of_two_tenants_are_refused(
    database_settings: Settings, clock: ManualClock
) -> None:
    async with Tenants(database_settings, clock) as tenants:
        await both(tenants)

    for columns in (*((name,) for name in SEALED), SEALED):

        async def exchange(connection: AsyncConnection, names: tuple[str, ...] = columns) -> None:
            one, two = await rows(connection)
            await put(connection, one | {name: two[name] for name in names})
            await put(connection, two | {name: one[name] for name in names})

        await alter(database_settings, exchange)
        async with Tenants(database_settings, clock) as tenants:
            for api_key in (ONE, TWO):
                tenant = await tenants.authenticate(api_key)
                if columns == ("sealed_hint",):  # which is not needed for trading, only for a list
                    await tenants.credentials(tenant)
                else:
                    with pytest.raises(CredentialsUnreadable):
                        await tenants.credentials(tenant)

            shown = {entry.configured for entry in (await tenants.list(None, admin=True)).entries}
            assert shown == ({True} if columns == ("sealed_credentials",) else {False})

        await alter(database_settings, exchange)  # and back
        async with Tenants(database_settings, clock) as tenants:
            await tenants.credentials(await tenants.authenticate(ONE))


async def test_a_flipped_bit_in_any_column_of_a_row_is_refused(
    database_settings: Settings, clock: ManualClock
) -> None:
    async with Tenants(database_settings, clock) as tenants:
        _, two = await both(tenants)

    async def read(connection: AsyncConnection) -> None:
        nonlocal sound
        sound = next(row for row in await rows(connection) if row["id"] == two.id)

    sound: dict[str, Any] = {}
    await alter(database_settings, read)
    for name in (*SEALED[:2], "key_digest"):
        for byte in (0, 11, 12, -1):
            wrong = bytearray(sound[name])
            wrong[byte] ^= 0x10
            altered = sound | {name: bytes(wrong)}
            await alter(database_settings, lambda connection, row=altered: put(connection, row))  # type: ignore[misc]  bound at once
            async with Tenants(database_settings, clock) as tenants:
                with pytest.raises(CredentialsUnreadable):
                    await tenants.credentials(await tenants.authenticate(TWO))

    for change in ({"generation": 2}, {"master_key_id": "0" * 16}):
        await alter(database_settings, lambda connection, row=sound | change: put(connection, row))  # type: ignore[misc]  bound at once
        async with Tenants(database_settings, clock) as tenants:
            with pytest.raises(CredentialsUnreadable):
                await tenants.credentials(await tenants.authenticate(TWO))


async def test_a_row_put_back_to_an_earlier_state_is_refused(
    database_settings: Settings, clock: ManualClock
) -> None:
    earlier: list[dict[str, Any]] = []

    async def keep(connection: AsyncConnection) -> None:
        earlier.extend(await rows(connection))

    async def put_back(connection: AsyncConnection) -> None:
        await put(connection, earlier[0])

    async with Tenants(database_settings, clock) as tenants:
        await tenants.save(ONE, credentials("old"))
        await alter(database_settings, keep)
        await tenants.save(ONE, credentials("one"))
        await tenants.save(TWO, credentials("two"))
        await alter(database_settings, put_back)

        # By the process that has seen the newer one, and by one that starts afterwards.
        with pytest.raises(CredentialsUnreadable):
            await tenants.credentials(await tenants.authenticate(ONE))

    await refused(database_settings, ONE)

    # Who holds the key can mend it.
    async with Tenants(database_settings, clock) as tenants:
        mended = await tenants.save(ONE, credentials("one"))
        assert (await tenants.credentials(mended)).refresh_token == Secret("one-t")


async def test_a_deleted_row_put_back_is_not_a_tenant(
    database_settings: Settings, clock: ManualClock
) -> None:
    earlier: list[dict[str, Any]] = []

    async def keep(connection: AsyncConnection) -> None:
        earlier.extend(await rows(connection))

    async with Tenants(database_settings, clock) as tenants:
        tenant = await tenants.save(ONE, credentials("one"))
        await alter(database_settings, keep)
        await tenants.delete(ONE, tenant)
        await alter(database_settings, lambda connection: put(connection, earlier[0]))
        with pytest.raises(InvalidApiKey):
            await tenants.authenticate(ONE)

    async with Tenants(database_settings, clock) as tenants:
        with pytest.raises(InvalidApiKey):
            await tenants.authenticate(ONE)

        with pytest.raises(InvalidApiKey):
            await tenants.credentials(tenant)

        # It does not stand in the way of the key being registered anew either.
        again = await tenants.save(ONE, credentials("new"))
        assert (await tenants.credentials(again)).refresh_token == Secret("new-t")


async def test_a_digest_moved_to_another_row_gives_nobody_another_tenant(
    database_settings: Settings, clock: ManualClock
) -> None:
    """The worst of them: the holder of one key, with write access, wants another's account."""
    async with Tenants(database_settings, clock) as tenants:
        one, two = await both(tenants)

    async def move(connection: AsyncConnection) -> None:
        first, second = await rows(connection)
        for row in (first, second):
            await connection.execute(sa.delete(table).where(table.c.id == row["id"]))

        await put(connection, first | {"key_digest": second["key_digest"]})
        await put(connection, second | {"key_digest": first["key_digest"]})

    await alter(database_settings, move)
    async with Tenants(database_settings, clock) as tenants:
        assert (await tenants.authenticate(ONE)).id == one.id
        assert (await tenants.authenticate(TWO)).id == two.id

    await refused(database_settings, ONE, TWO)


@pytest.mark.parametrize(
    "change",
    [
        {"generation": 9},
        {"action": "deleted"},
        {"action": "forged"},
        {"environment": "sandbox"},
        {"tenant_id": "0" * 32},
        {"key_digest": bytes(32)},
        {"mac": bytes(32)},
        {"sequence": 7},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_an_altered_entry_of_the_journal_stops_the_start(
    tmp_path: Path, clock: ManualClock, change: dict[str, Any]
) -> None:
    settings = Settings(broker="production", data_dir=tmp_path)
    async with Tenants(settings, clock) as tenants:
        await both(tenants)
        await tenants.save(ONE, credentials("one"))

    edit = sa.update(changes).where(changes.c.sequence == 2).values(change)
    await alter(settings, lambda connection: connection.execute(edit))
    with pytest.raises(JournalBroken) as caught:
        async with Tenants(settings, clock):
            pass

    assert caught.value.sequence == 2


@pytest.mark.parametrize("sequence", [1, 2])
async def test_an_entry_left_out_stops_the_start(
    database_settings: Settings, clock: ManualClock, sequence: int
) -> None:
    async with Tenants(database_settings, clock) as tenants:
        await both(tenants)
        await tenants.save(ONE, credentials("one"))

    gone = sa.delete(changes).where(changes.c.sequence == sequence)
    await alter(database_settings, lambda connection: connection.execute(gone))
    with pytest.raises(JournalBroken):
        async with Tenants(database_settings, clock):
            pass


async def test_a_whole_database_put_back_is_noticed_while_running(
    database_settings: Settings, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """After a restart it cannot be: a restored backup looks the same, and has to start."""
    earlier: list[list[dict[str, Any]]] = []

    async def keep(connection: AsyncConnection) -> None:
        earlier.extend([await rows(connection), await rows(connection, changes)])

    async def put_back(connection: AsyncConnection) -> None:
        for which, content in zip((table, changes), earlier, strict=True):
            await connection.execute(sa.delete(which))
            await connection.execute(sa.insert(which), content)

    async with Tenants(database_settings, clock) as tenants:
        old = await tenants.save(ONE, credentials("old"))
        await alter(database_settings, keep)
        await tenants.save(ONE, credentials("one"))
        await alter(database_settings, put_back)
        with pytest.raises(JournalBroken):
            await tenants.credentials(old)

        with pytest.raises(JournalBroken):
            await tenants.save(TWO, credentials("two"))

        await clock.advance(STALENESS.total_seconds() + 1)
        with pytest.raises(JournalBroken):
            await tenants.authenticate(ONE)

    async with Tenants(database_settings, clock) as tenants:
        found = await tenants.credentials(await tenants.authenticate(ONE))
        assert found.refresh_token == Secret("old-t")
