"""Starts the simulator on a port of its own, and points the unpatched SDK at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
import pytest
from tastytrade import AlertStreamer, DXLinkStreamer, Session

from server.simulator import Simulator, SimulatorSettings
from server.simulator.customers import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN

FRIDAY_NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
"""Noon in New York on a trading day; from there on time runs at its own speed."""

Login = Callable[..., AbstractAsyncContextManager[Session]]


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings(start=FRIDAY_NOON)) as simulator:
        yield simulator


@pytest.fixture
async def http(sim: Simulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with open_client(sim) as client:
        yield client


def open_client(sim: Simulator) -> aiohttp.ClientSession:
    """Returns a bare HTTP client that has nothing but a proper User-Agent."""
    return aiohttp.ClientSession(sim.url, headers={"User-Agent": "test/1.0"})


@pytest.fixture
def login(sim: Simulator) -> Login:
    """Opens an SDK session at the test's own simulator."""
    return partial(open_session, sim)


@asynccontextmanager
async def open_session(
    sim: Simulator, refresh_token: str = DEMO_REFRESH_TOKEN, **client: Any
) -> AsyncIterator[Session]:
    """Opens an SDK session at a simulator; only its base address is another."""
    async with Session(DEMO_CLIENT_SECRET, refresh_token, **client) as made:
        made._client.base_url = sim.url  # type: ignore[assignment]  # the setter takes text
        yield made


@asynccontextmanager
async def alerts(
    session: Session, sim: Simulator, path: str = "/streamer"
) -> AsyncIterator[AlertStreamer]:
    """Connects the SDK's alert streamer to the simulator."""
    streamer = AlertStreamer(session)
    streamer.base_url = sim.url.replace("http", "ws", 1) + path
    try:
        async with streamer:
            yield streamer
    finally:
        for queue in streamer._queues.values():  # the SDK leaves them open, which warns
            await queue.aclose()


@asynccontextmanager
async def quotes(session: Session) -> AsyncIterator[DXLinkStreamer]:
    """Connects the SDK's data streamer to wherever the session's quote token says."""
    streamer = DXLinkStreamer(session)
    try:
        async with streamer:
            yield streamer
    finally:
        for end in (*streamer._send.values(), *streamer._recv.values()):  # the same
            await end.aclose()


async def bearer(
    http: aiohttp.ClientSession, refresh_token: str = DEMO_REFRESH_TOKEN
) -> dict[str, str]:
    """Logs in with bare HTTP and returns the header that a call needs."""
    form = {
        "grant_type": "refresh_token",
        "client_secret": DEMO_CLIENT_SECRET,
        "refresh_token": refresh_token,
    }
    async with http.post("/oauth/token", json=form) as response:
        return {"Authorization": f"Bearer {(await response.json())['access_token']}"}
