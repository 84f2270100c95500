"""Stores every change before it is sent, and what became of it.

A row goes from `recorded` to `sending` to one of its ends. Between, the process may die at any
instant: a row that is still `recorded` was certainly not sent, one that is `sending` may have been.
Each step names the states that it may start from, so that two processes cannot both take it.
"""

from __future__ import annotations

__all__ = [
    "OPEN",
    "AlreadyRecorded",
    "Entry",
    "Intent",
    "OrderJournal",
    "ReconciliationResult",
    "Recorded",
    "State",
]

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, Select, Update, insert, or_, select, update

from server.clock import Clock, new_york_today
from server.orders.model.schema import journal
from server.orders.risk_limits import RiskLimits, Wanted, cents
from server.settings import Settings
from server.store import Database


class State(StrEnum):
    """Where a change stands."""

    RECORDED = "recorded"
    """Written, and certainly not sent."""
    SENDING = "sending"
    """On its way, or lost on it."""
    UNKNOWN = "unknown"
    """Sent, and the answer was lost."""
    NOT_SEEN = "not_seen"
    """The same, and the broker's list did not show it, twice. It is not sent again for that."""
    ACCEPTED = "accepted"
    """The broker took it; the answer is kept."""
    REFUSED = "refused"
    """The broker refused it; its words are kept."""
    UNSENT = "unsent"
    """It was certainly not sent; the same name may be sent again."""
    RESTORED = "restored"
    """The broker's history has an order of this name, and this database has nothing else of it."""


OPEN = (State.SENDING, State.UNKNOWN, State.NOT_SEEN)
"""States in which only the broker knows."""

ENDS_FROM = (State.RECORDED, *OPEN)

