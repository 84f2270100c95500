"""Keeps the journal of tenants: every save and delete in order, each entry sealed to the previous.

It has three uses. It lists the API keys that exist, so that a key is checked without a query. It
tells other processes what changed. And it reveals a row that was set back to an earlier state: the
row still opens, but the journal has a newer generation, and without the pepper an entry cannot be
forged, altered or left out. After a restart it cannot reveal that the whole database was set back,
because restoring a backup looks the same.

It begins at entry 1, or after its checkpoint, before which all entries are deleted.
"""

from __future__ import annotations

__all__ = ["GENESIS", "Action", "Change", "Journal", "JournalBroken", "News"]

import hmac
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.tenants.change import GENESIS, Action, Change, JournalBroken, seal_of
from server.tenants.checkpoint import Checkpoint, opened, packed
from server.tenants.schema import changes, checkpoints

BATCH = 5_000
"""Entries read at once; a journal from before checkpoints existed may have millions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """The part of the journal that follows an entry, or the beginning of that part."""

    checkpoint: Checkpoint | None
    """The checkpoint that replaces the entry, if the entry is deleted."""

    changes: Sequence[Change]
    """The entries that follow, after the checkpoint if there is one."""

    more: bool
    """Whether there may be more after these."""


class Journal:
    """Reads and verifies entries, seals and writes them; its only state is its key."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    async def after(self, connection: AsyncConnection, head: Change) -> News:
        """Returns the verified entries after `head`; raises `JournalBroken` if they do not connect.

        `head` may be deleted only if a newer checkpoint replaces it.
        """
        found = await self._from(connection, head.sequence)
        checkpoint = None
        if head is GENESIS or not found or found[0].sequence != head.sequence:
            checkpoint = await self.checkpoint(connection)
            if checkpoint is not None and checkpoint.head.sequence > head.sequence:
                head = checkpoint.head
                found = await self._from(connection, head.sequence)

        if head is not GENESIS and (not found or found[0] != head):
            raise JournalBroken(head.sequence)

        more = len(found) >= BATCH
        if head is not GENESIS:
            del found[0]

        self._prove(found, head)
        return News(checkpoint=checkpoint, changes=found, more=more)

    async def checkpoint(self, connection: AsyncConnection) -> Checkpoint | None:
        """Returns the verified checkpoint, if there is one."""
        row = (await connection.execute(select(checkpoints))).one_or_none()
        if row is None:
            return None

        first = await connection.execute(select(changes).order_by(changes.c.sequence).limit(1))
        head = first.one_or_none()
        return opened(self._key, row, None if head is None else _change(head))

    async def checkpoint_at(self, connection: AsyncConnection) -> int | None:
        """Returns the number of the last entry in the checkpoint, if there is one."""
        return await connection.scalar(select(checkpoints.c.sequence))

    def pack(self, checkpoint: Checkpoint, *, before: bytes) -> dict[str, Any]:
        """Returns the row of a checkpoint; `before` is the seal of the entry before its head."""
        return packed(self._key, checkpoint, before)

    async def replace_checkpoint(
        self, connection: AsyncConnection, checkpoint: dict[str, Any]
    ) -> None:
        """Writes a checkpoint made by `pack`, and deletes the entries that it replaces."""
        await connection.execute(delete(checkpoints))
        await connection.execute(insert(checkpoints).values(checkpoint))
        await connection.execute(delete(changes).where(changes.c.sequence < checkpoint["sequence"]))

    async def append(self, connection: AsyncConnection, change: Change) -> None:
        """Writes an entry made by `following`; needs the lock on changes of tenants."""
        await connection.execute(insert(changes).values(asdict(change)))

    def following(self, head: Change, change: Change) -> Change:
        """Returns `change` with its number and seal, as the entry after `head`."""
        change = replace(change, sequence=head.sequence + 1)
        return replace(change, mac=seal_of(self._key, change, head.mac))

    async def _from(self, connection: AsyncConnection, sequence: int) -> list[Change]:
        rows = await connection.execute(
            select(changes)
            .where(changes.c.sequence >= sequence)
            .order_by(changes.c.sequence)
            .limit(BATCH)
        )
        return [_change(row) for row in rows]

    def _prove(self, found: Sequence[Change], head: Change) -> None:
        for change in found:
            proves = hmac.compare_digest(change.mac, seal_of(self._key, change, head.mac))
            if change.sequence != head.sequence + 1 or not proves:
                raise JournalBroken(head.sequence + 1)

            head = change


def _change(row: Row[Any]) -> Change:
    try:
        return Change(**{**row._mapping, "action": Action(row.action)})
    except ValueError:
        raise JournalBroken(row.sequence) from None
