"""The store: transactions that hold what they say, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError, StatementError

import server.orders.model.schema
import server.store.migrations as migrations
import server.tenants.schema
from server.errors import Misconfigured, StoreUnavailable
from server.settings import Settings
from server.store import METADATA, Database, Instant
from server.store.keyfolder import MARK_FILE
from server.store.sqlite import Links
from tests.waiting import eventually

changes = server.tenants.schema.changes

ROW = {
    "environment": "sandbox",
    "tenant_id": "t",
    "generation": 1,
    "action": "saved",
    "key_digest": b"\0\1",
    "changed_at": datetime(2026, 11, 20, 15, 30, 0, 123456, UTC),
    "mac": b"m",
}


async def count(database: Database) -> int:
    async with database.read() as connection:
        return await connection.scalar(sa.select(sa.func.count()).select_from(changes)) or 0


async def add(database: Database, row: dict[str, object]) -> None:
    async with database.write() as connection:
        await connection.execute(sa.insert(changes).values(row))


def shape(connection: sa.Connection) -> dict[str, object]:
    """Returns all that a database says of its tables."""
    seen = sa.inspect(connection)
    return {
        table: {
            "columns": [each | {"type": repr(each["type"])} for each in seen.get_columns(table)],
            "key": seen.get_pk_constraint(table),
            "unique": sorted(map(repr, seen.get_unique_constraints(table))),
            "indexes": sorted(map(repr, seen.get_indexes(table))),
            "checks": sorted(map(repr, seen.get_check_constraints(table))),
            "foreign": sorted(map(repr, seen.get_foreign_keys(table))),
        }
        for table in seen.get_table_names()
    }


def difference(connection: sa.Connection) -> list[object]:
    # Here: it takes half a second, which only who runs these tests needs to spend.
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, METADATA))


async def test_tables_made_by_the_steps_are_those_of_a_new_database(
    database_settings: Settings,
) -> None:
    async with Database(database_settings) as database, database.write() as connection:
        assert await connection.run_sync(difference) == []
        new = await connection.run_sync(shape)
        assert (
            new.keys()
            == {*migrations.TABLES, "alembic_version"}
            == {*METADATA.tables, "alembic_version"}
        )

        await connection.run_sync(METADATA.drop_all)
        await connection.execute(sa.text("DROP TABLE alembic_version"))
        await connection.run_sync(migrations.take_missing_steps)
        assert await connection.run_sync(difference) == []
        assert await connection.run_sync(shape) == new


async def test_a_database_with_somebody_elses_table_goes_by_the_steps(
    database_settings: Settings,
) -> None:
    async with Database(database_settings) as database, database.write() as connection:
        await connection.run_sync(METADATA.drop_all)
        await connection.execute(sa.text("DROP TABLE alembic_version"))
        await connection.execute(sa.text("CREATE TABLE theirs (id INTEGER)"))

    (database_settings.data_dir / MARK_FILE).unlink()  # else it would be a store that is lost
    async with Database(database_settings) as database, database.read() as connection:
        assert {*migrations.TABLES, "theirs"} <= (await connection.run_sync(shape)).keys()


def test_head_is_the_newest_file() -> None:
    from alembic.script import ScriptDirectory

    folder = Path(migrations.__file__).parent
    assert ScriptDirectory(str(folder)).get_current_head() == migrations.HEAD


async def test_what_was_written_is_there_after_opening_again(database_settings: Settings) -> None:
    async with Database(database_settings) as database:
        await add(database, ROW | {"sequence": 1})

    async with Database(database_settings) as database, database.read() as connection:
        row = (await connection.execute(sa.select(changes))).one()

    assert row._asdict() == ROW | {"sequence": 1}
    assert row.changed_at.tzinfo is UTC


async def test_instants_are_one_moment_whatever_the_offset(database_settings: Settings) -> None:
    elsewhere = ROW["changed_at"].astimezone(timezone(timedelta(hours=-5)))
    async with Database(database_settings) as database:
        await add(database, ROW | {"sequence": 1, "changed_at": elsewhere})

        async with database.read() as connection:
            assert await connection.scalar(sa.select(changes.c.changed_at)) == ROW["changed_at"]


def test_an_instant_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Instant().process_bind_param(datetime(2026, 1, 1), None)  # type: ignore[arg-type]


async def test_an_exception_undoes_the_transaction(database_settings: Settings) -> None:
    async with Database(database_settings) as database:

        async def work() -> None:
            async with database.write() as connection:
                await connection.execute(sa.insert(changes).values(ROW | {"sequence": 1}))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await work()

        assert await count(database) == 0
        assert database.statistics().connections == 0


async def test_cancelling_undoes_the_transaction_and_gives_the_connection_back(
    database_settings: Settings,
) -> None:
    async with Database(database_settings) as database:
        for turns in range(60):  # cancels at every await on the way

            async def work() -> None:
                async with database.write(alone="test") as connection:
                    await connection.execute(sa.insert(changes).values(ROW | {"sequence": 1}))
                    await connection.execute(sa.text("SELECT 1"))
                    await asyncio.Event().wait()

            task = asyncio.create_task(work())
            for _ in range(turns):
                await asyncio.sleep(0)

            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        assert await count(database) == 0
        async with database.write(alone="test") as connection:
            await connection.execute(sa.insert(changes).values(ROW | {"sequence": 1}))

        assert await count(database) == 1
        assert database.statistics().connections == 0


async def test_read_modify_write_loses_nothing(database_settings: Settings) -> None:
    async with Database(database_settings) as one, Database(database_settings) as two:

        async def add_next(database: Database) -> None:
            async with database.write(alone="test") as connection:
                last = await connection.scalar(sa.select(sa.func.max(changes.c.sequence))) or 0
                await asyncio.sleep(0)
                await connection.execute(sa.insert(changes).values(ROW | {"sequence": last + 1}))

        await asyncio.gather(*(add_next(database) for database in [one, two] * 15))
        assert await count(one) == 30
        assert one.statistics().failures == two.statistics().failures == 0


async def test_a_reader_sees_one_state(database_settings: Settings) -> None:
    async with Database(database_settings) as database, database.read() as reader:
        query = sa.select(sa.func.count()).select_from(changes)
        before = await reader.scalar(query)
        await add(database, ROW | {"sequence": 1})
        assert (before, await reader.scalar(query)) == (0, 0)
        assert await count(database) == 1


async def test_a_duplicate_is_the_callers_to_handle(database_settings: Settings) -> None:
    async with Database(database_settings) as database:
        await add(database, ROW | {"sequence": 1})
        with pytest.raises(IntegrityError) as caught:
            await add(database, ROW | {"sequence": 1})

        assert "sandbox" not in str(caught.value)  # stored values stay out of errors
        assert database.statistics().failures == 0


async def test_a_write_inside_a_write_says_so(database_settings: Settings) -> None:
    async with Database(database_settings) as database, database.write():
        with pytest.raises(RuntimeError, match="inside a write"):
            async with database.write():
                pass


async def test_unreachable_is_one_error_without_the_address(tmp_path: Path) -> None:
    url = f"postgresql://someone:hunter2@/none?host={tmp_path}"
    with pytest.raises(StoreUnavailable) as caught:
        async with Database(Settings(data_dir=tmp_path, database_url=SecretStr(url))):
            pass

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://root@localhost/x", "mysql"),
        ("sqlite://", "memory"),
        ("sqlite:///:memory:", "memory"),
        ("not a url, hunter2", "cannot be read"),
    ],
)
async def test_a_useless_url_is_refused_in_words(tmp_path: Path, url: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=says) as caught:
        async with Database(Settings(data_dir=tmp_path, database_url=SecretStr(url))):
            pass

    assert "hunter2" not in str(caught.value)


async def test_sqlite_is_private_durable_and_in_wal(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    async with Database(Settings(data_dir=folder)) as database:
        await add(database, ROW | {"sequence": 1})
        async with database.read() as connection:
            pragma = {
                name: await connection.scalar(sa.text(f"PRAGMA {name}"))
                for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
            }

        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}

    assert pragma == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
    }
    files = ("tasty.db", "tasty.db-wal", "tasty.db-shm", MARK_FILE)
    assert modes == dict.fromkeys(files, 0o600)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.postgres
def test_processes_that_start_at_once_all_open_it(
    postgres: Callable[[], str], tmp_path: Path
) -> None:
    """On SQLite the tenants' own test of this passes here as well."""
    program = (
        "import asyncio\n"
        "from server.settings import Settings\n"
        "from server.store import Database\n"
        "async def main():\n"
        "    async with Database(Settings()):\n"
        "        pass\n"
        "asyncio.run(main())\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.getcwd(),
        "TASTY_DATA_DIR": str(tmp_path),
        "TASTY_DATABASE_URL": postgres(),
    }
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [(one.communicate(timeout=60)[1], one.returncode) for one in started] == [("", 0)] * 2


