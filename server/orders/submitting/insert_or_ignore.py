"""Inserts rows that may be there already, on SQLite and PostgreSQL alike."""

from __future__ import annotations

__all__ = ["insert_missing"]

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection


async def insert_missing(
    connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Inserts the rows whose keys are free; the others stay as they are, whoever wrote them."""
    # Each dialect has a statement of its own for it; only the one in use is imported.
    insert: Any
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert

    if rows:
        await connection.execute(insert(table).on_conflict_do_nothing(), list(rows))
