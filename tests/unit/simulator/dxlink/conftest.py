"""Connects a dxLink connection to a fake socket, a small market and a clock that a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from server.simulator.clock import ManualClock, run_ready_tasks
from server.simulator.customers import DEMO_REFRESH_TOKEN, Customers
from server.simulator.dxlink.connection import Connection
from server.simulator.oauth import OAuth
from server.simulator.settings import SimulatorSettings
from tests.unit.simulator.dxlink.fake_socket import FakeSocket
from tests.unit.simulator.dxlink.tiny_market import TinyMarket

SETUP = {"type": "SETUP", "channel": 0, "version": "0.1-test/1", "keepaliveTimeout": 60}
NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


@dataclass
class ConnectionHarness:
    """Holds one connection with its socket, clock, market and tokens."""

    socket: FakeSocket
    clock: ManualClock
    market: TinyMarket
    oauth: OAuth
    connection: Connection

    @property
    def token(self) -> str:
        customer = Customers().of_grant(DEMO_REFRESH_TOKEN)
        return self.oauth.quote_token(customer)[0]

    async def log_in(self) -> None:
        await self.socket.say(SETUP, {"type": "AUTH", "channel": 0, "token": self.token})

    async def open(self, channel: int = 1, contract: str = "AUTO") -> list[dict[str, Any]]:
        return await self.socket.say(
            {
                "type": "CHANNEL_REQUEST",
                "channel": channel,
                "service": "FEED",
                "parameters": {"contract": contract},
            }
        )

    async def subscribe(
        self, *symbols: str, channel: int = 1, event_type: str = "Quote", **extra: Any
    ) -> list[dict[str, Any]]:
        add = [{"type": event_type, "symbol": symbol, **extra} for symbol in symbols]
        return await self.socket.say({"type": "FEED_SUBSCRIPTION", "channel": channel, "add": add})


Connect = Callable[..., Any]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def connect(clock: ManualClock) -> Connect:
    """Opens a connection that is closed, with all of its tasks, at the end of the block."""

    @asynccontextmanager
    async def harness(**settings: Any) -> AsyncIterator[ConnectionHarness]:
        chosen = SimulatorSettings(**settings)
        market = TinyMarket(clock)
        oauth = OAuth(chosen, clock, Customers())
        socket = FakeSocket()
        connection = Connection(cast("Any", socket), chosen, clock, oauth, cast("Any", market))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(connection.run())
            await run_ready_tasks()
            yield ConnectionHarness(socket, clock, market, oauth, connection)
            socket.reading.set()
            socket.hang_up()

    return harness


def select_type(kind: str, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message for message in messages if message["type"] == kind]
