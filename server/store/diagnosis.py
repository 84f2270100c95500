"""Explains a failure of the database: a name for the log, a sentence for the operator."""

from __future__ import annotations

__all__ = ["diagnose", "driver_failures", "is_damage", "name_of", "root_of"]

import errno
import os
import sqlite3
import sys
from collections.abc import Iterator, Mapping

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from server.errors import StoreBroken
from server.store.address import Place

_RESTORE = (
    "Stop all servers, move the file away (with -wal and -shm beside it), and restore a backup."
)
_SPACE = "Make room and start again; what was confirmed before is still there."
_RIGHTS = "Let the user of the server read and write the file and its folder, and start again."

_TABLES = "does not have the tables that it should have"

_SQLITE: Mapping[int, tuple[str, str]] = {
    sqlite3.SQLITE_NOTADB: ("is no database of SQLite, or its beginning is damaged", _RESTORE),
    sqlite3.SQLITE_CORRUPT: ("is damaged", _RESTORE),
    sqlite3.SQLITE_FULL: ("cannot be written: the disk is full", _SPACE),
    sqlite3.SQLITE_IOERR: (
        "cannot be read or written: the disk is full, or it fails",
        _SPACE,
    ),
    sqlite3.SQLITE_READONLY: ("cannot be written", _RIGHTS),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", _RIGHTS),
    sqlite3.SQLITE_PERM: ("cannot be opened", _RIGHTS),
    sqlite3.SQLITE_ERROR: (_TABLES, _RESTORE),
}
"""By SQLite's primary codes; what is not here may pass by itself (a lock, say)."""

_OS: Mapping[int, tuple[str, str]] = {
    errno.ENOSPC: ("cannot be made: the disk is full", _SPACE),
    errno.EDQUOT: ("cannot be made: the quota of the disk is used up", _SPACE),
    errno.EFBIG: ("cannot be made: files may not become that large", _SPACE),
    errno.EACCES: ("cannot be opened", _RIGHTS),
    errno.EPERM: ("cannot be opened", _RIGHTS),
    errno.EROFS: ("cannot be made: the file system is read-only", _RIGHTS),
    errno.ENOTDIR: ("cannot be made: a part of its path is no folder", "Correct the path."),
}

_POSTGRES: Mapping[str, tuple[str, str]] = {
    "28000": ("refuses the login", "Correct user and password in TASTY_DATABASE_URL."),
    "28P01": ("refuses the login", "Correct user and password in TASTY_DATABASE_URL."),
    "3D000": ("does not exist", "Make it (createdb), or correct TASTY_DATABASE_URL."),
    "3F000": ("has no schema that the user may use", "Make one, or grant it."),
    "42501": ("does not let the user make or change tables", "Grant it (CREATE on the schema)."),
    "25006": ("is read-only", "Let TASTY_DATABASE_URL name the primary server."),
    "42P01": (_TABLES, "Restore it from a backup."),
    "42703": (_TABLES, "Restore it from a backup."),
    "53100": ("cannot be written: its disk is full", _SPACE),
    "XX001": ("is damaged", "Restore it from a backup."),
    "XX002": ("is damaged", "Restore it from a backup."),
}
"""By SQLSTATE."""

_DAMAGED = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})


def diagnose(error: BaseException, place: Place) -> StoreBroken | None:
    """Returns what the operator should do; None for failures that may pass by themselves."""
    for cause in _causes(error):
        found = _entry(cause, local=place.file is not None)
        if found is not None:
            what, remedy = found
            if place.file is not None and os.path.isdir(place.file):  # unlike its own, never raises
                what, remedy = "is a folder", f"Let {place.setting} name another place."

            return StoreBroken(where=place.words, what=what, code=name_of(cause), remedy=remedy)

    return None


def is_damage(error: BaseException) -> bool:
    """Returns whether SQLite found its file damaged."""
    return any(_primary(cause) in _DAMAGED for cause in _causes(error))


def name_of(error: object) -> str:
    """Returns the database's own name or code for a driver's error, else its type."""
    code = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    if code is None and isinstance(error, OSError) and error.errno is not None:
        code = errno.errorcode.get(error.errno)

    return f"{type(error).__name__} {code}" if code else type(error).__name__


def driver_failures() -> tuple[type[Exception], ...]:
    """Returns what SQLAlchemy and asyncpg raise when the database cannot be reached.

    What asyncpg raises while it connects comes through unwrapped: OSError (its child TimeoutError
    too) and errors of its own, whose module is looked up so that SQLite need not import it.
    """
    asyncpg = sys.modules.get("asyncpg")
    raw = () if asyncpg is None else (asyncpg.PostgresError, asyncpg.InterfaceError)
    return (DBAPIError, PoolTimeoutError, OSError, *raw)


def root_of(error: BaseException) -> BaseException:
    """Returns the first of the errors that led to this one."""
    return list(_causes(error))[-1]


def _entry(error: BaseException, *, local: bool) -> tuple[str, str] | None:
    primary = _primary(error)
    if primary is not None:
        return _SQLITE.get(primary)

    if isinstance(error, OSError):
        return _OS.get(error.errno or 0) if local else None

    return _POSTGRES.get(str(getattr(error, "sqlstate", None)))


def _primary(error: BaseException) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yields an error and all that led to it, SQLAlchemy's wrapping undone."""
    while error is not None:
        yield error
        original = getattr(error, "orig", None)
        if isinstance(original, BaseException):
            yield from _causes(original)

        error = error.__cause__
