"""Defines a secret text, which prints as stars wherever it is printed by accident.

`reveal()` is the only way to the text, so a search for that word finds every place that uses one.
"""

from __future__ import annotations

__all__ = ["Secret"]

import hmac
from typing import NoReturn


class Secret:
    """Holds a secret text; `str`, `repr`, f-strings, logging and pickling never show it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Returns the text itself; call it at the last moment and do not keep the result."""
        return self._text

    def __eq__(self, other: object) -> bool:
        # Constant time, so that a comparison tells nothing about where two secrets differ.
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret does not leave its process: store what the vault sealed")
