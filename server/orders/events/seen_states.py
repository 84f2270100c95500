"""What was last told of each order, position and balance of an account, so that news is news.

Kept beside the events and written in the same transaction: an event and the memory of it come into
being together, or not at all.
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

from server.orders.events.object_states import EventKind, ObjectState
from server.orders.model.schema import account_objects

REMEMBERED = 16
"""States of an object that are recognised when they are told again."""

News = tuple[str | None, datetime | None]
"""A fill by its number, or None for the object itself; and when it happened."""


@dataclass(slots=True)
class _Object:
    """A row of `account_objects`, while it changes."""

    stamp: int
    digests: list[str]
    fills: set[str]
    working: bool


class SeenStates:
    """The objects of one account that some reports are about."""

    def __init__(self, environment: str, account_number: str) -> None:
        self._place = {"environment": environment, "account_number": account_number}
        self._objects: dict[tuple[str, str], _Object] = {}

    @classmethod
    async def load(
        cls,
        connection: AsyncConnection,
        environment: str,
        account_number: str,
        reports: Iterable[ObjectState],
    ) -> Self:
        """Returns what is remembered of the objects that the reports are about."""
        memory = cls(environment, account_number)
        names = {report.name for report in reports}
        query = select(account_objects).where(*memory._mine(), account_objects.c.name.in_(names))
        for row in await connection.execute(query):
            memory._objects[row.kind, row.name] = _Object(
                stamp=row.stamp,
                digests=json.loads(row.digests),
                fills=set(json.loads(row.fills)),
                working=row.working,
            )

        return memory

    def news(self, report: ObjectState) -> list[News]:
        """Returns the events of a report, fills first, and notes them; none for what is known."""
        key = (report.kind.value, report.name)
        known = self._objects.get(key)
        if known is None:
            known = self._objects[key] = _Object(stamp=0, digests=[], fills=set(), working=False)

        # Balances may return to what they were; of all else a state has its moment in its digest.
        last_only = report.kind is EventKind.BALANCE
        remembered = known.digests[-1:] if last_only else known.digests
        if report.digest in remembered or report.stamp < known.stamp:
            return []

        found: list[News] = [
            (fill.fill_id, fill.at) for fill in report.fills if fill.fill_id not in known.fills
        ]
        known.fills.update(fill.fill_id for fill in report.fills)
        known.digests = [*known.digests, report.digest][-REMEMBERED:]
        known.stamp = report.stamp
        known.working = report.working
        return [*found, (None, report.at)]

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
