"""Finds symbols that have stopped moving while others go on: connected, and yet out of date."""

from __future__ import annotations

__all__ = ["StalenessWatch"]

from collections.abc import Iterable

from server.market.topics import Topic

SILENCE_S = 15.0
"""An active symbol that has not moved for this long, while others did, counts as silent."""

LIVELY = 1.0
"""The liveliness from which silence means something: a far option is silent most of the time."""

MOST_LIVELY = 10.0
MOVED, STOOD = 1.0, -0.2
"""What a second with an update adds to a topic's liveliness, and one without: what moves in one
second of six on average is lively."""


class StalenessWatch:
    """Learns how regularly topics move, by looking at them once a second."""

    def __init__(self) -> None:
        self._looked_at = 0.0

    def look(self, topics: Iterable[Topic], now: float) -> list[Topic]:
        """Returns the topics that have just become silent; `now` is in Unix seconds."""
        silent = []
        for topic in topics:
            if not topic.received_at:
                continue  # it has never moved: there is nothing that could be out of date
            step = MOVED if topic.received_at >= self._looked_at else STOOD
            topic.liveliness = max(0.0, min(MOST_LIVELY, topic.liveliness + step))
            # A second less, since the next look is a second away.
            overdue = now - topic.received_at >= SILENCE_S - 1
            if overdue and topic.liveliness >= LIVELY and not topic.silent:
                silent.append(topic)
        self._looked_at = now
        return silent

    @staticmethod
    def forget(topics: Iterable[Topic]) -> None:
        """Forgets how the topics moved: the market may have closed since."""
        for topic in topics:
            topic.liveliness = 0.0

    @staticmethod
    def expects(topics: Iterable[Topic]) -> bool:
        """Whether any topic has been moving so regularly that silence means something."""
        return any(topic.liveliness >= LIVELY for topic in topics)
