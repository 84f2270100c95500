"""Remembers the last states sent of an account's objects, so that none of them is sent again.

They are stored beside the events and written in the same transaction: an event and the memory of it
are written together, or neither is.
"""

from __future__ import annotations

__all__ = ["SeenStates"]

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.orders.events.digests import is_readable, version_of
from server.orders.events.object_states import EventKind, ObjectState
from server.orders.model.schema import account_objects

REMEMBERED = 16
"""Number of an object's states that are recognised when they come again."""

News = tuple[str | None, datetime | None]
"""A fill by its number, or None for the object itself; and when it happened."""


@dataclass(slots=True)
class _Object:
    """A row of `account_objects`, while it changes."""

    stamp: int
    digests: list[str]
    fills: set[str]
    working: bool

    def note(self, state: ObjectState, digest: str) -> None:
        self.fills.update(fill.fill_id for fill in state.fills)
        self.digests = [*self.digests, digest][-REMEMBERED:]
        self.stamp = state.stamp
        self.working = state.working


class SeenStates:
    """Compares states with what is remembered of the objects that they are about."""

    def __init__(self, environment: str, account_number: str) -> None:
        self._place = {"environment": environment, "account_number": account_number}
        self._objects: dict[tuple[str, str], _Object] = {}
        self.seeded = 0
        """States noted without an event, since the stored digests could not be read."""

    @classmethod
    async def load(
        cls,
        connection: AsyncConnection,
        environment: str,
        account_number: str,
        states: Iterable[ObjectState],
    ) -> Self:
        """Returns what is remembered of the objects that the states are of."""
        seen = cls(environment, account_number)
        names = {state.name for state in states}
        query = select(account_objects).where(*seen._mine(), account_objects.c.name.in_(names))
        for row in await connection.execute(query):
            seen._objects[row.kind, row.name] = _Object(
                stamp=row.stamp,
                digests=json.loads(row.digests),
                fills=set(json.loads(row.fills)),
                working=row.working,
            )

        return seen

    def news(self, state: ObjectState) -> list[News]:
        """Returns the events of a state, fills first, and notes them; none for a known state."""
        key = (state.kind.value, state.name)
        known = self._objects.get(key)
        if known is None:
            known = self._objects[key] = _Object(stamp=0, digests=[], fills=set(), working=False)

        # Balances may return to what they were; of all else a state has its moment in its digest.
        last_only = state.kind is EventKind.BALANCE
        remembered = known.digests[-1:] if last_only else list(known.digests)
        readable = [digest for digest in remembered if is_readable(digest)]
        digest = state.digest()
        if digest in readable or state.stamp < known.stamp:
            return []
        if any(state.digest(version_of(old)) == old for old in readable):
            known.note(state, digest)  # the same state, now by the newest version
            return []

        fills = [fill for fill in state.fills if fill.fill_id not in known.fills]
        known.note(state, digest)
        if remembered and not readable:
            # Nobody can tell whether it changed; its fills are known by their numbers.
            self.seeded += 1
            return [(fill.fill_id, fill.at) for fill in fills]

        return [*((fill.fill_id, fill.at) for fill in fills), (None, state.at)]

    async def save(self, connection: AsyncConnection) -> None:
        """Writes what is remembered now."""
        if not self._objects:
            return

        names = {name for _, name in self._objects}
        await connection.execute(
            delete(account_objects).where(*self._mine(), account_objects.c.name.in_(names))
        )
        await connection.execute(
            insert(account_objects), [self._row(*key) for key in self._objects]
        )

    def _row(self, kind: str, name: str) -> dict[str, Any]:
        each = self._objects[kind, name]
        return {
            **self._place,
            "kind": kind,
            "name": name,
            "stamp": each.stamp,
            "digests": json.dumps(each.digests),
            "fills": json.dumps(sorted(each.fills)),
            "working": each.working,
        }

    def _mine(self) -> tuple[Any, ...]:
        return tuple(account_objects.c[name] == value for name, value in self._place.items())
