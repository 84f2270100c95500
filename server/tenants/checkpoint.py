"""Defines the checkpoint of the journal: a sealed summary of all entries up to one of them.

Without it the journal, and the time that a start takes to verify it, would grow with every save.
The seal covers the number and the seal of the last summarised entry, so it fits no other place in
the chain. An older checkpoint that somebody puts back does not connect to the remaining entries,
because those in between are deleted. Deleted tenants are not in it. Their ids are never used again,
and only tenants named by the checkpoint or a later entry exist, so their old rows are refused.
"""

from __future__ import annotations

__all__ = ["Checkpoint", "Kept", "folded", "opened", "packed"]

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Row

from server.tenants.change import Change, JournalBroken, seal_of, sealed
from server.tenants.known import Known, after
from server.tenants.model import Tenant

PURPOSE = b"tasty tenant checkpoint 1"
EPOCH = datetime.fromtimestamp(0, UTC)
MICROSECOND = timedelta(microseconds=1)

Kept = Mapping[tuple[str, str], Known]
"""Tenants by environment and id, in the order of their first changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The tenants after the entry `head`; all environments share the numbering."""

    head: Change
    kept: Kept


def folded(kept: Kept, changes: Iterable[Change]) -> Kept:
    """Returns the tenants after the changes."""
    result = dict(kept)
    for change in changes:
        name = (change.environment, change.tenant_id)
        known = after(result.get(name), change)
        if known is None:
            result.pop(name, None)
        else:
            result[name] = known

    return result


def packed(key: bytes, checkpoint: Checkpoint, before: bytes) -> dict[str, Any]:
    """Returns the columns of a checkpoint; `before` is the seal of the entry before its head."""
    roster = orjson.dumps(
        [
            (
                environment,
                tenant_id,
                known.tenant.generation,
                known.sequence,
                known.first,
                known.key_digest.hex(),
                (known.created_at - EPOCH) // MICROSECOND,
                (known.updated_at - EPOCH) // MICROSECOND,
            )
            for (environment, tenant_id), known in checkpoint.kept.items()
        ]
    )
    return {
        "sequence": checkpoint.head.sequence,
        "before": before,
        "roster": roster,
        "mac": _mac(key, checkpoint.head, before, roster),
    }


def opened(key: bytes, row: Row[Any], head: Change | None) -> Checkpoint:
    """Returns the checkpoint in a row, or raises `JournalBroken`; `head` is the entry it names."""
    if (
        head is None
        or head.sequence != row.sequence
        or not hmac.compare_digest(head.mac, seal_of(key, head, row.before))
        or not hmac.compare_digest(row.mac, _mac(key, head, row.before, row.roster))
    ):
        raise JournalBroken(row.sequence)

    return Checkpoint(
        head=head,
        kept={
            (environment, tenant_id): Known(
                tenant=Tenant(id=tenant_id, generation=generation),
                sequence=sequence,
                first=first,
                key_digest=bytes.fromhex(digest),
                created_at=EPOCH + created * MICROSECOND,
                updated_at=EPOCH + updated * MICROSECOND,
            )
            for (
                environment,
                tenant_id,
                generation,
                sequence,
                first,
                digest,
                created,
                updated,
            ) in orjson.loads(row.roster)
        },
    )


def _mac(key: bytes, head: Change, before: bytes, roster: bytes) -> bytes:
    own_key = sealed(key, PURPOSE)  # cannot equal the seal of an entry
    return sealed(own_key, str(head.sequence).encode(), head.mac, before, roster)
