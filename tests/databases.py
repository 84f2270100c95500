"""Databases for tests: a SQLite file always, a PostgreSQL server of our own where one is installed.

Import `postgres` and `database_settings` into a conftest. The PostgreSQL server listens on a Unix
socket in a folder of its own, so any number of test runs can have theirs at once.
"""

from __future__ import annotations

__all__ = ["begun", "database_settings", "postgres"]

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest
from pydantic import SecretStr

import server.agent.schema  # a new database has all tables, whoever opens it
import server.orders.model.schema
import server.tenants.schema  # noqa: F401  for the same
from server.settings import Settings
from server.store import Admit, Database

START_S = 60
PLACES = 50


def _programs() -> Path | None:
    """Returns the folder of the newest installed server."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name)
    on_path = shutil.which("postgres")
    found = [*debian, *([Path(on_path).resolve().parent] if on_path else [])]
    return next((path for path in reversed(found) if (path / "initdb").exists()), None)


def _user() -> str | None:
    """Returns whom to run as: PostgreSQL refuses root. None is ourselves."""
    if os.geteuid() != 0:
        return None

    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), "nobody")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """Gives a function that returns the URL of an empty place in the server."""
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed (Debian: apt install postgresql)")

    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="tasty-pg-"))
    if user is not None:
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, *arguments],
            user=user,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=START_S,
        )

    data = folder / "data"
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    try:
        run("initdb", "-D", str(data), "-U", "tasty", "-A", "trust", "--no-sync")
        run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield partial(next, _places(folder, run))
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _places(folder: Path, run: Callable[..., None]) -> Iterator[str]:
    """Yields URLs, each with a user of its own and the schema that is this user's default.

    Dozens are made at a time: a database each would cost a test half a second.
    """
    host = quote(str(folder), safe="")
    while True:
        names = [f"t{uuid4().hex}" for _ in range(PLACES)]
        each = "CREATE ROLE {0} LOGIN; CREATE SCHEMA AUTHORIZATION {0};"
        script = "".join(each.format(name) for name in names)
        run("psql", "-h", str(folder), "-U", "tasty", "-d", "postgres", "-q", "-c", script)
        for name in names:
            yield f"postgresql://{name}@/postgres?host={host}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Gives settings with an empty database of each kind, and a data folder of the test's own."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres")()
    return Settings(
        broker="production",
        data_dir=tmp_path / "data",
        database_url=SecretStr(url),
    )


async def begun(settings: Settings) -> Settings:
    """Begins a store there as `migrate --init` does: with keys in settings no start does it."""
    async with Database(settings, admit=Admit.NEW):
        return settings
