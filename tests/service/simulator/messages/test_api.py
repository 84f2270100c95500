"""Tests the stand-in for the Messages API through the real SDK, with streams and faults."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import anthropic
import pytest
from anthropic.types import ToolUseBlock

from server.simulator import Simulator, SimulatorSettings
from server.simulator.faults import Fault

MODEL = "claude-sonnet-5-5"
SYSTEM = (
    "Today in New York: 2026-11-20 (Friday).\n"
    "Accounts of the user: 5WT00001 (Margin), 5WT00002 (Cash)."
)
NAMES = ("get_balances", "list_positions", "get_quotes", "get_market_metrics", "place_order")
TOOLS: list[Any] = [
    {"name": name, "description": name, "input_schema": {"type": "object", "properties": {}}}
    for name in NAMES
]


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings()) as simulator:
        yield simulator


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(
        api_key="any", base_url=f"{sim.url}/anthropic", max_retries=0
    ) as sdk:
        yield sdk


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


async def ask(client: anthropic.AsyncAnthropic, *messages: Any, **more: Any) -> Any:
    options = {"model": MODEL, "max_tokens": 500, "system": SYSTEM, "tools": TOOLS} | more
    return await client.messages.create(messages=list(messages), **options)


def uses(message: Any) -> list[tuple[str, Any]]:
    return [(b.name, b.input) for b in message.content if isinstance(b, ToolUseBlock)]


async def test_a_question_becomes_tool_calls_side_by_side_and_their_results_an_answer(
    client: anthropic.AsyncAnthropic,
) -> None:
    first = await ask(client, user("Get my account balances"))
    assert first.stop_reason == "tool_use"
    assert uses(first) == [
        ("get_balances", {"account_id": "5WT00001"}),
        ("get_balances", {"account_id": "5WT00002"}),
    ]

    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": '{"cash": "17.25"}'}
        for block in first.content
    ]
    said = await ask(
        client,
        user("Get my account balances"),
        {"role": "assistant", "content": [block.to_dict() for block in first.content]},
        {"role": "user", "content": results},
    )
    assert said.stop_reason == "end_turn"
    assert "cash $17.25" in said.content[0].text
    assert "rule-based stand-in" in said.content[0].text


async def test_a_stream_says_the_same_as_a_whole_answer(client: anthropic.AsyncAnthropic) -> None:
    for question in ("quote for SPY and AAPL", "hello"):
        whole = await ask(client, user(question))
        async with client.messages.stream(
            model=MODEL, max_tokens=500, system=SYSTEM, tools=TOOLS, messages=[user(question)]
        ) as stream:
            texts = [text async for text in stream.text_stream]
            streamed = await stream.get_final_message()

        assert [b.to_dict() for b in streamed.content] == [b.to_dict() for b in whole.content]
        assert streamed.stop_reason == whole.stop_reason
        assert "".join(texts) == "".join(b.text for b in whole.content if b.type == "text")


@pytest.mark.parametrize(
    ("question", "order"),
    [
        (
            "Place an order to buy 1 SPY 685P expiring 12/19",
            {
                "legs": [
                    {
                        "symbol": "SPY",
                        "action": "Buy to Open",
                        "quantity": 1,
                        "option_type": "P",
                        "strike_price": 685,
                        "expiration_date": "2026-12-19",
                    }
                ],
                "time_in_force": "Day",
            },
        ),
        (
            "sell 2 shares of AAPL at 270.5 GTC",
            {
                "legs": [{"symbol": "AAPL", "action": "Sell", "quantity": 2}],
                "time_in_force": "GTC",
                "price": "270.5",
            },
        ),
        (
            "sell to close 3 QQQ 600 calls expiring 1/15/2027 @ 2.35",
            {
                "legs": [
                    {
                        "symbol": "QQQ",
                        "action": "Sell to Close",
                        "quantity": 3,
                        "option_type": "C",
                        "strike_price": 600,
                        "expiration_date": "2027-01-15",
                    }
                ],
                "time_in_force": "Day",
                "price": "2.35",
            },
        ),
        (
            "buy 5 BRK/B with a market order",
            {
                "legs": [{"symbol": "BRK/B", "action": "Buy", "quantity": 5}],
                "time_in_force": "Day",
                "order_type": "Market",
            },
        ),
    ],
)
async def test_orders_are_read_out_of_sentences(
    client: anthropic.AsyncAnthropic, question: str, order: dict[str, Any]
) -> None:
    said = await ask(client, user(f"{question} in 5WT00002"))
    assert uses(said) == [("place_order", {"account_id": "5WT00002", "order": order})]


async def test_an_order_without_an_account_is_asked_back_and_the_answer_completes_it(
    client: anthropic.AsyncAnthropic,
) -> None:
    order = user("buy 1 SPY at 600")
    asked = await ask(client, order)
    assert "5WT00001 or 5WT00002" in asked.content[0].text

    said = await ask(
        client, order, {"role": "assistant", "content": asked.content[0].text}, user("5WT00002")
    )
    ((_, arguments),) = uses(said)
    assert arguments["account_id"] == "5WT00002"
    assert arguments["order"]["legs"][0]["symbol"] == "SPY"


async def test_the_prompt_cache_is_counted_by_prefix(client: anthropic.AsyncAnthropic) -> None:
    system = [{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}]
    first = await ask(client, user("hello"), system=system)
    second = await ask(client, user("something else"), system=system)
    other = await ask(client, user("hello"), system=system, tools=TOOLS[:1])

    assert first.usage.cache_creation_input_tokens > 0
    assert first.usage.cache_read_input_tokens == 0
    assert second.usage.cache_read_input_tokens == first.usage.cache_creation_input_tokens
    assert other.usage.cache_read_input_tokens == 0


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([], "at least one message"),
        ([{"role": "assistant", "content": "hi"}], "first message must use"),
        ([{"role": "system", "content": "hi"}], "messages.0.role"),
        ([user("")], "non-empty content"),
        (
            [
                user("hi"),
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "a", "name": "x", "input": {}}],
                },
                user("and?"),
            ],
            "without `tool_result` blocks",
        ),
        (
            [
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "b", "content": "forged"}],
                }
            ],
            "unexpected `tool_use_id`",
        ),
    ],
)
async def test_what_the_api_refuses_is_refused(
    client: anthropic.AsyncAnthropic, messages: list[Any], complaint: str
) -> None:
    with pytest.raises(anthropic.BadRequestError, match=complaint):
        await ask(client, *messages)


async def test_a_request_without_a_key_is_refused(sim: Simulator) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{sim.url}/anthropic/v1/messages", json={}) as response,
    ):
        assert response.status == 401
        body = await response.json()

    assert body["type"] == "error"
    assert body["error"]["type"] == "authentication_error"
    assert body["request_id"] == response.headers["request-id"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("model-throttled", 429),
        ("model-overloaded", 529),
        ("model-error", 500),
        ("model-key", 401),
    ],
)
async def test_errors_on_demand(
    sim: Simulator, client: anthropic.AsyncAnthropic, kind: str, status: int
) -> None:
    sim.faults.add(Fault(kind=kind, path="/anthropic/*", delay=timedelta(seconds=7)))
    with pytest.raises(anthropic.APIStatusError) as raised:
        await ask(client, user("hi"))

    assert raised.value.status_code == status
    assert raised.value.response.headers.get("retry-after") == (
        "7" if status in (429, 529) else None
    )
    assert (await ask(client, user("hi"))).stop_reason == "end_turn"


@pytest.mark.parametrize(
    ("kind", "error"),
    [("model-cut", Exception), ("model-broken", anthropic.APIStatusError)],
)
async def test_streams_break_on_demand(
    sim: Simulator, client: anthropic.AsyncAnthropic, kind: str, error: type[Exception]
) -> None:
    sim.faults.add(Fault(kind=kind))
    seen = ""
    with pytest.raises(error):  # noqa: PT012 - the first words come, the rest does not
        async with client.messages.stream(
            model=MODEL, max_tokens=500, messages=[user("hello")]
        ) as stream:
            async for text in stream.text_stream:
                seen += text

    assert seen


async def test_other_bad_days(sim: Simulator, client: anthropic.AsyncAnthropic) -> None:
    sim.faults.add(Fault(kind="model-refusal"))
    assert (await ask(client, user("hi"))).stop_reason == "refusal"

    sim.faults.add(Fault(kind="model-cropped"))
    assert (await ask(client, user("hi"))).stop_reason == "max_tokens"

    sim.faults.add(Fault(kind="model-malformed"))
    ((_, arguments), *_) = uses(await ask(client, user("quote for SPY")))
    assert arguments == {"wrong": None, "account_id": 7}

    sim.faults.add(Fault(kind="model-endless", count=None))
    for _ in range(3):
        assert (await ask(client, user("hi"))).stop_reason == "tool_use"


async def test_a_fault_can_be_for_one_model(
    sim: Simulator, client: anthropic.AsyncAnthropic
) -> None:
    sim.faults.add(Fault(kind="model-refusal", at="claude-haiku-*"))
    assert (await ask(client, user("hi"))).stop_reason == "end_turn"
    assert (await ask(client, user("hi"), model="claude-haiku-5-5")).stop_reason == "refusal"


async def test_the_obedient_model_obeys_whoever_wrote_it(client: anthropic.AsyncAnthropic) -> None:
    said = await ask(
        client,
        user('CALL delete_everything {"now": true}'),
        model="stand-in-obedient",
    )
    assert ("delete_everything", {"now": True}) in uses(said)
