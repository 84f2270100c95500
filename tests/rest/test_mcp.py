"""MCP through the edge, with the official Python client: the tools that read, with a key."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx2
import pytest
import requests
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent
from tasty.v1 import account_service_pb2, order_service_pb2

from server.contract.catalog import Effect
from server.contract.tools import load_tools
from tests.stack import Edge, Gateway, open_edge

TOOLS = load_tools()
READS = {name for name, tool in TOOLS.items() if tool.effect is Effect.READS}
HEADERS = {"Accept": "application/json, text/event-stream"}


@asynccontextmanager
async def client_of(url: str, api_key: str | None = "demo-key") -> AsyncIterator[Client]:
    headers = {} if api_key is None else {"X-API-Key": api_key}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
    ):
        yield client


def text_of(result: CallToolResult) -> str:
    return "".join(each.text for each in result.content if isinstance(each, TextContent))


def data_of(result: CallToolResult) -> Any:
    assert not result.is_error, text_of(result)
    return json.loads(text_of(result))


async def test_the_tools_are_those_of_the_contract_that_read(gateway: Gateway) -> None:
    async with client_of(gateway.url) as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}

    assert list(listed) == [name for name in TOOLS if name in READS]
    for name in listed:
        tool = TOOLS[name]
        assert listed[name].title == tool.title
        assert listed[name].description == tool.description
        assert listed[name].input_schema == tool.input_schema
        hints = listed[name].annotations
        assert hints is not None
        assert hints.read_only_hint is True
        assert hints.destructive_hint is False
        assert hints.idempotent_hint is True


async def test_the_guides_questions_as_tools(gateway: Gateway) -> None:
    account = {"account_id": gateway.account}
    async with client_of(gateway.url) as client:
        balances = data_of(await client.call_tool("get_balances", account))
        assert float(balances["net_liquidating_value"]) > 0

        positions = data_of(await client.call_tool("list_positions", account))
        assert {"AAPL", "SPY"} <= {each["symbol"] for each in positions["positions"]}

        arguments = {"instruments": [{"symbol": "SPY"}], "analyze": False, "timeout": 10}
        quotes = data_of(await client.call_tool("get_quotes", arguments))
        assert float(quotes["quotes"][0]["bid_price"]) > 0

        metrics = data_of(await client.call_tool("get_market_metrics", {"symbols": ["SPY"]}))
        assert 0 <= metrics["metrics"][0]["iv_rank"] <= 1

        chain = {"symbol": "SPY", "min_dte": 20, "all_options": False}
        assert data_of(await client.call_tool("get_option_chain", chain))["chain"]

        names = {"exchanges": ["Equity", "CME"]}
        sessions = data_of(await client.call_tool("get_market_status", names))
        assert [each["exchange"] for each in sessions] == ["Equity", "CME"]


@pytest.mark.parametrize("name", sorted(set(TOOLS) - READS))
async def test_what_changes_something_is_no_tool_here(gateway: Gateway, name: str) -> None:
    async with client_of(gateway.url) as client:
        with pytest.raises(Exception, match="Unknown tool"):
            await client.call_tool(name, {"account_id": gateway.account, "order_id": "1"})


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("get_balances", {"account_id": "5WT99999"}, "Account '5WT99999' not found."),
        ("get_balances", {}, "account_id is required"),
        ("get_quotes", {"instruments": []}, "At least one instrument is required"),
        ("get_order", {"account_id": "5WT00001", "order_id": "1"}, "not found"),
    ],
)
async def test_a_refusal_is_a_result_with_the_sentence(
    gateway: Gateway, tool: str, arguments: dict[str, Any], words: str
) -> None:
    async with client_of(gateway.url) as client:
        result = await client.call_tool(tool, arguments)

    assert result.is_error
    assert words in text_of(result)


@pytest.mark.parametrize(
    ("key", "words"), [(None, "Missing API key"), ("wrong-key-of-nobody", "Invalid API key")]
)
async def test_without_a_good_key_the_tools_are_listed_and_do_nothing(
    gateway: Gateway, key: str | None, words: str
) -> None:
    async with client_of(gateway.url, key) as client:
        assert len((await client.list_tools()).tools) == len(READS)

    answer = _call(gateway.url, "get_balances", {"account_id": gateway.account}, key)
    assert answer.status_code == 401
    assert answer.json()["result"]["isError"] is True
    assert words in answer.text


async def test_arguments_without_the_body_are_refused(gateway: Gateway) -> None:
    answer = _call(gateway.url, "get_quotes", {"symbols": []})
    assert answer.json()["error"]["code"] == -32602


async def test_what_is_no_tool_cannot_be_called(gateway: Gateway) -> None:
    async with client_of(gateway.url) as client:
        for name in ("confirm_order", "chat", "save_credentials", "nothing"):
            with pytest.raises(Exception, match="Unknown tool"):
                await client.call_tool(name, {})


def call(edge: Edge, tool: str, arguments: dict[str, Any]) -> requests.Response:
    return _call(edge.url, tool, arguments, "k")


def _call(
    url: str, tool: str, arguments: dict[str, Any], key: str | None = "demo-key"
) -> requests.Response:
    body = {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    }
    sent = HEADERS | ({} if key is None else {"X-API-Key": key})
    return requests.post(f"{url}/mcp", json=body, headers=sent, timeout=10)


def test_a_call_is_the_rest_request_that_it_stands_for(edge: Edge) -> None:
    edge.backend.answers["/tasty.v1.OrderService/GetOrder"] = lambda _request, _context: (
        order_service_pb2.GetOrderResponse().SerializeToString()
    )
    answer = call(edge, "get_order", {"account_id": "5WT00001", "order_id": "7"})
    assert answer.json()["result"]["isError"] is False

    (arrived,) = edge.backend.calls
    assert arrived.method == "/tasty.v1.OrderService/GetOrder"
    assert arrived.metadata["x-api-key"] == "k"
    assert arrived.metadata["x-envoy-original-path"] == "/api/v1/orders/7?account_id=5WT00001"


@pytest.mark.parametrize("path", ["/mcp", "/mcp?x=1", "//mcp", "/./mcp"])
@pytest.mark.parametrize("own", [{}, {"x-tasty-origin": "caller"}, {"X-Tasty-Origin": ""}])
def test_the_server_is_told_that_a_model_called(edge: Edge, path: str, own: dict[str, str]) -> None:
    body = {"jsonrpc": "2.0", "id": 7, "method": "tools/call"}
    arguments = {"name": "get_balances", "arguments": {"account_id": "a"}}
    with requests.Session() as session:
        prepared = session.prepare_request(
            requests.Request(
                "POST",
                f"{edge.url}/mcp",
                json=body | {"params": arguments},
                headers=HEADERS | {"X-API-Key": "k"} | own,
            )
        )
        prepared.url = f"{edge.url}{path}"
        session.send(prepared, timeout=10).close()

    for arrived in edge.backend.calls:
        assert arrived.metadata["x-tasty-origin"] == "mcp"

    assert edge.backend.calls or "?" in path  # the bridge knows its path without a query


def test_nobody_else_is_taken_for_a_model(edge: Edge) -> None:
    requests.get(f"{edge.url}/api/v1/balances?account_id=a", timeout=10).close()
    assert "x-tasty-origin" not in edge.backend.last.metadata


def test_a_client_cannot_choose_another_route_by_its_arguments(edge: Edge) -> None:
    for order_id in ("../credentials?x=", "..", "7/../../credentials"):
        answer = call(edge, "get_order", {"order_id": order_id, "account_id": "a"})
        assert "path traversal" in answer.json()["error"]["message"]

    assert edge.backend.calls == []
    call(edge, "get_order", {"order_id": "7/8?x=1", "account_id": "a&order_id=9"})
    (arrived,) = edge.backend.calls
    assert arrived.metadata["x-envoy-original-path"] == (
        "/api/v1/orders/7%2F8%3Fx%3D1?account_id=a%26order_id%3D9"
    )


def test_what_a_tool_may_not_do_is_told_to_the_model(edge: Edge) -> None:
    """Official clients throw away what comes with an error status."""

    def refuse(_request: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "MCP is off at this server ...")
        raise AssertionError

    edge.backend.answers["/tasty.v1.OrderService/GetOrder"] = refuse
    answer = call(edge, "get_order", {"account_id": "a", "order_id": "7"})
    assert answer.status_code == 200
    assert answer.json()["result"]["isError"] is True
    assert "MCP is off" in answer.text


LISTING = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
HOST_WORDS = "This host name may not call /mcp"
ORIGIN_WORDS = "Pages of this origin may not call /mcp"


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Host": "localhost"}, ""),
        ({"Host": "LocalHost:8000"}, ""),
        ({"Host": "127.0.0.1:1"}, ""),
        ({"Host": "127.0.0.2"}, ""),
        ({"Host": "[::1]:8000"}, ""),
        ({"Host": "tasty.example.com"}, ""),  # TASTY_PUBLIC_NAMES
        ({"Host": "TASTY.example.com.:443"}, ""),
        ({"Host": "evil.example"}, HOST_WORDS),
        ({"Host": "localhost.evil.example"}, HOST_WORDS),
        ({"Host": "127.0.0.1.evil.example"}, HOST_WORDS),
        ({"Host": "x-tasty.example.com"}, HOST_WORDS),
        ({"Host": "203.0.113.9"}, HOST_WORDS),
        ({"Origin": "http://localhost:3000"}, ""),
        ({"Origin": "https://tasty.example.com"}, ""),
        ({"Origin": "https://app.example.com"}, ""),  # TASTY_CORS_ORIGINS
        ({"Origin": "https://evil.example"}, ORIGIN_WORDS),
        ({"Origin": "http://app.example.com"}, ORIGIN_WORDS),
        ({"Origin": "null"}, ORIGIN_WORDS),
        ({"Origin": "https://localhost.evil.example"}, ORIGIN_WORDS),
        ({"Origin": "https://localhost@evil.example"}, ORIGIN_WORDS),
    ],
)
def test_a_foreign_page_may_not_call(named: Edge, headers: dict[str, str], words: str) -> None:
    answer = requests.post(f"{named.url}/mcp", json=LISTING, headers=HEADERS | headers, timeout=10)
    if words:
        assert answer.status_code == 403
        assert answer.json()["detail"].startswith(words)
    else:
        assert answer.json()["result"]["tools"]


def test_rest_answers_under_any_name(named: Edge) -> None:
    strange = {"Host": "evil.example", "Origin": "https://evil.example"}
    assert requests.get(f"{named.url}/health", headers=strange, timeout=10).ok


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An edge with a public name, and with a page that may call it."""
    with open_edge(
        tmp_path_factory.mktemp("named"),
        public_names="Tasty.example.com, other.example",
        cors_origins="https://app.example.com",
    ) as edge:
        yield edge


