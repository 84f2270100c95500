"""The simulator on a port of its own, asked over bare HTTP with a demo customer's token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from yarl import URL

from server.simulator import Simulator, SimulatorSettings
from server.simulator.customers import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN

FRIDAY_NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
"""Noon in New York on a trading day; from there on time runs at its own speed."""

Ask = Callable[..., Awaitable[tuple[int, Any]]]


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings(start=FRIDAY_NOON)) as simulator:
        yield simulator


@pytest.fixture
async def http(sim: Simulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with open_client(sim) as client:
        yield client


@pytest.fixture
async def ask(http: aiohttp.ClientSession) -> Ask:
    return asking(http)


def open_client(sim: Simulator) -> aiohttp.ClientSession:
    """Returns a bare HTTP client that has nothing but a proper User-Agent."""
    return aiohttp.ClientSession(sim.url, headers={"User-Agent": "test/1.0"})


def asking(http: aiohttp.ClientSession) -> Ask:
    """Returns what calls a path, escaped as given, and returns status and body."""
    tokens: dict[str, str] = {}

    async def call(
        path: str, method: str = "GET", *, who: str = DEMO_REFRESH_TOKEN, **given: Any
    ) -> tuple[int, Any]:
        if who not in tokens:
            grant = {
                "grant_type": "refresh_token",
                "client_secret": DEMO_CLIENT_SECRET,
                "refresh_token": who,
            }
            async with http.post("/oauth/token", json=grant) as response:
                tokens[who] = (await response.json())["access_token"]

        headers = {"Authorization": f"Bearer {tokens[who]}"}
        url = URL(path, encoded=True)
        async with http.request(method, url, headers=headers, **given) as response:
            return response.status, await response.json()

    return call
