"""Configures SQLite for durable commits and explicit transactions.

Python's driver begins transactions by guessing from the SQL. That is switched off here: only the
engine sends `BEGIN` (readers) and `BEGIN IMMEDIATE` (writers).
"""

from __future__ import annotations

__all__ = ["BEGIN_OPTION", "Driver", "Links", "attach", "is_new", "prepare"]

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakSet

import aiosqlite
from sqlalchemy import Connection, Dialect, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from server.errors import Misconfigured, StoreUnusable

BEGIN_OPTION = "sqlite_begin"
"""Execution option of a connection: the statement that begins its transaction."""

BUSY_S = 10.0
"""How long a writer waits for the writer of another process."""

CHECK_S = 5.0
"""Maximum time that the search for damage may take at start."""

CHECK_STEPS = 10_000
"""Steps of SQLite between two looks at the time; some tenths of a millisecond."""

_PRAGMAS = (
    f"PRAGMA busy_timeout = {int(BUSY_S * 1000)}",
    "PRAGMA synchronous = FULL",  # a commit that was confirmed survives a power cut
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what was deleted is overwritten, not only unlinked
)


class Driver(sqlite3.Connection):
    """A connection that holds no lock after it is closed.

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


class Link(aiosqlite.Connection):
    """An asynchronous connection that always closes the one of SQLite's own in its thread.

    Two cancellations in the wrong moment break the package's own. Cancelled while it opens, it
    forgets what it has just opened, and nothing ever closes that. Closed twice (gRPC cancels twice:
    once for the client that left, once for the server that stops), it waits for ever for the
    second stop of a thread that is gone, and the process with it.
    """

    def __init__(self, ended: Callable[[Link], None], *given: Any, **named: Any) -> None:
        super().__init__(partial(self._open, *given, **named), iter_chunk_size=64)
        self._thread.daemon = True
        self._ended = ended
        self._opened: sqlite3.Connection | None = None
        self._stopped: list[asyncio.Future[Any] | None] = []

    def stop(self) -> asyncio.Future[Any] | None:
        """Closes the connection and ends the thread, once what it still has to do is done."""
        if not self._stopped:
            self._tx.put_nowait((None, self._close))  # in its turn: also after a late opening
            future = super().stop()
            self._stopped.append(future)
            if future is None:
                self._ended(self)
            else:
                future.add_done_callback(lambda _: self._ended(self))

        return self._stopped[0]

    def _open(self, *given: Any, **named: Any) -> sqlite3.Connection:
        self._opened = sqlite3.connect(*given, **named)
        return self._opened

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()


class Links:
    """Tracks connections whose threads still run, including abandoned ones."""

    def __init__(self) -> None:
        self._running: set[Link] = set()
        self._none = asyncio.Event()
        self._none.set()

    def open(self, *given: Any, **named: Any) -> Link:
        """Returns a connection to be awaited; it is known here before anybody can be cancelled."""
        link = Link(self._gone, *given, **named)
        self._running.add(link)
        self._none.clear()
        return link

    async def ended(self) -> None:
        """Returns once no thread runs any more, cancelled statements included."""
        await self._none.wait()

    def _gone(self, link: Link) -> None:
        self._running.discard(link)
        if not self._running:
            self._none.set()


def attach(engine: Engine) -> Links:
    """Prepares every connection that `engine` will open, and returns what tracks them."""
    links = Links()

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Dialect, _: ConnectionPoolEntry, given: Any, named: Any) -> Any:
        return dialect.connect(*given, async_creator_fn=links.open, **named)

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

    return links


def is_new(path: Path) -> bool:
    """Returns whether the file is still empty; raises OSError if that cannot be read.

    What SQLite keeps beside a database that is gone is not deleted, as SQLite would do with it: it
    may be all that is left.
    """
    left = [name for name in (f"{path}-wal", f"{path}-journal") if os.path.exists(name)]
    try:
        return path.stat().st_size == 0
    except FileNotFoundError:
        if left:  # looked for first: another process that makes a database makes these later
            raise StoreUnusable(
                f"{path} is gone, but {' and '.join(left)} is there, with its newest changes. Put "
                "the database back beside it; or move it away, if the database is lost for good."
            ) from None

        return True


def prepare(path: Path) -> None:
    """Checks the file, and switches it to write-ahead logging, in which readers never wait.

    Raises SQLite's own errors. Blocks, so call it in a thread. Two processes that do it to a new
    file at once meet SQLITE_BUSY, for which SQLite does not call its own busy handler here: hence
    the loop.
    """
    end = time.monotonic() + BUSY_S
    while True:
        try:
            with closing(sqlite3.connect(_existing(path), uri=True, timeout=BUSY_S)) as connection:
                _check(connection)
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


def _existing(path: Path) -> str:
    """Returns a URI by which SQLite opens the file but never creates it."""
    return f"{path.as_uri()}?mode=rw"


def _check(connection: sqlite3.Connection) -> None:
    """Reads every page once; of a large database only a part, to bound the time of a start."""
    end = time.monotonic() + CHECK_S
    connection.set_progress_handler(lambda: time.monotonic() > end, CHECK_STEPS)
    try:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise

        return
    finally:
        connection.set_progress_handler(None, 0)

    if found != "ok":
        damaged = sqlite3.DatabaseError(found)
        damaged.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        damaged.sqlite_errorname = "SQLITE_CORRUPT"
        raise damaged
