"""What a model says of rows of data, as a value."""

from __future__ import annotations

__all__ = ["Analysis"]

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What the model says of the data, or why it says nothing."""

    text: str = ""
    error: str = ""
