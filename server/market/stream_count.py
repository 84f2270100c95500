"""How many streams are open, by tenant and in all, and how many may be."""

from __future__ import annotations

__all__ = ["StreamCount"]

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from server.errors import TooManyStreams


class StreamCount:
    """Counts open streams; a stream that would be one too many is refused before it costs."""

    def __init__(self, *, per_tenant: int, total: int) -> None:
        self._per_tenant = per_tenant
        self._total = total
        self._open: Counter[str] = Counter()

    @contextmanager
    def one(self, tenant_id: str) -> Iterator[None]:
        """Counts a stream while the block runs; raises TooManyStreams, with the numbers."""
        mine = self._open[tenant_id]
        if mine >= self._per_tenant:
            raise TooManyStreams(open_streams=mine, allowed=self._per_tenant, whose="API key")
        if self.total >= self._total:
            raise TooManyStreams(open_streams=self.total, allowed=self._total, whose="server")

        self._open[tenant_id] += 1
        try:
            yield
        finally:
            self._open[tenant_id] -= 1
            if not self._open[tenant_id]:
                del self._open[tenant_id]

    @property
    def total(self) -> int:
        """Streams that are open now."""
        return self._open.total()
