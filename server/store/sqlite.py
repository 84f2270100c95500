"""Makes SQLite keep what it confirmed, and lets transactions begin where we say.

Python's own driver begins transactions by guessing from the SQL; that is switched off here, so
`BEGIN` (readers) and `BEGIN IMMEDIATE` (writers) are sent by the engine and nothing else.
"""

from __future__ import annotations

__all__ = ["BEGIN_OPTION", "Driver", "attach", "switch_to_wal"]

import asyncio
import sqlite3
import time
from contextlib import closing, suppress
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Dialect, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from server.errors import Misconfigured

BEGIN_OPTION = "sqlite_begin"
"""Execution option of a connection: the statement that begins its transaction."""

BUSY_S = 10.0
"""How long a writer waits for the writer of another process."""

_PRAGMAS = (
    f"PRAGMA busy_timeout = {int(BUSY_S * 1000)}",
    "PRAGMA synchronous = FULL",  # a commit that was confirmed survives a power cut
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what was deleted is overwritten, not only unlinked
)


class Driver(sqlite3.Connection):
    """A connection that has no lock any more once it is closed.

    SQLite keeps a closed connection alive, its transaction and its locks with it, for as long as
    one of its statements has rows left. Those of a cancelled caller hang in its traceback until
    the garbage collector comes by, and until then nobody else could write.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._cursors: WeakSet[sqlite3.Cursor] = WeakSet()

    def cursor(self, *given: Any, **named: Any) -> Any:
        cursor = super().cursor(*given, **named)
        self._cursors.add(cursor)
        return cursor

    def close(self) -> None:
        with suppress(sqlite3.Error):  # it may be closed already, or broken: then it has no lock
            for cursor in list(self._cursors):
                cursor.close()

            self.rollback()

        super().close()


class Drivers:
    """The connections whose threads still run: also those that nobody holds any more."""

    def __init__(self) -> None:
        self._running: set[Any] = set()
        self._none = asyncio.Event()
        self._none.set()

    def add(self, driver: Any) -> None:
        """Takes in a connection, whose thread may from now on be stopped twice.

        A caller that is cancelled twice in the middle of a statement (gRPC does that: once for the
        client that left, once for the server that stops) has its connection closed twice. The
        driver would wait for ever for the second stop of a thread that is gone, and the process
        with it.
        """
        stop = driver.stop
        stopped: list[Any] = []

        def once() -> Any:
            if not stopped:
                stopped.append(stop())
                if stopped[0] is None:
                    self._gone(driver)
                else:
                    stopped[0].add_done_callback(lambda _: self._gone(driver))

            return stopped[0]

        driver.stop = once
        self._running.add(driver)
        self._none.clear()

    async def ended(self) -> None:
        """Returns once no thread runs; what was cancelled in a statement ends with that."""
        await self._none.wait()

    def _gone(self, driver: Any) -> None:
        self._running.discard(driver)
        if not self._running:
            self._none.set()


def attach(engine: Engine) -> Drivers:
    """Prepares every connection that `engine` will open, and returns who knows them all."""
    drivers = Drivers()

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Dialect, _: ConnectionPoolEntry, given: Any, named: Any) -> Any:
        connection: Any = dialect.connect(*given, **named)
        drivers.add(connection.driver_connection)  # before anything that may be cancelled
        return connection

    @event.listens_for(engine, "connect")
    def on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        begin = connection.get_execution_options().get(BEGIN_OPTION, "BEGIN")
        connection.exec_driver_sql(begin)

    return drivers


def switch_to_wal(path: str) -> None:
    """Turns the file to write-ahead logging, which it then stays in; readers never wait there.

    Blocks, so call it in a thread. Two processes that do it to a new file at once meet
    SQLITE_BUSY, for which SQLite does not call its own busy handler here: hence the loop.
    """
    end = time.monotonic() + BUSY_S
    while True:
        try:
            with closing(sqlite3.connect(path, timeout=BUSY_S)) as connection:
                (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise

            time.sleep(0.02)
            continue

        if mode != "wal":
            raise Misconfigured(
                f"{path} is on a file system where SQLite cannot use a write-ahead log"
            )

        return
