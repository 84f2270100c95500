"""Decides whether a database may be opened, and brings its tables up to date if so."""

from __future__ import annotations

__all__ = ["Admit", "admit_new", "settle"]

import enum
import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from server.errors import StoreExists, StoreMissing, StoreOlder, StoreOther, StoreVersionUnknown
from server.store.address import Place
from server.store.identity import StoreIdentity, store_identity
from server.store.keyfolder import MARK_FILE, Evidence, Mark
from server.store.migrations import bring_up_to_date, is_known, step_of


class Admit(enum.Enum):
    """Which database may be opened."""

    KNOWN = enum.auto()
    """The store that the keys know, or a new one together with new keys."""

    EXISTING = enum.auto()
    """The store that the keys know; never a new one."""

    NEW = enum.auto()
    """A new store although keys exist, because the operator says that there is no earlier one."""

    RESTORED = enum.auto()
    """An older copy or a different store too, because the operator restored it."""


def admit_new(place: Place, evidence: Evidence, admit: Admit) -> None:
    """Raises StoreMissing unless a new store may be created."""
    if admit is Admit.NEW or (admit is Admit.KNOWN and not evidence.known_by):
        return

    raise StoreMissing(where=place.words, setting=place.setting, known_by=evidence.known_by)


def settle(
    connection: Connection, place: Place, evidence: Evidence, admit: Admit, now: datetime
) -> StoreIdentity:
    """Migrates the tables, counts this opening, and returns the identity of the store.

    Raises a `StoreUnusable` where it is not the store that `admit` admits; the caller's transaction
    then leaves everything as it was.
    """
    step = step_of(connection)
    if step is None:
        admit_new(place, evidence, admit)
    elif admit is Admit.NEW:
        raise StoreExists(where=place.words)
    elif not is_known(step):
        raise StoreVersionUnknown(where=place.words, step=step)

    bring_up_to_date(connection, step)
    row = connection.execute(select(store_identity)).one_or_none()
    mark = None if step is None else evidence.mark
    surprise = None if mark is None else _surprise(row, mark, place.words)
    if surprise is not None and admit is not Admit.RESTORED:
        raise surprise

    values: dict[str, Any] = {
        "opened": max(mark.opened if mark else 0, row.opened if row else 0) + 1
    }
    if surprise is not None or (step is None and evidence.known_by):
        values["complete_since"] = now

    if row is None:
        values |= {"store_id": secrets.token_hex(16), "begun_at": now}
        connection.execute(insert(store_identity).values(values))
    else:
        connection.execute(update(store_identity).values(values))

    return StoreIdentity(**connection.execute(select(store_identity)).one()._asdict())


def _surprise(row: Row[Any] | None, mark: Mark, where: str) -> StoreOlder | StoreOther | None:
    """Returns how a database contradicts the mark in the folder of its keys, if it does."""
    if row is None or row.store_id != mark.store_id:
        return StoreOther(where=where, mark=MARK_FILE)

    if row.opened < mark.opened:
        return StoreOlder(where=where, mark=MARK_FILE, opened=row.opened, known=mark.opened)

    return None
