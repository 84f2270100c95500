"""A brokerage against the simulator in this process, and tenants that need no database."""

from __future__ import annotations

__all__ = [
    "DEMO",
    "DEMO_ACCOUNT",
    "EMPTY_ACCOUNT",
    "Grants",
    "LoginsOfNoBudget",
    "open_brokerage",
    "tenant",
]

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from server.brokerage import Brokerage
from server.clock import Clock, SystemClock
from server.secret import Secret
from server.settings import Settings
from server.simulator import Simulator
from server.tenants import Credentials, Login, Tenant
from server.tenants.login_rules import Standing

DEMO = "demo-refresh-token"
"""The refresh token of the simulator's demo customer."""
DEMO_ACCOUNT = "5WT00001"
EMPTY_ACCOUNT = "5WT00002"


class LoginsOfNoBudget:
    """Permits every login, as a budget that is never used up, and keeps what it is told."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    async def begin(self, tenant: Tenant, generation: int) -> Login:
        return Login(tenant=tenant, generation=generation, standing=Standing.NEW)

    async def worked(self, login: Login) -> None:
        self.ended.append("worked")

    async def refused(self, login: Login, words: str) -> None:
        self.ended.append("refused")

    async def unsent(self, login: Login) -> None:
        self.ended.append("unsent")

    async def unknown(self, login: Login) -> None:
        self.ended.append("unknown")

    async def revoked(self, tenant: Tenant, generation: int, words: str) -> None:
        self.ended.append("revoked")


class Grants:
    """Credentials by tenant id: the id is the refresh token unless `tokens` says otherwise."""

    def __init__(self) -> None:
        self.logins = LoginsOfNoBudget()
        self.tokens: dict[str, str] = {}
        self.asked = 0

    async def credentials(self, tenant: Tenant) -> Credentials:
        self.asked += 1
        return Credentials(
            client_secret=Secret("client-secret"),
            refresh_token=Secret(self.tokens.get(tenant.id, tenant.id)),
            generation=tenant.generation,
        )


def tenant(refresh_token: str = DEMO, generation: int = 1) -> Tenant:
    """Returns a tenant whose credentials hold this refresh token."""
    return Tenant(id=refresh_token, generation=generation)


@asynccontextmanager
async def open_brokerage(
    sim: Simulator, clock: Clock | None = None, grants: Grants | None = None, **settings: Any
) -> AsyncIterator[Brokerage]:
    """Yields a brokerage that talks to `sim`."""
    chosen = Settings(simulator_url=sim.url, **settings)
    async with Brokerage(chosen, grants or Grants(), clock or SystemClock()) as brokerage:
        yield brokerage
