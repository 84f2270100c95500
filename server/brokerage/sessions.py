"""Opens, shares, keeps fresh, evicts and ends the tenants' sessions at the broker.

A session belongs to a tenant and a generation of its credentials. A refusal of the refresh token
is remembered for that generation: trying again would be one more failed login, and enough of them
block our address, that is every tenant, for eight hours. For the same reason a login with
credentials that never worked needs a place in the budget of refused logins (`server.tenants`).
"""

from __future__ import annotations

__all__ = ["Brokerage", "BrokerageStatistics", "CredentialSource"]

import asyncio
import importlib
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from types import ModuleType, TracebackType
from typing import Any, Protocol, Self

import structlog

from server.brokerage.instruments.chain_memory import ChainRoom, ChainRoomStatistics
from server.brokerage.session import BrokerSession
from server.brokerage.transport.failures import answered, never_sent
from server.brokerage.transport.hosts import hosts_for
from server.brokerage.transport.pacing import Customers, Pacer
from server.brokerage.transport.single_flight import SingleFlight
from server.brokerage.transport.turns import Turns, TurnsStatistics
from server.brokerage.transport.urgency import Lane, urgent
from server.clock import Clock
from server.errors import (
    BrokerPaceUsedUp,
    BrokerThrottled,
    CustomerPaceUsedUp,
    GatewayError,
    GrantRevoked,
    ShuttingDown,
)
from server.settings import Settings
from server.tenants import Credentials, Login, Tenant

log = structlog.get_logger(__name__)

CONNECTION_MODULE = "server.brokerage.transport.connection"
RENEWED_AT_ONCE = 8
"""How many sessions are renewed side by side, so that a slow login does not hold up the rest."""


JUDGED = frozenset({400, 401, 403})
"""Statuses of a login with which the broker may have judged it, whatever reason it gives."""


class Logins(Protocol):
    """Who permits logins, and is told how they ended; see `server.tenants.logins`."""

    async def begin(self, tenant: Tenant, generation: int) -> Login: ...
    async def worked(self, login: Login) -> None: ...
    async def refused(self, login: Login, words: str) -> None: ...
    async def unsent(self, login: Login) -> None: ...
    async def unknown(self, login: Login) -> None: ...
    async def revoked(self, tenant: Tenant, generation: int, words: str) -> None: ...


class CredentialSource(Protocol):
    """Where the credentials of a tenant come from, and whether they may be tried."""

    @property
    def logins(self) -> Logins: ...

    async def credentials(self, tenant: Tenant) -> Credentials: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerageStatistics:
    """What the sessions are and were."""

    open: int
    revoked: int
    """Tenants whose refresh token the broker has refused for good."""
    opened: int
    ended: int
    evicted: int
    renewals: int
    """Access tokens asked for, over the sessions that are open."""
    failed_renewals: int
    requests: int
    """Requests sent, over the sessions that are open."""
    unreadable: int
    """Values of the broker that could not be read, over the sessions that are open."""
    turns: TurnsStatistics
    """Who waits for the broker's pace."""
    chains: ChainRoomStatistics
    """Option chains that are kept, of all tenants."""


@dataclass(slots=True)
class _Slot:
    """One tenant's place: the session, or why there cannot be one."""

    generation: int
    session: SingleFlight[BrokerSession]
    revoked: GrantRevoked | None = None
    pacer: Pacer | None = None
    """While the session is being opened: what its login waits for."""
    opening: asyncio.Future[BrokerSession] | None = None
    """The login that runs; it goes on when its caller leaves, so that its outcome is known."""


