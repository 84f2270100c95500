"""Defines an entry of the journal of tenants, and the seal that chains it to the one before."""

from __future__ import annotations

__all__ = ["GENESIS", "Action", "Change", "JournalBroken", "seal_of", "sealed"]

import hmac
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from server.errors import Misconfigured


class Action(StrEnum):
    SAVED = "saved"
    DELETED = "deleted"


class JournalBroken(Misconfigured):
    """Reports a missing, altered or foreign entry; nothing is served until that is resolved."""

    def __init__(self, sequence: int) -> None:
        super().__init__(
            f"the journal of API keys does not verify at entry {sequence}: either TASTY_PEPPER "
            "(or pepper.key) is not the one that this database was made with, or the database was "
            "altered or put back behind the server's back"
        )
        self.sequence = sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a tenant, with its number and seal."""

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
"""The seal that the first entry follows."""


def seal_of(key: bytes, change: Change, before: bytes) -> bytes:
    """Returns the seal of an entry after one whose seal is `before`."""
    return sealed(
        key,
        before,
        str(change.sequence).encode(),
        change.environment.encode(),
        change.tenant_id.encode(),
        str(change.generation).encode(),
        change.action.encode(),
        change.key_digest,
        change.changed_at.astimezone(UTC).isoformat(timespec="microseconds").encode(),
    )


def sealed(key: bytes, *parts: bytes) -> bytes:
    """Returns the keyed digest of the parts, in their order."""
    # Each part is preceded by its length, so that two different lists never have the same bytes.
    text = b"".join(struct.pack(">I", len(part)) + part for part in parts)
    return hmac.digest(key, text, "sha256")
