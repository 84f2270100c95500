"""Starts the simulator on a port, with a clock that stands still until a test moves it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from tastytrade import Account, Session

from server.simulator import ManualClock, Simulator, SimulatorSettings
from server.simulator.customers import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN

START = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)  # a Tuesday, 11:00 in New York
MARGIN, CASH = "5WT00001", "5WT00002"
STEP = timedelta(milliseconds=20)


@dataclass
class CustomerClient:
    """Calls a simulator as one of its customers."""

    sim: Simulator
    clock: ManualClock
    http: aiohttp.ClientSession
    headers: dict[str, str]

    async def call(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Returns status and body of a call."""
        sent = self.headers if headers is None else headers
        async with self.http.request(method, path, json=body, headers=sent) as response:
            return response.status, await response.json()

    async def get(self, path: str) -> Any:
        """Returns `data` of a read that has to succeed."""
        status, body = await self.call("GET", path)
        assert status == 200, body
        assert body["context"] == path.partition("?")[0]
        return body["data"]

    async def place(self, body: dict[str, Any], account: str = MARGIN) -> dict[str, Any]:
        """Places an order that has to be accepted."""
        status, answer = await self.call("POST", f"/accounts/{account}/orders", body)
        assert status == 201, answer
        order: dict[str, Any] = answer["data"]["order"]
        return order

    async def order(self, number: int) -> dict[str, Any]:
        order: dict[str, Any] = await self.get(f"/accounts/{MARGIN}/orders/{number}")
        return order

    async def pass_time(self, seconds: float = 1) -> None:
        """Moves the clock in small steps, each of which the exchange takes."""
        for _ in range(int(timedelta(seconds=seconds) / STEP)):
            await self.clock.advance(STEP)
            self.sim.exchange.step()

    async def log_in(self, refresh_token: str) -> dict[str, str]:
        """Returns the headers of another customer."""
        grant = {
            "grant_type": "refresh_token",
            "client_secret": DEMO_CLIENT_SECRET,
            "refresh_token": refresh_token,
        }
        async with self.http.post("/oauth/token", json=grant) as response:
            return {"Authorization": f"Bearer {(await response.json())['access_token']}"}


@pytest.fixture
def settings() -> SimulatorSettings:
    """Overridden by tests that want another broker."""
    return SimulatorSettings()


@pytest.fixture
async def client(settings: SimulatorSettings) -> AsyncIterator[CustomerClient]:
    clock = ManualClock(START)
    async with (
        Simulator(settings, clock) as sim,
        aiohttp.ClientSession(sim.url, headers={"User-Agent": "test/1.0"}) as http,
    ):
        client = CustomerClient(sim, clock, http, {})
        client.headers = await client.log_in(DEMO_REFRESH_TOKEN)
        yield client


@pytest.fixture
async def session(client: CustomerClient) -> AsyncIterator[Session]:
    """The unpatched SDK; only its base address is another."""
    async with Session(DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN) as session:
        session._client.base_url = client.sim.url  # type: ignore[assignment]  # it takes text
        yield session


@pytest.fixture
async def account(session: Session) -> Account:
    return await Account.get(session, MARGIN)


def leg(symbol: str, action: str, quantity: Any = 1, kind: str | None = None) -> dict[str, Any]:
    guessed = "Equity Option" if len(symbol) > 12 else "Equity"
    return {
        "symbol": symbol,
        "action": action,
        "instrument-type": kind or guessed,
        "quantity": quantity,
    }


def limit(price: str, *legs: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A limit order; the price is signed as the SDK's are."""
    return {
        "order-type": "Limit",
        "time-in-force": "Day",
        "price": price.lstrip("-"),
        "price-effect": "Debit" if price.startswith("-") else "Credit",
        "legs": list(legs),
    } | {name.replace("_", "-"): value for name, value in fields.items()}
