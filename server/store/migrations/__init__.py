"""The tables as they came to be, one numbered file a step, run when the database is opened.

A file here is history: it imports nothing of the server, and is never edited once released. To
add tables: declare them on `METADATA` in your package, write `versions/000N_noun.py`, raise `HEAD`
and add their names to `TABLES`.

Only an older database goes through the steps. A new one gets the tables as they are declared, which
a test holds to be the same: importing Alembic takes half a second.
"""

from __future__ import annotations

__all__ = ["HEAD", "TABLES", "bring_up_to_date", "is_known", "step_of", "take_missing_steps"]

from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
)

from server.store.columns import METADATA

HEAD = "0007"
"""The newest step. Written here so that it can be known without Alembic."""

TABLES = frozenset(
    {
        "account_events",
        "account_logs",
        "account_objects",
        "login_attempts",
        "login_standings",
        "model_usage",
        "order_ledger",
        "restored_accounts",
        "risk_switch_accounts",
        "risk_switches",
        "store_identity",
        "tenant_changes",
        "tenant_checkpoints",
        "tenants",
    }
)
"""The tables that there are after the newest step."""

_VERSION = Table(  # as Alembic makes it
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

_FOLDER = Path(__file__).resolve().parent


def step_of(connection: Connection) -> str | None:
    """Returns the step that a database is at; None if it has no tables of ours."""
    if not inspect(connection).has_table(_VERSION.name):
        return None

    return connection.scalar(select(_VERSION.c.version_num))


def is_known(step: str) -> bool:
    """Tells whether there is a file for a step."""
    return any(file.name.startswith(f"{step}_") for file in (_FOLDER / "versions").glob("*.py"))


def bring_up_to_date(connection: Connection, step: str | None) -> None:
    """Brings the tables from `step` to `HEAD` in the caller's transaction."""
    if step == HEAD:
        return

    # A program that knows only some of the tables must not leave the others out.
    if METADATA.tables.keys() == TABLES and not inspect(connection).get_table_names():
        # There is nothing to look for: it has just been seen to be empty.
        METADATA.create_all(connection, checkfirst=False)
        _VERSION.create(connection, checkfirst=False)
        connection.execute(insert(_VERSION).values(version_num=HEAD))
    else:
        take_missing_steps(connection)


def take_missing_steps(connection: Connection) -> None:
    """Runs the files that a database has not seen, in their order."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
