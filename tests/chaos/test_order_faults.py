"""Orders under random faults: each is at the broker once or never, and its caller learns which.

`TASTY_LONG` makes it so many times two hundred orders.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import grpc
import pytest
from tasty.v1 import order_placement_pb2 as pb

from server.simulator import Simulator, SimulatorSettings
from server.simulator.faults import Fault
from tests.effort import LONG
from tests.fast_clock import FastClock
from tests.gateway import Gateway, open_gateway
from tests.meddler import Meddler, Mischief
from tests.ordering import Trader, leg, open_trader

ORDERS = 200 * LONG or 20
AT_ONCE = 8
SEED = 20261122
KNOWN_WITHIN_S = 15
"""Real seconds in which an order that is at the broker is found there, once that can be read."""

MISCHIEF = (
    Mischief(),
    Mischief(cut="reset"),
    Mischief(cut="body"),
    Mischief(status=502),
    Mischief(status=504),
    Mischief(status=429),
    Mischief(delay_s=1.2),
    Mischief(cut="reset", hide_s=0.5),
    Mischief(done=False, cut="reset"),
    Mischief(done=False, status=503),
)
FAULTS = ("lost-answer", "cut-answer", "reset", "status", "html", "rate-limit", "expired-token")
"""What the simulator itself does to the request that the proxy lets pass."""


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings(port=0)) as running:
        yield running


async def test_under_random_faults_no_order_is_doubled_and_every_caller_learns_the_truth(
    sim: Simulator, tmp_path: Path
) -> None:
    random = Random(SEED)
    async with (
        Meddler(sim.url) as meddler,
        open_gateway(
            sim,
            tmp_path,
            FastClock(20),
            simulator_url=meddler.url,
            broker_timeout_s=0.8,
        ) as gateway,
    ):
        trader = await open_trader(gateway, "faults")
        room = asyncio.Semaphore(AT_ONCE)

        async def one(name: str) -> None:
            async with room:
                if random.random() < 0.6:
                    meddler.mischief.append(random.choice(MISCHIEF))
                elif random.random() < 0.7:
                    kind = random.choice(FAULTS)
                    sim.faults.add(Fault(kind=kind, path="/accounts/*/orders", method="POST"))
                await told(trader, name)

        names = [f"fault-{number}" for number in range(ORDERS)]
        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(one(name))

        meddler.mischief.clear()
        sim.faults.clear()
        await everything_known(gateway)
        for name in names:
            await check(trader, name)


async def told(trader: Trader, name: str) -> None:
    """Asks up to three times, as a caller does that was told to try again."""
    for _ in range(3):
        try:
            answer = await place(trader, name)
        except grpc.aio.AioRpcError as refused:
            assert refused.code() in (  # noqa: PT017 - what a caller may be told at most
                grpc.StatusCode.UNAVAILABLE,
                grpc.StatusCode.DEADLINE_EXCEEDED,
            ), refused.details()
            continue
        if answer.status != "Unknown":
            return


async def everything_known(gateway: Gateway) -> None:
    """Returns once the broker was asked often enough for what is still open."""
    reconciler = gateway.app.orders.reconciler
    readings = reconciler.statistics().readings + 3
    async with asyncio.timeout(30):
        while reconciler.statistics().waiting and reconciler.statistics().readings < readings:  # noqa: ASYNC110 - looks are made by the server's own clock
            await asyncio.sleep(0.05)


async def check(trader: Trader, name: str) -> None:
    orders = trader.named(name)
    assert len(orders) <= 1, f"{name} was placed {len(orders)} times"
    async with asyncio.timeout(KNOWN_WITHIN_S):
        # A repeat asks the broker again; on a busy machine not even that answers in time each time.
        answer = await place(trader, name)
        while answer.status == "Unknown" and orders:
            answer = await place(trader, name)

    again = await place(trader, name)
    assert answer.SerializeToString() == again.SerializeToString()
    orders = trader.named(name)
    if answer.status == "Unknown":
        assert orders == []
    else:
        assert [answer.id] == [str(each.id) for each in orders]


async def place(trader: Trader, name: str) -> pb.PlaceOrderResponse:
    return await trader.place(leg("KO", "Buy to Open", 1), price="-1.00", client_order_id=name)
