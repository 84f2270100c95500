"""Stores and clocks for the tests of orders."""

from __future__ import annotations

__all__ = ["clock", "database", "database_settings", "postgres"]

from collections.abc import AsyncIterator

import pytest

from server.settings import Settings
from server.store import Database
from tests.clock import ManualClock
from tests.databases import database_settings, postgres


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def database(database_settings: Settings) -> AsyncIterator[Database]:
    async with Database(database_settings) as opened:
        yield opened