AT_ONCE = 100
"""Rows settled in one transaction: others write meanwhile, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is to be recorded."""

    account_number: str
    client_order_id: str
    tenant_id: str
    kind: str
    """`place`, `replace`, `complex`, `cancel` or `cancel_complex`."""
    digest: str
    notional: Decimal | None
    symbols: tuple[str, ...]
    request: Mapping[str, Any]
    """What is sent and how it was priced, as plain JSON."""
    target_id: str | None = None
    """The order that is replaced or cancelled."""
    whole: Decimal | None = None
    """What an order commits that replaces another; `notional` is then what it adds."""
    closes: bool = False
    """Whether it only reduces a position, or is a cancel: most risk limits let that pass."""

    @property
    def wanted(self) -> Wanted:
        """Returns what it asks of the risk limits."""
        return Wanted(
            tenant_id=self.tenant_id,
            account_number=self.account_number,
            notional=self.notional,
            symbols=self.symbols,
            closes=self.closes,
            whole=self.whole,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row of the journal."""

    id: str
    account_number: str
    client_order_id: str
    tenant_id: str
    kind: str
    digest: str
    state: State
    day: date
    target_id: str | None
    request: Mapping[str, Any]
    answer: Mapping[str, Any] | None
    """Accepted: the broker's answer. Refused: its words and codes. None once it is retired."""
    order_id: str | None
    looks: int
    first_look_at: datetime | None
    recorded_at: datetime
    sent_at: datetime | None
    written: bool = True
    """False for a cancel that the store did not take down: there is no row."""

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """This call has written the row."""

    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyRecorded:
    """Another call was first; this is its row."""

    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationResult:
    """What a reading of the broker's list showed of a change: its answer, or that it is absent."""

    entry: Entry
    state: State
    """Accepted, or unknown or not seen."""
    answer: Mapping[str, Any] | None = None
    order_id: str | None = None


class OrderJournal:
    """Reads and writes the rows of one environment."""

    def __init__(
        self, settings: Settings, database: Database, risk_limits: RiskLimits, clock: Clock
    ) -> None:
        self._environment = settings.broker
        self._kept = timedelta(days=settings.order_keys_days)
        self._database = database
        self._risk_limits = risk_limits
        self._clock = clock

    async def find(self, account_number: str, client_order_id: str) -> Entry | None:
        """Returns the row of a name, whatever came of it."""
        query = select(journal).where(
            journal.c.environment == self._environment,
            journal.c.account_number == account_number,
            journal.c.client_order_id == client_order_id,
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()

        return None if row is None else _entry(row)

    async def get(self, entry: Entry) -> Entry:
        """Returns what a row has become; a later try of the same name has another id."""
        async with self._database.read() as connection:
            return _entry((await connection.execute(self._named(entry))).one())

    async def get_all(self, account_number: str, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Returns what rows of one account have become, in their order."""
        query = select(journal).where(
            journal.c.environment == self._environment,
            journal.c.account_number == account_number,
            journal.c.client_order_id.in_([entry.client_order_id for entry in entries]),
        )
        async with self._database.read() as connection:
            named = {row.client_order_id: _entry(row) for row in await connection.execute(query)}

        return [named[entry.client_order_id] for entry in entries]

    async def record(self, intent: Intent) -> Recorded | AlreadyRecorded:
        """Writes the row of an intent, unless its name has a row already.

        Raises NotAllowed where a risk limit forbids it; then nothing is written. A row that was
        certainly not sent is taken over, under a new id: whoever wrote it before, in whatever
        process, can neither send nor settle it any more.
        """
        # Alone: on PostgreSQL two sums of today's orders would otherwise miss each other.
        async with self._database.write(alone="order caps") as connection:
            found = (await connection.execute(self._named(intent))).one_or_none()
            if found is not None and (
                found.state != State.UNSENT.value or found.digest != intent.digest
            ):
                # Before the risk limits: a repeat gets its answer whatever they are now.
                return AlreadyRecorded(entry=_entry(found))

            day = new_york_today(self._clock)
            await self._risk_limits.check(connection, day, intent.wanted)
            values = self._values(intent, day) | {"id": uuid4().hex}
            if found is None:
                await connection.execute(insert(journal).values(values))
            else:
                mine = journal.c.id == found.id
                await connection.execute(update(journal).where(mine).values(values))

        return Recorded(entry=_recorded(values))

    async def mark_sending(self, entry: Entry) -> bool:
        """Notes that the change leaves now; False if somebody released the row meanwhile."""
        values = {"state": State.SENDING.value, "sent_at": self._clock.now()}
        async with self._database.write() as connection:
            moved = await connection.execute(_moved(entry, (State.RECORDED,), values))
            return bool(moved.rowcount)

    async def settle(
        self,
        entry: Entry,
        state: State,
        *,
        answer: Mapping[str, Any] | None = None,
        order_id: str | None = None,
    ) -> None:
        """Notes what became of a change; a row that has come to its end stays as it is."""
        values = self._end(state, answer, order_id)
        async with self._database.write() as connection:
            await connection.execute(_moved(entry, ENDS_FROM, values))

    async def note_reading(self, results: Iterable[ReconciliationResult]) -> None:
        """Notes what a reading of the broker's list has shown.

        Many in one transaction: a start that finds hundreds of changes open is soon done with them.
        """
        now = self._clock.now()
        for some in _batches(list(results)):
            async with self._database.write() as connection:
                for each in some:
                    values: Mapping[str, Any] = {
                        "state": each.state.value,
                        "looks": each.entry.looks + 1,
                        "first_look_at": each.entry.first_look_at or now,
                    }
                    if each.state is State.ACCEPTED:
                        values = self._end(each.state, each.answer, each.order_id)

                    await connection.execute(_moved(each.entry, OPEN, values))

    async def release_recorded(self, entry_id: str | None = None) -> int:
        """Frees rows whose process died before it sent anything; returns how many.

        Safe while another process works: its own step to `sending` then fails, and nothing leaves.
        """
        query = update(journal).where(
            journal.c.environment == self._environment, journal.c.state == State.RECORDED.value
        )
        if entry_id is not None:
            query = query.where(journal.c.id == entry_id)

        async with self._database.write() as connection:
            found = await connection.execute(query.values(state=State.UNSENT.value))
            return int(found.rowcount)

    async def open_entries(self, *, since: datetime | None = None) -> Sequence[Entry]:
        """Returns the rows that only the broker knows the end of, oldest first."""
        query = select(journal).where(
            journal.c.environment == self._environment,
            journal.c.state.in_([state.value for state in OPEN]),
        )
        if since is not None:
            query = query.where(journal.c.recorded_at >= since)

        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(journal.c.recorded_at))
            return [_entry(row) for row in rows]

    async def before_cancel(self, tenant_id: str, account_number: str, order_id: str) -> bool:
        """Returns whether this server asked to cancel an order before, and was not refused.

        Raises TradingReadOnly where the tenant may not even cancel.
        """
        query = (
            select(journal.c.id)
            .where(
                journal.c.environment == self._environment,
                journal.c.account_number == account_number,
                journal.c.target_id == order_id,
                journal.c.kind.in_(("cancel", "cancel_complex")),
                or_(
                    journal.c.state == State.ACCEPTED.value,
                    journal.c.state.in_([state.value for state in OPEN]),
                ),
            )
            .limit(1)
        )
        async with self._database.read() as connection:
            await self._risk_limits.check_cancel(connection, tenant_id, account_number)
            return await connection.scalar(query) is not None

    async def retire(self) -> int:
        """Deletes answers that are older than they are kept; their names stay used."""
        query = (
            update(journal)
            .where(
                journal.c.environment == self._environment,
                journal.c.answer.is_not(None),
                journal.c.recorded_at < self._clock.now() - self._kept,
            )
            .values(answer=None, request="{}")
        )
        async with self._database.write() as connection:
            return int((await connection.execute(query)).rowcount)

    def _named(self, named: Intent | Entry) -> Select[Any]:
        return select(journal).where(
            journal.c.environment == self._environment,
            journal.c.account_number == named.account_number,
            journal.c.client_order_id == named.client_order_id,
        )

    def _values(self, intent: Intent, day: date) -> dict[str, Any]:
        return {
            "environment": self._environment,
            "account_number": intent.account_number,
            "client_order_id": intent.client_order_id,
            "tenant_id": intent.tenant_id,
            "kind": intent.kind,
            "digest": intent.digest,
            "state": State.RECORDED.value,
            "day": day,
            "notional_cents": cents(intent.notional or Decimal(0)),
            "target_id": intent.target_id,
            "request": json.dumps(intent.request),
            "answer": None,
            "order_id": None,
            "looks": 0,
            "first_look_at": None,
            "recorded_at": self._clock.now(),
            "sent_at": None,
            "settled_at": None,
        }

    def _end(
        self, state: State, answer: Mapping[str, Any] | None, order_id: str | None
    ) -> dict[str, Any]:
        return {
            "state": state.value,
            "answer": None if answer is None else json.dumps(answer),
            "order_id": order_id,
            "settled_at": None if state in OPEN else self._clock.now(),
        }


def _moved(entry: Entry, states: Sequence[State], values: Mapping[str, Any]) -> Update:
    """Returns the step of a row to another state, which it takes only from the given ones."""
    names = [state.value for state in states]
    mine = journal.c.id == entry.id
    return update(journal).where(mine, journal.c.state.in_(names)).values(**values)


def _batches(results: Sequence[ReconciliationResult]) -> Iterator[Sequence[ReconciliationResult]]:
    for first in range(0, len(results), AT_ONCE):
        yield results[first : first + AT_ONCE]


def _entry(row: Row[Any]) -> Entry:
    return _recorded(row._mapping)


def _recorded(row: Mapping[Any, Any]) -> Entry:
    """Returns a row as the database gives it, or as it has just been written."""
    return Entry(
        id=row["id"],
        account_number=row["account_number"],
        client_order_id=row["client_order_id"],
        tenant_id=row["tenant_id"],
        kind=row["kind"],
        digest=row["digest"],
        state=State(row["state"]),
        day=row["day"],
        target_id=row["target_id"],
        request=json.loads(row["request"]),
        answer=None if row["answer"] is None else json.loads(row["answer"]),
        order_id=row["order_id"],
        looks=row["looks"],
        first_look_at=row["first_look_at"],
        recorded_at=row["recorded_at"],
        sent_at=row["sent_at"],
    )
