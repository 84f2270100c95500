"""The budget of refused logins in the store: over calls, restarts and processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib import import_module

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from server.errors import GrantRevoked, LoginsHeldBack, StoreUnavailable
from server.secret import Secret
from server.settings import Settings
from server.store import Database
from server.tenants import Credentials, Tenant, Tenants
from server.tenants.login_rules import Standing
from server.tenants.logins import LoginBudget
from server.tenants.schema import attempts, checkpoints, standings
from tests.clock import ManualClock
from tests.waiting import eventually

HERE, THERE = "192.0.2.1", "192.0.2.2"


def tenant(name: str, address: str = HERE) -> Tenant:
    return Tenant(id=name, generation=1, address=address)


def budget(database: object, clock: ManualClock) -> LoginBudget:
    return LoginBudget(
        database=database,  # type: ignore[arg-type]  an outage is one, seen from outside
        clock=clock,
        environment="production",
        key=b"k" * 32,
        total=10,
    )


@pytest.fixture
async def database(database_settings: Settings) -> AsyncIterator[Database]:
    async with Database(database_settings) as opened:
        yield opened


async def refuse(logins: LoginBudget, who: Tenant, generation: int = 1) -> None:
    await logins.refused(await logins.begin(who, generation), "Grant revoked")


async def accept(logins: LoginBudget, who: Tenant, generation: int = 1) -> None:
    await logins.worked(await logins.begin(who, generation))


async def test_a_third_set_of_wrong_credentials_is_not_sent(
    database: Database, clock: ManualClock
) -> None:
    logins = budget(database, clock)
    for name in ("one", "two"):
        await refuse(logins, tenant(name))

    with pytest.raises(LoginsHeldBack, match=r"nothing was sent to TastyTrade.*of this address"):
        await logins.begin(tenant("three"), 1)

    await logins.begin(tenant("elsewhere", THERE), 1)
    statistics = logins.statistics()
    assert (statistics.refused, statistics.held_back, statistics.counted) == (2, 1, 2)


async def test_when_to_try_again_is_told_and_true(database: Database, clock: ManualClock) -> None:
    logins = budget(database, clock)
    await refuse(logins, tenant("one"))
    await clock.advance(600)
    await refuse(logins, tenant("two"))
    with pytest.raises(LoginsHeldBack, match="Try again after 2026-11-20T16:30:00Z") as caught:
        await logins.begin(tenant("three"), 1)

    assert caught.value.metadata == {"whose": "address", "retry_after": "3000"}
    await clock.advance(3000)
    await logins.begin(tenant("three"), 1)


async def test_refused_credentials_are_not_tried_again_by_anybody(
    database: Database, clock: ManualClock
) -> None:
    await refuse(budget(database, clock), tenant("one"))
    another = budget(database, clock)  # another process, or this one after a restart
    with pytest.raises(GrantRevoked, match="Error: Grant revoked"):
        await another.begin(tenant("one"), 1)

    await clock.advance(timedelta(days=30).total_seconds())
    with pytest.raises(GrantRevoked):
        await another.begin(tenant("one"), 1)

    await accept(another, tenant("one"), 2)


async def test_two_processes_share_the_budget(database: Database, clock: ManualClock) -> None:
    processes = [budget(database, clock) for _ in range(2)]
    for number, logins in enumerate(processes):
        await refuse(logins, tenant(f"t{number}"))

    for logins in processes:
        with pytest.raises(LoginsHeldBack):
            await logins.begin(tenant("another"), 1)


async def test_parallel_first_calls_do_not_pass_together(
    database: Database, clock: ManualClock
) -> None:
    processes = [budget(database, clock) for _ in range(2)]
    begun = [
        asyncio.create_task(processes[number % 2].begin(tenant(f"t{number}"), 1))
        for number in range(8)
    ]
    await eventually(lambda: sum(task.done() for task in begun) == 2)
    # Two of each process at most look for a place; the others wait for those.
    await eventually(lambda: clock.sleeping == 2)
    ours = [task for task in begun if task.done()]
    waiting = [task for task in begun if not task.done()]
    for task in ours:
        logins = processes[begun.index(task) % 2]
        await logins.refused(task.result(), "Grant revoked")

    for _ in range(4):
        await clock.advance(1)
        await eventually(lambda: clock.sleeping or all(task.done() for task in waiting))

    await eventually(lambda: all(task.done() for task in waiting))
    assert {type(task.exception()) for task in waiting} == {LoginsHeldBack}


async def test_many_new_tenants_of_one_address_log_in_one_after_the_other(
    database: Database, clock: ManualClock
) -> None:
    """A customer with many keys behind one address: nobody is told of refusals that never were."""
    logins = budget(database, clock)
    running = most = 0

    async def log_in(name: str) -> None:
        nonlocal running, most
        login = await logins.begin(tenant(name), 1)
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        await logins.worked(login)

    await asyncio.gather(*(log_in(f"t{number}") for number in range(40)))
    assert most <= 2
    assert clock.sleeping == 0
    assert logins.statistics().held_back == 0


async def test_a_login_that_hangs_holds_the_next_up_for_seconds_and_not_for_hours(
    database: Database, clock: ManualClock
) -> None:
    logins, other = budget(database, clock), budget(database, clock)
    for number in range(2):
        await other.begin(tenant(f"t{number}"), 1)

    third = asyncio.create_task(logins.begin(tenant("three"), 1))
    for _ in range(60):
        await eventually(lambda: clock.sleeping or third.done())
        await clock.advance(0.25)

    await eventually(third.done)
    error = third.exception()
    assert isinstance(error, LoginsHeldBack)
    assert error.metadata["retry_after"] == "10"


async def test_right_credentials_give_their_place_back(
    database: Database, clock: ManualClock
) -> None:
    logins = budget(database, clock)
    for number in range(20):
        await accept(logins, tenant(f"t{number}"))

    async with database.read() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(attempts)) == 0


async def test_what_the_broker_did_not_judge_costs_nothing(
    database: Database, clock: ManualClock
) -> None:
    logins = budget(database, clock)
    for _ in range(5):
        await logins.unsent(await logins.begin(tenant("one"), 1))

    # A lost answer may have been a refusal; but not for one whose grant has worked.
    await accept(logins, tenant("owner", THERE))
    for _ in range(3):
        await logins.unknown(await logins.begin(tenant("owner", THERE), 2))

    for _ in range(2):
        await logins.unknown(await logins.begin(tenant("one"), 1))

    with pytest.raises(LoginsHeldBack):
        await logins.begin(tenant("one"), 1)


async def test_the_owner_replaces_a_revoked_grant_whatever_strangers_have_done(
    database: Database, clock: ManualClock
) -> None:
    logins = budget(database, clock)
    owner = tenant("owner")
    await accept(logins, owner)
    for number in range(20):
        stranger = tenant(f"t{number}", f"198.51.100.{number}")
        if number < 5:
            await refuse(logins, stranger)
        else:
            with pytest.raises(LoginsHeldBack, match="of this server"):
                await logins.begin(stranger, 1)

    assert logins.statistics().counted == 5
    await logins.revoked(owner, 1, "Grant revoked")  # at a renewal
    await refuse(logins, owner, 2)  # copied wrongly
    await accept(logins, owner, 3)


async def test_a_renewal_is_refused_once_and_counted_once(
    database: Database, clock: ManualClock
) -> None:
    logins, other = budget(database, clock), budget(database, clock)
    await accept(logins, tenant("one"))
    for process in (logins, other, logins):
        await process.revoked(tenant("one"), 1, "Grant revoked")

    async with database.read() as connection:
        rows = (await connection.execute(sa.select(attempts.c.standing))).scalars().all()
        assert rows == [Standing.WORKED]

    with pytest.raises(GrantRevoked):
        await other.begin(tenant("one"), 1)


async def test_a_process_that_ended_in_the_middle_has_used_its_place(
    database: Database, clock: ManualClock
) -> None:
    for number in range(2):
        await budget(database, clock).begin(tenant(f"t{number}"), 1)

    await clock.advance(61)
    with pytest.raises(LoginsHeldBack):
        await budget(database, clock).begin(tenant("another"), 1)


class Outage:
    """A store of which reads or writes fail; the outermost edge of what this process can reach."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reads = self.writes = True

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        if not self.reads:
            raise StoreUnavailable

        async with self._database.read() as connection:
            yield connection

    @asynccontextmanager
    async def write(self, *, alone: str | None = None) -> AsyncIterator[AsyncConnection]:
        if not self.writes:
            raise StoreUnavailable

        async with self._database.write(alone=alone) as connection:
            yield connection


