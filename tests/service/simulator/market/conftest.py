"""Calls the REST API over bare HTTP with a demo customer's token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from yarl import URL

from server.simulator.customers import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN

Ask = Callable[..., Awaitable[tuple[int, Any]]]


@pytest.fixture
async def ask(http: aiohttp.ClientSession) -> Ask:
    return asking(http)


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
