"""What the analyst asks of a model, and what it makes of its answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from tasty.v1.quote_pb2 import Quote

from server.agent.analysis import MOST_ROWS, Analyst
from server.agent.chat_events import Usage
from server.agent.model import ModelAnswer, ModelRequest, TextPiece
from server.errors import ModelUnavailable
from server.settings import Settings
from server.tenants import Tenant
from tests.clock import ManualClock
from tests.waiting import eventually

TENANT = Tenant(id="anna", generation=1)
ROWS = [Quote(symbol=f"S{number}", bid_price="1.00") for number in range(100)]


class SaidModel:
    """Satisfies `Model`: says what the test says, and remembers what it was asked."""

    configured = True

    def __init__(self, *said: str, loaded: bool = True, waits: bool = False) -> None:
        self.said = said
        self.loaded = loaded
        self.go = asyncio.Event()
        """Set by the test, where the model waits for that."""
        if not waits:
            self.go.set()

        self.asked: list[ModelRequest] = []

    def begin_to_load(self) -> None:
        self.loaded = True

    async def ask(self, request: ModelRequest) -> AsyncGenerator[TextPiece | ModelAnswer, None]:
        self.asked.append(request)
        await self.go.wait()
        for text in self.said:
            if text == "!":
                raise ModelUnavailable("it is overloaded")

            yield TextPiece(text)

        yield ModelAnswer(blocks=[], stop_reason="end_turn", usage=Usage(), model="m")


@asynccontextmanager
async def analyst(
    model: Any, clock: ManualClock | None = None, **settings: Any
) -> AsyncIterator[Analyst]:
    async with asyncio.TaskGroup() as tasks:
        chosen = Settings(anthropic_api_key="", **settings)
        yield Analyst(chosen, model, clock or ManualClock(), tasks)


async def asked(model: Any, rows: list[Quote], wanted: bool | None, **settings: Any) -> Any:
    """Asks an analyst of its own, once."""
    async with analyst(model, **settings) as one:
        return await one.of(TENANT, "quotes", rows, wanted=wanted)


async def test_the_pieces_become_one_text() -> None:
    analysis = await asked(SaidModel(" SPY ", "is tight. "), ROWS, None)
    assert (analysis.text, analysis.error) == ("SPY is tight.", "")


async def test_the_model_gets_some_rows_as_data_and_no_tools() -> None:
    model = SaidModel("x")
    await asked(model, ROWS, True)
    (request,) = model.asked
    assert request.model == "claude-haiku-5-5"
    assert request.tools == ()
    assert request.retries == 0
    content = str(request.messages[0]["content"])
    rows = orjson.loads(next(line for line in content.splitlines() if line.startswith("[")))
    assert len(rows) == MOST_ROWS
    assert rows[0] == {"symbol": "S0", "bid_price": "1.00"}


async def test_half_an_analysis_is_none() -> None:
    analysis = await asked(SaidModel("SPY is", "!"), ROWS, None)
    assert analysis.text == ""
    assert "it is overloaded" in analysis.error


@pytest.mark.parametrize(
    ("model", "rows", "wanted", "settings", "why"),
    [
        (SaidModel("x"), ROWS, False, {}, "not asked for"),
        (SaidModel("x"), [], None, {}, "nothing to analyse"),
        (SaidModel("x"), ROWS, None, {"analysis_budget_s": 0}, "switched off"),
        (SaidModel("x", loaded=False), ROWS, None, {}, "being loaded"),
        (SaidModel(), ROWS, None, {}, "nothing to say"),
    ],
)
async def test_why_there_is_none(
    model: SaidModel, rows: list[Quote], wanted: bool | None, settings: dict[str, Any], why: str
) -> None:
    analysis = await asked(model, rows, wanted, **settings)
    assert analysis.text == ""
    assert why in analysis.error
    assert bool(model.asked) == (why == "nothing to say")


async def test_it_is_loaded_once_somebody_wants_it() -> None:
    model = SaidModel("x", loaded=False)
    await asked(model, ROWS, None)
    assert model.loaded
    assert (await asked(model, ROWS, None)).text == "x"


def spy(price: str) -> list[Quote]:
    return [Quote(symbol="SPY", mid_price=price)]


async def test_ten_who_ask_at_once_ask_the_model_once() -> None:
    model = SaidModel("x", waits=True)
    async with analyst(model) as one, asyncio.TaskGroup() as callers:
        tasks = [
            callers.create_task(one.of(TENANT, "quotes", spy("690.01"), wanted=None))
            for _ in range(10)
        ]
        await eventually(lambda: len(model.asked) == 1)
        model.go.set()

    assert [task.result().text for task in tasks] == ["x"] * 10
    assert len(model.asked) == 1
    assert one.statistics().shared.shared == 9
    assert one.statistics().at_once.running == 0


async def test_it_is_kept_for_its_symbols_for_some_seconds_while_prices_hardly_move() -> None:
    model, clock = SaidModel("x"), ManualClock()
    async with analyst(model, clock, analysis_kept_s=10) as one:
        for price, asked_by_then in (("690.01", 1), ("691.20", 1), ("750.00", 2)):
            await one.of(TENANT, "quotes", spy(price), wanted=None)
            assert len(model.asked) == asked_by_then, price

        await one.of(TENANT, "quotes", [Quote(symbol="QQQ", mid_price="690")], wanted=None)
        assert len(model.asked) == 3
        await clock.advance(10)
        await one.of(TENANT, "quotes", spy("690.01"), wanted=None)

    assert len(model.asked) == 4


@pytest.mark.parametrize("other", [Tenant(id="bob", generation=1), Tenant(id="anna", generation=2)])
async def test_it_is_not_shared_with_another_customer(other: Tenant) -> None:
    model = SaidModel("x")
    async with analyst(model) as one:
        await one.of(TENANT, "quotes", spy("690"), wanted=None)
        await one.of(other, "quotes", spy("690"), wanted=None)

    assert len(model.asked) == 2


async def test_why_the_model_failed_is_kept_as_well() -> None:
    model = SaidModel("!")
    async with analyst(model) as one:
        answers = [await one.of(TENANT, "quotes", spy("690"), wanted=None) for _ in range(3)]

    assert {answer.error for answer in answers} == {str(ModelUnavailable("it is overloaded"))}
    assert len(model.asked) == 1


async def test_the_last_who_leaves_ends_the_models_call() -> None:
    model = SaidModel("x", waits=True)
    async with analyst(model) as one:
        async with asyncio.TaskGroup() as callers:
            tasks = [
                callers.create_task(one.of(TENANT, "quotes", spy("690"), wanted=None))
                for _ in range(2)
            ]
            await eventually(lambda: len(model.asked) == 1)
            tasks[0].cancel()
            await eventually(tasks[0].done)
            assert one.statistics().at_once.running == 1
            tasks[1].cancel()

        await eventually(lambda: one.statistics().at_once.running == 0)
        assert one.statistics().shared.running == 0
        model.go.set()
        assert (await one.of(TENANT, "quotes", spy("690"), wanted=None)).text == "x"


async def test_so_many_are_written_at_once() -> None:
    model = SaidModel("x", waits=True)
    async with analyst(model, analyses_per_key=2) as one, asyncio.TaskGroup() as callers:
        tasks = [
            callers.create_task(one.of(TENANT, "quotes", spy(price), wanted=None))
            for price in ("1", "2")
        ]
        await eventually(lambda: len(model.asked) == 2)
        third = await one.of(TENANT, "quotes", spy("3"), wanted=None)
        model.go.set()
        other = await one.of(Tenant(id="bob", generation=1), "quotes", spy("3"), wanted=None)

    assert third.text == ""
    assert third.error == (
        "Too many analyses at once: 2 run, and 2 are allowed for this API key. Ask again in a "
        "moment."
    )
    assert other.text == "x"
    assert [task.result().text for task in tasks] == ["x", "x"]
