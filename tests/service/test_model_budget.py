"""The day's budget of the operator's model key, as callers meet it: chats, analyses, restarts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import pytest
from tasty.v1 import market_data_service_pb2 as market_pb
from tasty.v1.instrument_pb2 import Instrument

from server.simulator.faults import Fault
from tests.service.chats import Chat, open_chat, reason_of, register

SETTINGS: dict[str, Any] = {"chat_answer_tokens": 1_000, "analysis_budget_s": 20}
SMALL = 13_000
"""Enough for one call of a chat, whose tools alone are counted with 10,000, but not for two."""


async def over_budget(chat: Chat) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await chat.ask("hello")

    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reason_of(raised.value) == "ERROR_REASON_MODEL_BUDGET_USED"
    return str(raised.value.details())


async def quotes(chat: Chat, symbol: str) -> market_pb.GetQuotesResponse:
    request = market_pb.GetQuotesRequest(instruments=[Instrument(symbol=symbol)])
    return await chat.caller.market.GetQuotes(request, timeout=30)


async def test_the_answer_tells_the_day_and_over_the_budget_is_429(tmp_path: Path) -> None:
    async with open_chat(tmp_path, model_day_tokens=SMALL, **SETTINGS) as chat:
        other = await register(chat, "another-customer-of-ours")
        usage = (await chat.ask("hello")).usage
        assert usage.day_budget == SMALL
        read = usage.input_tokens + usage.cache_read_input_tokens
        assert usage.day_tokens == read + usage.output_tokens + usage.cache_creation_input_tokens

        words = await over_budget(chat)
        assert f"used up for today: {usage.day_tokens} of {SMALL} tokens" in words
        assert "T00:00:00-0" in words
        assert 0 < (await other.ask("hello")).usage.day_tokens < SMALL

    async with open_chat(tmp_path, model_day_tokens=SMALL, **SETTINGS) as chat:
        await over_budget(chat)


async def test_a_chat_whose_budget_ends_in_the_middle_says_so(tmp_path: Path) -> None:
    async with open_chat(tmp_path, model_day_tokens=SMALL, **SETTINGS) as chat:
        answer = await chat.ask("Get my account balances")
        assert [call.name for call in answer.tool_calls] == ["get_balances"] * 2
        assert answer.usage.turns == 1
        assert "(I stopped before the end. The model's budget of this API key" in answer.response


async def test_over_the_budget_an_analysis_is_empty_with_its_reason(tmp_path: Path) -> None:
    async with open_chat(tmp_path, model_day_tokens=5_000, **SETTINGS) as chat:
        await chat.gateway.app.agent._door.load()
        first = await quotes(chat, "SPY")
        assert first.claude_analysis
        for symbol in ("QQQ", "AAPL", "NVDA", "MSFT", "AMZN", "TSLA", "AMD", "GLD"):
            last = await quotes(chat, symbol)
            if not last.claude_analysis:
                break

        assert len(last.quotes) == 1
        assert "The model's budget of this API key is used up for today" in last.claude_error


async def test_ten_callers_of_the_same_symbols_ask_the_model_once(tmp_path: Path) -> None:
    async with open_chat(tmp_path, **SETTINGS) as chat:
        other = await register(chat, "another-customer-of-ours")
        await chat.gateway.app.agent._door.load()
        before = chat.sim.messages.statistics().requests
        answers = [await quotes(chat, "SPY") for _ in range(10)]
        assert {answer.claude_analysis for answer in answers} == {answers[0].claude_analysis}
        assert chat.sim.messages.statistics().requests == before + 1
        await quotes(other, "SPY")
        assert chat.sim.messages.statistics().requests == before + 2


async def test_a_model_that_is_down_uses_up_no_budget(tmp_path: Path) -> None:
    async with open_chat(tmp_path, model_day_tokens=SMALL, **SETTINGS) as chat:
        chat.sim.faults.add(Fault(kind="model-key", count=3))
        for _ in range(3):
            with pytest.raises(grpc.aio.AioRpcError, match="is not available"):
                await chat.ask("hello")

        assert (await chat.ask("hello")).response


async def test_a_store_that_cannot_be_asked_allows_no_call_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_chat(tmp_path, **SETTINGS) as chat:
        await chat.gateway.app.agent._door.load()
        await quotes(chat, "SPY")
        before = chat.sim.messages.statistics().requests
        with (
            closing(sqlite3.connect(tmp_path / "tasty.db")) as other,
            monkeypatch.context() as impatient,
        ):
            impatient.setattr("server.agent.budget.WAIT_S", 0.1)  # not two seconds
            other.execute("BEGIN IMMEDIATE")  # another program writes, and does not end
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await chat.ask("hello")

            answer = await quotes(chat, "QQQ")
            other.rollback()

        assert reason_of(raised.value) == "ERROR_REASON_STORE_UNAVAILABLE"
        assert len(answer.quotes) == 1
        assert answer.claude_error == (
            "The model was not asked. The server's own store does not answer. Try again in a "
            "moment."
        )
        assert chat.sim.messages.statistics().requests == before
        assert (await chat.ask("hello")).response


async def test_without_a_budget_nothing_is_told_of_one(tmp_path: Path) -> None:
    async with open_chat(tmp_path, model_day_tokens=0, **SETTINGS) as chat:
        usage = (await chat.ask("hello")).usage

    assert (usage.day_tokens, usage.day_budget) == (0, 0)
