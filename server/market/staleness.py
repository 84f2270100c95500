"""Finds symbols whose updates have stopped while those of others go on."""

from __future__ import annotations

__all__ = ["StalenessWatch"]

from collections.abc import Iterable

from server.market.topics import Topic

STALE_AFTER_S = 15.0
"""An active symbol without an update for this long, while others have some, is stale."""

LIVELY = 1.0
"""The liveliness from which a pause means something: a far option pauses most of the time."""

MOST_LIVELY = 10.0
MOVED, STOOD = 1.0, -0.2
"""What a second with an update adds to a topic's liveliness, and one without: a topic with
an update in one second of six on average is lively."""


class StalenessWatch:
    """Measures how regularly topics are updated; called once a second."""

    def __init__(self) -> None:
        self._looked_at = 0.0

    def find_overdue(self, topics: Iterable[Topic], now: float) -> list[Topic]:
        """Returns the topics that are overdue and not flagged yet; `now` is in Unix seconds."""
        found = []
        for topic in topics:
            if not topic.received_at:
                continue  # it never had a value that could be out of date
            step = MOVED if topic.received_at >= self._looked_at else STOOD
            topic.liveliness = max(0.0, min(MOST_LIVELY, topic.liveliness + step))
            # A second less, since the next look is a second away.
            overdue = now - topic.received_at >= STALE_AFTER_S - 1
            if overdue and topic.liveliness >= LIVELY and not topic.silent:
                found.append(topic)
        self._looked_at = now
        return found

    @staticmethod
    def reset(topics: Iterable[Topic]) -> None:
        """Starts measuring anew: the market may have closed since."""
        for topic in topics:
            topic.liveliness = 0.0

    @staticmethod
    def has_regular(topics: Iterable[Topic]) -> bool:
        """Returns whether any topic is updated so regularly that a pause means something."""
        return any(topic.liveliness >= LIVELY for topic in topics)
