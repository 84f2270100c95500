"""The journal of tenants: every save and delete, in order, each entry sealed onto the one before.

It does three jobs. It says which API keys exist, so a key is checked without a query. It tells
other processes what changed. And it shows a row that was put back to an earlier state: that row
still opens, but the journal has a newer generation of it, and an entry cannot be forged, altered
or left out without the pepper. What it cannot show after a restart is a whole database that was
put back, all tables at once: that is what restoring a backup looks like.
"""

from __future__ import annotations

__all__ = ["GENESIS", "Action", "Change", "Journal", "JournalBroken"]

import hmac
import struct
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.errors import Misconfigured
from server.tenants.schema import changes


class Action(StrEnum):
    SAVED = "saved"
    DELETED = "deleted"


class JournalBroken(Misconfigured):
    """An entry is missing, altered or of another pepper: nothing is served until it is resolved."""

    def __init__(self, sequence: int) -> None:
        super().__init__(
            f"the journal of API keys does not verify at entry {sequence}: either TASTY_PEPPER "
            "(or pepper.key) is not the one that this database was made with, or the database was "
            "altered or put back behind the server's back"
        )
        self.sequence = sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry."""

    sequence: int
    environment: str
    tenant_id: str
    generation: int
    action: Action
    key_digest: bytes
    changed_at: datetime
    mac: bytes = b""


GENESIS = Change(
    sequence=0,
    environment="",
    tenant_id="",
    generation=0,
    action=Action.DELETED,
    key_digest=b"",
    changed_at=datetime.fromtimestamp(0, UTC),
    mac=bytes(32),
)
"""What the first entry follows."""


class Journal:
    """Reads entries and proves them, writes entries and seals them; holds no state but its key."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    async def after(self, connection: AsyncConnection, head: Change) -> list[Change]:
        """Returns what follows `head`, proven; raises `JournalBroken` also where `head` is gone."""
        rows = await connection.execute(
            select(changes).where(changes.c.sequence >= head.sequence).order_by(changes.c.sequence)
        )
        found = [_change(row) for row in rows]
        if head is not GENESIS:
            if not found or found[0] != head:
                raise JournalBroken(head.sequence)

            del found[0]

        for change in found:
            if change.sequence != head.sequence + 1 or not self._proves(change, head):
                raise JournalBroken(head.sequence + 1)

            head = change

        return found

    async def append(self, connection: AsyncConnection, change: Change) -> None:
        """Writes an entry made by `following`; the transaction must be alone of its kind."""
        await connection.execute(insert(changes).values(asdict(change)))

    def following(self, head: Change, change: Change) -> Change:
        """Returns `change` with its number and seal, as the entry after `head`."""
        change = replace(change, sequence=head.sequence + 1)
        return replace(change, mac=self._mac(change, head))

    def _proves(self, change: Change, head: Change) -> bool:
        return hmac.compare_digest(change.mac, self._mac(change, head))

    def _mac(self, change: Change, head: Change) -> bytes:
        parts = (
            head.mac,
            str(change.sequence).encode(),
            change.environment.encode(),
            change.tenant_id.encode(),
            str(change.generation).encode(),
            change.action.encode(),
            change.key_digest,
            change.changed_at.astimezone(UTC).isoformat(timespec="microseconds").encode(),
        )
        # Each part with its length, so that no two entries have the same bytes.
        text = b"".join(struct.pack(">I", len(part)) + part for part in parts)
        return hmac.digest(self._key, text, "sha256")


def _change(row: Row[Any]) -> Change:
    try:
        return Change(**{**row._mapping, "action": Action(row.action)})
    except ValueError:
        raise JournalBroken(row.sequence) from None
