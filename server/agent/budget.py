"""Keeps each tenant within its day's tokens of the operator's model key, counted in the store.

What a call may use at most is counted before it, and what it did use once that is known: so calls
side by side cannot pass together, in one process or in several. A process that ends between the two
leaves the most that the call could use; a count that is too high is new again at midnight.
"""

from __future__ import annotations

__all__ = ["DayUsage", "Reservation", "TokenBudget"]

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.agent.apart import run_apart
from server.agent.schema import usage
from server.clock import NEW_YORK, Clock, new_york_today
from server.errors import ModelBudgetUsed, StoreUnavailable
from server.store import Database

WAIT_S = 2.0
"""How long the store has to count a call: an analysis has not much longer itself."""
KEPT = timedelta(days=31)
"""How long the rows of past days stay for the operator to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayUsage:
    """What a tenant has used of its budget today; 0 of 0 where there is no budget."""

    tokens: int = 0
    budget: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Tokens that are counted for a call that runs."""

    tenant_id: str
    day: date
    """A call that runs over midnight counts for the day on which it began."""
    tokens: int
    counted: DayUsage
    """All that is counted for the tenant, this reservation included."""


class TokenBudget:
    """Counts tokens by tenant and day of New York; `allowed` 0 is no budget, and no counting."""

    def __init__(
        self, database: Database, clock: Clock, tasks: asyncio.TaskGroup, *, allowed: int
    ) -> None:
        self._database = database
        self._tasks = tasks
        self._clock = clock
        self._allowed = allowed

    async def reserve(self, tenant_id: str, tokens: int) -> Reservation | None:
        """Counts `tokens`, the most that a call can use; None where there is no budget.

        Raises ModelBudgetUsed where they would be too many, and StoreUnavailable where nobody knows
        what was used: a budget that cannot be counted allows nothing.
        """
        if not self._allowed:
            return None

        day = new_york_today(self._clock)
        # Apart, because a statement that waits for a lock is not given up at once.
        taking = run_apart(self._tasks, self._take(tenant_id, day, tokens), name="model budget")
        try:
            await asyncio.wait([taking.outcome], timeout=WAIT_S)
            if not taking.outcome.done():
                raise StoreUnavailable

            used = taking.outcome.result()
        finally:
            taking.cancel()  # without effect once it is done; what was begun is rolled back

        counted = DayUsage(tokens=used + tokens, budget=self._allowed)
        return Reservation(tenant_id=tenant_id, day=day, tokens=tokens, counted=counted)

    async def settle(self, reservation: Reservation, tokens: int) -> DayUsage:
        """Counts what a call did use instead of what was reserved for it; call it once."""
        async with self._database.write() as connection:
            await self._add(
                connection, reservation.tenant_id, reservation.day, tokens - reservation.tokens
            )
            used = await self._used(connection, reservation.tenant_id, reservation.day)

        return DayUsage(tokens=used or 0, budget=self._allowed)

    async def _take(self, tenant_id: str, day: date, tokens: int) -> int:
        """Adds the tokens in one transaction, if they fit; returns what was used before."""
        async with self._database.write(alone=f"model usage {tenant_id}") as connection:
            found = await self._used(connection, tenant_id, day)
            used = found or 0
            if used + tokens > self._allowed:
                raise ModelBudgetUsed(
                    used=used,
                    allowed=self._allowed,
                    needed=tokens,
                    renewed_at=_midnight_after(day),
                )

            if found is None:
                await self._begin_day(connection, tenant_id, day, tokens)
            else:
                await self._add(connection, tenant_id, day, tokens)

        return used

    @staticmethod
    async def _used(connection: AsyncConnection, tenant_id: str, day: date) -> int | None:
        query = select(usage.c.tokens).where(usage.c.tenant_id == tenant_id, usage.c.day == day)
        found = await connection.scalar(query)
        return None if found is None else int(found)

    @staticmethod
    async def _add(connection: AsyncConnection, tenant_id: str, day: date, tokens: int) -> None:
        await connection.execute(
            update(usage)
            .where(usage.c.tenant_id == tenant_id, usage.c.day == day)
            .values(tokens=usage.c.tokens + tokens)
        )

    @staticmethod
    async def _begin_day(
        connection: AsyncConnection, tenant_id: str, day: date, tokens: int
    ) -> None:
        """Writes the day's first row, and deletes everybody's rows that are too old."""
        await connection.execute(delete(usage).where(usage.c.day < day - KEPT))
        await connection.execute(insert(usage).values(tenant_id=tenant_id, day=day, tokens=tokens))


def _midnight_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), NEW_YORK)
