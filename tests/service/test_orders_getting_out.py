"""Getting out: in each of nine states a cancel, an order that closes, and one that opens.

The store is real in all of them: another connection holds SQLite's lock, its files may not grow,
its connections may only read, or PostgreSQL is gone.
"""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    closing,
)
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs
from tasty.v1 import credentials_service_pb2, new_order_pb2, reference_service_pb2

from server.orders.risk_limits import Switches
from server.secret import Secret
from server.simulator import Simulator, SimulatorSettings
from server.tenants.directory import STALENESS
from tests.databases import postgres
from tests.gateway import open_gateway
from tests.meddler import Meddler, Mischief
from tests.ordering import NEVER, Refusal, Trader, leg, open_trader, refusal_of
from tests.postgres_proxy import PostgresProxy
from tests.shifted_clock import ShiftedClock
from tests.waiting import eventually

__all__ = ["postgres"]

NAME = "getting-out"
PROMPT_S = 5.0
"""Far above what a cancel takes on a busy machine, and far below the store's own ten seconds."""
GROWN = 8 << 20


@dataclass(slots=True)
class Desk:
    """A trader with a working order and a position, before the state begins."""

    trader: Trader
    meddler: Meddler
    folder: Path
    clock: ShiftedClock
    working: str
    proxy: PostgresProxy | None

    async def cancel(self) -> Any:
        return await self.trader.cancel(self.working)

    async def close(self) -> Any:
        return await self.trader.place(leg("KO", "Sell to Close", 1), price="0.01")

    async def place(self) -> Any:
        return await self.trader.place(leg("KO", "Buy to Open", 1), price="-1.00")

    async def switch(self, **fields: Any) -> None:
        tenant = await self.trader.gateway.app.tenants.authenticate(Secret(f"key-of-{NAME}"))
        await self.trader.gateway.app.orders.risk_limits.put(tenant.id, Switches(**fields))


@asynccontextmanager
async def locked(desk: Desk) -> AsyncIterator[None]:
    """Another process writes, and does not end."""
    with closing(sqlite3.connect(desk.folder / "tasty.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@asynccontextmanager
async def full(desk: Desk) -> AsyncIterator[None]:
    """The log of SQLite has no room to grow, and may not begin anew: somebody reads."""
    path = desk.folder / "tasty.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM order_ledger").fetchone()
        with closing(sqlite3.connect(path)) as filler:
            filler.execute("CREATE TABLE filler (bytes BLOB)")
            filler.execute("INSERT INTO filler VALUES (zeroblob(?))", (GROWN,))
            filler.commit()
            limits = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (GROWN, limits[1]))
            try:
                yield
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@asynccontextmanager
async def only_readable(desk: Desk) -> AsyncIterator[None]:
    """Every connection of the server refuses to write, as on a file system that does."""
    database = desk.trader.gateway.app.database
    for query_only in ("ON", "OFF"):
        async with AsyncExitStack() as all_of_them:
            for _ in range(4):
                connection = await all_of_them.enter_async_context(database.read())
                await connection.execute(text(f"PRAGMA query_only = {query_only}"))

        if query_only == "ON":
            yield


@asynccontextmanager
async def gone(desk: Desk) -> AsyncIterator[None]:
    """The database server is not there, for longer than keys are taken without it."""
    assert desk.proxy is not None
    await desk.proxy.shut()
    desk.clock.shift += STALENESS + timedelta(seconds=1)
    yield


@asynccontextmanager
async def reduce_only(desk: Desk) -> AsyncIterator[None]:
    await desk.switch(reduce_only=True)
    yield


@asynccontextmanager
async def capped(desk: Desk) -> AsyncIterator[None]:
    await desk.switch(
        order_cap=Decimal("0.01"), day_cap=Decimal("0.01"), symbols=frozenset({"DIS"})
    )
    yield


@asynccontextmanager
async def queue_full(desk: Desk) -> AsyncIterator[None]:
    """The key's own reads wait in its queue, and there is no room for another."""
    queue = desk.trader.gateway.app.front.queue
    async with reads(desk, 12):
        await eventually(lambda: queue.statistics().refused_full and queue.statistics().waiting)
        yield


@asynccontextmanager
async def pace_used_up(desk: Desk) -> AsyncIterator[None]:
    """So many reads wait for their turn at the broker that the last one comes in seven seconds."""
    serving = desk.trader.gateway.app.front.drain.statistics
    async with reads(desk, 450):
        await eventually(lambda: serving().unary > 350)
        yield