async def test_opening_it_again_leaves_the_locks_of_those_who_have_it_open(tmp_path: Path) -> None:
    """Another process that closes it would else take itself for the last and remove the log."""
    settings = Settings(data_dir=tmp_path)
    program = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT * FROM tenants')"
    async with Database(settings) as database:
        await add(database, ROW | {"sequence": 1})
        async with Database(settings):
            pass

        path = str(tmp_path / "tasty.db")
        subprocess.run([sys.executable, "-c", program, path], check=True)  # noqa: ASYNC221  a test
        assert (tmp_path / "tasty.db-wal").exists()
        await add(database, ROW | {"sequence": 2})
        assert await count(database) == 2


SLOW = """
WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 300000)
SELECT count(*) FROM counted
"""


async def test_a_caller_that_is_cancelled_twice_leaves_nothing_behind(
    database_settings: Settings,
) -> None:
    async with Database(database_settings) as database:

        async def ask() -> None:
            async with database.read() as connection:
                await connection.execute(sa.text(SLOW))

        for _ in range(10):
            asking = asyncio.create_task(ask())
            await asyncio.sleep(0.01)  # until it is in the middle of its statement
            asking.cancel()
            await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait([asking])

        await eventually(lambda: len(asyncio.all_tasks()) == 1)  # the driver's are gone
        assert await count(database) == 0


