"""A store that is lost, or another one than the keys know, is missed before anything is begun."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from server.errors import (
    Misconfigured,
    StoreExists,
    StoreMissing,
    StoreOlder,
    StoreOther,
    StoreUnusable,
    StoreVersionUnknown,
)
from server.settings import Settings
from server.store import Admit, Database, StoreIdentity
from server.store.keyfolder import KEY_FILE, MARK_FILE, PEPPER_FILE
from server.tenants import Tenants
from server.tenants.keyfile import KeysUnusable, new_key
from tests.clock import ManualClock
from tests.command_line import in_own_process, in_this_process
from tests.databases import begun

KEYS = {KEY_FILE, PEPPER_FILE, MARK_FILE}


async def opened(settings: Settings, admit: Admit = Admit.KNOWN) -> StoreIdentity:
    """Opens the store as a start of the server does, and closes it."""
    async with Database(settings, ManualClock(), admit=admit) as database:
        async with Tenants(settings, ManualClock(), database):
            pass

        return database.identity


def names(settings: Settings) -> set[str]:
    return set(os.listdir(settings.data_dir))


async def drop_all(settings: Settings, *, theirs: bool = False) -> None:
    """Leaves a database without a table of ours."""
    async with Database(settings) as database, database.write() as connection:
        tables = await connection.run_sync(lambda one: sa.inspect(one).get_table_names())
        for table in tables:
            await connection.execute(sa.text(f"DROP TABLE {table}"))

        if theirs:
            await connection.execute(sa.text("CREATE TABLE theirs (id INTEGER)"))


async def test_tables_that_are_gone_are_missed(database_settings: Settings) -> None:
    first = await opened(database_settings)
    assert first.complete_since is None
    await drop_all(database_settings)
    with pytest.raises(StoreMissing) as missing:
        await opened(database_settings)

    folder = database_settings.data_dir.absolute()
    for word in (*(str(folder / name) for name in KEYS), "backup", "migrate --init"):
        assert word in str(missing.value)

    with pytest.raises(StoreMissing):  # and nothing was begun by that
        await opened(database_settings)


async def test_a_database_of_others_does_not_stand_for_ours(database_settings: Settings) -> None:
    await opened(database_settings)
    await drop_all(database_settings, theirs=True)
    with pytest.raises(StoreMissing):
        await opened(database_settings)


@pytest.mark.parametrize("left", [KEY_FILE, PEPPER_FILE, MARK_FILE])
@pytest.mark.parametrize("empty", [False, True])
async def test_a_file_that_is_gone_or_empty_is_missed(
    tmp_path: Path, left: str, empty: bool
) -> None:
    settings = Settings(broker="production", data_dir=tmp_path)
    await opened(settings)
    file = tmp_path / "tasty.db"
    file.unlink()
    if empty:
        file.touch()

    for name in KEYS - {left}:
        (tmp_path / name).unlink()

    with pytest.raises(StoreMissing, match=f"{left}.*TASTY_DATA_DIR"):
        await opened(settings)

    assert names(settings) == {left, *(["tasty.db"] if empty else [])}


async def test_the_switch_is_needed_once_and_refused_where_there_is_a_store(
    database_settings: Settings,
) -> None:
    first = await opened(database_settings)
    with pytest.raises(StoreExists):
        await opened(database_settings, Admit.NEW)

    await drop_all(database_settings)
    second = await opened(database_settings, Admit.NEW)
    assert second.store_id != first.store_id
    assert second.complete_since == ManualClock().now()
    third = await opened(database_settings)
    assert (third.store_id, third.opened) == (second.store_id, 2)
    with pytest.raises(StoreExists):
        await opened(database_settings, Admit.NEW)


@pytest.mark.parametrize(
    "given", [("master_key",), ("pepper",), ("master_key", "pepper")], ids=" and ".join
)
async def test_with_keys_in_settings_no_start_begins_a_store(
    database_settings: Settings, given: tuple[str, ...]
) -> None:
    keys = {name: SecretStr(new_key()) for name in given}
    settings = database_settings.model_copy(update=keys)
    for name in given:
        with pytest.raises(StoreMissing, match=f"TASTY_{name.upper()}"):
            await opened(settings)

    assert not settings.data_dir.exists()
    await begun(settings)
    await opened(settings)
    if len(given) == 2:  # then there is no folder of keys
        assert not settings.data_dir.exists() or not names(settings) & KEYS


async def test_without_the_switch_migrate_never_begins_one(database_settings: Settings) -> None:
    with pytest.raises(StoreMissing):
        await opened(database_settings, Admit.EXISTING)

    await opened(database_settings)
    await opened(database_settings, Admit.EXISTING)


async def test_another_stores_database_is_noticed(database_settings: Settings) -> None:
    first = await opened(database_settings)
    async with Database(database_settings) as database, database.write() as connection:
        await connection.execute(sa.text("UPDATE store_identity SET store_id = 'another'"))

    with pytest.raises(StoreOther, match="migrate --restored"):
        await opened(database_settings)

    accepted = await opened(database_settings, Admit.RESTORED)
    assert (accepted.store_id, accepted.complete_since) == ("another", ManualClock().now())
    assert (await opened(database_settings)).store_id == "another" != first.store_id


async def test_an_older_copy_is_noticed(database_settings: Settings) -> None:
    await opened(database_settings)
    await opened(database_settings)
    async with Database(database_settings) as database, database.write() as connection:
        await connection.execute(sa.text("UPDATE store_identity SET opened = 2"))

    with pytest.raises(StoreOlder, match=r"opened 2 times, and store\.id knows of 3"):
        await opened(database_settings)

    accepted = await opened(database_settings, Admit.RESTORED)
    assert (accepted.opened, accepted.complete_since) == (4, ManualClock().now())
    assert (await opened(database_settings)).opened == 5


async def test_a_copy_without_its_log_is_noticed(tmp_path: Path) -> None:
    """It is what somebody copies who does not know that a database of SQLite is three files."""
    settings = Settings(broker="production", data_dir=tmp_path / "data")
    await opened(settings)
    async with Database(settings):
        shutil.copy(settings.data_dir / "tasty.db", tmp_path)

    shutil.copy(tmp_path / "tasty.db", settings.data_dir)
    with pytest.raises(StoreOlder):
        await opened(settings)


async def test_a_log_without_its_database_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "tasty.db-wal").write_bytes(b"all that is left")
    for admit in (Admit.KNOWN, Admit.NEW):
        with pytest.raises(StoreUnusable, match=r"tasty\.db-wal is there"):
            await opened(Settings(data_dir=tmp_path), admit)

    assert os.listdir(tmp_path) == ["tasty.db-wal"]
    assert (tmp_path / "tasty.db-wal").read_bytes() == b"all that is left"


async def test_another_pepper_is_refused_before_anything_is_served(
    database_settings: Settings,
) -> None:
    await opened(database_settings)
    other = database_settings.model_copy(update={"pepper": SecretStr(new_key())})
    with pytest.raises(KeysUnusable, match="TASTY_PEPPER"):
        await opened(other)


@pytest.mark.parametrize("name", [KEY_FILE, PEPPER_FILE])
async def test_a_key_that_is_gone_is_not_replaced_though_nothing_is_stored_yet(
    tmp_path: Path, name: str
) -> None:
    settings = Settings(broker="production", data_dir=tmp_path)
    await opened(settings)
    (tmp_path / name).unlink()
    with pytest.raises(KeysUnusable, match="restore it from a backup"):
        await opened(settings)

    assert name not in names(settings)


async def test_a_database_from_before_there_were_marks_opens(database_settings: Settings) -> None:
    await opened(database_settings)
    async with Database(database_settings) as database, database.write() as connection:
        for later in ("store_identity", "model_usage"):  # what the steps after it made
            await connection.execute(sa.text(f"DROP TABLE {later}"))

        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '0005'"))

    mark = database_settings.data_dir / MARK_FILE
    with pytest.raises(StoreOther):  # a copy from before, put back
        await opened(database_settings)

    mark.unlink()
    identity = await opened(database_settings)
    assert (identity.opened, identity.complete_since) == (1, None)
    assert mark.read_text() == f"{identity.store_id} 1\n"


async def test_tables_of_a_newer_version_are_left_alone(database_settings: Settings) -> None:
    await opened(database_settings)
    async with Database(database_settings) as database, database.write() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StoreVersionUnknown, match="'9999'"):
        await opened(database_settings)


@pytest.mark.parametrize("text", ["", "one", "one two", "one 2 three", "\u00e9 1"])
async def test_a_mark_that_says_nothing_is_told(tmp_path: Path, text: str) -> None:
    settings = Settings(broker="production", data_dir=tmp_path)
    await opened(settings)
    (tmp_path / MARK_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(Misconfigured, match=f"{MARK_FILE} is damaged"):
        await opened(settings)


@pytest.mark.postgres
async def test_a_folder_of_keys_that_cannot_be_written_needs_no_mark(
    postgres: Callable[[], str], caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(
        data_dir=Path("/dev/null/keys"),
        master_key=SecretStr(new_key()),
        database_url=SecretStr(postgres()),
    )
    await begun(settings)
    assert "/dev/null/keys/store.id cannot be written (Not a directory)" in caplog.text


def test_the_commands_say_it_with_their_exit_code(tmp_path: Path) -> None:
    variables = {"TASTY_DATA_DIR": str(tmp_path)}
    assert in_this_process("keys", "status", **variables).code == 0
    (tmp_path / "tasty.db").unlink()
    ports = {"TASTY_GRPC_PORT": "0", "TASTY_METRICS_PORT": "0"}
    said = [
        in_own_process("serve", **variables, **ports),
        in_this_process("keys", "status", **variables),
        in_this_process("migrate", **variables),
    ]
    for one in said:
        assert (one.code, one.out) == (3, ""), one.err
        assert one.err.startswith(f"Error: There is no store in {tmp_path}/tasty.db, but ")
        assert one.err.count("\n") == 1

    made = in_this_process("migrate", "--init", **variables)
    assert made.code == 0
    assert f"place         {tmp_path}/tasty.db" in made.out
    assert "complete      since 20" in made.out
    assert "migrate --init: the store" in made.err
    again = in_this_process("migrate", "--init", **variables)
    assert (again.code, again.out) == (1, "")
    assert "already; it was left as it is" in again.err
    assert in_this_process("keys", "status", **variables).code == 0
    assert in_this_process("migrate", "--init", "--restored", **variables).code == 2


def test_a_store_of_another_program_is_not_touched(tmp_path: Path) -> None:
    """Not even by its first opening, where keys say that there should be one of ours."""
    variables = {"TASTY_DATA_DIR": str(tmp_path)}
    in_this_process("keys", "status", **variables)
    file = tmp_path / "tasty.db"
    file.unlink()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE theirs (id INTEGER)")

    assert in_this_process("keys", "status", **variables).code == 3
    with closing(sqlite3.connect(file)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()

    assert tables == [("theirs",)]
