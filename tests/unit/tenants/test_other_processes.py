"""Several processes on one database: what one changes, the others know, in bounded time."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from server.errors import InvalidApiKey, StoreUnavailable
from server.secret import Secret
from server.settings import Settings
from server.store import Database
from server.tenants import Credentials, Tenants
from server.tenants.directory import REFRESH, STALENESS
from server.tenants.schema import changes
from tests.clock import ManualClock
from tests.waiting import eventually

ONE = Secret("tenant-key-one")
SECRETS = Credentials(client_secret=Secret("s"), refresh_token=Secret("t"))
NEWER = Credentials(client_secret=Secret("s"), refresh_token=Secret("newer"))


@pytest.fixture
async def other(database_settings: Settings, clock: ManualClock) -> AsyncIterator[Tenants]:
    """The tenants of another process: it shares nothing with the first but database and files."""
    async with Tenants(database_settings, clock) as opened:
        yield opened


async def refreshed(clock: ManualClock, *processes: Tenants) -> None:
    """Lets the time between two looks pass, until each process has taken over everything."""
    await clock.advance(REFRESH.total_seconds())
    newest = max(process.statistics().changes for process in processes)
    await eventually(
        lambda: all(process.statistics().changes >= newest for process in processes), limit=20
    )


async def test_a_new_key_is_known_to_the_other_at_once(tenants: Tenants, other: Tenants) -> None:
    saved = await tenants.save(ONE, SECRETS)
    assert await other.authenticate(ONE) == saved
    assert (await other.credentials(saved)).refresh_token == Secret("t")


async def test_new_credentials_and_a_deletion_are_noticed_and_told(
    tenants: Tenants, other: Tenants, clock: ManualClock
) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    other.on_change(told.put)
    saved = await tenants.save(ONE, SECRETS)
    await refreshed(clock, tenants, other)
    assert await told.get() == saved.id
    newer = await tenants.save(ONE, NEWER)
    await refreshed(clock, tenants, other)
    assert await told.get() == saved.id
    assert await other.authenticate(ONE) == newer
    await tenants.delete(ONE, newer)
    await refreshed(clock, tenants, other)
    assert await told.get() == saved.id
    with pytest.raises(InvalidApiKey):
        await other.authenticate(ONE)

    assert told.empty()


async def test_credentials_are_the_newest_even_before_the_change_is_noticed(
    tenants: Tenants, other: Tenants
) -> None:
    saved = await tenants.save(ONE, SECRETS)
    assert await other.authenticate(ONE) == saved
    newer = await tenants.save(ONE, NEWER)
    found = await other.credentials(saved)
    assert (found.refresh_token, found.generation) == (Secret("newer"), newer.generation)
    await tenants.delete(ONE, newer)
    with pytest.raises(InvalidApiKey):
        await other.credentials(newer)


async def test_saves_of_one_key_in_two_processes_at_once_make_one_tenant(
    tenants: Tenants, other: Tenants
) -> None:
    saves = [process.save(ONE, SECRETS) for process in [tenants, other] * 6]
    saved = await asyncio.gather(*saves)
    assert len({tenant.id for tenant in saved}) == 1
    assert sorted(tenant.generation for tenant in saved) == list(range(1, 13))


class Outage:
    """A database that can be cut off; the outermost edge of what this process can reach."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.cut = False

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        if self.cut:
            raise StoreUnavailable

        async with self._database.read() as connection:
            yield connection

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)


async def test_keys_stay_valid_through_a_short_outage_and_no_longer(
    database_settings: Settings, clock: ManualClock
) -> None:
    async with Database(database_settings) as database:
        outage = Outage(database)
        async with Tenants(database_settings, clock, outage) as tenants:  # type: ignore[arg-type]  it is one, seen from outside
            saved = await tenants.save(ONE, SECRETS)
            outage.cut = True
            await clock.advance(STALENESS.total_seconds() - 1)
            assert await tenants.authenticate(ONE) == saved
            with pytest.raises(StoreUnavailable):
                await tenants.authenticate(Secret("maybe_registered_elsewhere"))

            await clock.advance(2)
            with pytest.raises(StoreUnavailable):
                await tenants.authenticate(ONE)

            # All who wait get the same answer, none of them "unknown key".
            calls = (tenants.authenticate(ONE) for _ in range(20))
            answers = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(answer) for answer in answers} == {StoreUnavailable}
            outage.cut = False
            assert await tenants.authenticate(ONE) == saved


async def test_unknown_keys_share_queries_instead_of_queueing_them(
    database_settings: Settings, clock: ManualClock
) -> None:
    async with (
        Database(database_settings) as database,
        Tenants(database_settings, clock, database) as tenants,
    ):
        before = database.statistics().reads
        calls = (tenants.authenticate(Secret(f"wrong-key-{n}")) for n in range(200))
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(answer) for answer in answers} == {InvalidApiKey}
        assert database.statistics().reads - before <= 2


def test_processes_that_start_at_once_on_nothing_agree_on_keys_and_demo(
    database_settings: Settings,
) -> None:
    # They part after the imports: so these are paid for once, and the race is as close as it gets.
    program = """
import asyncio, json, os
from server.clock import SystemClock
from server.settings import Settings
from server.tenants import DEMO_API_KEY, Tenants

async def main():
    async with Tenants(Settings(), SystemClock()) as tenants:
        tenant = await tenants.authenticate(DEMO_API_KEY)
        found = await tenants.credentials(tenant)
        answer = json.dumps([tenant.id, tenant.generation, found.refresh_token.reveal()])
        print(answer + "\\n", end="", flush=True)  # at once, so that two lines do not mix

for _ in range(2):
    if os.fork() == 0:
        asyncio.run(main())
        break
else:
    assert [os.wait()[1] for _ in range(2)] == [0, 0]
"""
    environment = {
        **os.environ,
        "PYTHONPATH": os.getcwd(),
        "TASTY_DATA_DIR": str(database_settings.data_dir),
        "TASTY_DATABASE_URL": database_settings.database_url.get_secret_value(),
        "TASTY_BROKER": "simulator",
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    answers = done.stdout.splitlines()
    assert len(answers) == 2
    said = {tuple(json.loads(answer)) for answer in answers}
    assert len(said) == 1
    assert said.pop()[1:] == (1, "demo-refresh-token")

    async def written() -> tuple[object, int]:
        async with Database(database_settings) as database, database.read() as connection:
            query = sa.select(sa.func.count()).select_from(changes)
            return await connection.scalar(query), database.identity.opened

    assert asyncio.run(written()) == (1, 3)
