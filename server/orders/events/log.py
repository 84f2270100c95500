"""Stores what happened in each account as events, numbered without gaps and never twice.

States from the streamer and from replies both pass `append`, which knows the last state of each
object. A state that comes again, an older state after a newer one and a fill in every later message
of its order make no event. All of that happens in one transaction, so that two processes that
follow one account write one log.
"""

from __future__ import annotations

__all__ = ["Event", "EventLog", "EventLogStatistics", "Known"]

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.errors import CursorNotKept
from server.orders.events.object_states import EventKind, ObjectState
from server.orders.events.seen_states import SeenStates
from server.orders.model.schema import account_events, account_logs, account_objects
from server.settings import Settings
from server.store import Database

logger = structlog.get_logger(__name__)

AT_ONCE = 200
"""Maximum number of events in one message to a reader that catches up."""

START = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event."""

    sequence: int
    cursor: str
    kind: EventKind
    account_number: str
    received_at: datetime
    event_time: datetime | None
    recovered: bool
    fill_id: str | None
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the log holds of an account."""

    is_new: bool
    """Whether nobody ever followed it: its log begins with what it holds now."""
    checked_at: datetime | None
    working_orders: frozenset[str]
    open_positions: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLogStatistics:
    seeded: int
    """States noted without an event, since another release's digest could not be read."""


