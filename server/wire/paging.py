"""Pages of a list that the broker gives whole: so many items after the one that the token names.

A token names the last item of the page before, not a place in the list: what is booked meanwhile
comes in front, and would shift places.
"""

from __future__ import annotations

__all__ = ["Page", "page_of"]

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from server.errors import InvalidField

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """A part of a list."""

    items: Sequence[T]
    next_token: str
    """Empty on the last page."""


def page_of(
    items: Sequence[T], size: int | None, token: str | None, name_of: Callable[[T], str]
) -> Page[T]:
    """Returns the page after `token`; raises InvalidField for a token that names no item."""
    start = 0
    if token:
        last = _read(token)
        start = next((i + 1 for i, each in enumerate(items) if name_of(each) == last), -1)
        if start < 0:
            raise InvalidField("page_token", token, "the next_page_token of an earlier page")

    page = items[start:] if size is None else items[start : start + size]
    more = start + len(page) < len(items)
    return Page(items=page, next_token=_write(name_of(page[-1])) if more and page else "")


def _write(name: str) -> str:
    return urlsafe_b64encode(name.encode()).decode().rstrip("=")


def _read(token: str) -> str:
    try:
        return urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (NotBase64, ValueError):
        return ""  # names nothing