@asynccontextmanager
async def reads(desk: Desk, count: int) -> AsyncIterator[None]:
    request = reference_service_pb2.SearchSymbolsRequest(symbol="KO")
    asked = [
        asyncio.ensure_future(_awaited(desk.trader.caller.reference.SearchSymbols(request)))
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for each in asked:
            each.cancel()

        await asyncio.gather(*asked, return_exceptions=True)


async def _awaited(call: Any) -> Any:
    return await call


@asynccontextmanager
async def read_only(desk: Desk) -> AsyncIterator[None]:
    await desk.switch(read_only=True)
    yield


GOES = "goes"
NOT_SENT = "503, nothing was sent"
FORBIDDEN = "403"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What passes while it lasts."""

    begin: Callable[[Desk], AbstractAsyncContextManager[None]]
    cancel: str = GOES
    close: str
    place: str
    store: bool = False
    """It is the store's: what is not written is told."""
    settings: dict[str, Any] = field(default_factory=dict)
    on: str = "sqlite"


STATES = {
    "store locked": State(begin=locked, close=NOT_SENT, place=NOT_SENT, store=True),
    "store full": State(begin=full, close=NOT_SENT, place=NOT_SENT, store=True),
    "store read-only": State(begin=only_readable, close=NOT_SENT, place=NOT_SENT, store=True),
    "store gone": State(begin=gone, close=NOT_SENT, place=NOT_SENT, store=True, on="postgres"),
    "reduce_only": State(begin=reduce_only, close=GOES, place=FORBIDDEN),
    "caps reached": State(begin=capped, close=GOES, place=FORBIDDEN),
    "queue full": State(
        begin=queue_full,
        close=GOES,
        place=GOES,
        settings={"rate_limit": 1, "rate_burst": 4, "rate_queue": 1},
    ),
    "pace used up": State(
        begin=pace_used_up,
        close=GOES,
        place=GOES,
        settings={"broker_pacing": "on"},
    ),
    "read_only": State(begin=read_only, cancel=FORBIDDEN, close=FORBIDDEN, place=FORBIDDEN),
}


def rows() -> list[Any]:
    marks = {"store gone": [pytest.mark.postgres]}
    return [pytest.param(name, id=name, marks=marks.get(name, [])) for name in STATES]


@asynccontextmanager
async def opened(
    request: pytest.FixtureRequest, folder: Path, on: str = "sqlite", **settings: Any
) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:
        proxy = None
        if on == "postgres":
            sockets = folder / "sockets"
            sockets.mkdir()
            proxy = PostgresProxy(request.getfixturevalue("postgres")(), sockets)
            await stack.enter_async_context(proxy.running())
            settings["database_url"] = proxy.url

        sim = await stack.enter_async_context(Simulator(SimulatorSettings(port=0)))
        meddler = await stack.enter_async_context(Meddler(sim.url))
        clock = ShiftedClock()
        gateway = await stack.enter_async_context(
            open_gateway(sim, folder, clock, simulator_url=meddler.url, **settings)
        )
        trader = await open_trader(gateway, NAME)
        await trader.bought("KO", 3)
        trader.script(NEVER)
        working = (await trader.place(leg("KO", "Buy to Open", 1), price="-1.00")).id
        await trader.until(working, "Live")
        meddler.changes.clear()
        yield Desk(
            trader=trader,
            meddler=meddler,
            folder=folder,
            clock=clock,
            working=working,
            proxy=proxy,
        )


@pytest.mark.parametrize("name", rows())
async def test_what_passes(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    state = STATES[name]
    async with opened(request, tmp_path, state.on, **state.settings) as desk:
        before = len(desk.trader.orders)
        async with state.begin(desk):
            # First, and side by side: in a locked store they wait ten seconds for their turn, and
            # the cancel does not wait behind them.
            others = asyncio.gather(told(desk.close()), told(desk.place()))
            started = time.monotonic()
            with capture_logs() as logs:
                cancelled = await told(desk.cancel())

            out_after = time.monotonic() - started
            closed, placed = await others
            all_after = time.monotonic() - started

        assert out_after < PROMPT_S
        assert state.store or all_after < PROMPT_S
        assert verdict(cancelled) == state.cancel
        assert verdict(closed) == state.close
        assert verdict(placed) == state.place
        sent = [state.close, state.place].count(GOES)
        assert (desk.meddler.changes["POST"], len(desk.trader.orders)) == (sent, before + sent)
        assert desk.meddler.changes["DELETE"] == (1 if state.cancel == GOES else 0)
        if state.cancel != GOES:
            assert desk.trader.at_broker(desk.working).status.value == "Live"
            return

        await desk.trader.until(desk.working, "Cancelled")
        assert (cancelled.success, cancelled.order_id) == (True, desk.working)
        codes = [word.code for word in cancelled.warnings]
        assert codes == (["not_recorded"] if state.store else [])
        warned = [one for one in logs if one["event"] == "cancel not recorded"]
        assert {one["order_id"] for one in warned} == ({desk.working} if state.store else set())


async def told(call: Any) -> Any:
    """Returns an answer, or how the call failed."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        return Refusal(error.code().name, str(error.details()))


def verdict(answer: Any) -> str:
    if not isinstance(answer, Refusal):
        return GOES
    if answer.code == "UNAVAILABLE" and "nothing was sent" in answer.words.lower():
        return NOT_SENT

    return FORBIDDEN if answer.code == "PERMISSION_DENIED" else str(answer)


@pytest.mark.postgres
async def test_a_store_that_answers_no_more_holds_no_cancel_up(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with opened(request, tmp_path, "postgres") as desk:
        assert desk.proxy is not None
        desk.proxy.hang()
        desk.clock.shift += STALENESS + timedelta(seconds=1)
        started = time.monotonic()
        answer = await desk.cancel()
        assert time.monotonic() - started < PROMPT_S
        assert "no answer within 250 ms" in answer.warnings[0].message
        await desk.proxy.shut()


async def test_a_key_that_is_known_to_be_deleted_cancels_nothing(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with opened(request, tmp_path) as desk:
        deletion = credentials_service_pb2.DeleteCredentialsRequest(api_key=f"key-of-{NAME}")
        await desk.trader.caller.credentials.DeleteCredentials(deletion)
        async with locked(desk):
            assert (await refusal_of(desk.cancel())).code == "UNAUTHENTICATED"

        assert desk.meddler.changes["DELETE"] == 0


async def test_a_viewer_stays_one_while_the_store_does_not_say_so(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with opened(request, tmp_path) as desk:
        await desk.switch(read_only=True)
        assert (await refusal_of(desk.cancel())).code == "PERMISSION_DENIED"
        database = desk.trader.gateway.app.database
        async with database.write() as connection:
            await connection.execute(text("ALTER TABLE risk_switches RENAME TO lost"))

        assert (await refusal_of(desk.cancel())).code == "PERMISSION_DENIED"
        assert desk.meddler.changes["DELETE"] == 0


@pytest.mark.parametrize(
    "lost", [Mischief(cut="reset"), Mischief(status=502), Mischief(cut="body")], ids=str
)
async def test_a_cancel_without_a_record_is_judged_as_one_with_it(
    lost: Mischief, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with opened(request, tmp_path) as desk, only_readable(desk):
        desk.meddler.mischief.append(lost)
        answer = await desk.cancel()
        assert answer.status in ("Cancel Requested", "Cancelled")
        assert [word.code for word in answer.warnings] == ["not_recorded"]
        assert desk.meddler.changes["DELETE"] == 1
        await desk.trader.until(desk.working, "Cancelled")
        assert (await desk.cancel()).success, "asked for again, it is still cancelled by us"


async def test_a_complex_order_is_cancelled_whatever_the_store_does(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with opened(request, tmp_path) as desk:
        desk.trader.script(NEVER, 4)

        async def bracket() -> str:
            parts = [
                new_order_pb2.ComplexOrderPart(legs=[leg("KO", "Sell to Close", 1)], price=price)
                for price in ("999", "998")
            ]
            return str((await desk.trader.combine("OCO", *parts)).id)

        first, second = await bracket(), await bracket()
        async with locked(desk):
            answer = await desk.trader.cancel_combined(first)
            assert [word.code for word in answer.warnings] == ["not_recorded"]
            desk.meddler.mischief.append(Mischief(cut="reset"))
            answer = await desk.trader.cancel_combined(second)
            assert answer.complex_order.id == second

        assert desk.meddler.changes["DELETE"] == 2


@pytest.mark.parametrize("number", ["9" * 19, "7.9", "-1", "１２", "x" * 100_000, "1/../2"])
async def test_a_number_that_no_order_can_have_leaves_no_row(
    number: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with opened(request, tmp_path) as desk:
        before = await rows_of(desk)
        for call in (
            desk.trader.cancel(number),
            desk.trader.cancel_combined(number),
            desk.trader.replace(number, price="-1.00"),
        ):
            refusal = await refusal_of(call)
            assert refusal.code in ("NOT_FOUND", "INVALID_ARGUMENT")
            assert len(refusal.words) < 200

        assert await rows_of(desk) == before
        assert not desk.meddler.changes


async def rows_of(desk: Desk) -> int:
    async with desk.trader.gateway.app.database.read() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM order_ledger")) or 0)
