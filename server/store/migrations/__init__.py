"""The tables as they came to be, one numbered file a step, run when the database is opened.

A file here is history: it imports nothing of the server, and is never edited once released. To
add tables: declare them on `METADATA` in your package, write `versions/000N_noun.py`, raise `HEAD`.
"""

from __future__ import annotations

__all__ = ["HEAD", "bring_up_to_date"]

from pathlib import Path

from sqlalchemy import Connection, inspect, text

HEAD = "0003"
"""The newest step. Written here so that a start that has nothing to do skips importing Alembic
(half a second)."""

_FOLDER = Path(__file__).resolve().parent


def bring_up_to_date(connection: Connection) -> None:
    """Runs the missing steps inside the caller's transaction: all of them, or none."""
    if _present(connection) == HEAD:
        return

    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)


def _present(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None

    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version
