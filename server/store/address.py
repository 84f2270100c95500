"""Parses the database setting.

`postgresql://...` and `sqlite:///...` select the async drivers.
"""

from __future__ import annotations

__all__ = ["DATABASE_FILE", "Place", "database_place", "make_private"]

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from server.errors import Misconfigured
from server.settings import Settings

DATABASE_FILE = "tasty.db"
"""Name of the SQLite file in the data directory."""

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The address of the database, for the engine and in words for the operator."""

    url: URL = field(repr=False)
    """It may hold a password."""

    file: Path | None
    """The file of SQLite, absolute; None for PostgreSQL."""

    words: str
    """Names it without user, password or options."""

    setting: str
    """The setting that says so."""


def database_place(settings: Settings) -> Place:
    """Returns the address; creates nothing."""
    given = settings.database_url.get_secret_value()
    setting = "TASTY_DATABASE_URL" if given else "TASTY_DATA_DIR"
    if given:
        url = _parsed(given)
    else:
        path = settings.data_dir.absolute() / DATABASE_FILE
        url = URL.create("sqlite+aiosqlite", database=str(path))

    if url.get_backend_name() == "sqlite":
        file = Path(_file_of(url)).absolute()
        return Place(url=url, file=file, words=str(file), setting=setting)

    host = str(url.host or url.query.get("host") or "this machine")
    words = f"the PostgreSQL database {url.database or '(default)'} on {host}"
    return Place(url=url, file=None, words=words, setting=setting)


def _parsed(given: str) -> URL:
    try:
        url = make_url(given)
    except ArgumentError:
        # The text may hold a password, so it is not repeated, nor is SQLAlchemy's own error.
        raise Misconfigured("TASTY_DATABASE_URL cannot be read as a database URL") from None

    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        names = ", ".join(sorted(_DRIVERS))
        raise Misconfigured(f"TASTY_DATABASE_URL begins with '{url.drivername}'; known: {names}")

    return url.set(drivername=driver)


def _file_of(url: URL) -> str:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise Misconfigured(
            "TASTY_DATABASE_URL must name a file: a database in memory would be lost"
        )

    return url.database


def make_private(path: Path) -> None:
    """Creates the folder and the empty file of SQLite, unless they exist."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made here because SQLite would make it readable for all; its WAL copies the file's mode. Never
    # opened where it exists: closing it again would drop the locks that this process may hold on
    # it through SQLite (they belong to the process, not to the descriptor), and ruin the database.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