async def test_what_was_opened_for_a_cancelled_caller_is_closed(tmp_path: Path) -> None:
    """Not by the garbage collector: from Python 3.13 on it complains, and a lock may be held."""
    opened: list[Watched] = []

    class Watched(sqlite3.Connection):
        closed = False

        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            opened.append(self)

        def close(self) -> None:
            super().close()
            self.closed = True

    links = Links()

    async def use() -> None:
        async with links.open(tmp_path / "some.db", factory=Watched) as link:
            await link.execute("SELECT 1")

    for turns in range(20):  # cancels at every await on the way
        using = asyncio.create_task(use())
        for _ in range(turns):
            await asyncio.sleep(0)

        using.cancel()
        await asyncio.wait([using])

    await links.ended()
    assert opened
    assert all(one.closed for one in opened)


async def test_a_cancelled_writer_leaves_no_lock_behind_with_its_rows(tmp_path: Path) -> None:
    """The rows that it had not read would keep the closed connection alive, and its lock too."""
    settings = Settings(data_dir=tmp_path)
    held: list[object] = []
    reading = asyncio.Event()
    async with Database(settings) as database, Database(settings) as other:

        async def work() -> None:
            async with database.write() as connection:
                driver = (await connection.get_raw_connection()).driver_connection
                held.append(await driver.execute("SELECT 1 UNION ALL SELECT 2"))
                reading.set()
                await connection.execute(sa.text(SLOW))

        task = asyncio.create_task(work())
        await reading.wait()
        await asyncio.sleep(0)  # until it waits for the answer
        task.cancel()
        await asyncio.wait([task])
        async with asyncio.timeout(5):  # half of what a writer waits for a lock
            await add(other, ROW | {"sequence": 1})


async def test_a_malformed_stored_value_is_not_hidden(tmp_path: Path) -> None:
    async with Database(Settings(data_dir=tmp_path)) as database:
        with pytest.raises(StatementError):
            await add(database, ROW | {"sequence": 1, "changed_at": "yesterday"})
