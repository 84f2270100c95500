"""Who may call, in memory: the journal's entries of one environment, replayed.

A wrong key and a right one are one dictionary lookup alike, under a digest that its sender cannot
steer: how long it takes tells nothing about the keys that exist.
"""

from __future__ import annotations

__all__ = ["Known", "Roster"]

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from server.tenants.journal import GENESIS, Action, Change
from server.tenants.model import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One tenant as the journal has it."""

    tenant: Tenant
    sequence: int
    """Number of its newest change in the journal."""

    first: int
    """Number of its first change: the order in which tenants are listed."""

    key_digest: bytes
    created_at: datetime
    updated_at: datetime


class Roster:
    """Replays proven changes; applying one twice, or an old one, does nothing."""

    def __init__(self, environment: str) -> None:
        self.environment = environment
        self.head: Change = GENESIS
        """The newest change that was applied, of whatever environment."""

        self._by_digest: dict[bytes, Known] = {}
        self._by_id: dict[str, Known] = {}
        # In the order of their first changes, so that a page is found without looking at all.
        self._firsts: list[int] = []
        self._by_first: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, key_digest: bytes) -> Known | None:
        """Returns the tenant of an API key."""
        return self._by_digest.get(key_digest)

    def get(self, tenant_id: str) -> Known | None:
        """Returns the tenant of an id."""
        return self._by_id.get(tenant_id)

    def page(self, size: int, after: int = 0) -> tuple[list[Known], bool]:
        """Returns tenants whose first change comes after a number, and whether there are more."""
        start = bisect_right(self._firsts, after)
        firsts = self._firsts[start : start + size]
        page = [self._by_id[self._by_first[first]] for first in firsts]
        return page, start + size < len(self._firsts)

    def apply(self, changes: Iterable[Change]) -> tuple[str, ...]:
        """Takes over what is new, and returns the ids of the tenants that it changed, in order."""
        changed: dict[str, None] = {}
        for change in changes:
            if change.sequence <= self.head.sequence:
                continue

            self.head = change
            if change.environment == self.environment:
                self._replay(change)
                changed[change.tenant_id] = None

        return tuple(changed)

    def _replay(self, change: Change) -> None:
        before = self._by_id.get(change.tenant_id)
        if change.action is Action.DELETED:
            if before is not None:
                self._remove(before)

            return

        tenant = Tenant(id=change.tenant_id, generation=change.generation)
        if before is None:
            known = Known(
                tenant=tenant,
                sequence=change.sequence,
                first=change.sequence,
                key_digest=change.key_digest,
                created_at=change.changed_at,
                updated_at=change.changed_at,
            )
        else:
            known = replace(
                before, tenant=tenant, sequence=change.sequence, updated_at=change.changed_at
            )

        self._put(known)

    def _put(self, known: Known) -> None:
        if known.tenant.id not in self._by_id:
            self._firsts.append(known.first)
            self._by_first[known.first] = known.tenant.id

        self._by_id[known.tenant.id] = self._by_digest[known.key_digest] = known

    def _remove(self, known: Known) -> None:
        del self._by_id[known.tenant.id], self._by_digest[known.key_digest]
        del self._by_first[known.first]
        del self._firsts[bisect_left(self._firsts, known.first)]
