"""Tenants on both databases, on a clock that stands still."""

from __future__ import annotations

__all__ = ["clock", "database_settings", "postgres", "tenants"]

from collections.abc import AsyncIterator

import pytest

from server.settings import Settings
from server.tenants import Tenants
from tests.clock import ManualClock
from tests.databases import database_settings, postgres


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def tenants(database_settings: Settings, clock: ManualClock) -> AsyncIterator[Tenants]:
    async with Tenants(database_settings, clock) as opened:
        yield opened
