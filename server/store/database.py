"""Opens the database, migrates its tables, and provides transactions.

Run nothing but SQL inside a transaction: on SQLite all other writers of this process queue behind
it, so waiting for anything else would stop all writing.
"""

from __future__ import annotations

__all__ = ["Database", "DatabaseStatistics"]

import asyncio
import logging
import sqlite3
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from server.clock import Clock, SystemClock
from server.errors import StoreUnavailable
from server.settings import Settings
from server.store import sqlite
from server.store.address import Place, database_place, make_private
from server.store.admission import Admit, admit_new, settle
from server.store.diagnosis import diagnose, driver_failures, is_damage, name_of
from server.store.identity import StoreIdentity
from server.store.keyfolder import Evidence, Mark, leave_mark, look

logger = logging.getLogger(__name__)

WAIT_S = 10.0
"""Maximum wait for a connection, a lock or an answer of the database."""

READERS = 4
"""Number of connections to SQLite; each is a thread, and more would not read faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseStatistics:
    backend: str
    reads: int
    writes: int
    """Transactions that were committed."""
    failures: int
    """Times that the database could not be reached or did not answer in time."""
    connections: int
    """Connections that are in use at this moment."""


class Database:
    """Provides transactions on SQLite (the default) or PostgreSQL; an async context manager.

    Any number of processes may open the same database, at the same moment too. Cancelling a caller
    inside a transaction rolls it back and gives its connection up. What the database refuses for a
    reason of the caller's (`IntegrityError` and its like) is SQLAlchemy's error; every other
    failure is `StoreUnavailable`, and then a commit may or may not have happened.
    """

    def __init__(
        self, settings: Settings, clock: Clock | None = None, *, admit: Admit = Admit.KNOWN
    ) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._admit = admit
        self._identity: StoreIdentity | None = None
        self._damaged = False
        self._writer = asyncio.Lock()
        self._writing: set[asyncio.Task[Any] | None] = set()
        self._reads = self._writes = self._failures = 0

    async def __aenter__(self) -> Self:
        self._place = database_place(self._settings)
        try:
            # In this order: see there.
            evidence = await asyncio.to_thread(look, self._settings)
            await self._open(evidence)
        except (StoreUnavailable, SQLAlchemyError, sqlite3.Error, OSError) as error:
            broken = diagnose(error, self._place)
            if broken is None:
                raise

            raise broken from error

        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._close()

    @property
    def identity(self) -> StoreIdentity:
        """Which store this is, as of the moment that it was opened."""
        if self._identity is None:
            raise RuntimeError("the database is not open")

        return self._identity

    @property
    def place(self) -> Place:
        """Where it is, in words that may be shown."""
        return self._place

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Opens a connection that sees one state of the database; writes on it are lost."""
        with self._translated():
            async with self._engine.connect() as connection:
                if not self._sqlite:  # which always reads like this
                    await connection.execution_options(isolation_level="REPEATABLE READ")

                yield connection

        self._reads += 1

    @asynccontextmanager
    async def write(self, *, alone: str | None = None) -> AsyncIterator[AsyncConnection]:
        """Opens a connection whose work is committed at the end, or rolled back on an exception.

        With `alone` no other transaction of that name runs at the same time in any process, so what
        is read inside is still true at the commit.
        """
        task = asyncio.current_task()
        if task in self._writing:
            raise RuntimeError("a write inside a write would wait for itself")

        if self._damaged:
            # Writing on could make it worse, and a name that was used might not be found again.
            raise StoreUnavailable

        self._writing.add(task)
        try:
            async with self._turn(), self._transaction(alone) as connection:
                yield connection
        finally:
            self._writing.discard(task)

        self._writes += 1

    def statistics(self) -> DatabaseStatistics:
        pool: Any = self._engine.pool  # the queue pool has `checkedout`, its base class does not
        return DatabaseStatistics(
            backend="sqlite" if self._sqlite else "postgresql",
            reads=self._reads,
            writes=self._writes,
            failures=self._failures,
            connections=pool.checkedout(),
        )

    async def _open(self, evidence: Evidence) -> None:
        file = self._place.file
        if file is not None:
            if await asyncio.to_thread(sqlite.is_new, file):
                admit_new(self._place, evidence, self._admit)  # before anything is made

            await asyncio.to_thread(make_private, file)
            await asyncio.to_thread(sqlite.prepare, file)

        url = self._place.url.render_as_string(hide_password=False)
        self._engine = _engine(url, lite=self._sqlite)
        self._links = sqlite.attach(self._engine.sync_engine) if self._sqlite else None
        try:
            async with self.write(alone="migrations") as connection:
                self._identity = await connection.run_sync(
                    settle, self._place, evidence, self._admit, self._clock.now()
                )

            mark = Mark(store_id=self._identity.store_id, opened=self._identity.opened)
            await asyncio.to_thread(leave_mark, self._settings, mark)
        except BaseException:
            await self._close()
            raise

    @property
    def _sqlite(self) -> bool:
        return self._place.file is not None

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        # SQLite's own waiting is a poll with sleeps, in which the unlucky starve: queue instead.
        if not self._sqlite:
            yield
            return

        # Each writer in front may wait as long for another process: nobody waits for all of them.
        with self._translated():
            async with asyncio.timeout(WAIT_S):
                await self._writer.acquire()

        try:
            yield
        finally:
            self._writer.release()

    @asynccontextmanager
    async def _transaction(self, alone: str | None) -> AsyncIterator[AsyncConnection]:
        with self._translated():
            async with self._engine.connect() as connection:
                await connection.execution_options(**{sqlite.BEGIN_OPTION: "BEGIN IMMEDIATE"})
                async with connection.begin():
                    if alone is not None and not self._sqlite:  # there BEGIN IMMEDIATE is enough
                        lock = text("SELECT pg_advisory_xact_lock(:group, :name)")
                        await connection.execute(lock, {"group": _GROUP, "name": _number(alone)})

                    yield connection

    async def _close(self) -> None:
        await self._engine.dispose()
        if self._links is not None:
            # Those of cancelled callers close by themselves, and are gone when this returns.
            with suppress(TimeoutError):
                async with asyncio.timeout(WAIT_S):
                    await self._links.ended()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turns failures of the database into our errors; mistakes of the caller pass unchanged."""
        try:
            yield
        except (IntegrityError, ProgrammingError, DataError):
            raise
        except driver_failures() as error:
            self._failures += 1
            # No more than that: a driver's text may hold an address, and logs are read by many.
            name = name_of(getattr(error, "orig", error))
            if is_damage(error) and not self._damaged:
                self._damaged = True
                name = f"{name}: nothing more is written to it"

            logger.error("the database failed: %s", name)  # noqa: TRY400 - nor a traceback

            raise StoreUnavailable from error


_GROUP = 0x7A57
"""Our corner of PostgreSQL's advisory locks, which the whole database shares."""


def _number(name: str) -> int:
    return zlib.crc32(name.encode()) - 2**31  # the lock takes a signed 32-bit number


def _engine(url: str, *, lite: bool) -> AsyncEngine:
    if lite:
        return create_async_engine(
            url,
            hide_parameters=True,
            pool_size=READERS,
            max_overflow=0,
            pool_timeout=WAIT_S,
            connect_args={"factory": sqlite.Driver},
        )

    milliseconds = str(int(WAIT_S * 1000))
    return create_async_engine(
        url,
        hide_parameters=True,  # an error or a log line never shows a stored value
        pool_pre_ping=True,  # a restarted server must not cost one failed request a connection
        pool_timeout=WAIT_S,
        connect_args={
            "timeout": WAIT_S,
            "command_timeout": WAIT_S,
            "server_settings": {
                "application_name": "tasty-gateway",
                "statement_timeout": milliseconds,
                "lock_timeout": milliseconds,
            },
        },
    )
