"""The day's tokens of a tenant: reserved and settled in the store, whoever asks and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from server.agent.budget import Reservation, TokenBudget
from server.agent.schema import usage
from server.errors import ModelBudgetUsed, StoreUnavailable
from server.settings import Settings
from server.store import Database
from tests.clock import ManualClock

ALLOWED = 10_000


@asynccontextmanager
async def budget_of(
    settings: Settings, clock: ManualClock | None = None, allowed: int = ALLOWED
) -> AsyncIterator[TokenBudget]:
    async with Database(settings) as database, asyncio.TaskGroup() as tasks:
        yield TokenBudget(database, clock or ManualClock(), tasks, allowed=allowed)


async def reserved(budget: TokenBudget, tokens: int, tenant_id: str = "anna") -> Reservation:
    reservation = await budget.reserve(tenant_id, tokens)
    assert reservation is not None
    return reservation


async def test_what_a_call_did_use_replaces_what_was_reserved(database_settings: Settings) -> None:
    async with budget_of(database_settings) as budget:
        first = await reserved(budget, 9_000)
        assert first.counted.tokens == 9_000
        day = await budget.settle(first, 1_234)
        assert (day.tokens, day.budget) == (1_234, ALLOWED)
        assert (await reserved(budget, ALLOWED - 1_234)).counted.tokens == ALLOWED


async def test_over_the_budget_nothing_is_reserved_and_the_time_is_told(
    database_settings: Settings,
) -> None:
    async with budget_of(database_settings) as budget:
        await budget.settle(await reserved(budget, 1), 9_500)
        with pytest.raises(ModelBudgetUsed) as raised:
            await budget.reserve("anna", 501)

        assert (await reserved(budget, 500)).counted.tokens == ALLOWED

    assert str(raised.value) == (
        "The model's budget of this API key is used up for today: 9500 of 10000 tokens are used or "
        "in use, and this needs up to 501. It is new again at 2026-11-21T00:00:00-05:00, midnight "
        "in New York."
    )


async def test_calls_side_by_side_cannot_pass_together(database_settings: Settings) -> None:
    """Two processes, twenty calls, room for ten."""
    async with (
        budget_of(database_settings) as one,
        budget_of(database_settings) as other,
    ):
        asked = [
            budget.reserve("anna", ALLOWED // 10) for _ in range(10) for budget in (one, other)
        ]
        answers = await asyncio.gather(*asked, return_exceptions=True)

    refused = [answer for answer in answers if isinstance(answer, ModelBudgetUsed)]
    passed = [answer for answer in answers if isinstance(answer, Reservation)]
    assert (len(passed), len(refused)) == (10, 10)


async def test_it_holds_over_a_restart_and_is_nobody_elses(database_settings: Settings) -> None:
    async with budget_of(database_settings) as budget:
        await reserved(budget, ALLOWED)

    async with budget_of(database_settings) as budget:
        with pytest.raises(ModelBudgetUsed):
            await budget.reserve("anna", 1)

        await reserved(budget, ALLOWED, "bob")


async def test_it_is_new_at_midnight_in_new_york(database_settings: Settings) -> None:
    clock = ManualClock(datetime(2026, 11, 21, 4, 59, 59, tzinfo=UTC))  # there it is 23:59:59
    async with budget_of(database_settings, clock) as budget:
        late = await reserved(budget, ALLOWED)
        with pytest.raises(ModelBudgetUsed):
            await budget.reserve("anna", 1)

        await clock.advance(1)
        assert (await reserved(budget, 600)).counted.tokens == 600
        # What began before midnight is settled there.
        await budget.settle(late, 10)
        assert (await reserved(budget, 1)).counted.tokens == 601


async def test_old_days_are_deleted(database_settings: Settings) -> None:
    clock = ManualClock()
    async with Database(database_settings) as database, asyncio.TaskGroup() as tasks:
        budget = TokenBudget(database, clock, tasks, allowed=ALLOWED)
        for _ in range(40):
            await budget.reserve("anna", 1)
            await clock.advance(24 * 3600)

        async with database.read() as connection:
            rows = await connection.scalar(select(func.count()).select_from(usage))

    assert rows == 32


async def test_without_a_budget_nothing_is_counted(database_settings: Settings) -> None:
    async with Database(database_settings) as database, asyncio.TaskGroup() as tasks:
        budget = TokenBudget(database, ManualClock(), tasks, allowed=0)
        assert await budget.reserve("anna", 10**9) is None
        assert database.statistics().writes == 1  # the tables


async def test_a_store_that_is_busy_for_too_long_allows_nothing(
    database_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.agent.budget.WAIT_S", 0.05)
    async with Database(database_settings) as database, asyncio.TaskGroup() as tasks:
        budget = TokenBudget(database, ManualClock(), tasks, allowed=ALLOWED)
        async with database.write(alone="model usage anna"):
            blocked = asyncio.create_task(budget.reserve("anna", 1))  # a write of another caller
            with pytest.raises(StoreUnavailable):
                await blocked

        assert (await reserved(budget, 1)).counted.tokens == 1
