"""`python -m server mcp`, started by the official Python client as a desktop client would.

One test starts it; what is no matter of a process is asked in this one, where the imports are paid
for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters

from server import mcp_stdio
from server.contract.catalog import Effect
from server.contract.tools import load_tools
from server.mcp_stdio import RestCall, rest_call
from server.settings import Settings
from tests.command_line import in_this_process
from tests.rest.test_mcp import data_of, text_of
from tests.stack import HOME, Gateway

TOOLS = load_tools()
READS = {name for name, tool in TOOLS.items() if tool.effect is Effect.READS}


@asynccontextmanager
async def client_of(gateway: Gateway) -> AsyncIterator[Client]:
    settings = {"TASTY_GATEWAY_URL": gateway.url, "TASTY_API_KEY": gateway.api_key}
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "server", "mcp"],
        env={"PATH": os.defpath, "PYTHONPATH": str(HOME), **settings},
    )
    async with Client(command) as client:
        yield client


@asynccontextmanager
async def client_within(
    gateway: Gateway, *, key: str = Gateway.api_key, **settings: Any
) -> AsyncIterator[Client]:
    """The same server without standard input and output between."""
    async with httpx2.AsyncClient(base_url=gateway.url, headers={"X-API-Key": key}) as http:
        there = mcp_stdio.Gateway(Settings(**settings), http)
        async with Client(mcp_stdio._server(there, await there.tools())) as client:
            yield client


async def test_tools_are_listed_and_called(gateway: Gateway) -> None:
    async with client_of(gateway) as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(listed) == list(TOOLS)
        hints = listed["place_order"].annotations
        assert hints is not None
        assert hints.destructive_hint is True

        account = {"account_id": gateway.account}
        balances = data_of(await client.call_tool("get_balances", account))
        assert float(balances["net_liquidating_value"]) > 0

        arguments = {"instruments": [{"symbol": "SPY"}], "analyze": False}
        quotes = data_of(await client.call_tool("get_quotes", arguments))
        assert quotes["quotes"][0]["symbol"] == "SPY"

        refused = await client.call_tool("get_balances", {"account_id": "5WT99999"})
        assert refused.is_error
        assert text_of(refused).startswith("Account '5WT99999' not found.")

        unknown = await client.call_tool("confirm_order", {})
        assert unknown.is_error


async def test_the_setting_leaves_only_what_reads(gateway: Gateway) -> None:
    async with client_within(gateway, mcp="read") as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == READS
        order = {"account_id": gateway.account, "order": {"legs": []}}
        assert (await client.call_tool("place_order", order)).is_error


async def test_a_wrong_key_is_told_in_a_sentence(gateway: Gateway) -> None:
    async with client_within(gateway, key="wrong-key-of-nobody") as client:
        result = await client.call_tool("get_balances", {"account_id": gateway.account})

    assert result.is_error
    assert text_of(result).startswith("Invalid API key.")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "TASTY_API_KEY is not set"),
        ("demo-key", "no gateway answers at http://127.0.0.1:1"),
    ],
)
def test_what_only_the_user_can_mend_is_a_sentence(key: str, words: str) -> None:
    said = in_this_process("mcp", TASTY_GATEWAY_URL="http://127.0.0.1:1", TASTY_API_KEY=key)
    assert said.code == 1
    assert words in said.err
    assert said.out == ""
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("tool", "arguments", "call"),
    [
        (
            "get_order",
            {"account_id": "a", "order_id": "7/8?x=1"},
            RestCall(
                method="GET", path="/api/v1/orders/7%2F8%3Fx%3D1", query=(("account_id", "a"),)
            ),
        ),
        (
            "get_market_status",
            {"exchanges": ["Equity", "CME"]},
            RestCall(
                method="GET",
                path="/api/v1/market-status",
                query=(("exchanges", "Equity"), ("exchanges", "CME")),
            ),
        ),
        (
            "get_quotes",
            {"instruments": [{"symbol": "SPY"}], "analyze": False, "timeout": None},
            RestCall(
                method="POST",
                path="/api/v1/quotes",
                query=(("analyze", "false"),),
                body=[{"symbol": "SPY"}],
            ),
        ),
        (
            "manage_watchlist",
            {"action": "add", "symbols": [], "name": "x"},
            RestCall(
                method="POST",
                path="/api/v1/watchlists/private/manage",
                body={"action": "add", "symbols": [], "name": "x"},
            ),
        ),
    ],
)
def test_a_call_is_the_rest_request_that_it_stands_for(
    tool: str, arguments: dict[str, Any], call: RestCall
) -> None:
    assert rest_call(TOOLS[tool], arguments) == call


@pytest.mark.parametrize("name", ["", ".", "..", None])
def test_a_path_cannot_be_climbed(name: str | None) -> None:
    with pytest.raises(ValueError, match="Invalid name"):
        rest_call(TOOLS["delete_watchlist"], {"name": name})