class EventLog:
    """Reads and writes the logs of one environment."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._environment = settings.broker
        self._kept = timedelta(days=settings.account_events_days)
        self._database = database
        self._clock = clock
        self._seeded = 0

    async def known(self, account_number: str) -> Known:
        """Returns what the log holds of an account."""
        query = select(account_objects.c.kind, account_objects.c.name).where(
            *self._mine(account_objects, account_number), account_objects.c.working
        )
        async with self._database.read() as connection:
            log = await self._log(connection, account_number)
            working = [(row.kind, row.name) for row in await connection.execute(query)]

        return Known(
            is_new=log is None or log.checked_at is None,
            checked_at=None if log is None else log.checked_at,
            working_orders=frozenset(name for kind, name in working if kind == EventKind.ORDER),
            open_positions=frozenset(name for kind, name in working if kind == EventKind.POSITION),
        )

    async def append(
        self,
        account_number: str,
        states: Sequence[ObjectState],
        *,
        recovered: bool = False,
        silent: bool = False,
        checked: bool = False,
    ) -> int:
        """Writes events for new states; returns the number of the newest event.

        `silent` notes the states without events: where a log begins. `checked` notes that the
        states are all that the account holds now.
        """
        now = self._clock.now()
        alone = f"account events {account_number}"
        async with self._database.write(alone=alone) as connection:
            log = await self._log(connection, account_number)
            if log is None:
                await self._begin(connection, account_number)

            newest = 0 if log is None else int(log.newest)
            seen = await SeenStates.load(connection, self._environment, account_number, states)
            rows: list[dict[str, Any]] = []
            for state in states:
                for fill_id, at in seen.news(state):
                    if silent:
                        continue

                    newest += 1
                    rows.append(
                        {
                            "environment": self._environment,
                            "account_number": account_number,
                            "sequence": newest,
                            "kind": (EventKind.FILL if fill_id else state.kind).value,
                            "received_at": now,
                            "event_time": at,
                            "recovered": recovered,
                            "fill_id": fill_id,
                            "body": json.dumps(state.body, separators=(",", ":")),
                        }
                    )

            await self._write(connection, account_number, rows)
            await seen.save(connection)
            if checked:
                await connection.execute(
                    update(account_logs)
                    .where(*self._mine(account_logs, account_number))
                    .values(checked_at=now)
                )

        if seen.seeded:
            self._seeded += seen.seeded
            logger.warning("account digests not readable", seeded=seen.seeded)

        return newest

    def statistics(self) -> EventLogStatistics:
        return EventLogStatistics(seeded=self._seeded)

    async def newest(self, account_number: str) -> int:
        """Returns the number of the newest event; 0 where there is none."""
        async with self._database.read() as connection:
            log = await self._log(connection, account_number)

        return 0 if log is None else int(log.newest)

    async def cursor(self, account_number: str, sequence: int) -> str:
        """Returns the cursor that stands after an event."""
        async with self._database.read() as connection:
            log = await self._log(connection, account_number)

        return _cursor(sequence, START if log is None else log.log_id)

    async def position(self, account_number: str, cursor: str) -> int:
        """Returns the number of the event that a cursor stands after; raises CursorNotKept."""
        number, _, log_id = cursor.partition(".")
        async with self._database.read() as connection:
            log = await self._log(connection, account_number)

        if log is None or log.log_id != log_id or not number.isdecimal() or len(number) > 18:
            raise CursorNotKept(cursor)

        sequence = int(number)
        if not log.oldest - 1 <= sequence <= log.newest:
            raise CursorNotKept(cursor)

        return sequence

    async def after(
        self, account_number: str, sequence: int, *, most: int = AT_ONCE
    ) -> Sequence[Event]:
        """Returns the events that follow, in their order; raises CursorNotKept for a hole."""
        query = (
            select(account_events)
            .where(
                *self._mine(account_events, account_number), account_events.c.sequence > sequence
            )
            .order_by(account_events.c.sequence)
            .limit(most)
        )
        async with self._database.read() as connection:
            log = await self._log(connection, account_number)
            rows = list(await connection.execute(query))

        if rows and rows[0].sequence != sequence + 1:
            # Pruned while a very slow reader was on its way through them.
            raise CursorNotKept(_cursor(sequence, "" if log is None else log.log_id))

        log_id = "" if log is None else log.log_id
        return [_event(row, log_id) for row in rows]

    async def last_body(
        self, account_number: str, kind: EventKind, name: str
    ) -> Mapping[str, Any] | None:
        """Returns the last stored body of an object; None if it was deleted."""
        symbol = {EventKind.POSITION: "symbol"}.get(kind, "id")
        query = (
            select(account_events.c.body)
            .where(*self._mine(account_events, account_number), account_events.c.kind == kind.value)
            .order_by(account_events.c.sequence.desc())
        )
        async with self._database.read() as connection:
            for row in await connection.execute(query):
                body: Mapping[str, Any] = json.loads(row.body)
                if str(body.get(symbol)) == name:
                    return body

        return None

    async def prune(self) -> int:
        """Deletes expired events; returns how many."""
        gone = (
            account_events.c.environment == self._environment,
            account_events.c.received_at < self._clock.now() - self._kept,
        )
        last = select(
            account_events.c.account_number, func.max(account_events.c.sequence).label("sequence")
        ).where(*gone)
        async with self._database.write() as connection:
            ends = list(await connection.execute(last.group_by(account_events.c.account_number)))
            for row in ends:
                await connection.execute(
                    update(account_logs)
                    .where(*self._mine(account_logs, row.account_number))
                    .values(oldest=row.sequence + 1)
                )

            ended = int((self._clock.now() - self._kept).timestamp() * 1000)
            await connection.execute(
                delete(account_objects).where(
                    account_objects.c.environment == self._environment,
                    account_objects.c.working.is_(False),
                    account_objects.c.stamp < ended,
                )
            )
            return int((await connection.execute(delete(account_events).where(*gone))).rowcount)

    def _mine(self, table: Any, account_number: str) -> tuple[Any, Any]:
        return (
            table.c.environment == self._environment,
            table.c.account_number == account_number,
        )

    async def _log(self, connection: AsyncConnection, account_number: str) -> Row[Any] | None:
        found = await connection.execute(
            select(account_logs).where(*self._mine(account_logs, account_number))
        )
        return found.one_or_none()

    async def _begin(self, connection: AsyncConnection, account_number: str) -> None:
        await connection.execute(
            insert(account_logs).values(
                environment=self._environment,
                account_number=account_number,
                log_id=secrets.token_hex(4),
                newest=0,
                oldest=1,
                checked_at=None,
            )
        )

    async def _write(
        self, connection: AsyncConnection, account_number: str, rows: Sequence[dict[str, Any]]
    ) -> None:
        if rows:
            await connection.execute(insert(account_events), rows)
            await connection.execute(
                update(account_logs)
                .where(*self._mine(account_logs, account_number))
                .values(newest=rows[-1]["sequence"])
            )


def _event(row: Row[Any], log_id: str) -> Event:
    return Event(
        sequence=row.sequence,
        cursor=_cursor(row.sequence, log_id),
        kind=EventKind(row.kind),
        account_number=row.account_number,
        received_at=row.received_at,
        event_time=row.event_time,
        recovered=row.recovered,
        fill_id=row.fill_id,
        body=json.loads(row.body),
    )


def _cursor(sequence: int, log_id: str) -> str:
    return f"{sequence}.{log_id}"
