"""Describes the messages of a stream of account events."""

from __future__ import annotations

__all__ = ["Batch", "Beat", "Begun", "LiveChange", "StreamItem"]

from dataclasses import dataclass

from server.orders.events.log import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The stream stands; events follow from here."""

    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Events in their order."""

    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """Nothing happened for a while."""

    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveChange:
    """The connection to the broker came back or went."""

    live: bool
    cause: str
    cursor: str


StreamItem = Begun | Batch | Beat | LiveChange
