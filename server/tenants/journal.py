"""The journal of tenants: every save and delete, in order, each entry sealed onto the one before.

It does three jobs. It says which API keys exist, so a key is checked without a query. It tells
other processes what changed. And it shows a row that was put back to an earlier state: that row
still opens, but the journal has a newer generation of it, and an entry cannot be forged, altered
or left out without the pepper. What it cannot show after a restart is a whole database that was
put back, all tables at once: that is what restoring a backup looks like.

It begins at entry 1, or at the entry of its checkpoint, before which all entries are deleted.
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
"""Entries that are read at once; a journal of before there were checkpoints may have millions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What the journal says after an entry, or a first part of it."""

    checkpoint: Checkpoint | None
    """Where that entry is gone: what all entries up to the checkpoint came to."""

    changes: Sequence[Change]
    """What follows, after the checkpoint if there is one."""

    more: bool
    """Whether there may be more after these."""


class Journal:
    """Reads entries and proves them, writes entries and seals them; holds no state but its key."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    async def after(self, connection: AsyncConnection, head: Change) -> News:
        """Returns what follows `head`, proven; raises `JournalBroken` also where `head` is gone.

        `head` may be gone where a newer checkpoint stands in for it.
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
        """Returns the checkpoint, proven, if there is one."""
        row = (await connection.execute(select(checkpoints))).one_or_none()
        if row is None:
            return None

        first = await connection.execute(select(changes).order_by(changes.c.sequence).limit(1))
        head = first.one_or_none()
        return opened(self._key, row, None if head is None else _change(head))

    async def checkpoint_at(self, connection: AsyncConnection) -> int | None:
        """Returns the number of the entry that the checkpoint was made at, if there is one."""
        return await connection.scalar(select(checkpoints.c.sequence))

    def pack(self, checkpoint: Checkpoint, *, before: bytes) -> dict[str, Any]:
        """Returns the row of a checkpoint; `before` is the seal of the entry before its head."""
        return packed(self._key, checkpoint, before)

    async def replace_checkpoint(
        self, connection: AsyncConnection, checkpoint: dict[str, Any]
    ) -> None:
        """Writes a checkpoint made by `pack`, and deletes the entries that it stands for."""
        await connection.execute(delete(checkpoints))
        await connection.execute(insert(checkpoints).values(checkpoint))
        await connection.execute(delete(changes).where(changes.c.sequence < checkpoint["sequence"]))

    async def append(self, connection: AsyncConnection, change: Change) -> None:
        """Writes an entry made by `following`; the transaction must be alone of its kind."""
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
