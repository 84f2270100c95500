"""What became of one symbol of a subscription."""

from __future__ import annotations

__all__ = ["Outcome", "SymbolResult"]

from dataclasses import dataclass
from enum import Enum
from typing import Self

from server.market.topics import Topic


class Outcome(Enum):
    """What became of it."""

    ACCEPTED = "accepted"
    NO_DATA_YET = "no data yet"
    UNKNOWN = "unknown"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolResult:
    """The answer for one symbol."""

    requested: str
    symbol: str = ""
    streamer_symbol: str = ""
    outcome: Outcome
    detail: str = ""

    @classmethod
    def followed(cls, requested: str, topic: Topic) -> Self:
        """The answer for a symbol that is subscribed to now."""
        return cls(
            requested=requested,
            symbol=topic.label,
            streamer_symbol=topic.key.symbol,
            outcome=Outcome.ACCEPTED if topic.rows else Outcome.NO_DATA_YET,
        )

    @classmethod
    def unknown(cls, requested: str, detail: str) -> Self:
        """The answer for a symbol that cannot be followed, and why."""
        return cls(requested=requested, outcome=Outcome.UNKNOWN, detail=detail)
