"""Shares one amount (open streams, bytes, rows) among owners, so that few cannot take all of it.

The last quarter of the whole is kept for owners who hold little: whoever takes as much as he may
meets a bound before that, and somebody who comes with a first, small wish is served all the same.
"""

from __future__ import annotations

__all__ = ["Limit", "Shares", "Whose"]

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum

KEPT_PART = 4
"""One part in so many is kept for owners who hold little."""


class Whose(Enum):
    """What a wish for more runs into."""

    OWNER = "owner"
    """The owner's own bound."""
    ALL = "all"
    """The bound of all owners together."""
    KEPT = "kept"
    """What is left is kept for owners who hold little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A bound that a wish would pass."""

    whose: Whose
    held: int
    """What the owner, or all of them together, hold now."""
    allowed: int

    @property
    def room(self) -> int:
        """How much might still be taken."""
        return max(0, self.allowed - self.held)


class Shares:
    """Counts who holds how much; `light` is what counts as little."""

    def __init__(self, *, total: int, each: int, light: int) -> None:
        self._allowed = total
        self._each = each
        self._open = total - total // KEPT_PART
        self._light = light
        self._held: Counter[Hashable] = Counter()
        self.total = 0
        """What all owners hold together."""

    def held(self, owner: Hashable) -> int:
        """Returns what an owner holds."""
        return self._held.get(owner, 0)

    def limit(self, owner: Hashable, amount: int) -> Limit | None:
        """Returns the bound that so much more would pass; None where there is room."""
        mine = self.held(owner)
        if mine + amount > self._each:
            return Limit(whose=Whose.OWNER, held=mine, allowed=self._each)
        if self.total + amount > self._allowed:
            return Limit(whose=Whose.ALL, held=self.total, allowed=self._allowed)
        if self.total + amount > self._open and mine + amount > self._light:
            return Limit(whose=Whose.KEPT, held=self.total, allowed=self._open)

        return None

    def take(self, owner: Hashable, amount: int = 1) -> None:
        """Counts so much more; who takes without asking for the `limit` may pass it."""
        self._held[owner] += amount
        self.total += amount

    def give_back(self, owner: Hashable, amount: int = 1) -> None:
        """Counts so much less."""
        self.total -= amount
        self._held[owner] -= amount
        if not self._held[owner]:
            del self._held[owner]  # whoever holds nothing costs nothing

    @property
    def largest(self) -> int:
        """The most that any owner holds."""
        return max(self._held.values(), default=0)
