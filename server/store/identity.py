"""Binds the database and its keys to each other, by the one row that identifies the store.

The row has the store's id and a digest of the pepper; the folder of the keys has the id too (see
`server.store.keyfolder`). Two things cannot be detected: a copy that is put back before the store
was opened again, and the loss of database and keys together.
"""

from __future__ import annotations

__all__ = ["StoreIdentity", "bind_pepper", "pepper_check", "store_identity"]

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.store.columns import METADATA, Instant

store_identity = Table(
    "store_identity",
    METADATA,
    Column("store_id", String(32), primary_key=True),
    Column("begun_at", Instant, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("complete_since", Instant),
    Column("pepper_check", LargeBinary),
)
"""One row. `pepper_check` is empty until the first start has made or read the pepper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreIdentity:
    """The identity of the store, and what its operator has declared about it."""

    store_id: str
    begun_at: datetime
    opened: int
    """How often it has been opened, this time included."""

    complete_since: datetime | None
    """Orders that were sent before this may be missing: the operator said that an earlier store, or
    a newer part of this one, is lost or never was. None where there is no such time."""

    pepper_check: bytes | None
    """What the pepper's own digest must be; None until a pepper has been bound to the store."""


async def pepper_check(connection: AsyncConnection) -> bytes | None:
    """Returns what the pepper's own digest must be; None if no pepper is bound yet."""
    return await connection.scalar(select(store_identity.c.pepper_check))


async def bind_pepper(connection: AsyncConnection, check: bytes) -> None:
    """Binds the pepper to the store, for good."""
    await connection.execute(update(store_identity).values(pepper_check=check))
