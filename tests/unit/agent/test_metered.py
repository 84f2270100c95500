"""Calls of the model on a tenant's budget: what each counts, however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from server.agent.budget import Reservation, TokenBudget
from server.agent.chat_events import Usage
from server.agent.metered import BYTES_A_TOKEN, FASTEST, MeteredModel, tokens_read
from server.agent.model import ModelAnswer, ModelRequest, Purpose, TextPiece
from server.agent.schema import usage
from server.errors import ModelUnavailable
from server.settings import Settings
from server.store import Database
from tests.clock import ManualClock

MOST = 1_000
REQUEST = ModelRequest(
    tenant_id="anna",
    purpose=Purpose.CHAT,
    model="m",
    max_tokens=MOST,
    effort="",
    system=[{"type": "text", "text": "x" * 300}],
    messages=[{"role": "user", "content": "hi"}],
)
READ = tokens_read(REQUEST)


Step = str | Usage | Exception | asyncio.Event | Callable[[], Awaitable[None]]
"""What a model does next: says words or its answer, fails, waits, or lets the test do something."""


class Scripted:
    """Satisfies `Model`: yields what the test gives it, and raises exceptions."""

    configured = loaded = True

    def __init__(self, *script: Step) -> None:
        self._script = script
        self.asked = asyncio.Event()

    def begin_to_load(self) -> None:
        """It is loaded."""

    async def ask(self, _request: ModelRequest) -> AsyncGenerator[TextPiece | ModelAnswer, None]:
        self.asked.set()
        for each in self._script:
            match each:
                case str():
                    yield TextPiece(each)
                case Usage():
                    yield ModelAnswer(blocks=[], stop_reason="end_turn", usage=each, model="m")
                case asyncio.Event():
                    await each.wait()
                case Exception():
                    raise each
                case _:
                    await each()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    model: MeteredModel
    asked: asyncio.Event
    budget: TokenBudget
    clock: ManualClock

    async def used(self) -> int:
        """What is counted for the tenant, once all that has ended is settled."""
        while settling := [t for t in asyncio.all_tasks() if t.get_name() == "model usage"]:
            await asyncio.wait(settling)

        one = await self.budget.reserve("anna", 0)
        assert isinstance(one, Reservation)
        return one.counted.tokens


@asynccontextmanager
async def metered(settings: Settings, *script: Step) -> AsyncIterator[Metered]:
    clock = ManualClock()
    async with Database(settings) as database, asyncio.TaskGroup() as tasks:
        budget = TokenBudget(database, clock, tasks, allowed=100_000)
        scripted = Scripted(*script)
        model = MeteredModel(scripted, budget, clock, tasks)
        yield Metered(model=model, asked=scripted.asked, budget=budget, clock=clock)


async def all_of(model: MeteredModel) -> list[TextPiece | ModelAnswer]:
    return [piece async for piece in model.ask(REQUEST)]


async def test_an_answer_counts_what_the_model_says_and_tells_the_day(
    database_settings: Settings,
) -> None:
    told = Usage(input_tokens=200, output_tokens=50, cache_read_input_tokens=7, turns=1)
    async with metered(database_settings, "Hel", "lo", told) as each:
        *_, answer = await all_of(each.model)
        assert await each.used() == 257

    assert isinstance(answer, ModelAnswer)
    assert (answer.usage.day_tokens, answer.usage.day_budget) == (257, 100_000)
    statistics = each.model.statistics()
    assert statistics.tokens["chat", "input"] == 200
    assert statistics.tokens["chat", "cache_read"] == 7
    assert statistics.calls == {"chat": 1}


async def test_while_it_runs_it_counts_with_the_most(database_settings: Settings) -> None:
    go = asyncio.Event()
    async with metered(database_settings, go, Usage(input_tokens=1)) as each:
        asking = asyncio.create_task(all_of(each.model))
        await each.asked.wait()
        assert await each.used() == READ + MOST
        go.set()
        await asking
        assert await each.used() == 1


async def test_a_call_that_was_refused_counts_nothing(database_settings: Settings) -> None:
    async with metered(database_settings, ModelUnavailable("it is overloaded")) as each:
        with pytest.raises(ModelUnavailable):
            await all_of(each.model)

        assert await each.used() == 0


@pytest.mark.parametrize(("seconds", "written"), [(1, FASTEST), (60, MOST)])
async def test_a_caller_that_leaves_has_cost_what_can_have_been_written_by_then(
    database_settings: Settings, seconds: float, written: int
) -> None:
    async with metered(database_settings, "Hel", asyncio.Event()) as each:
        begun = asyncio.Event()

        async def listen() -> None:
            async with aclosing(each.model.ask(REQUEST)) as pieces:
                async for _ in pieces:
                    begun.set()

        asking = asyncio.create_task(listen())
        await begun.wait()
        await each.clock.advance(seconds)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking

        assert await each.used() == READ + written


async def test_a_call_that_breaks_off_has_cost_something(database_settings: Settings) -> None:
    script = ("Hel", ModelUnavailable("it failed in the middle of its answer"))
    async with metered(database_settings, *script) as each:
        with pytest.raises(ModelUnavailable):
            await all_of(each.model)

        assert await each.used() == READ


async def test_where_it_cannot_be_settled_the_reservation_stays(
    database_settings: Settings,
) -> None:
    """The table is gone in the middle of the call, so the store refuses to write."""
    async with Database(database_settings) as other:

        async def break_it() -> None:
            async with other.write() as connection:
                await connection.run_sync(usage.drop)

        async with metered(database_settings, break_it, Usage(input_tokens=3)) as each:
            (answer,) = await all_of(each.model)

    assert isinstance(answer, ModelAnswer)
    assert answer.usage.input_tokens == 3
    assert answer.usage.day_tokens == READ + MOST


def test_an_estimate_is_rather_too_high() -> None:
    assert READ >= 300 // BYTES_A_TOKEN
