"""A database or a disk that fails: a sentence for the operator, 503 for callers, nothing lost."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from server.errors import StoreBroken, StoreUnavailable
from server.settings import Settings
from server.store import Database
from server.store.address import database_place
from server.store.diagnosis import diagnose
from server.tenants import Tenants
from server.tenants.keyfile import KeysUnusable
from server.tenants.schema import changes
from tests.clock import ManualClock
from tests.command_line import HOME, in_this_process
from tests.unit.store.test_database import ROW, add, count

PAGE = 4096


def overwritten(at: int, length: int) -> Callable[[Path], None]:
    def damage(file: Path) -> None:
        content = bytearray(file.read_bytes())
        content[at : at + length] = b"\xa5" * length
        file.write_bytes(content)

    return damage


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // PAGE // 2 * PAGE)


def text(file: Path) -> None:
    file.write_text("This is a note, and no database at all.\n" * 100)


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


DAMAGES = {
    "beginning": (overwritten(0, 100), "SQLITE_NOTADB", "restore a backup"),
    "a page": (overwritten(5 * PAGE, PAGE), "SQLITE_CORRUPT", "restore a backup"),
    "truncated": (cut, "SQLITE_CORRUPT", "restore a backup"),
    "a text": (text, "SQLITE_NOTADB", "restore a backup"),
    "a folder": (folder, "SQLITE_CANTOPEN", "Let TASTY_DATA_DIR name another place"),
}


@pytest.mark.parametrize("name", DAMAGES)
async def test_a_broken_file_is_a_sentence_and_stays_as_it_is(tmp_path: Path, name: str) -> None:
    damage, code, remedy = DAMAGES[name]
    settings = Settings(broker="production", data_dir=tmp_path)
    async with Database(settings):  # without tenants: no key has been made yet
        pass

    file = tmp_path / "tasty.db"
    damage(file)
    left = file.read_bytes() if file.is_file() else b""
    with pytest.raises(StoreBroken) as broken:
        async with Tenants(settings, ManualClock()):
            pass

    sentence = str(broken.value)
    assert sentence.startswith(f"{file} is ")
    assert code in sentence
    assert remedy in sentence
    assert set(os.listdir(tmp_path)) == {"tasty.db", "store.id"}
    assert left == (file.read_bytes() if file.is_file() else b"")


def test_the_command_says_it_without_a_traceback(tmp_path: Path) -> None:
    text(tmp_path / "tasty.db")
    said = in_this_process("keys", "status", TASTY_DATA_DIR=str(tmp_path))
    assert (said.code, said.out) == (3, "")
    assert said.err.startswith(f"Error: {tmp_path}/tasty.db is no database of SQLite")
    assert said.err.count("\n") == 1
    nobody = in_this_process(
        "keys",
        "status",
        TASTY_DATA_DIR=str(tmp_path),
        TASTY_DATABASE_URL="postgresql://me:hunter2@127.0.0.1:1/gateway",
    )
    assert nobody.code == 1  # it may be there the next time
    assert "The PostgreSQL database gateway on 127.0.0.1 does not answer" in nobody.err
    assert "hunter2" not in nobody.err


class PostgresError(Exception):
    """Has what an error of asyncpg has."""

    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            PermissionError(errno.EACCES, ""),
            "{file} cannot be opened (PermissionError EACCES).",
        ),
        (OSError(errno.EROFS, ""), "{file} cannot be made: the file system is read-only (OSError"),
        (
            OSError(errno.ENOSPC, ""),
            "{file} cannot be made: the disk is full (OSError ENOSPC).",
        ),
        (PostgresError("28P01"), "The PostgreSQL database x on db refuses the login"),
        (PostgresError("53100"), "its disk is full (PostgresError 53100). Make room"),
        (PostgresError("25006"), "is read-only (PostgresError 25006). Let TASTY_DATABASE_URL name"),
        (PostgresError("42P01"), "does not have the tables that it should have"),
        (PostgresError("08006"), None),
        (OSError(errno.ECONNREFUSED, ""), None),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_only_a_person_mends_is_told_from_what_may_pass(
    tmp_path: Path, error: Exception, says: str | None
) -> None:
    file = tmp_path / "tasty.db"
    local = "{file}" in str(says)
    url = f"sqlite:///{file}" if local else "postgresql://me:hunter2@db/x?password=hunter3"
    found = diagnose(StoreUnavailable(), database_place(Settings(database_url=SecretStr(url))))
    assert found is None
    wrapped = StoreUnavailable()
    wrapped.__cause__ = DBAPIError("SELECT", None, error)
    found = diagnose(wrapped, database_place(Settings(database_url=SecretStr(url))))
    if says is None:
        assert found is None
    else:
        assert says.format(file=file) in str(found)
        assert "hunter" not in str(found)


def limited(folder: Path, kibibytes: int | str) -> subprocess.CompletedProcess[str]:
    """Runs a command for which no file may become larger than that."""
    # -B: or a cut file of compiled code would be what the next test imports.
    program = f"ulimit -f {kibibytes}; exec {sys.executable} -B -m server keys status"
    return subprocess.run(
        ["bash", "-c", program],
        env={"PATH": os.defpath, "PYTHONPATH": str(HOME), "TASTY_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("kibibytes", [0, 4, 40])
def test_a_full_disk_at_the_start_is_a_sentence_and_the_next_start_goes_on(
    tmp_path: Path, kibibytes: int
) -> None:
    said = limited(tmp_path, kibibytes)
    assert said.returncode == 3
    assert f"Error: {tmp_path}/tasty.db cannot be " in said.stderr
    assert "Make room and start again" in said.stderr
    assert "Traceback" not in said.stderr
    assert not {"master.key", "pepper.key"} & set(os.listdir(tmp_path))
    assert limited(tmp_path, "unlimited").returncode == 0


async def test_a_full_disk_later_loses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Database(Settings(data_dir=tmp_path)) as database:
        await add(database, ROW | {"sequence": 1})
        async with database.write() as connection:
            limit = await connection.scalar(sa.text("PRAGMA page_count"))
            await connection.execute(sa.text(f"PRAGMA max_page_count = {limit}"))

        with pytest.raises(StoreUnavailable):
            await add(database, ROW | {"sequence": 2, "mac": bytes(1_000_000)})

        lines = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert [line.getMessage() for line in lines] == [
            "the database failed: OperationalError SQLITE_FULL"
        ]
        assert await count(database) == 1
        async with database.write() as connection:
            await connection.execute(sa.text(f"PRAGMA max_page_count = {limit + 1000}"))

        await add(database, ROW | {"sequence": 2, "mac": bytes(1_000_000)})
        assert await count(database) == 2


async def test_damage_that_is_found_later_ends_all_writing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(data_dir=tmp_path)
    async with Database(settings) as database:
        await add(database, ROW | {"sequence": 1})

    async with Database(settings) as database:
        async with database.read() as connection:
            query = "SELECT rootpage FROM sqlite_master WHERE name = 'tenant_changes'"
            page = await connection.scalar(sa.text(query))

        # By a process of its own: closing the file in this one would drop SQLite's locks on it.
        where = [f"of={tmp_path}/tasty.db", f"bs={PAGE}", f"seek={page - 1}", "count=1"]
        command = ["dd", "if=/dev/urandom", *where, "conv=notrunc", "status=none"]
        subprocess.run(command, check=True)  # noqa: ASYNC221  a test
        with pytest.raises(StoreUnavailable):
            async with database.read(), database.read() as second:  # one that has read nothing yet
                await second.execute(sa.select(changes))

        assert [record.getMessage() for record in caplog.records] == [
            "the database failed: DatabaseError SQLITE_CORRUPT: nothing more is written to it"
        ]
        with pytest.raises(StoreUnavailable):
            async with database.write() as connection:
                await connection.execute(sa.text("CREATE TABLE more (id INTEGER)"))

        assert len(caplog.records) == 1
        async with database.read() as connection:  # what is whole can still be read
            assert await connection.scalar(sa.text("SELECT count(*) FROM store_identity")) == 1


@pytest.mark.parametrize("name", ["master.key", "pepper.key"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"AAAA\n", "must hold base64 of 32 bytes. Restore it from a backup"),
        (b"\xff\n", "cannot be read (it is no text)"),
        (None, "cannot be read (Is a directory)"),
    ],
    ids=["short", "no text", "a folder"],
)
async def test_a_key_that_cannot_be_used_is_a_sentence(
    tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    settings = Settings(broker="production", data_dir=tmp_path)
    async with Tenants(settings, ManualClock()):
        pass

    before = set(os.listdir(tmp_path))
    (tmp_path / name).unlink()
    if content is None:
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_bytes(content)

    with pytest.raises(KeysUnusable) as unusable:
        async with Tenants(settings, ManualClock()):
            pass

    assert f"{tmp_path / name} {says}" in str(unusable.value)
    assert set(os.listdir(tmp_path)) == before
