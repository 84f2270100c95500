"""Tests every call that the SDK offers; the list of them is read from the SDK."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from types import ModuleType

import pytest
import pytest_asyncio
from tastytrade import (
    Account,
    account,
    instruments,
    market_data,
    market_sessions,
    metrics,
    search,
    streamer,
    watchlists,
)

from server.simulator import Simulator, SimulatorSettings
from tests.service.simulator.conftest import FRIDAY_NOON, open_session
from tests.service.simulator.sdk import (  # noqa: F401 - importing a module registers its cases
    account_cases,
    market_cases,
    streamer_cases,
)
from tests.service.simulator.sdk.case import CASES, CaseContext, run

MODULES = (
    account,
    instruments,
    market_data,
    market_sessions,
    metrics,
    search,
    streamer,
    watchlists,
)


def public_coroutines(module: ModuleType) -> Iterator[str]:
    """Yields the names of all public coroutines and async generators that a module defines."""
    for name, found in tuple(vars(module).items()):
        if name.startswith("_") or getattr(found, "__module__", None) != module.__name__:
            continue

        members = tuple(vars(found).items()) if inspect.isclass(found) else [(name, found)]
        for member, value in members:
            function = getattr(value, "__func__", value)  # a classmethod holds its function
            if not member.startswith("_") and (
                inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
            ):
                yield function.__qualname__


def test_the_list_is_complete() -> None:
    reflected = {name for module in MODULES for name in public_coroutines(module)}
    assert len(reflected) > 60
    assert set(CASES) == reflected


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def context() -> AsyncIterator[CaseContext]:
    """One for all of them, as one program would call them."""
    async with Simulator(SimulatorSettings(start=FRIDAY_NOON)) as sim, open_session(sim) as session:
        mine = await Account.get(session, "5WT00001")
        yield CaseContext(sim=sim, session=session, account=mine)


@pytest.mark.filterwarnings("ignore:Use 'content=<...>'")  # the SDK's own way to send a body
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", sorted(CASES))
async def test_call(name: str, context: CaseContext) -> None:
    async with asyncio.timeout(60):
        await run(name, context)
