"""Keeps the budget of refused logins in the store, for all processes that share it.

A login with credentials that have never worked reserves its place before it is sent, so that
parallel first calls cannot all pass; the place is returned when the broker accepts them. Refused
credentials are stored too, so that neither a restart nor another process tries them again.
"""

from __future__ import annotations

__all__ = ["Login", "LoginBudget", "LoginStatistics"]

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from weakref import WeakValueDictionary

from sqlalchemy import Delete
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.errors import GrantRevoked, LoginsHeldBack, StoreUnavailable
from server.store import Database
from server.tenants.login_rows import LOGINS, LoginRows, Outcome
from server.tenants.login_rules import PER_HOUR, Attempt, Held, Standing, held_back
from server.tenants.model import Tenant

logger = logging.getLogger(__name__)

POLL = timedelta(milliseconds=250)
"""Interval at which a waiting login checks whether pending ones have ended."""

PATIENCE = timedelta(seconds=10)
"""How long a login waits for pending ones."""

REMEMBERED = 10_000
"""Maximum number of tenants whose working credentials are remembered in memory."""

Record = Callable[[AsyncConnection], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginStatistics:
    """Counts of logins in this process, and the budget when it was last read."""

    refused: int
    """Logins that the broker refused for good."""
    held_back: int
    """Logins that were not sent."""
    counted: int
    """Refused logins of all processes that counted when this process looked last."""
    total: int
    """The budget: how many refused logins may count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Permission to send a login now; its holder must report the outcome."""

    tenant: Tenant
    generation: int
    standing: Standing
    id: str = ""
    """Of the reserved place; empty where none was needed."""
    line: asyncio.Semaphore | None = field(default=None, repr=False, compare=False)
    """Where others of this caller wait until it has ended."""


class LoginBudget:
    """Decides which logins may be sent, and stores their outcomes."""

    def __init__(
        self, *, database: Database, clock: Clock, environment: str, key: bytes, total: int
    ) -> None:
        self._database = database
        self._clock = clock
        self._rows = LoginRows(clock, environment, key)
        self._total = total
        self._lines: WeakValueDictionary[tuple[str, bytes], asyncio.Semaphore]
        self._lines = WeakValueDictionary()
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
        """Returns the place, and stores that the credentials work."""
        if len(self._worked) >= REMEMBERED:
            del self._worked[next(iter(self._worked))]

        self._worked[login.tenant.id] = login.generation
        if login.standing is Standing.WORKED:
            return

        async def record(connection: AsyncConnection) -> None:
            await self._rows.remove(connection, login.id)
            await self._rows.note(connection, login.tenant.id, worked_generation=login.generation)

        await self._record(record, login)

    async def refused(self, login: Login, words: str) -> None:
        """Keeps the place, and stores that these credentials must not be tried again."""
        await self.revoked(login.tenant, login.generation, words, login)

    async def unsent(self, login: Login) -> None:
        """Returns the place, because the broker has not judged these credentials."""
        if login.id:
            await self._record(lambda connection: self._rows.remove(connection, login.id), login)

    async def unknown(self, login: Login) -> None:
        """Keeps the place of credentials that never worked, which may have been refused."""
        if login.standing is not Standing.NEW:
            await self.unsent(login)
        else:
            await self._record(
                lambda connection: self._rows.end(connection, login.id, Outcome.UNKNOWN), login
            )

    async def revoked(
        self, tenant: Tenant, generation: int, words: str, login: Login | None = None
    ) -> None:
        """Counts and stores a refusal, once for each generation."""
        self._refused += 1
        self._worked.pop(tenant.id, None)

        async def record(connection: AsyncConnection) -> None:
            row = await self._rows.standing(connection, tenant.id)
            if login is not None and login.id:
                await self._rows.end(connection, login.id, Outcome.REFUSED)
            elif row is None or row.refused_generation != generation:
                attempt = self._attempt(tenant, Standing.WORKED, running=False)
                await self._rows.add(connection, attempt, secrets.token_hex(16))

            await self._rows.note(
                connection, tenant.id, refused_generation=generation, refused_words=words
            )

        await self._record(record, login)
        logger.warning(
            "tenant %s: the broker refused its credentials (generation %d); about %d of %d refused "
            "logins in 8 hours",
            tenant.id,
            generation,
            self._counted + 1,
            self._total,
        )

    def forget(self, tenant_id: str) -> Delete:
        """Returns the statement that deletes a tenant's outcomes; its refusals still count."""
        self._worked.pop(tenant_id, None)
        return self._rows.forgetting(tenant_id)

    def statistics(self) -> LoginStatistics:
        return LoginStatistics(
            refused=self._refused,
            held_back=self._held_back,
            counted=self._counted,
            total=self._total,
        )

    async def _standing(self, tenant: Tenant, generation: int) -> Standing:
        async with self._database.read() as connection:
            row = await self._rows.standing(connection, tenant.id)

        if row is None or row.refused_generation != generation:
            if row is None or row.worked_generation is None:
                return Standing.NEW

            return Standing.WORKED if row.worked_generation == generation else Standing.REPLACED

        raise GrantRevoked(row.refused_words)

    async def _reserved(self, tenant: Tenant, generation: int, standing: Standing) -> Login:
        """Reserves a place, after earlier logins of the same caller are decided."""
        address = self._rows.digest(tenant.address)
        key = (tenant.id, b"") if standing is Standing.REPLACED else ("", address)
        # As many as may be refused, so that in this process none has to look again and again.
        line = self._lines.setdefault(key, asyncio.Semaphore(PER_HOUR))
        login = Login(
            tenant=tenant,
            generation=generation,
            standing=standing,
            id=secrets.token_hex(16),
            line=line,
        )
        await line.acquire()
        try:
            await self._take_place(login)
        except BaseException:
            line.release()
            raise

        return login

    async def _take_place(self, login: Login) -> None:
        """Returns once the login has its place; waits for other processes' logins that run now."""
        give_up_at = self._clock.monotonic() + PATIENCE.total_seconds()
        while (held := await self._reserve(login)) is not None:
            if not held.running:
                raise self._refusal(login.tenant, held)

            if self._clock.monotonic() >= give_up_at:
                soon = replace(held, until=self._clock.now() + PATIENCE)
                raise self._refusal(login.tenant, soon)

            await self._clock.sleep(POLL)

    async def _reserve(self, login: Login) -> Held | None:
        wanted = self._attempt(login.tenant, login.standing, running=True)
        async with self._database.read() as connection:  # most that have to wait need no more
            held = await self._held(connection, wanted)

        if held is not None:
            return held

        async with self._database.write(alone=LOGINS) as connection:
            held = await self._held(connection, wanted)
            if held is None:
                await self._rows.add(connection, wanted, login.id)

        return held

    async def _held(self, connection: AsyncConnection, wanted: Attempt) -> Held | None:
        found = await self._rows.attempts(connection)
        self._counted = sum(not each.running for each in found)
        return held_back(found, wanted, total=self._total, now=wanted.begun_at)

    def _attempt(self, tenant: Tenant, standing: Standing, *, running: bool) -> Attempt:
        return Attempt(
            tenant_id=tenant.id,
            address=self._rows.digest(tenant.address),
            begun_at=self._clock.now(),
            standing=standing,
            running=running,
        )

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

    async def _record(self, record: Record, login: Login | None) -> None:
        """Writes an outcome, and lets the next login of this caller go.

        The login is over, so a store that fails now changes nothing for it. What was reserved stays
        reserved then, and counts as refused.
        """
        try:
            async with self._database.write(alone=LOGINS) as connection:
                await record(connection)
        except StoreUnavailable:
            logger.warning("the outcome of a login could not be stored")
        finally:
            if login is not None and login.line is not None:
                login.line.release()
