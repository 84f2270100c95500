"""Authenticates tenants, and saves, lists and deletes their credentials.

The journal is authoritative (see `server.tenants.journal`). The rows of the table only hold the
sealed credentials, and a row that does not agree with the journal is refused.
"""

from __future__ import annotations

__all__ = ["Tenants", "TenantsStatistics"]

import asyncio
import hmac
import logging
import secrets
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import Delete, Row, delete, insert, or_, select

from server.clock import Clock
from server.errors import (
    AdminKeyRequired,
    ApiKeyNotFound,
    ApiKeyTaken,
    CredentialsUnreadable,
    InvalidApiKey,
    RegistrationClosed,
)
from server.registration import anybody_may_register
from server.secret import Secret
from server.settings import Settings
from server.store import Database
from server.store.identity import bind_pepper, pepper_check
from server.store.keyfolder import PEPPER_FILE
from server.tenants import rows
from server.tenants.apikeys import KeyHasher, check_api_key, check_credentials, masked
from server.tenants.demo import DEMO_API_KEY, DEMO_CREDENTIALS
from server.tenants.directory import Directory, OnChange
from server.tenants.journal import Action, Journal
from server.tenants.keyfile import KeysUnusable
from server.tenants.keyring import Keyring
from server.tenants.known import Known
from server.tenants.login_rules import Standing
from server.tenants.logins import Login, LoginBudget
from server.tenants.model import ApiKeyEntry, ApiKeyPage, Credentials, Tenant
from server.tenants.pepper import Pepper
from server.tenants.schema import changes, tenants
from server.tenants.vault import Unopenable, Vault

logger = logging.getLogger(__name__)

T = TypeVar("T")

