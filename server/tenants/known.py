"""Defines a tenant as the journal knows it, and applies an entry to it."""

from __future__ import annotations

__all__ = ["Known", "after"]

from dataclasses import dataclass, replace
from datetime import datetime

from server.tenants.change import Action, Change
from server.tenants.model import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A tenant as the journal knows it."""

    tenant: Tenant
    sequence: int
    """Number of its newest change in the journal."""

    first: int
    """Number of its first change: the order in which tenants are listed."""

    key_digest: bytes
    created_at: datetime
    updated_at: datetime


def after(before: Known | None, change: Change) -> Known | None:
    """Returns the tenant after a change; None if the change deletes it."""
    if change.action is Action.DELETED:
        return None

    tenant = Tenant(id=change.tenant_id, generation=change.generation)
    if before is not None:
        return replace(
            before, tenant=tenant, sequence=change.sequence, updated_at=change.changed_at
        )

    return Known(
        tenant=tenant,
        sequence=change.sequence,
        first=change.sequence,
        key_digest=change.key_digest,
        created_at=change.changed_at,
        updated_at=change.changed_at,
    )
