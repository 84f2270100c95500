"""Keeps the budget of refused logins in the store, for all processes that share it.

A login with credentials that never worked reserves its place before it is sent, so that parallel
first calls cannot all pass; the place is given back when the broker accepts them. Which credentials
the broker has refused is kept too: neither a restart nor another process tries those again.
"""

from __future__ import annotations

__all__ = ["Login", "LoginBudget", "LoginStatistics"]

import asyncio
import hmac
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from weakref import WeakValueDictionary

from sqlalchemy import Delete, Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.errors import GrantRevoked, LoginsHeldBack, StoreUnavailable
from server.store import Database
from server.tenants.login_rules import WINDOW, Attempt, Held, Standing, held_back
from server.tenants.model import Tenant
from server.tenants.schema import attempts, standings

logger = logging.getLogger(__name__)

LOGINS = "logins"
"""Name of the transactions that change the budget: one at a time in all processes."""

RUNNING = timedelta(seconds=60)
"""How long a login may take; one without outcome that is older counts as refused, for the process
that began it may have ended before it could say."""

POLL = timedelta(milliseconds=250)
"""How often it is looked whether the logins that run now have ended."""

PATIENCE = timedelta(seconds=10)
"""How long a login waits for others that run now."""

REMEMBERED = 10_000
"""Tenants whose working credentials are known without the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginStatistics:
    """What became of logins in this process, and the budget as it last saw it."""

    refused: int
    """Logins that the broker refused for good."""
    held_back: int
    """Logins that were not sent."""
    counted: int
    """Refused logins of all processes that counted when this process looked last."""
    total: int
    """How many may count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login that may be sent now; whoever was given it says how it ended."""

    tenant: Tenant
    generation: int
    standing: Standing
    id: str = ""
    """Of the reserved place; empty where none was needed."""


class LoginBudget:
    """Says which logins may be sent, and remembers how they ended."""

    def __init__(
        self, *, database: Database, clock: Clock, environment: str, key: bytes, total: int
    ) -> None:
        self._database = database
        self._clock = clock
        self._environment = environment
        self._key = hmac.digest(key, b"tasty caller address", "sha256")
        self._total = total
        self._lines: WeakValueDictionary[tuple[str, bytes], asyncio.Lock] = WeakValueDictionary()
        self._worked: dict[str, int] = {}
        self._refused = self._held_back = self._counted = 0

    async def begin(self, tenant: Tenant, generation: int) -> Login:
        """Returns the permission to log in with the credentials of this generation.

        Raises GrantRevoked where the broker has refused them already, LoginsHeldBack where the
        budget does not allow it, and StoreUnavailable where neither can be told: credentials that
        have worked in this process go without the store, untried ones do not.
        """
        try:
            standing = await self._standing(tenant, generation)
        except StoreUnavailable:
            if self._worked.get(tenant.id) != generation:
                raise

            standing = Standing.WORKED

        if standing is Standing.WORKED:
            return Login(tenant=tenant, generation=generation, standing=standing)

        return await self._reserved(tenant, generation, standing)

    async def worked(self, login: Login) -> None:
        """Gives the place back, and remembers that the credentials work."""
        if len(self._worked) >= REMEMBERED:
            del self._worked[next(iter(self._worked))]

        self._worked[login.tenant.id] = login.generation
        if login.standing is Standing.WORKED:
            return

        async def record(connection: AsyncConnection) -> None:
            await connection.execute(_without(login))
            await self._note(connection, login.tenant.id, worked_generation=login.generation)

        await self._record(record)

    async def refused(self, login: Login, words: str) -> None:
        """Keeps the place, and remembers that these credentials are not to be tried again."""
        await self.revoked(login.tenant, login.generation, words, login)

    async def unsent(self, login: Login) -> None:
        """Gives the place back: the broker has not judged these credentials."""
        if login.id:
            await self._record(lambda connection: connection.execute(_without(login)))

    async def unknown(self, login: Login) -> None:
        """Keeps the place of credentials that never worked: the broker may have refused them."""
        if login.standing is not Standing.NEW:
            await self.unsent(login)
        else:
            ended = update(attempts).where(attempts.c.id == login.id).values(outcome="unknown")
            await self._record(lambda connection: connection.execute(ended))

    async def revoked(
        self, tenant: Tenant, generation: int, words: str, login: Login | None = None
    ) -> None:
        """Counts a refusal, once for each generation, and remembers it."""
        self._refused += 1
        self._worked.pop(tenant.id, None)

        async def record(connection: AsyncConnection) -> None:
            row = await self._row(connection, tenant.id)
            if login is not None and login.id:
                ended = update(attempts).where(attempts.c.id == login.id).values(outcome="refused")
                await connection.execute(ended)
            elif row is None or row.refused_generation != generation:
                await self._insert(connection, tenant, Standing.WORKED, "refused")

            await self._note(
                connection, tenant.id, refused_generation=generation, refused_words=words
            )

        await self._record(record)
        logger.warning(
            "tenant %s: the broker refused its credentials (generation %d); about %d of %d refused "
            "logins in 8 hours",
            tenant.id,
            generation,
            self._counted + 1,
            self._total,
        )

    def forget(self, tenant_id: str) -> Delete:
        """Returns the statement that forgets a tenant that is deleted; what it cost stays."""
        self._worked.pop(tenant_id, None)
        return delete(standings).where(
            standings.c.environment == self._environment, standings.c.tenant_id == tenant_id
        )

    def statistics(self) -> LoginStatistics:
        return LoginStatistics(
            refused=self._refused,
            held_back=self._held_back,
            counted=self._counted,
            total=self._total,
        )

    async def _standing(self, tenant: Tenant, generation: int) -> Standing:
        async with self._database.read() as connection:
            row = await self._row(connection, tenant.id)

        if row is None or row.refused_generation != generation:
            if row is None or row.worked_generation is None:
                return Standing.NEW

            return Standing.WORKED if row.worked_generation == generation else Standing.REPLACED

        raise GrantRevoked(row.refused_words)

    async def _reserved(self, tenant: Tenant, generation: int, standing: Standing) -> Login:
        """Reserves a place, after those of the same caller that are being decided on."""
        address = self._digest(tenant.address) if tenant.address else b""
        key = (tenant.id, b"") if standing is Standing.REPLACED else ("", address)
        line = self._lines.setdefault(key, asyncio.Lock())
        give_up_at = self._clock.monotonic() + PATIENCE.total_seconds()
        async with line:
            while True:
                login = Login(
                    tenant=tenant,
                    generation=generation,
                    standing=standing,
                    id=secrets.token_hex(16),
                )
                held = await self._reserve(login, address)
                if held is None:
                    return login

                if not held.running or self._clock.monotonic() >= give_up_at:
                    raise self._refusal(tenant, held)

                await self._clock.sleep(POLL)

    async def _reserve(self, login: Login, address: bytes) -> Held | None:
        now = self._clock.now()
        wanted = Attempt(
            tenant_id=login.tenant.id,
            address=address,
            begun_at=now,
            standing=login.standing,
            running=True,
        )

        async def held(connection: AsyncConnection) -> Held | None:
            found = await self._counting(connection)
            return held_back(found, wanted, total=self._total, now=now)

        async with self._database.read() as connection:  # most that have to wait need no more
            waits = await held(connection)

        if waits is not None:
            return waits

        async with self._database.write(alone=LOGINS) as connection:
            waits = await held(connection)
            if waits is None:
                old = delete(attempts).where(attempts.c.begun_at < now - WINDOW)
                await connection.execute(old)
                await self._insert(connection, login.tenant, login.standing, "asking", login.id)

        return waits

    def _refusal(self, tenant: Tenant, held: Held) -> LoginsHeldBack:
        self._held_back += 1
        wait = (held.until - self._clock.now()).total_seconds()
        logger.warning(
            "tenant %s: its login was not sent, for too many of its %s were refused; %d of %d "
            "refused logins in 8 hours",
            tenant.id,
            held.whose,
            self._counted,
            self._total,
        )
        return LoginsHeldBack(whose=held.whose, until=held.until, wait_s=wait)

    async def _counting(self, connection: AsyncConnection) -> list[Attempt]:
        now = self._clock.now()
        found = await connection.execute(
            select(attempts).where(
                attempts.c.environment == self._environment, attempts.c.begun_at > now - WINDOW
            )
        )
        counting = [
            Attempt(
                tenant_id=row.tenant_id,
                address=row.address,
                begun_at=row.begun_at,
                standing=Standing(row.standing),
                running=row.outcome == "asking" and row.begun_at > now - RUNNING,
            )
            for row in found
        ]
        self._counted = sum(not each.running for each in counting)
        return counting

    async def _row(self, connection: AsyncConnection, tenant_id: str) -> Row[Any] | None:
        found = await connection.execute(
            select(standings).where(
                standings.c.environment == self._environment, standings.c.tenant_id == tenant_id
            )
        )
        return found.one_or_none()

    async def _insert(
        self,
        connection: AsyncConnection,
        tenant: Tenant,
        standing: Standing,
        outcome: str,
        attempt_id: str = "",
    ) -> None:
        await connection.execute(
            insert(attempts).values(
                id=attempt_id or secrets.token_hex(16),
                environment=self._environment,
                tenant_id=tenant.id,
                address=self._digest(tenant.address) if tenant.address else b"",
                begun_at=self._clock.now(),
                standing=standing.value,
                outcome=outcome,
            )
        )

    async def _note(self, connection: AsyncConnection, tenant_id: str, **values: Any) -> None:
        """Changes the tenant's row, or makes it; nobody else does meanwhile (`LOGINS`)."""
        row = await self._row(connection, tenant_id)
        if row is None:
            first = {"refused_words": "", **values}
            await connection.execute(
                insert(standings).values(
                    environment=self._environment, tenant_id=tenant_id, **first
                )
            )
        else:
            await connection.execute(
                update(standings)
                .where(
                    standings.c.environment == self._environment,
                    standings.c.tenant_id == tenant_id,
                )
                .values(**values)
            )

    async def _record(self, record: Any) -> None:
        """Writes an outcome; the login is over, so a store that fails now changes nothing for it.

        What was reserved stays reserved then, and counts as refused.
        """
        try:
            async with self._database.write(alone=LOGINS) as connection:
                await record(connection)
        except StoreUnavailable:
            logger.warning("the outcome of a login could not be stored")

    def _digest(self, address: str) -> bytes:
        """An address is a person's: what is stored of it says nothing without the pepper."""
        return hmac.digest(self._key, address.encode(), "sha256")


def _without(login: Login) -> Delete:
    return delete(attempts).where(attempts.c.id == login.id)
