"""`claude_analysis` beside the data: within its budget, never in the way, and it says why not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tasty.v1 import market_data_service_pb2 as market_pb
from tasty.v1 import reference_service_pb2 as reference_pb
from tasty.v1.instrument_pb2 import Instrument

from server.simulator.faults import Fault
from tests.service.chats import Chat, open_chat
from tests.waiting import eventually

PLENTY_S = 20.0
"""Where the model answers, or fails: it must not be the machine that is too slow."""
BUDGET_S = 1.0
"""Where the model does not answer in time."""
pytestmark = pytest.mark.asyncio(loop_scope="module")
Ask = Callable[..., Any]


def quotes(chat: Chat, **more: Any) -> Any:
    request = market_pb.GetQuotesRequest(
        instruments=[Instrument(symbol="SPY"), Instrument(symbol="AAPL")], **more
    )
    return chat.caller.market.GetQuotes(request, timeout=30)


def greeks(chat: Chat, **more: Any) -> Any:
    return chat.caller.market.GetGreeks(
        market_pb.GetGreeksRequest(options=[Instrument(symbol=OPTION["symbol"])], **more),
        timeout=30,
    )


def metrics(chat: Chat, **more: Any) -> Any:
    return chat.caller.reference.GetMarketMetrics(
        reference_pb.GetMarketMetricsRequest(symbols=["SPY", "QQQ"], **more), timeout=30
    )


OPTION: dict[str, str] = {}
ASKS = [
    pytest.param(quotes, "quotes", "spread", id="quotes"),
    pytest.param(greeks, "greeks", "delta", id="greeks"),
    pytest.param(metrics, "metrics", "IV rank", id="metrics"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chat(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    folder: Path = tmp_path_factory.mktemp("analysis")
    async with open_chat(folder, analysis_budget_s=PLENTY_S, analysis_kept_s=0) as running:
        chain = await running.caller.reference.GetOptionChain(
            reference_pb.GetOptionChainRequest(
                symbol="SPY", min_dte=20, max_dte=40, min_strike=690, max_strike=700
            )
        )
        OPTION["symbol"] = chain.all_options[0].symbol
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hurried(chat: Chat, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    """The same market with a budget that can run out."""
    folder: Path = tmp_path_factory.mktemp("hurried")
    async with open_chat(folder, analysis_budget_s=BUDGET_S, analysis_kept_s=0) as running:
        await _loaded(running)
        yield running


async def _loaded(running: Chat) -> None:
    await quotes(running)
    door = running.gateway.app.agent._door
    await eventually(lambda: door.loaded)


async def test_the_first_answer_does_not_wait_for_the_sdk(chat: Chat) -> None:
    answer = await quotes(chat)
    assert len(answer.quotes) == 2
    assert answer.claude_error == "The model is being loaded; ask again in some seconds."
    await _loaded(chat)


@pytest.mark.parametrize(("ask", "field", "words"), ASKS)
async def test_an_analysis_stands_beside_the_data(
    chat: Chat, ask: Ask, field: str, words: str
) -> None:
    answer = await ask(chat)
    assert getattr(answer, field)
    assert words in answer.claude_analysis
    assert "rule-based stand-in" in answer.claude_analysis
    assert answer.claude_error == ""


@pytest.mark.parametrize(("ask", "field", "words"), ASKS)
async def test_without_it_no_model_is_asked(chat: Chat, ask: Ask, field: str, words: str) -> None:
    before = chat.sim.messages.statistics().requests
    answer = await ask(chat, analyze=False)
    assert getattr(answer, field)
    assert answer.claude_analysis == ""
    assert answer.claude_error == "It was not asked for (analyze=false)."
    assert chat.sim.messages.statistics().requests == before


@pytest.mark.parametrize(
    "fault",
    [Fault(kind="model-silent"), Fault(kind="model-slow", delay=timedelta(seconds=0.4))],
    ids=lambda fault: str(fault.kind),
)
@pytest.mark.parametrize(("ask", "field", "words"), ASKS)
async def test_a_model_that_is_late_does_not_keep_the_data(
    hurried: Chat, ask: Ask, field: str, words: str, fault: Fault
) -> None:
    await ask(hurried, analyze=False)  # warm: what is waited for is the model
    hurried.sim.faults.add(fault)
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await ask(hurried)
    took = loop.time() - began
    hurried.sim.faults.clear()

    assert getattr(answer, field)
    assert answer.claude_analysis == ""
    assert answer.claude_error == "The model did not answer within 1 s."
    assert took < BUDGET_S + 5  # seconds for a busy machine; a silent model would take for ever


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault(kind="model-overloaded", count=5, delay=timedelta()), "it is overloaded"),
        (Fault(kind="model-throttled", count=5, delay=timedelta(hours=1)), "it is limiting"),
        (Fault(kind="model-key"), "it refused the server's key"),
        (Fault(kind="model-cut"), "the connection to it failed"),
        (Fault(kind="model-broken"), "it failed in the middle of its answer"),
        (Fault(kind="model-refusal"), "The model had nothing to say."),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
@pytest.mark.parametrize(("ask", "field", "words"), ASKS)
async def test_whatever_the_model_does_the_data_comes(
    chat: Chat, ask: Ask, field: str, words: str, fault: Fault, why: str
) -> None:
    chat.sim.faults.add(fault)
    answer = await ask(chat)
    chat.sim.faults.clear()

    assert getattr(answer, field)
    assert answer.claude_analysis == ""
    assert why in answer.claude_error


async def test_a_client_that_leaves_ends_the_models_call(chat: Chat) -> None:
    chat.sim.faults.add(Fault(kind="model-silent"))
    call = quotes(chat)
    await eventually(lambda: chat.sim.messages.statistics().waiting == 1)
    call.cancel()
    await eventually(lambda: chat.sim.messages.statistics().waiting == 0)


async def test_no_budget_no_analysis(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with open_chat(tmp_path_factory.mktemp("none"), analysis_budget_s=0) as running:
        answer = await quotes(running)
        assert len(answer.quotes) == 2
        assert "TASTY_ANALYSIS_BUDGET_S" in answer.claude_error
