"""The master key is replaced while tenants call and save; the rotation is killed and resumed."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from server.clock import SystemClock
from server.errors import GatewayError
from server.secret import Secret
from server.settings import Settings
from server.tenants import Credentials, Tenants
from server.tenants.rotation import master_keys, rotate_master_key
from tests.databases import database_settings, postgres
from tests.effort import for_ci

__all__ = ["database_settings", "postgres"]

TENANTS = 60
BATCH = 8

ROTATION = """
import asyncio, sys
from server.settings import Settings
from server.tenants.rotation import rotate_master_key

def progress(moved):
    print(moved, flush=True)
    sys.stdin.readline()  # each batch waits for the test, which may kill instead

asyncio.run(rotate_master_key(Settings(), progress, batch=int(sys.argv[1])))
"""


def api_key(n: int) -> Secret:
    return Secret(f"tenant-key-{n:04}")


def credentials(n: int, version: int) -> Credentials:
    return Credentials(client_secret=Secret(f"s{n}"), refresh_token=Secret(f"t{n}-{version}"))


@asynccontextmanager
async def rotation(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    """Runs a rotation as a process of its own, as an operator does."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.getcwd(),
        "TASTY_BROKER": settings.broker,
        "TASTY_DATA_DIR": str(settings.data_dir),
        "TASTY_DATABASE_URL": settings.database_url.get_secret_value(),
    }
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "-c",
        ROTATION,
        str(BATCH),
        env=environment,
        stdin=pipe,
        stdout=pipe,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()

        await process.communicate()


@for_ci
@pytest.mark.parametrize("kill_after", [1, 4])
async def test_no_call_fails_and_no_row_is_left_behind(
    database_settings: Settings, kill_after: int
) -> None:
    failures: list[str] = []
    calls = itertools.count()
    done = asyncio.Event()
    versions = dict.fromkeys(range(TENANTS), 0)

    async def trade(tenants: Tenants, offset: int) -> None:
        """Opens sessions as the brokerage does."""
        for n in itertools.cycle(range(offset, TENANTS, 2)):
            if done.is_set():
                return

            try:
                tenant = await tenants.authenticate(api_key(n))
                found = await tenants.credentials(tenant)
                if found.refresh_token.reveal().partition("-")[0] != f"t{n}":
                    failures.append(f"{n} got what is another's")

                next(calls)
            except GatewayError as error:
                failures.append(repr(error))

    async def save(tenants: Tenants) -> None:
        for n in itertools.cycle(range(0, TENANTS, 7)):
            if done.is_set():
                return

            try:
                await tenants.save(api_key(n), credentials(n, versions[n] + 1))
                versions[n] += 1
            except GatewayError as error:
                failures.append(repr(error))

    async with Tenants(database_settings, SystemClock()) as tenants:
        for n in range(TENANTS):
            await tenants.save(api_key(n), credentials(n, 0))

        before = await master_keys(database_settings)
        async with asyncio.TaskGroup() as group:
            group.create_task(trade(tenants, 0))
            group.create_task(trade(tenants, 1))
            group.create_task(save(tenants))
            async with rotation(database_settings) as process:
                assert process.stdin is not None
                assert process.stdout is not None
                for _ in range(kill_after):
                    assert await process.stdout.readline()
                    process.stdin.write(b"\n")

                assert await process.stdout.readline()
                process.send_signal(signal.SIGKILL)
                await process.wait()

            halfway = await master_keys(database_settings)
            resumed = await rotate_master_key(database_settings)
            done.set()

        # Rows of the old key are left by the kill, and none after the resumption, although
        # credentials were saved all the while.
        assert halfway.keys[0].rows >= BATCH
        assert halfway.keys[1].id == before.newest
        assert halfway.keys[1].rows > 0
        assert resumed.newest == halfway.newest
        assert [(use.rows, use.configured) for use in resumed.keys] == [(TENANTS, True)]
        assert (resumed.behind, resumed.unreadable) == (0, 0)
        assert failures == []
        assert next(calls) > TENANTS
        assert tenants.statistics().unreadable == 0

    assert (await master_keys(database_settings)) == resumed
    async with Tenants(database_settings, SystemClock()) as tenants:
        for n in range(TENANTS):
            found = await tenants.credentials(await tenants.authenticate(api_key(n)))
            assert found.refresh_token == Secret(f"t{n}-{versions[n]}")
