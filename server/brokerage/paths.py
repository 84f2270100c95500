"""Puts texts from outside into the paths of the broker's pages."""

from __future__ import annotations

__all__ = ["segment"]

from urllib.parse import quote


def segment(text: str) -> str:
    """Returns a text as one segment of a path; dots too, or `..` would climb out of it."""
    return quote(text, safe="").replace(".", "%2E")