class Brokerage:
    """The doorway to the broker: `session(tenant)` is a live session of that tenant.

    An async context manager. Leaving it ends every session; calls on their way come to their end.
    """

    def __init__(self, settings: Settings, tenants: CredentialSource, clock: Clock) -> None:
        self._settings = settings
        self._tenants = tenants
        self._clock = clock
        self._hosts = hosts_for(settings)
        self._longest = timedelta(seconds=settings.broker_timeout_s)
        pacing = settings.broker_pacing
        self._paced = pacing == "on" or (pacing == "auto" and settings.broker != "simulator")
        self._turns = Turns(clock, self._longest)
        self._customers = Customers(clock)
        self._chains = ChainRoom(settings.chains_mib << 20)
        self._slots: dict[str, _Slot] = {}
        self._logging_in: set[asyncio.Task[None]] = set()
        self._module: SingleFlight[ModuleType] = SingleFlight()
        self._pool: Any = None
        self._stack = AsyncExitStack()
        self._tasks: asyncio.TaskGroup
        self._closed = False
        self._opened = 0
        self._ended = 0
        self._evicted = 0
        self._failed_renewals = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._tasks = await stack.enter_async_context(asyncio.TaskGroup())
            keeper = self._tasks.create_task(self._keep(), name="brokerage keeper")
            stack.callback(keeper.cancel)
            turns = self._tasks.create_task(self._turns.run(), name="broker turns")
            stack.callback(turns.cancel)
            stack.push_async_callback(self._end_all)
            self._stack = stack.pop_all()

        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True
        await self._stack.aclose()

    async def session(self, tenant: Tenant) -> BrokerSession:
        """Returns the tenant's session, opened if there is none; callers at once share the opening.

        Raises GrantRevoked, without asking the broker again, until the credentials change.
        """
        if self._closed:
            raise ShuttingDown

        slot = self._slots.get(tenant.id)
        if slot is None or slot.generation < tenant.generation:
            await self.end(tenant.id)
            # Somebody else may have been here during the end of the old one.
            slot = self._slots.setdefault(
                tenant.id, _Slot(generation=tenant.generation, session=SingleFlight())
            )

        if slot.revoked is not None:
            raise slot.revoked.with_traceback(None)

        if slot.pacer is not None:
            slot.pacer.hurry()

        session = await slot.session.get(lambda: self._opened_once(tenant, slot))
        if self._slots.get(tenant.id) is not slot:
            # The credentials changed while it was opening: nobody may go on with the old ones.
            session.end()
            return await self.session(tenant)

        session.touch()
        return session

    async def end(self, tenant_id: str) -> None:
        """Ends the tenant's session, as after new credentials; the next call opens another."""
        slot = self._slots.pop(tenant_id, None)
        if slot is not None and slot.session.value is not None:
            self._ended += 1
            slot.session.value.end()

    def warm_up(self) -> None:
        """Begins to import the SDK, so that the first request need not wait for it."""
        self._tasks.create_task(self._load(), name="brokerage warm-up")

    def statistics(self) -> BrokerageStatistics:
        sessions = [slot.session.value for slot in self._slots.values() if slot.session.value]
        return BrokerageStatistics(
            open=len(sessions),
            revoked=sum(slot.revoked is not None for slot in self._slots.values()),
            opened=self._opened,
            ended=self._ended,
            evicted=self._evicted,
            renewals=sum(session.connection.renewals for session in sessions),
            failed_renewals=self._failed_renewals,
            requests=sum(session.connection.transport.requests for session in sessions),
            unreadable=sum(session.faults.total for session in sessions),
            turns=self._turns.statistics(),
            chains=self._chains.statistics(),
        )

    async def _load(self) -> ModuleType:
        # In a thread: it takes 0.3 s, in which calls that need no broker are served.
        return await self._module.get(
            lambda: asyncio.to_thread(
                importlib.import_module, "server.brokerage.transport.connection"
            )
        )

    async def _opened_once(self, tenant: Tenant, slot: _Slot) -> BrokerSession:
        """Returns the session that is being opened for the slot, by us if by nobody yet."""
        if slot.opening is None:
            outcome = slot.opening = asyncio.get_running_loop().create_future()

            async def run() -> None:
                try:
                    # Kept even if every caller has left: the next one need not log in again.
                    slot.session.value = await self._open(tenant, slot)
                    outcome.set_result(slot.session.value)
                except Exception as error:  # noqa: BLE001  it is the callers', not the group's
                    outcome.set_exception(error)
                    outcome.exception()  # all callers may have left
                finally:
                    slot.opening = None
                    outcome.cancel()  # of effect only where the group itself is being cancelled

            task = self._tasks.create_task(run(), name=f"brokerage: login of {tenant.id}")
            self._logging_in.add(task)
            task.add_done_callback(self._logging_in.discard)

        return await asyncio.shield(slot.opening)

    async def _open(self, tenant: Tenant, slot: _Slot) -> BrokerSession:
        module = await self._load()
        if self._pool is None:
            self._pool = module.ConnectionPool()

        credentials = await self._tenants.credentials(tenant)
        # They may be newer than the call that asks: a refusal of them must hold for their own.
        slot.generation = max(slot.generation, credentials.generation)
        slot.pacer = Pacer(self._clock, self._turns, self._customers, credentials, on=self._paced)
        connection = module.Connection(
            credentials,
            pool=self._pool,
            hosts=self._hosts,
            pacer=slot.pacer,
            longest=self._longest,
            clock=self._clock,
        )
        try:
            await self._log_in(tenant, credentials.generation, connection)
        except GrantRevoked as refusal:
            slot.revoked = refusal
            raise
        finally:
            slot.pacer = None

        self._opened += 1
        return BrokerSession(tenant, connection, self._clock, self._chains)

    async def _log_in(self, tenant: Tenant, generation: int, connection: Any) -> None:
        """Gets the first access token, if the budget of refused logins allows it."""
        logins = self._tenants.logins
        login = await logins.begin(tenant, generation)
        try:
            await connection.keep_fresh(timedelta())
        except GrantRevoked as refusal:
            await logins.refused(login, refusal.words)
            raise
        except (BrokerThrottled, BrokerPaceUsedUp, CustomerPaceUsedUp):
            await logins.unsent(login)
            raise
        except GatewayError as failure:
            await (logins.unknown(login) if _may_count(failure) else logins.unsent(login))
            raise

        await logins.worked(login)

        def tell(refusal: GrantRevoked) -> None:
            self._tasks.create_task(
                logins.revoked(tenant, generation, refusal.words),
                name=f"brokerage: refusal of {tenant.id}",
            )

        connection.transport.on_revoked = tell

    async def _keep(self) -> None:
        pause = timedelta(seconds=self._settings.session_refresh_s)
        with urgent(Lane.BACKGROUND):
            while True:
                await self._clock.sleep(pause)
                await self._round(pause)

    async def _round(self, pause: timedelta) -> None:
        idle = timedelta(seconds=self._settings.session_idle_s)
        side_by_side = asyncio.Semaphore(RENEWED_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for tenant_id, slot in list(self._slots.items()):
                session = slot.session.value
                if session is None:
                    continue

                if session.connection.revoked is not None:
                    # The session goes, the refusal stays.
                    slot.revoked = session.connection.revoked
                    slot.session = SingleFlight()
                    session.end()
                elif session.idle() > idle:
                    self._evicted += 1
                    await self.end(tenant_id)
                else:
                    group.create_task(self._renew(session, 2 * pause, side_by_side))

    async def _renew(
        self, session: BrokerSession, ahead: timedelta, side_by_side: asyncio.Semaphore
    ) -> None:
        async with side_by_side:
            try:
                await session.connection.keep_fresh(ahead)
            except GatewayError as failure:
                # Not fatal: the token has minutes left, and the next round or request tries again.
                self._failed_renewals += 1
                log.warning(
                    "access token not renewed", tenant=session.tenant.id, reason=failure.reason
                )
            except Exception:
                self._failed_renewals += 1
                log.exception("access token not renewed", tenant=session.tenant.id)

    async def _end_all(self) -> None:
        for task in self._logging_in:  # whoever waited for one has been told already
            task.cancel()

        for tenant_id in list(self._slots):
            await self.end(tenant_id)

        if self._pool is not None:
            await self._pool.aclose()


def _may_count(failure: GatewayError) -> bool:
    """Tells whether the broker may count a login that failed like this as a refused one."""
    answer = answered(failure)
    if answer is None:
        return not never_sent(failure)

    return answer.status in JUDGED
