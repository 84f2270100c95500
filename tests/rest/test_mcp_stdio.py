"""`python -m server mcp`, started by the official Python client as a desktop client would.

One test starts it; what is no matter of a process is asked in this one, where the imports are paid
for: over the same reader of lines, before the edge with a scripted server.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.message import SessionMessage
from tasty.v1 import system_service_pb2

from server import mcp_stdio
from server.contract.catalog import Effect
from server.contract.tools import load_tools
from server.mcp_arguments import RestCall, checked, rest_call
from server.mcp_lines import LONGEST, messages
from server.settings import Settings
from tests.command_line import in_this_process
from tests.rest.test_mcp import data_of, text_of
from tests.stack import HOME, Edge, Gateway

TOOLS = load_tools()
READS = {name for name, tool in TOOLS.items() if tool.effect is Effect.READS}
HEALTH = "/tasty.v1.SystemService/GetHealth"
PLACE = "/tasty.v1.OrderService/PlaceOrder"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "a test", "version": "1"},
    },
}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


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
    url: str, *, key: str = Gateway.api_key, **settings: Any
) -> AsyncIterator[Client]:
    """The same server without standard input and output between."""
    async with httpx2.AsyncClient(base_url=url, headers={"X-API-Key": key}) as http:
        there = mcp_stdio.Gateway(Settings(**settings), http)
        async with Client(mcp_stdio._server(there)) as client:
            yield client


async def said_to(url: str, *lines: bytes, **settings: Any) -> dict[Any, dict[str, Any]]:
    """Returns what is answered to these lines, by the id of the request."""
    first = [json.dumps(each).encode() for each in (INITIALIZE, INITIALIZED)]
    source = io.BytesIO(b"".join(line + b"\n" for line in (*first, *lines)))
    answers: dict[Any, dict[str, Any]] = {}
    into, reader = anyio.create_memory_object_stream[SessionMessage | Exception]()
    writer, out = anyio.create_memory_object_stream[SessionMessage]()
    expected = 1 + len(lines)

    async with httpx2.AsyncClient(base_url=url, headers={"X-API-Key": "k"}) as http:
        server = mcp_stdio._server(mcp_stdio.Gateway(Settings(**settings), http))

        async def read() -> None:
            async for message in messages(source, writer.send):
                await into.send(message)

        async def collect() -> None:
            async with out:
                async for message in out:
                    answer = message.message.model_dump(by_alias=True, exclude_unset=True)
                    answers[answer["id"]] = answer
                    if len(answers) == expected:
                        await into.aclose()

        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks, into, reader, writer:
                tasks.start_soon(read)
                tasks.start_soon(collect)
                await server.run(reader, writer, server.create_initialization_options())

    del answers[0]
    return answers


def call_line(name: str, arguments: str, number: int = 1) -> bytes:
    """Returns the line of a call whose arguments are this very text."""
    return (
        f'{{"jsonrpc":"2.0","id":{number},"method":"tools/call",'
        f'"params":{{"name":"{name}","arguments":{arguments}}}}}'
    ).encode()


def words(answer: dict[str, Any]) -> str:
    assert answer["result"]["isError"] is True, answer
    return str(answer["result"]["content"][0]["text"])


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

        order = {"legs": [], "dry_rum": True}
        typo = await client.call_tool("place_order", account | {"order": order})
        assert "dry_rum" in text_of(typo)


async def test_an_order_and_a_watchlist_with_a_slash(gateway: Gateway) -> None:
    account = {"account_id": gateway.account}
    async with client_within(gateway.url) as client:
        arguments = {"symbol": "SPY", "min_dte": 20, "all_options": False}
        chain = data_of(await client.call_tool("get_option_chain", arguments))["chain"]
        leg = {
            "symbol": "SPY",
            "option_type": "P",
            "action": "Buy to Open",
            "quantity": 1,
            "strike_price": 685.0,
            "expiration_date": min(chain),
        }
        order = {"legs": [leg], "price": None, "time_in_force": "Day", "dry_run": True}
        tried = data_of(await client.call_tool("place_order", account | {"order": order}))
        assert tried["dry_run"] is True
        assert float(tried["price"]) < 0

        name = "tech/stocks & more"
        symbols = [{"symbol": "BRK/B", "instrument_type": "Equity"}]
        arguments = {"action": "add", "symbols": symbols, "name": name}
        assert data_of(await client.call_tool("manage_watchlist", arguments))["watchlist"] == name
        found = data_of(await client.call_tool("list_watchlists", {"name": name}))
        assert found["watchlists"][0]["watchlist_entries"][0]["symbol"] == "BRK/B"
        gone = data_of(await client.call_tool("delete_watchlist", {"name": name}))
        assert gone["success"] is True


LEG = '{"symbol":"SPY","action":"Buy","quantity":1}'


def placing(within: str = "", beside: str = "") -> str:
    """Returns the arguments of an order, with more text within and beside it."""
    return f'{{"account_id":"a","order":{{"legs":[{LEG}]{within}}}{beside}}}'


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        # A name that the contract does not have, wherever it stands.
        (placing(beside=',"order.dry_run":true'), "order.dry_run"),
        (placing(beside=',"order.price":-1'), "order.price"),
        (placing(beside=',"dry_run":true'), "dry_run"),
        (placing(beside=',"dry_run":[]'), "dry_run"),
        (placing(beside=',"dry_run":{}'), "dry_run"),
        (placing(beside=',"dry_run":null'), "dry_run"),
        (placing(',"dryRun":true'), "order.dryRun"),
        (placing(',"dry_rum":true'), "order.dry_rum"),
        ('{"accountId":"a","order":{}}', "accountId"),
        # A value of another type.
        (placing(',"dry_run":[]'), "order.dry_run"),
        (placing(',"dry_run":{}'), "order.dry_run"),
        (placing(',"dry_run":null'), "order.dry_run"),
        (placing(',"dry_run":"true"'), "order.dry_run"),
        (placing(',"dry_run":1'), "order.dry_run"),
        ('{"account_id":1,"order":{}}', "account_id"),
        ('{"account_id":"a","order":[{}]}', "order"),
        ('{"account_id":"a","order":{"legs":{}}}', "order.legs"),
        ('{"account_id":"a","order":{"legs":[{"quantity":"1"}]}}', "quantity"),
        # A number that is none, or that a float would round.
        (placing(',"price":"-1_1"'), "order.price"),
        (placing(',"price":"-1e1"'), "order.price"),
        (placing(',"price":"-1.14\\n"'), "order.price"),
        (placing(',"price":"\\u0663"'), "order.price"),
        (placing(',"price":1e400'), "order.price"),
        (placing(',"price":-4.5000000000000000001'), "order.price"),
        (placing(',"price":NaN'), "NaN"),
        # A key that is there twice, at any depth.
        (placing(beside=',"account_id":"b"'), "'account_id'"),
        (placing(beside=',"order":{"dry_run":false}'), "'order'"),
        (placing(',"dry_run":true,"dry_run":false'), "'dry_run'"),
        ('{"account_id":"a","order":{"legs":[{"symbol":"SPY","symbol":"QQQ"}]}}', "'symbol'"),
    ],
)
async def test_what_is_not_exactly_right_is_not_sent(
    edge: Edge, arguments: str, sentence: str
) -> None:
    answers = await said_to(edge.url, call_line("place_order", arguments))

    assert sentence in words(answers[1])
    assert edge.backend.calls == []


async def test_what_is_sent_is_what_was_checked(edge: Edge) -> None:
    arguments = placing(',"price":-4.50,"time_in_force":"Day","dry_run":false')
    await said_to(edge.url, call_line("place_order", arguments))

    (arrived,) = edge.backend.calls
    assert arrived.method == PLACE
    assert arrived.metadata["x-tasty-origin"] == "mcp"
    assert arrived.metadata["x-envoy-original-path"] == "/api/v1/place-order?account_id=a"
    assert json.loads(arrived.request[arrived.request.index(b"{") :]) == {
        "legs": [{"symbol": "SPY", "action": "Buy", "quantity": 1}],
        "price": "-4.50",
        "time_in_force": "Day",
        "dry_run": False,
    }


@pytest.mark.parametrize(
    ("line", "number", "sentence"),
    [
        (b'{"jsonrpc":"2.0","id":5,"id":6,"method":"ping"}', 6, "'id' is there twice"),
        (b'{"jsonrpc":"2.0","id":5,"method":"tools/list","method":"ping"}', 5, "'method' is"),
        (b'{"jsonrpc":"2.0","id":5,"method":"ping","params":{"_meta":{"a":1,"a":2}}}', 5, "'a' is"),
        (b"{", None, "no JSON"),
        (b'{"jsonrpc":"2.0","id":"\xff"}', None, "no JSON"),
        (b"[" * 100_000, None, "nested too deeply"),
        (b'{"id":' + b"9" * 5000 + b"}", None, "no JSON"),
        (b'{"jsonrpc":"2.0","id":5,"x":"' + b"y" * LONGEST + b'"}', None, "longer than 4 MiB"),
    ],
)
async def test_a_line_that_can_be_read_in_two_ways_is_answered(
    edge: Edge, line: bytes, number: int | None, sentence: str
) -> None:
    ping = b'{"jsonrpc":"2.0","id":9,"method":"ping"}'
    answers = await said_to(edge.url, line, ping)

    assert sentence in answers[number]["error"]["message"]
    assert "result" in answers[9], "what follows is read"


async def test_the_setting_leaves_only_what_reads(gateway: Gateway) -> None:
    async with client_within(gateway.url, mcp="read") as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == READS
        order = {"account_id": gateway.account, "order": {"legs": []}}
        assert "no tool 'place_order'" in text_of(await client.call_tool("place_order", order))


async def test_the_list_follows_the_gateway_that_answers_now(edge: Edge) -> None:
    """A gateway may be restarted before another broker, on the same port."""
    async with client_within(edge.url) as client:
        for mode, tools in (("trade", set(TOOLS)), ("read", READS), ("off", set())):
            told = system_service_pb2.GetHealthResponse(mcp=mode).SerializeToString()
            edge.backend.answers[HEALTH] = lambda _request, _context, told=told: told
            assert {tool.name for tool in (await client.list_tools()).tools} == tools


async def test_a_wrong_key_is_told_in_a_sentence(gateway: Gateway) -> None:
    async with client_within(gateway.url, key="wrong-key-of-nobody") as client:
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
            {"instruments": [{"symbol": "SPY"}], "analyze": False},
            RestCall(
                method="POST",
                path="/api/v1/quotes",
                query=(("analyze", "false"),),
                body=[{"symbol": "SPY"}],
            ),
        ),
        (
            "replace_order",
            {"account_id": "a", "order_id": "7", "price": -1.25},
            RestCall(
                method="POST",
                path="/api/v1/replace-order/7",
                query=(("account_id", "a"), ("price", "-1.25")),
                body={},
            ),
        ),
        (
            "manage_watchlist",
            {"action": "add", "symbols": [{"symbol": "A"}], "name": "x"},
            RestCall(
                method="POST",
                path="/api/v1/watchlists/private/manage",
                body={"action": "add", "symbols": [{"symbol": "A"}], "name": "x"},
            ),
        ),
    ],
)
def test_a_call_is_the_rest_request_that_it_stands_for(
    tool: str, arguments: dict[str, Any], call: RestCall
) -> None:
    request = checked(TOOLS[tool], json.dumps(arguments).encode())
    made = rest_call(TOOLS[tool], request)
    assert sorted(made.query) == sorted(call.query)
    assert (made.method, made.path, made.body) == (call.method, call.path, call.body)


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_path_cannot_be_climbed(name: str) -> None:
    request = checked(TOOLS["delete_watchlist"], json.dumps({"name": name}).encode())
    with pytest.raises(ValueError, match="Invalid name"):
        rest_call(TOOLS["delete_watchlist"], request)


@pytest.mark.parametrize("name", TOOLS)
def test_every_tool_can_be_read(name: str) -> None:
    """The strict reader knows every type that an argument has."""
    tool = TOOLS[name]
    for field, schema in tool.input_schema["properties"].items():
        if "examples" in schema:
            checked(tool, json.dumps({field: schema["examples"][0]}).encode())
