"""Says for each requested symbol whether a stream follows it."""

from __future__ import annotations

__all__ = ["Acknowledgement", "Outcome", "SymbolResult"]

from dataclasses import dataclass
from enum import Enum
from typing import Self

from server.market.topics import Topic


class Outcome(Enum):
    """Whether a stream follows a symbol."""

    ACCEPTED = "accepted"
    NO_DATA_YET = "no data yet"
    UNKNOWN = "unknown"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolResult:
    """Says whether a stream follows one symbol."""

    requested: str
    symbol: str = ""
    streamer_symbol: str = ""
    outcome: Outcome
    detail: str = ""

    @classmethod
    def followed(cls, requested: str, topic: Topic) -> Self:
        """Returns the result for a symbol that is subscribed to now."""
        return cls(
            requested=requested,
            symbol=topic.label,
            streamer_symbol=topic.key.symbol,
            outcome=Outcome.ACCEPTED if topic.is_known else Outcome.NO_DATA_YET,
        )

    @classmethod
    def unknown(cls, requested: str, detail: str) -> Self:
        """Returns the result for a symbol that cannot be followed, with the reason."""
        return cls(requested=requested, outcome=Outcome.UNKNOWN, detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Answers a subscription, or a change of one, with a result for each symbol."""

    results: tuple[SymbolResult, ...]
    request_id: int = 0
    """The client's number of the change that is answered; 0 for the first of a stream."""
