"""What became of one symbol of a subscription."""

from __future__ import annotations

__all__ = ["SymbolResult"]

from dataclasses import dataclass

from server.market.topics import Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolResult:
    """The answer for one symbol; `topic` is None where it is not known, or was not held."""

    requested: str
    topic: Topic | None
    detail: str = ""
    removed: bool = False
