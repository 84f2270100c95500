"""Records when the data went stale and when it was live again, for readers to be told.

An outage is told once, however many reconnects fail. Its end is told when the topics that were
known before have come again, so that the snapshot which follows holds live values.
"""

from __future__ import annotations

__all__ = ["Condition", "FeedStatus"]

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from server.clock import Clock
from server.market.topics import Topic

NOTICES_KEPT = 64
"""Conditions remembered for slow readers; a reader further behind is told the latest ones only."""

RESTORING_S = 1.0
"""How long the news that data is live again waits for symbols that have not come again yet: they
are flagged stale until they do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Tells readers that data went stale, or that it is live again."""

    version: int
    live: bool
    """False: what readers have is stale until further notice; True: it is live again."""
    cause: str
    symbols: tuple[str, ...] = ()
    """The labels concerned; empty means all."""
    last_received_at: float = 0.0
    """Stale: Unix seconds of the last event of the feed, 0 if there was none."""


class FeedStatus:
    """Keeps the recent conditions, and the outage if there is one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: deque[Condition] = deque(maxlen=NOTICES_KEPT)
        self._began = 0.0
        self._patient_until = 0.0
        self._awaited: set[Topic] = set()
        self.outage: Condition | None = None
        """What readers were told of the outage, until they are told of its end."""
        self.is_restoring = False
        """Whether data comes again, and readers have not been told yet."""

    def add(self, condition: Condition) -> None:
        """Adds a condition for readers to be told."""
        self._told.append(condition)

    @property
    def newest(self) -> int:
        """The version of the newest condition, 0 before the first."""
        return self._told[-1].version if self._told else 0

    def since(self, version: int) -> list[Condition]:
        """Returns the conditions that a reader at `version` has not been told, oldest first."""
        if not self._told or self._told[-1].version <= version:
            return []
        return [condition for condition in self._told if condition.version > version]

    def begin_outage(self, condition: Condition) -> None:
        """Notes that there is no live data; readers are told if they do not know it already."""
        self.is_restoring = False
        self._awaited.clear()
        if self.outage is None:
            self.outage = condition
            self._began = self._clock.monotonic()
            self.add(condition)

    def begin_restoring(self, awaited: Iterable[Topic]) -> None:
        """Notes that data comes again, and which topics are awaited before readers are told."""
        if self.outage is not None:
            self.is_restoring = True
            self._awaited = set(awaited)
            self._patient_until = self._clock.monotonic() + RESTORING_S

    def came(self, topic: Topic) -> None:
        """Notes that a topic has come, or is gone."""
        self._awaited.discard(topic)

    @property
    def is_restored(self) -> bool:
        """Whether it is time to tell readers that the outage is over."""
        return self.is_restoring and (
            not self._awaited or self._clock.monotonic() >= self._patient_until
        )

    def end_outage(self, version: int) -> None:
        """Tells readers that data is live again."""
        lasted = self._clock.monotonic() - self._began
        self.add(Condition(version=version, live=True, cause=f"live again after {lasted:.1f} s"))
        self._awaited.clear()
        self.is_restoring = False
        self.outage = None
