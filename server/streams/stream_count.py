"""Counts open streams, by tenant and in all, and refuses more than are allowed."""

from __future__ import annotations

__all__ = ["StreamCount", "StreamPlace"]

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from server.errors import TooManyStreams
from server.shares import Limit, Shares, Whose

FEW = 4
"""The last quarter of the total is for those who would have no more streams than this."""


class StreamPlace:
    """Identifies one open stream, counted as its API key's until its customer is known."""

    def __init__(self, count: StreamCount, owner: Hashable) -> None:
        self._count = count
        self.owner = owner

    def belongs_to(self, customer: Hashable) -> None:
        """Counts the stream as a customer's, whichever of his API keys it came with.

        Raises TooManyStreams where he has too many for the room that is left.
        """
        self._count.hand_over(self, customer)


class StreamCount:
    """Counts open streams of one sort; one too many is refused before anything is opened for it.

    `what` names the sort in the error: "market data".
    """

    def __init__(self, what: str, *, per_tenant: int, total: int) -> None:
        self._what = what
        self._per_tenant = per_tenant
        self._open: Counter[str] = Counter()
        self._shares = Shares(total=total, each=total, light=FEW)

    @contextmanager
    def one(self, tenant_id: str) -> Iterator[StreamPlace]:
        """Counts a stream while the block runs; raises TooManyStreams, with the numbers."""
        mine = self._open[tenant_id]
        if mine >= self._per_tenant:
            raise TooManyStreams(
                self._what, open_streams=mine, allowed=self._per_tenant, whose="API key"
            )

        self._refuse(self._shares.limit(tenant_id, 1))
        place = StreamPlace(self, tenant_id)
        self._open[tenant_id] += 1
        self._shares.take(tenant_id)
        try:
            yield place
        finally:
            self._shares.give_back(place.owner)
            self._open[tenant_id] -= 1
            if not self._open[tenant_id]:
                del self._open[tenant_id]

    def hand_over(self, place: StreamPlace, customer: Hashable) -> None:
        """See `StreamPlace.belongs_to`."""
        self._shares.give_back(place.owner)
        limit = self._shares.limit(customer, 1)
        self._shares.take(customer)
        place.owner = customer
        self._refuse(limit)  # counted until its block ends

    @property
    def total(self) -> int:
        """Streams that are open now."""
        return self._shares.total

    def _refuse(self, limit: Limit | None) -> None:
        if limit is None:
            return

        raise TooManyStreams(
            self._what,
            open_streams=limit.held,
            allowed=limit.allowed,
            whose="server",
            few=FEW if limit.whose is Whose.KEPT else None,
        )
