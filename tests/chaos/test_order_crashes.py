"""The server is killed at each step of an order: afterwards there is one order or none, one truth.

Each process is killed by the next order and the one after it finds out, so that nine starts are
enough for eight crashes. `make test` takes one step of each kind, `TASTY_LONG=1` all eight and
`TASTY_LONG=25` the whole round so often (200 crashes).
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest
from tasty.v1 import new_order_pb2, order_service_pb2_grpc
from tasty.v1 import order_placement_pb2 as pb

from server.simulator import Simulator, SimulatorSettings
from server.simulator.exchange.orders import Order
from server.tenants import DEMO_API_KEY
from tests.broker import DEMO_ACCOUNT
from tests.effort import LONG, one_in

ROUNDS = LONG or 1
KEY = (("x-api-key", DEMO_API_KEY.reveal()),)
HOME = Path(__file__).parents[2]

NOT_SENT = ("intended", "recorded")
"""Killed there, nothing had left, and that is known: a repeat places the order."""
LIMBO = ("sending",)
"""Killed there, nothing had left, and nobody can know it: a repeat says "Unknown", for ever."""
SENT = ("sent", "answering", "answered", "settled")
"""Killed there, the broker has the order: a repeat tells it."""
EITHER = ("leaving",)
"""Killed between the first byte and the last."""
STEPS_OF_AN_ORDER = (*NOT_SENT, *LIMBO, *EITHER, *SENT)
STEPS = (
    *one_in(2, NOT_SENT, first=1),
    *LIMBO,
    *EITHER,
    *one_in(3, SENT, first=1),
)


class Server:
    """A server in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.address = f"127.0.0.1:{port}"

    async def place(self, name: str) -> pb.PlaceOrderResponse:
        async with grpc.aio.insecure_channel(self.address) as channel:
            stub = order_service_pb2_grpc.OrderServiceStub(channel)
            leg = new_order_pb2.NewOrderLeg(symbol="KO", action="Buy to Open", quantity=1)
            order = new_order_pb2.NewOrder(legs=[leg], price="-1.00", client_order_id=name)
            request = pb.PlaceOrderRequest(account_id=DEMO_ACCOUNT, order=order)
            return await stub.PlaceOrder(request, metadata=KEY, timeout=20)


@asynccontextmanager
async def running(sim: Simulator, folder: Path, fatal: str) -> AsyncIterator[Server]:
    """Yields a server that dies at the step; one that does not is ended gently."""
    settings = {
        "PYTHONPATH": str(HOME),
        "TASTY_SIMULATOR_URL": sim.url,
        "TASTY_DATA_DIR": str(folder),
        "TASTY_GRPC_PORT": "0",
        "TASTY_METRICS_PORT": "0",
        "TASTY_RATE_LIMIT": "0",
        "TASTY_DRAIN_NOTICE_S": "0",
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("TASTY_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.chaos.crashing_server",
        fatal,
        env=others | settings,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        assert line.startswith(b"ready "), "the server did not start"
        yield Server(process, int(line.split()[1]))
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        process._transport.close()  # type: ignore[attr-defined]  # its pipe would warn otherwise


async def crashed(server: Server, name: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as lost:
        await server.place(name)
    assert lost.value.code() is grpc.StatusCode.UNAVAILABLE
    assert await server.process.wait() == -9


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings(port=0)) as running_:
        yield running_


async def test_killed_at_any_step_an_order_is_placed_once_or_told_as_unknown(
    sim: Simulator, tmp_path: Path
) -> None:
    def at_broker(name: str) -> list[Order]:
        orders = sim.exchange.registry.orders_of(DEMO_ACCOUNT)
        return [each for each in orders if each.ticket.external_identifier == name]

    names = [(step, f"{step}-{n}") for n in range(ROUNDS) for step in STEPS]
    before: tuple[str, str] | None = None
    for step, name in names:
        async with running(sim, tmp_path, step) as server:
            # The repeat goes to the process after the crash; it may itself be killed by it, where
            # the order still has to be sent: then the process after that one is asked.
            if before is not None and before[0] not in NOT_SENT:
                await check(server, *before, at_broker)
            await crashed(server, name)
            sent = len(at_broker(name))
            assert sent == {**dict.fromkeys(SENT, 1), **dict.fromkeys(NOT_SENT, 0)}.get(step, sent)
        before = (step, name)

    async with running(sim, tmp_path, "-") as server:
        for step, name in names:
            await check(server, step, name, at_broker)


async def check(server: Server, step: str, name: str, at_broker: object) -> None:
    """Repeats an order twice, and compares what is told with what the broker has."""
    had = at_broker(name)  # type: ignore[operator]
    told = await server.place(name)
    again = await server.place(name)
    assert told.SerializeToString() == again.SerializeToString()
    orders = at_broker(name)  # type: ignore[operator]
    if step in NOT_SENT:
        assert len(orders) == 1
    else:
        assert orders == had, "nothing was sent again"
    if orders:
        assert [told.id] == [str(each.id) for each in orders]
    else:
        assert (told.status, told.id) == ("Unknown", "")
    if step in SENT:
        assert len(orders) == 1
    if step in LIMBO:
        assert not orders
