"""Puts texts from outside into the paths of the broker's endpoints."""

from __future__ import annotations

__all__ = ["is_number", "segment"]

import re
from urllib.parse import quote

NUMBER = re.compile(r"[0-9]{1,18}")


def segment(text: str) -> str:
    """Returns a text as one segment of a path; dots too, or `..` would climb out of it."""
    return quote(text, safe="").replace(".", "%2E")


def is_number(text: str) -> bool:
    """Whether the broker can have given this number to something; others need not be asked for."""
    return NUMBER.fullmatch(text) is not None
