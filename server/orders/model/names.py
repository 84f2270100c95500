"""Validates client_order_ids, the names of changes."""

from __future__ import annotations

__all__ = ["NAME", "check_name"]

import re

from server.errors import InvalidField

NAME = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def check_name(name: str | None) -> None:
    """Raises InvalidField for a name that no change can have; None is to be chosen here."""
    if name is not None and not NAME.fullmatch(name):
        expected = "1 to 64 characters out of A-Z a-z 0-9 . _ : -"
        raise InvalidField("client_order_id", name, expected)
