"""Holds the tenants of one environment in memory, replayed from the journal.

A wrong key and a right one take one dictionary lookup each, by a digest that the sender cannot
choose, so the time of a lookup reveals nothing about existing keys.
"""

from __future__ import annotations

__all__ = ["Known", "Roster"]

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from server.tenants.change import GENESIS, Change
from server.tenants.checkpoint import Checkpoint
from server.tenants.known import Known, after


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

    def all(self) -> tuple[Known, ...]:
        """Returns every tenant; for the operator's commands, not for a call."""
        return tuple(self._by_id.values())

    def page(self, size: int, behind: int = 0) -> tuple[list[Known], bool]:
        """Returns tenants whose first change comes after a number, and whether there are more."""
        start = bisect_right(self._firsts, behind)
        firsts = self._firsts[start : start + size]
        page = [self._by_id[self._by_first[first]] for first in firsts]
        return page, start + size < len(self._firsts)

    def apply(self, changes: Iterable[Change]) -> tuple[str, ...]:
        """Applies new entries, and returns the ids of the changed tenants in order."""
        changed: dict[str, None] = {}
        for change in changes:
            if change.sequence <= self.head.sequence:
                continue

            self.head = change
            if change.environment == self.environment:
                self._replay(change)
                changed[change.tenant_id] = None

        return tuple(changed)

    def restore(self, checkpoint: Checkpoint) -> tuple[str, ...]:
        """Applies a newer checkpoint, and returns the ids of the changed tenants."""
        if checkpoint.head.sequence <= self.head.sequence:
            return ()

        theirs = {
            tenant_id: known
            for (environment, tenant_id), known in checkpoint.kept.items()
            if environment == self.environment
        }
        ours, self._by_id = self._by_id, {}
        self._by_digest, self._firsts, self._by_first = {}, [], {}
        for known in theirs.values():
            self._put(known)

        self.head = checkpoint.head
        return tuple(
            tenant_id
            for tenant_id in {**ours, **theirs}
            if ours.get(tenant_id) != theirs.get(tenant_id)
        )

    def _replay(self, change: Change) -> None:
        before = self._by_id.get(change.tenant_id)
        known = after(before, change)
        if known is not None:
            self._put(known)
        elif before is not None:
            self._remove(before)

    def _put(self, known: Known) -> None:
        if known.tenant.id not in self._by_id:
            self._firsts.append(known.first)
            self._by_first[known.first] = known.tenant.id

        self._by_id[known.tenant.id] = self._by_digest[known.key_digest] = known

    def _remove(self, known: Known) -> None:
        del self._by_id[known.tenant.id], self._by_digest[known.key_digest]
        del self._by_first[known.first]
        del self._firsts[bisect_left(self._firsts, known.first)]
