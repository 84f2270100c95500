"""Chats over REST: the guide's request and reply, its six questions, and server-sent events."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.stack import Gateway


def post(gateway: Gateway, body: Any, path: str = "chat", **options: Any) -> requests.Response:
    return requests.post(
        f"{gateway.url}/api/v1/{path}",
        json=body,
        headers={"X-API-Key": gateway.api_key},
        timeout=60,
        **options,
    )


def order_of(gateway: Gateway) -> str:
    chain = requests.get(
        f"{gateway.url}/api/v1/option-chain",
        params={"symbol": "SPY", "min_dte": 20, "max_dte": 60, "all_options": "false"},
        headers={"X-API-Key": gateway.api_key},
        timeout=60,
    ).json()["chain"]
    return f"Place an order to buy 1 SPY 685P expiring {min(chain)}"


@pytest.mark.parametrize(
    ("question", "tools"),
    [
        ("Get my account balances", ["get_balances"] * 2),
        ("What are my current positions?", ["list_positions"] * 2),
        ("Get a quote for SPY", ["get_quotes"]),
        (
            "Analyze my portfolio",
            ["get_balances"] * 2 + ["list_positions"] * 2 + ["get_market_metrics"],
        ),
        ("What's the IV rank for SPY?", ["get_market_metrics"]),
    ],
)
def test_the_guides_questions(gateway: Gateway, question: str, tools: list[str]) -> None:
    answer = post(gateway, {"message": question, "message_history": None})
    assert answer.status_code == 200
    body = answer.json()
    assert [call["name"] for call in body["tool_calls"]] == tools
    assert not any(call["failed"] for call in body["tool_calls"])
    assert body["message_history"] == [
        {"role": "user", "content": question},
        {"role": "assistant", "content": body["response"]},
    ]


def test_the_guides_order_is_placed_by_its_code_and_nothing_else(gateway: Gateway) -> None:
    asked = post(gateway, {"message": order_of(gateway), "account_id": gateway.account}).json()
    assert [call["name"] for call in asked["tool_calls"]] == ["place_order"]
    (ticket,) = asked["tickets"]

    history = asked["message_history"]
    yes = post(gateway, {"message": "yes", "message_history": history}).json()
    assert yes.get("confirmed_order") is None

    confirmation = {"message": f"confirm {ticket['code']}", "message_history": history}
    done = post(gateway, confirmation).json()
    assert done["confirmed_order"]["code"] == ticket["code"]
    assert done["confirmed_order"]["order_id"]
    assert post(gateway, confirmation).json().get("confirmed_order") is None


def test_confirm_order_is_a_route_and_read_strictly(gateway: Gateway) -> None:
    asked = post(gateway, {"message": order_of(gateway), "account_id": gateway.account}).json()
    code = asked["tickets"][0]["code"]
    path = f"confirm-order?account_id={gateway.account}"
    assert post(gateway, {"code": code, "cod": 1}, path).status_code == 400

    done = post(gateway, {"code": code}, path)
    assert done.status_code == 200
    assert done.json()["receipt"]["id"]

    again = post(gateway, {"code": code}, path)
    assert again.status_code == 404
    assert again.json()["detail"].startswith(f"No order waits for the code '{code}'.")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"message": ""}, 400, "message"),
        ({}, 400, "message"),
        ({"message": "x" * 1_000_000}, 400, "at most 32000 characters"),
        ({"message": "hi", "message_history": [{"role": "system", "content": "x"}]}, 400, "role"),
        ({"message": "hi", "message_history": [{"role": "user", "content": ["x"]}]}, 400, ""),
        ({"message": "hi", "account_id": "5WT99999"}, 404, "Account '5WT99999' not found."),
    ],
)
def test_bad_input(gateway: Gateway, body: dict[str, Any], status: int, words: str) -> None:
    for path in ("chat", "chat/stream"):
        answer = post(gateway, body, path)
        assert answer.status_code == status, path
        assert words in answer.json()["detail"]


def test_a_stream_is_server_sent_events(gateway: Gateway) -> None:
    answer = post(gateway, {"message": "Get a quote for SPY"}, "chat/stream", stream=True)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream"
    events = [
        json.loads(line.removeprefix(b"data: "))
        for line in answer.iter_lines()
        if line.startswith(b"data: ")
    ]
    kinds = [event["kind"].removeprefix("CHAT_EVENT_KIND_") for event in events]
    assert kinds[0] == "STATUS"
    assert kinds.index("TOOL_STARTED") < kinds.index("TOOL_FINISHED") < kinds.index("TEXT")
    assert kinds[-1] == "DONE"
    said = "".join(event["text"] for event in events if event["kind"].endswith("_TEXT"))
    assert said == events[-1]["response"]