async def test_without_the_store_only_credentials_that_worked_log_in(
    database: Database, clock: ManualClock
) -> None:
    store = Outage(database)
    logins = budget(store, clock)
    await accept(logins, tenant("owner"))
    store.writes = False
    with pytest.raises(StoreUnavailable):
        await logins.begin(tenant("new"), 1)

    await accept(logins, tenant("owner"))
    store.reads = False
    await accept(logins, tenant("owner"))
    for who, generation in ((tenant("owner"), 2), (tenant("new"), 1)):
        with pytest.raises(StoreUnavailable):
            await logins.begin(who, generation)


async def test_addresses_are_stored_as_keyed_digests(
    database: Database, clock: ManualClock
) -> None:
    await refuse(budget(database, clock), tenant("one"))
    async with database.read() as connection:
        row = (await connection.execute(sa.select(attempts))).one()
        assert len(row.address) == 32
        assert HERE.encode() not in row.address


async def test_a_deleted_tenant_is_forgotten_and_what_it_cost_is_not(
    database_settings: Settings, clock: ManualClock
) -> None:
    key = Secret("a-key-of-my-own")
    given = Credentials(client_secret=Secret("s"), refresh_token=Secret("t"))
    async with (
        Database(database_settings) as database,
        Tenants(database_settings, clock, database) as tenants,
    ):
        for _ in range(2):
            saved = await tenants.save(key, given)
            login = await tenants.logins.begin(tenant(saved.id), saved.generation)
            await tenants.logins.refused(login, "Grant revoked")
            await tenants.delete(key, saved)

        async with database.read() as connection:
            assert (await connection.execute(sa.select(standings))).all() == []

        saved = await tenants.save(key, given)
        with pytest.raises(LoginsHeldBack):
            await tenants.logins.begin(tenant(saved.id), saved.generation)


async def test_tenants_of_before_the_upgrade_count_as_having_worked(
    database_settings: Settings, clock: ManualClock
) -> None:
    given = Credentials(client_secret=Secret("s"), refresh_token=Secret("t"))
    async with Tenants(database_settings, clock) as tenants:
        await tenants.save(Secret("a-key-of-my-own"), given)
        saved = await tenants.save(Secret("a-key-of-my-own"), given)

    def upgrade(connection: sa.Connection) -> None:
        from alembic.migration import MigrationContext
        from alembic.operations import Operations

        step = import_module("server.store.migrations.versions.0004_logins")
        with Operations.context(MigrationContext.configure(connection)):
            step.upgrade()

    async with Database(database_settings) as database, database.write() as connection:
        for table in (attempts, standings, checkpoints):
            await connection.run_sync(table.drop)

        await connection.run_sync(upgrade)
        row = (await connection.execute(sa.select(standings))).one()
        assert (row.environment, row.tenant_id) == ("production", saved.id)
        assert (row.worked_generation, row.refused_generation) == (2, None)
