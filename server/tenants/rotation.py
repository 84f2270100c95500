"""Replaces the master key while servers run, and shows which keys are in use.

No secret is decrypted: only the data keys are wrapped again, some rows per transaction. An
interrupted run is continued by the next one; an old key is removed only when no row needs it.
"""

from __future__ import annotations

__all__ = ["KeyUse", "MasterKeys", "describe", "master_keys", "rotate_master_key"]

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.settings import Settings
from server.store import Database
from server.tenants import rows
from server.tenants.directory import CHANGES
from server.tenants.keyring import Keyring
from server.tenants.schema import tenants
from server.tenants.vault import Unopenable, Vault

BATCH = 100
"""Rows per transaction: a few milliseconds in which nobody else saves credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """One master key, by its id (a digest: it tells nothing of the key)."""

    id: str
    rows: int
    """Tenants whose credentials it protects."""

    configured: bool
    """Whether the server has this key; if not, those tenants' credentials cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterKeys:
    """The keys that the database needs, and those that are configured."""

    origin: str
    """The key file's path, or the name of the setting."""

    newest: str
    """Id of the key that seals; all others only open."""

    keys: tuple[KeyUse, ...]
    """The configured keys in their order, then missing ones."""

    unreadable: int
    """Rows that no configured key opens, or that were altered."""

    @property
    def behind(self) -> int:
        """How many rows are not under the newest key."""
        return sum(use.rows for use in self.keys if use.id != self.newest)


async def master_keys(settings: Settings) -> MasterKeys:
    """Returns the state of the keys, opening the database as a start of the server does."""
    async with Database(settings) as database:
        keyring = await _keyring(settings, database)
        async with database.read() as connection:
            return await _state(connection, keyring)


async def rotate_master_key(
    settings: Settings,
    progress: Callable[[int], None] = lambda _moved: None,
    *,
    batch: int = BATCH,
) -> MasterKeys:
    """Brings every row under the newest key, and returns the state at the end.

    With a key file a new key is made first, unless an earlier rotation is unfinished; at the end
    the old keys leave the file. With TASTY_MASTER_KEY the new key stands first there already (see
    `keys rotate --help`), and only rows are changed, `batch` of them a transaction. `progress` is
    told how many have been moved so far. Rows that do not open stay as they are, and are counted;
    one that was altered under a configured key keeps that key in the file.
    """
    async with Database(settings) as database:
        keyring = await _keyring(settings, database)
        if keyring.path is not None:
            async with database.write(alone=CHANGES):  # two rotations must not both add a key
                keyring.refresh()
                if len(keyring.ids) == 1:
                    await asyncio.to_thread(keyring.add)

        moved, last = 0, ""
        while True:
            async with database.write(alone=CHANGES) as connection:
                found = await _behind(connection, keyring, after=last, limit=batch)
                moved += await _rewrap(connection, Vault(keyring), found)

            if not found:
                break

            last = found[-1].id
            progress(moved)

        async with database.write(alone=CHANGES) as connection:
            # Whoever saves reads the key file inside such a transaction, so from the moment that
            # the new key was there no row can have come under an old one behind our back.
            uses = (await _state(connection, keyring)).keys
            needed = any(use.rows for use in uses if use.configured and use.id != uses[0].id)
            if keyring.path is not None and not needed:
                await asyncio.to_thread(keyring.retire)

            return await _state(connection, keyring)


def describe(state: MasterKeys) -> str:
    """Returns the state as lines for the operator."""
    lines = [f"master keys ({state.origin}):"]
    for use in state.keys:
        role = "seals and opens" if use.id == state.newest else "only opens"
        lines.append(
            f"  {use.id}  {use.rows} tenants  {role if use.configured else 'not configured'}"
        )

    if state.behind:
        lines.append(f"{state.behind} tenants are not under the newest key; run: keys rotate")

    if state.unreadable:
        lines.append(
            f"{state.unreadable} tenants' credentials cannot be read: add the missing key, or have "
            "them saved again with POST /api/v1/credentials"
        )

    return "\n".join(lines)


async def _keyring(settings: Settings, database: Database) -> Keyring:
    async with database.read() as connection:
        fresh = await connection.scalar(select(tenants.c.id).limit(1)) is None

    return await asyncio.to_thread(Keyring.load, settings, make=fresh)


async def _behind(
    connection: AsyncConnection, keyring: Keyring, *, after: str, limit: int
) -> list[Row[Any]]:
    """Returns the next rows that are not under the newest key, in the order of their ids."""
    keyring.refresh()
    found = await connection.execute(
        select(tenants)
        .where(tenants.c.id > after, tenants.c.master_key_id != keyring.newest.id)
        .order_by(tenants.c.id)
        .limit(limit)
    )
    return list(found)


async def _rewrap(connection: AsyncConnection, vault: Vault, found: list[Row[Any]]) -> int:
    moved = []
    for row in found:
        try:
            envelope = vault.rewrap(rows.envelope_of(row), rows.place_of(row))
        except Unopenable:
            continue

        moved.append(
            {
                "tenant": row.id,
                "master_key_id": envelope.master_key_id,
                "wrapped_key": envelope.wrapped_key,
            }
        )

    if moved:
        await connection.execute(update(tenants).where(tenants.c.id == bindparam("tenant")), moved)

    return len(moved)


async def _state(connection: AsyncConnection, keyring: Keyring) -> MasterKeys:
    keyring.refresh()
    counted = await connection.execute(
        select(tenants.c.master_key_id, func.count().label("rows")).group_by("master_key_id")
    )
    in_use = {row.master_key_id: row.rows for row in counted}
    missing = sorted(in_use.keys() - set(keyring.ids))
    vault = Vault(keyring)
    unreadable = 0
    for row in await connection.execute(select(tenants)):
        try:
            rows.hint_of(vault, row)
        except Unopenable:
            unreadable += 1

    return MasterKeys(
        origin=str(keyring.path or "TASTY_MASTER_KEY"),
        newest=keyring.newest.id,
        keys=tuple(
            KeyUse(id=key_id, rows=in_use.get(key_id, 0), configured=key_id in keyring.ids)
            for key_id in (*keyring.ids, *missing)
        ),
        unreadable=unreadable,
    )
