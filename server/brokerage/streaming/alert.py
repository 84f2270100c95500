"""Defines a notification of the account streamer; light, so that anyone may import it."""

from __future__ import annotations

__all__ = ["Alert"]

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One notification: the whole of an object after its change."""

    kind: str
    """The broker's word: `Order`, `ComplexOrder`, `CurrentPosition`, `AccountBalance`…"""
    data: dict[str, Any]
    sent_at: datetime | None