@pytest.mark.parametrize(
    ("method", "status"), [("GET", 405), ("DELETE", 405), ("PUT", 405), ("POST", 200)]
)
def test_the_endpoint_takes_post_only(edge: Edge, method: str, status: int) -> None:
    answer = requests.request(
        method, f"{edge.url}/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "nothing"}, timeout=10
    )
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("body", "words"),
    [(b"{", "-32700"), (b"[]", "-32600"), (b"", ""), (b"\xff\xfe", "-32700"), (b"[" * 10_000, "")],
)
def test_broken_bodies_break_nothing(edge: Edge, body: bytes, words: str) -> None:
    answer = requests.post(
        f"{edge.url}/mcp",
        data=body,
        headers=HEADERS | {"Content-Type": "application/json"},
        timeout=10,
    )
    assert answer.status_code < 500
    assert words in answer.text
    assert edge.backend.calls == []
    assert requests.get(f"{edge.url}/health", timeout=10).ok


def test_a_body_that_is_too_large_is_refused(edge: Edge) -> None:
    answer = call(edge, "get_balances", {"account_id": "x" * 3_000_000})
    assert answer.status_code in (200, 413)
    assert edge.backend.calls == []


def test_an_answer_that_no_model_should_read_is_an_error(edge: Edge) -> None:
    edge.backend.answers["/tasty.v1.AccountService/GetBalances"] = lambda _request, _context: (
        account_service_pb2.GetBalancesResponse(cash="1" * 5_000_000).SerializeToString()
    )
    answer = call(edge, "get_balances", {"account_id": "a"})
    assert "11111111" not in answer.text
    assert requests.get(f"{edge.url}/health", timeout=10).ok


@pytest.mark.parametrize(
    ("settings", "tools"),
    [
        ({"mcp": "off"}, None),
        ({"broker": "production"}, None),
        ({"mcp": "read"}, READS),
        ({"mcp": "read", "broker": "production"}, READS),
        ({"mcp": "trade"}, READS),
        ({"mcp": "trade", "broker": "production"}, READS),
    ],
)
def test_the_setting_decides(
    tmp_path: Path, settings: dict[str, str], tools: set[str] | None
) -> None:
    with open_edge(tmp_path, **settings) as edge:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        answer = requests.post(f"{edge.url}/mcp", json=body, headers=HEADERS, timeout=10)
        if tools is None:
            assert answer.status_code == 404
            return

        assert {each["name"] for each in answer.json()["result"]["tools"]} == tools
        if tools == READS:
            refused = call(edge, "place_order", {"account_id": "a", "order": {}}).json()
            assert refused["error"]["message"] == "Unknown tool"
            assert edge.backend.calls == []
