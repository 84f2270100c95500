"""What keeps the server from using its database or its keys: sentences for the operator.

No client ever reads them. Where a class says "unusable", starting again does not help.
"""

from __future__ import annotations

__all__ = [
    "StoreBroken",
    "StoreExists",
    "StoreMissing",
    "StoreOlder",
    "StoreOther",
    "StoreUnusable",
    "StoreVersionUnknown",
]

from collections.abc import Sequence

from server.errors.families import Misconfigured


class StoreUnusable(Misconfigured):
    """The database or a key is missing, damaged or another one; somebody has to act."""


class StoreMissing(StoreUnusable):
    """The database has no tables of ours, though keys of an earlier one are there."""

    def __init__(self, *, where: str, setting: str, known_by: Sequence[str]) -> None:
        found = f", but what belongs to one is there: {', '.join(known_by)}" if known_by else ""
        super().__init__(
            f"There is no store in {where}{found}. If there was one, restore it from a backup, or "
            f"let {setting} name its place. If there never was one, or it is lost for good, begin "
            "a new one, once: python -m server migrate --init. What a lost one held is gone then: "
            "credentials must be saved again, and used client_order_ids are known only as far as "
            "the broker's own history tells."
        )


class StoreExists(Misconfigured):
    """`migrate --init` found a store where it was to make one."""

    def __init__(self, *, where: str) -> None:
        super().__init__(
            f"There is a store in {where} already; it was left as it is. Run migrate without "
            "--init. To begin a new one, move that one away first."
        )


class StoreOther(StoreUnusable):
    """The database is not the one that was begun with these keys."""

    def __init__(self, *, where: str, mark: str) -> None:
        super().__init__(
            f"The store in {where} is not the one that {mark} was written for. Restore the right "
            "database, or the folder that belongs to this one. If this one is to be used from now "
            "on, say so, once: python -m server migrate --restored."
        )


class StoreOlder(StoreUnusable):
    """The database is an older copy of the one that was used with these keys last."""

    def __init__(self, *, where: str, mark: str, opened: int, known: int) -> None:
        super().__init__(
            f"The store in {where} is an older copy: it has been opened {opened} times, and {mark} "
            f"knows of {known}. Orders that were sent since the copy was made are not in it, nor "
            "are credentials that were saved. Put the newest one in its place, with its -wal file "
            "where it is a file. If there is no newer one, say so, once: python -m server migrate "
            "--restored."
        )


class StoreVersionUnknown(StoreUnusable):
    """The tables are at a step that this program does not have."""

    def __init__(self, *, where: str, step: str) -> None:
        super().__init__(
            f"The tables in {where} are at step {step!r}, which this version of the server does "
            "not know: a newer version made them, or another program. Run that version, or use "
            "another database."
        )


class StoreBroken(StoreUnusable):
    """The database cannot be opened, read or written."""

    def __init__(self, *, where: str, what: str, code: str, remedy: str) -> None:
        super().__init__(f"{where[:1].upper()}{where[1:]} {what} ({code}). {remedy}")
        self.code = code