PAGE = 100
"""Keys on a page of a listing, unless the caller says how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantsStatistics:
    tenants: int
    accepted: int
    """Times that an API key was known."""
    refused: int
    saved: int
    deleted: int
    unreadable: int
    """Times that stored credentials did not open, or did not agree with the journal."""
    changes: int
    """Number of the newest entry of the journal that was taken over."""
    checkpoint: int
    """Number of the entry that the journal begins at, as far as is known here; 0: the first."""


class Tenants:
    """Stores tenants; an async context manager that opens the database unless it is given one.

    A save or delete that has begun is finished, and told, even if its caller is cancelled. Several
    processes may share the database: a new key is known to the others at once, a changed or
    deleted one within a second (`directory.REFRESH`).
    """

    def __init__(self, settings: Settings, clock: Clock, database: Database | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._owns_database = database is None
        self._database = database or Database(settings)
        self._real = settings.broker != "simulator"
        self._has_admin = bool(settings.admin_key.get_secret_value())
        self._accepted = self._refused = self._saved = self._deleted = self._unreadable = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            if self._owns_database:
                await stack.enter_async_context(self._database)

            pepper = await self._keys()
            self._tasks = await _entered(stack)
            self._hasher = KeyHasher(pepper.digest_key, self._settings.broker)
            self._directory = Directory(
                environment=self._settings.broker,
                journal=Journal(pepper.journal_key),
                database=self._database,
                clock=self._clock,
                tasks=self._tasks,
            )
            self.logins = LoginBudget(
                database=self._database,
                clock=self._clock,
                environment=self._settings.broker,
                key=pepper.digest_key,
                total=self._settings.login_refusals,
            )
            await self._directory.catch_up()
            self._directory.compact()
            stack.callback(self._directory.compaction.stop)
            if self._settings.broker == "simulator":
                await self._make_demo()

            watch = self._tasks.create_task(self._directory.watch(), name="tenants: watch")
            stack.callback(watch.cancel)
            self._stack = stack.pop_all()

        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, traceback)

    def on_change(self, told: OnChange) -> None:
        """Adds a listener, awaited with the tenant's id after each save and delete.

        For changes of this process that is before `save` and `delete` return; those of other
        processes are told when they are noticed. It must be safe to be told twice.
        """
        self._directory.on_change(told)

    async def authenticate(self, api_key: Secret, *, unconfirmed: bool = False) -> Tenant:
        """Returns the tenant of an API key, or raises `InvalidApiKey`.

        An `unconfirmed` key that this process knows is taken even if the store cannot be asked
        whether it still holds: a cancel must get out. What is known to be deleted is refused.
        """
        digest = self._hasher.digest(api_key)
        known = await self._directory.find(digest, unconfirmed=unconfirmed)
        if known is None:
            self._refused += 1
            raise InvalidApiKey

        self._accepted += 1
        return known.tenant

    def known(self, beginning: str) -> Tenant | None:
        """Returns the tenant whose id begins with a text; for the operator, who has no key.

        None where there is no such tenant, or more than one.
        """
        ids = [known.tenant for known in self._directory.roster.all()]
        found = [tenant for tenant in ids if tenant.id.startswith(beginning)]
        return found[0] if beginning and len(found) == 1 else None

    async def credentials(self, tenant: Tenant) -> Credentials:
        """Returns the newest credentials of a tenant; see their `generation`.

        Raises `InvalidApiKey` if the tenant was deleted, `CredentialsUnreadable` if what is stored
        does not open or is not what was saved last.
        """
        while True:
            async with self._database.read() as connection:
                seen = await self._directory.follow(connection)
                found = await connection.execute(select(tenants).where(tenants.c.id == tenant.id))
                row = found.one_or_none()

            known = self._directory.roster.get(tenant.id)
            if known is None:
                raise InvalidApiKey

            if row is not None and _agree(row, known):
                return self._opened(row)

            if known.sequence <= seen:  # else it was saved again since we looked: look again
                self._unreadable += 1
                logger.critical("tenant %s: its row is not the one saved last", tenant.id)
                raise CredentialsUnreadable

    async def save(
        self, api_key: Secret, credentials: Credentials, *, admin: bool = False
    ) -> Tenant:
        """Registers an API key or replaces its credentials, then notifies listeners.

        Who names a key holds it, so replacing needs nothing more. A new one needs `admin`, unless
        anybody may register (`server.registration`).
        """
        check_api_key(api_key, real=self._real)
        check_credentials(credentials, real=self._real)
        return await self._finish(self._save(api_key, credentials, admin=admin))

    async def list(
        self, caller: Tenant | None, *, admin: bool = False, size: int = PAGE, after: int = 0
    ) -> ApiKeyPage:
        """Returns a page of the keys that `caller` may see.

        Those are all for the administrator, and beside the simulator where there is none; else the
        caller's own. Only what is on the page is read and opened.
        """
        sees_all = admin or not (self._real or self._has_admin)
        own = "" if caller is None else caller.id
        async with self._database.read() as connection:
            seen = await self._directory.follow(connection)
            roster = self._directory.roster
            if sees_all:
                page, more = roster.page(size, after)
                total = len(roster)
            else:
                mine = roster.get(own)
                page, more = [] if mine is None or mine.first <= after else [mine], False
                total = int(mine is not None)

            ids = [known.tenant.id for known in page]
            query = select(tenants).where(tenants.c.id.in_(ids))
            found = {row.id: row for row in await connection.execute(query)}

        entries = tuple(
            self._entry(
                known, found.get(known.tenant.id), seen, own=admin or known.tenant.id == own
            )
            for known in page
        )
        return ApiKeyPage(entries=entries, total=total, after=page[-1].first if more else None)

    async def delete(self, api_key: Secret, caller: Tenant | None, *, admin: bool = False) -> None:
        """Deletes an API key and its credentials, then notifies listeners.

        Anyone but the administrator may delete only the key they call with; about all others they
        get one answer, whether those exist or not.
        """
        await self._finish(self._delete(api_key, caller, admin=admin))

    def statistics(self) -> TenantsStatistics:
        return TenantsStatistics(
            tenants=len(self._directory.roster),
            accepted=self._accepted,
            refused=self._refused,
            saved=self._saved,
            deleted=self._deleted,
            unreadable=self._unreadable,
            changes=self._directory.roster.head.sequence,
            checkpoint=self._directory.compaction.statistics().checkpoint,
        )

    async def _keys(self) -> Pepper:
        """Loads the keys; new ones are made only for a database that was never used with any."""
        async with self._database.read() as connection:
            bound = await pepper_check(connection)

        if bound is not None:
            return await asyncio.to_thread(self._load, bound, make=False)

        # Alone, so that of two processes that start at once one finds the other's keys.
        async with self._database.write(alone="keys") as connection:
            bound = await pepper_check(connection)
            fresh = await connection.scalar(select(changes.c.sequence).limit(1)) is None
            pepper = await asyncio.to_thread(self._load, bound, make=fresh and bound is None)
            await bind_pepper(connection, pepper.check)

        return pepper

    def _load(self, bound: bytes | None, *, make: bool) -> Pepper:
        keyring = Keyring.load(self._settings, make=make)
        pepper = Pepper.load(self._settings, make=make)
        if bound is not None and not hmac.compare_digest(bound, pepper.check):
            raise KeysUnusable(
                f"TASTY_PEPPER (or {PEPPER_FILE}) is not the one that this database began with; "
                "restore that one, or the database that belongs to this one"
            )

        self._keyring, self._vault = keyring, Vault(keyring)
        return pepper

    async def _finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Waits for `work`, which continues in its own task if the caller is cancelled.

        Stopped between its commit and its telling, a change would leave old sessions trading.
        """
        outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        async def run() -> None:
            try:
                result = await work
            except Exception as error:  # noqa: BLE001  it is the waiting caller's, not the group's
                if not outcome.done():
                    outcome.set_exception(error)
            else:
                if not outcome.done():
                    outcome.set_result(result)
            finally:
                outcome.cancel()  # of effect only where the group itself is being cancelled

        self._tasks.create_task(run(), name="tenants: change")
        return await outcome

    async def _save(
        self, api_key: Secret, credentials: Credentials, *, admin: bool, replace: bool = True
    ) -> Tenant:
        digest = self._hasher.digest(api_key)
        async with self._directory.changing() as changing:
            known = self._directory.roster.find(digest)
            if known is not None and not replace:
                return known.tenant

            if known is None and not admin:
                self._refuse_unless_open()

            if known is None:
                tenant = Tenant(id=secrets.token_hex(16), generation=1)
            else:
                tenant = Tenant(id=known.tenant.id, generation=known.tenant.generation + 1)

            # Inside the transaction, so that a rotation cannot retire the key that is used here.
            self._keyring.refresh()
            row = rows.pack(self._vault, tenant, api_key, digest, credentials)
            await changing.connection.execute(_rows_of(tenant, digest))
            await changing.connection.execute(insert(tenants).values(row))
            await changing.record(Action.SAVED, tenant, digest)

        self._saved += 1
        return tenant

    async def _delete(self, api_key: Secret, caller: Tenant | None, *, admin: bool) -> None:
        digest = self._hasher.digest(api_key)
        async with self._directory.changing() as changing:
            if not admin:
                own = self._directory.roster.get(caller.id) if caller is not None else None
                if own is None:
                    raise InvalidApiKey

                if not hmac.compare_digest(own.key_digest, digest):
                    raise ApiKeyTaken

            known = self._directory.roster.find(digest)
            if known is None:
                raise ApiKeyNotFound(masked(api_key))

            gone = Tenant(id=known.tenant.id, generation=known.tenant.generation + 1)
            await changing.connection.execute(_rows_of(gone, digest))
            await changing.connection.execute(self.logins.forget(gone.id))
            await changing.record(Action.DELETED, gone, digest)

        self._deleted += 1

    async def _make_demo(self) -> None:
        """Registers the demo tenant, if there is none.

        Its credentials count as having worked: the simulator knows them, and whoever tries the
        guide's revoked ones first must not be kept from the demo for an hour.
        """
        if self._directory.roster.find(self._hasher.digest(DEMO_API_KEY)) is None:
            demo = await self._save(DEMO_API_KEY, DEMO_CREDENTIALS, admin=True, replace=False)
            login = Login(tenant=demo, generation=demo.generation, standing=Standing.NEW)
            await self.logins.worked(login)

    def _refuse_unless_open(self) -> None:
        if self._has_admin:
            raise AdminKeyRequired("Registering a new API key")

        if not anybody_may_register(self._settings):
            raise RegistrationClosed

    def _opened(self, row: Row[Any]) -> Credentials:
        try:
            return rows.credentials_of(self._vault, row)
        except (Unopenable, KeysUnusable) as why:
            self._unreadable += 1
            logger.critical("tenant %s: its credentials do not open: %s", row.id, why)
            raise CredentialsUnreadable from None

    def _entry(self, known: Known, row: Row[Any] | None, seen: int, *, own: bool) -> ApiKeyEntry:
        shown = None
        if row is not None:
            with suppress(Unopenable, KeysUnusable):
                shown = rows.hint_of(self._vault, row).masked(own=own)

        agrees = row is not None and (_agree(row, known) or known.sequence > seen)
        return ApiKeyEntry(
            shown=shown or "…",
            configured=shown is not None and agrees,
            created_at=known.created_at,
            updated_at=known.updated_at,
        )


async def _entered(stack: AsyncExitStack) -> asyncio.TaskGroup:
    """Returns a task group that finishes its tasks on leaving, also where an error is passing.

    Entered plainly it would cancel them then, a save among them, and hand on the error wrapped.
    """
    tasks = asyncio.TaskGroup()
    await tasks.__aenter__()

    async def finish(*_: object) -> None:
        await tasks.__aexit__(None, None, None)

    stack.push_async_exit(finish)
    return tasks


def _agree(row: Row[Any], known: Known) -> bool:
    """Tells whether a row is the one that the journal saw saved last."""
    return (row.generation, row.key_digest) == (known.tenant.generation, known.key_digest)


def _rows_of(tenant: Tenant, digest: bytes) -> Delete:
    """Returns the removal of a tenant's row, and of one that somebody put there with its digest."""
    return delete(tenants).where(or_(tenants.c.id == tenant.id, tenants.c.key_digest == digest))
