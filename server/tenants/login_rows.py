"""Reads and writes stored logins: those that count, and the last outcomes of each tenant."""

from __future__ import annotations

__all__ = ["LOGINS", "RUNNING", "LoginRows", "Outcome"]

import hmac
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Delete, Row, and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.tenants.login_rules import WINDOW, Attempt, Standing
from server.tenants.schema import attempts, standings

LOGINS = "logins"
"""Name of the lock for transactions that write logins: one at a time in all processes."""

RUNNING = timedelta(seconds=60)
"""How long a login may take. An older one without an outcome counts as refused, because its process
may have ended before it could store one."""


class Outcome(StrEnum):
    """Outcome of a stored login; successful ones are not stored."""

    ASKING = "asking"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """It may have been refused."""


class LoginRows:
    """Reads and writes rows of one environment within the caller's transaction."""

    def __init__(self, clock: Clock, environment: str, key: bytes) -> None:
        self._clock = clock
        self._environment = environment
        self._key = hmac.digest(key, b"tasty caller address", "sha256")

    def digest(self, address: str) -> bytes:
        """Returns a digest of an address, because it is personal data; empty without an address."""
        return hmac.digest(self._key, address.encode(), "sha256") if address else b""

    async def attempts(self, connection: AsyncConnection) -> list[Attempt]:
        """Returns the logins that count, or will if they are refused."""
        now = self._clock.now()
        found = await connection.execute(
            select(attempts).where(
                attempts.c.environment == self._environment, attempts.c.begun_at > now - WINDOW
            )
        )
        return [
            Attempt(
                tenant_id=row.tenant_id,
                address=row.address,
                begun_at=row.begun_at,
                standing=Standing(row.standing),
                running=row.outcome == Outcome.ASKING and row.begun_at > now - RUNNING,
            )
            for row in found
        ]

    async def add(self, connection: AsyncConnection, attempt: Attempt, attempt_id: str) -> None:
        """Stores a login, and deletes those that no longer count."""
        await connection.execute(
            delete(attempts).where(attempts.c.begun_at < attempt.begun_at - WINDOW)
        )
        await connection.execute(
            insert(attempts).values(
                id=attempt_id,
                environment=self._environment,
                tenant_id=attempt.tenant_id,
                address=attempt.address,
                begun_at=attempt.begun_at,
                standing=attempt.standing.value,
                outcome=Outcome.ASKING if attempt.running else Outcome.REFUSED,
            )
        )

    async def end(self, connection: AsyncConnection, attempt_id: str, outcome: Outcome) -> None:
        """Stores the outcome of a login that continues to count."""
        await connection.execute(
            update(attempts).where(attempts.c.id == attempt_id).values(outcome=outcome)
        )

    async def remove(self, connection: AsyncConnection, attempt_id: str) -> None:
        """Deletes a login that does not count."""
        await connection.execute(delete(attempts).where(attempts.c.id == attempt_id))

    async def standing(self, connection: AsyncConnection, tenant_id: str) -> Row[Any] | None:
        """Returns which credentials of a tenant worked last, and which were refused last."""
        found = await connection.execute(select(standings).where(self._of(tenant_id)))
        return found.one_or_none()

    async def note(self, connection: AsyncConnection, tenant_id: str, **values: Any) -> None:
        """Updates or inserts the tenant's row; needs the lock `LOGINS`."""
        changed = await connection.execute(
            update(standings).where(self._of(tenant_id)).values(**values)
        )
        if changed.rowcount == 0:
            row = {"refused_words": "", **values}
            await connection.execute(
                insert(standings).values(environment=self._environment, tenant_id=tenant_id, **row)
            )

    def forgetting(self, tenant_id: str) -> Delete:
        """Returns the statement that deletes a tenant's outcomes; its logins still count."""
        return delete(standings).where(self._of(tenant_id))

    def _of(self, tenant_id: str) -> ColumnElement[bool]:
        return and_(
            standings.c.environment == self._environment, standings.c.tenant_id == tenant_id
        )
