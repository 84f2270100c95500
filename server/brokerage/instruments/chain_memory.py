"""How much of option chains all tenants keep in memory, and how many are being read at once.

A chain that is kept is only a request saved, so where there is no room the longest unused goes: of
the tenant himself where he has his part, else of whoever has most. One that is being read takes
several times as much, as the broker's answer and as objects, and is counted by number.
"""

from __future__ import annotations

__all__ = ["CONTRACT_BYTES", "ChainRoom", "ChainRoomStatistics"]

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from server.errors import TooManyChains
from server.shares import Shares

CONTRACT_BYTES = 450
"""What one contract takes, with its place in the tables by which it is found (measured)."""
TENANT_PART = 4
"""A tenant may have one part in so many."""
READ_AT_ONCE = 24
"""Chains that are read at once in all; of an index one takes some 30 MB meanwhile."""
READ_AT_ONCE_EACH = 2
"""And by one tenant: more of his wait for these."""


class ChainCache(Protocol):
    """Who keeps chains, and lets one go when told."""

    def drop(self, key: Hashable) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRoomStatistics:
    """What is kept and read at this moment."""

    chains: int
    bytes: int
    reading: int


class ChainRoom:
    """The chains of all tenants, by last use."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bytes = Shares(total=most_bytes, each=most_bytes // TENANT_PART, light=0)
        self._each = most_bytes // TENANT_PART
        self._kept: OrderedDict[tuple[ChainCache, Hashable], tuple[str, int]] = OrderedDict()
        self._reading = Shares(total=READ_AT_ONCE, each=READ_AT_ONCE, light=1)

    @contextmanager
    def reading(self, owner: str) -> Iterator[None]:
        """Counts a chain that is read while the block runs; raises TooManyChains."""
        limit = self._reading.limit(owner, 1)
        if limit is not None:
            raise TooManyChains(reading=limit.held, allowed=limit.allowed)

        self._reading.take(owner)
        try:
            yield
        finally:
            self._reading.give_back(owner)

    def keep(self, cache: ChainCache, key: Hashable, owner: str, contracts: int) -> None:
        """Notes a chain as kept, or as used, and lets others go where that is too much."""
        place = (cache, key)
        if place in self._kept:
            self._kept.move_to_end(place)
            return

        size = contracts * CONTRACT_BYTES
        self._kept[place] = (owner, size)
        self._bytes.take(owner, size)
        while self._bytes.held(owner) > self._each and self._let_go({owner}, but=place):
            pass
        while self._bytes.total > self._most and self._let_go(self._heaviest(), but=place):
            pass

    def forget(self, cache: ChainCache, key: Hashable) -> None:
        """Notes that a chain is not kept any more."""
        owner_and_size = self._kept.pop((cache, key), None)
        if owner_and_size is not None:
            self._bytes.give_back(*owner_and_size)

    def statistics(self) -> ChainRoomStatistics:
        return ChainRoomStatistics(
            chains=len(self._kept), bytes=self._bytes.total, reading=self._reading.total
        )

    def _heaviest(self) -> set[str]:
        owners = {owner for owner, _ in self._kept.values()}
        return {each for each in owners if self._bytes.held(each) == self._bytes.largest}

    def _let_go(self, owners: set[str], but: tuple[ChainCache, Hashable]) -> bool:
        """Drops the longest unused chain of these owners but one; returns whether there was any."""
        theirs = (place for place, (owner, _) in self._kept.items() if owner in owners)
        place = next((each for each in theirs if each != but), None)
        if place is None:
            return False

        cache, key = place
        self.forget(cache, key)
        cache.drop(key)
        return True
