"""Limits and settings of chats: time, tokens, trading off or at once, no model, other words."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from tasty.v1 import chat_service_pb2 as pb
from tasty.v1 import market_data_service_pb2 as market_pb
from tasty.v1 import order_placement_pb2
from tasty.v1.new_order_pb2 import OrderConfirmation

from server.agent.agent import open_agent
from server.agent.chat_events import Question
from server.brokerage import Brokerage
from server.clock import SystemClock
from server.errors import Misconfigured, NoModel
from server.settings import Settings
from server.simulator.exchange.orders import Script
from server.simulator.faults import Fault
from server.store import Database
from tests.broker import Grants, tenant
from tests.service.chats import ACCOUNT, calls, open_chat, placed, reason_of
from tests.waiting import eventually


async def test_a_chat_that_takes_too_long_is_a_504_and_ends_the_models_call(
    tmp_path: Path,
) -> None:
    async with open_chat(tmp_path, chat_timeout_s=2) as chat:
        chat.sim.faults.add(Fault(kind="model-silent"))
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await chat.ask("hello")

        assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert reason_of(raised.value) == "ERROR_REASON_CHAT_TIMEOUT"
        words = "Request timed out. The query may be too complex."
        assert str(raised.value.details()).startswith(words)
        await eventually(lambda: chat.sim.messages.statistics().waiting == 0)


async def test_the_callers_own_deadline_ends_it_too_in_words(tmp_path: Path) -> None:
    async with open_chat(tmp_path) as chat:
        chat.sim.faults.add(Fault(kind="model-silent"))
        with pytest.raises(grpc.aio.AioRpcError, match="Request timed out"):
            await chat.caller.chat.Chat(pb.ChatRequest(message="hello"), timeout=2)


async def test_a_chat_that_uses_up_its_tokens_comes_to_an_end(tmp_path: Path) -> None:
    async with open_chat(tmp_path, chat_token_budget=10_000) as chat:
        chat.sim.faults.add(Fault(kind="model-endless", count=None))
        answer = await chat.ask("hello")

    # A turn is some 7,500 tokens of tools and instructions: the second goes beyond the budget.
    assert answer.usage.turns == 3
    assert "I stopped after 3 steps" in answer.response


async def test_with_trading_off_nothing_that_changes_is_offered_or_run(tmp_path: Path) -> None:
    async with open_chat(tmp_path, chat_trading="off", chat_model="stand-in-obedient") as chat:
        await chat.ask("Get my account balances")
        before = placed(chat.sim)
        answer = await chat.ask(
            f'CALL cancel_order {{"account_id": "{ACCOUNT}", "order_id": "1"}} '
            f'CALL place_order {{"account_id": "{ACCOUNT}", "order": '
            '{"legs": [{"symbol": "SPY", "action": "Buy", "quantity": 1}], "price": "-600"}}'
        )
        assert calls(answer) == ["cancel_order", "place_order"]
        assert all("Trading by chat is off" in call.error for call in answer.tool_calls)
        assert placed(chat.sim) == before

        request = order_placement_pb2.ConfirmOrderRequest(
            account_id=ACCOUNT, confirmation=OrderConfirmation(code="K7QM3F")
        )
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await chat.caller.orders.ConfirmOrder(request)

        assert raised.value.code() is grpc.StatusCode.PERMISSION_DENIED

        plain = await chat.as_("demo-key").ask("buy 1 SPY at 600", account_id=ACCOUNT)
        assert "I am not given the tools" in plain.response


async def test_with_trading_at_once_the_caps_still_hold(tmp_path: Path) -> None:
    async with open_chat(tmp_path, chat_trading="auto", chat_order_cap=1500) as chat:
        chat.sim.exchange.script(ACCOUNT, Script(behaviour="never"))
        await chat.ask("Get my account balances")
        before = placed(chat.sim)
        answer = await chat.ask("buy 2 SPY at 600", account_id=ACCOUNT)
        (call,) = answer.tool_calls
        assert not call.failed
        assert placed(chat.sim) == before + 1
        assert "The order was sent" in answer.response
        assert not answer.tickets

        answer = await chat.ask("buy 3 SPY at 600", account_id=ACCOUNT)
        (call,) = answer.tool_calls
        assert "the agent may trade 1500 in one order" in call.error
        assert placed(chat.sim) == before + 1


async def test_without_a_key_a_real_broker_has_no_model(tmp_path: Path) -> None:
    settings = Settings(broker="sandbox", anthropic_api_key="", data_dir=tmp_path)

    class NoRpcs:
        async def call(self, path: str, request: object, *, by_person: bool = False) -> None:
            raise AssertionError(path)

    clock = SystemClock()
    async with (
        Brokerage(settings, Grants(), clock) as brokerage,
        Database(settings) as database,
        open_agent(settings, clock, database, NoRpcs(), brokerage) as agent,
    ):
        with pytest.raises(NoModel, match="must set ANTHROPIC_API_KEY"):
            await agent.answer(Question(tenant=tenant(), message="hello"), lambda _event: None)

        rows = [market_pb.GetQuotesResponse()]
        analysis = await agent.analyst.of(tenant(), "quotes", rows, wanted=None)
        assert analysis.text == ""
        assert "No model is configured" in analysis.error


async def test_the_operators_instructions_replace_ours(tmp_path: Path) -> None:
    own = tmp_path / "mine.md"
    own.write_text("You speak of nothing but the weather.")
    async with open_chat(tmp_path, chat_instructions=own) as chat:
        answer = await chat.ask("hello")
        ours = await _ours(tmp_path)
        assert answer.usage.cache_creation_input_tokens < ours

    own.write_text(" ")
    with pytest.raises(Misconfigured, match="is empty"):
        async with open_chat(tmp_path, chat_instructions=own):
            pass


async def _ours(folder: Path) -> int:
    async with open_chat(folder / "ours") as chat:
        return (await chat.ask("hello")).usage.cache_creation_input_tokens


async def test_tools_wait_in_the_callers_queue_and_the_chat_does_not_deadlock(
    tmp_path: Path,
) -> None:
    """Six calls at two a second after a burst of two: the chat's own and five tools."""
    async with open_chat(tmp_path, rate_limit=2, rate_burst=2) as chat:
        answer = await chat.ask("Analyze my portfolio")
        queue = chat.gateway.app.front.queue.statistics()

    assert len(answer.tool_calls) == 5
    assert not any(call.failed for call in answer.tool_calls)
    assert queue.admitted == 6
    assert queue.delayed >= 2


async def test_one_who_waits_for_a_slow_model_holds_up_nobody(tmp_path: Path) -> None:
    async with open_chat(tmp_path) as chat:
        chat.sim.faults.add(Fault(kind="model-slow", delay=timedelta(milliseconds=50)))
        slow = aiter(chat.caller.chat.StreamChat(pb.StreamChatRequest(message="hello")))
        assert (await anext(slow)).text == "Thinking"
        quick = await chat.ask("hello")
        rest = [event async for event in slow]

    assert rest[-1].response == quick.response
