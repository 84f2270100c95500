"""What a model may do by a tool is decided by the server, at each call."""

from __future__ import annotations

from pathlib import Path

import grpc
import grpc.aio
import pytest
from tasty.v1 import (
    account_service_pb2,
    credentials_service_pb2,
    credentials_service_pb2_grpc,
    order_placement_pb2,
    system_service_pb2,
    system_service_pb2_grpc,
)

from server.rpc.interceptors.mcp import Mcp
from server.settings import Settings
from server.simulator import Simulator, SimulatorSettings
from tests.front import info_of, open_front, rpc
from tests.gateway import Gateway, open_gateway

KEY = ("x-api-key", "demo-key")
BY_TOOL = (KEY, ("x-tasty-origin", "mcp"))
ACCOUNT = "5WT00001"


def cancel(gateway: Gateway, metadata: tuple[tuple[str, str], ...]) -> grpc.aio.UnaryUnaryCall:
    rpc_ = gateway.channel.unary_unary("/tasty.v1.OrderService/CancelOrder")
    request = order_placement_pb2.CancelOrderRequest(account_id=ACCOUNT, order_id="999999")
    return rpc_(request.SerializeToString(), metadata=metadata)


def balances(gateway: Gateway, metadata: tuple[tuple[str, str], ...]) -> grpc.aio.UnaryUnaryCall:
    rpc_ = gateway.channel.unary_unary("/tasty.v1.AccountService/GetBalances")
    request = account_service_pb2.GetBalancesRequest(account_id=ACCOUNT)
    return rpc_(request.SerializeToString(), metadata=metadata)


@pytest.mark.parametrize(
    ("mode", "changing", "reading"),
    [
        ("off", "ERROR_REASON_MCP_OFF", "ERROR_REASON_MCP_OFF"),
        ("read", "ERROR_REASON_MCP_READ_ONLY", None),
        ("trade", "ERROR_REASON_ORDER_NOT_FOUND", None),  # it reached the order desk
    ],
)
async def test_the_server_judges_each_call_of_a_tool(
    tmp_path: Path, mode: str, changing: str, reading: str | None
) -> None:
    async with (
        Simulator(SimulatorSettings()) as sim,
        open_gateway(sim, tmp_path, mcp=mode) as gateway,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await cancel(gateway, BY_TOOL)

        assert info_of(refused.value).reason == changing

        if reading is None:
            await balances(gateway, BY_TOOL)
        else:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await balances(gateway, BY_TOOL)

            assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
            assert info_of(refused.value).reason == reading

        # Whoever calls without a model between is not touched by any of this.
        await balances(gateway, (KEY,))
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await cancel(gateway, (KEY,))

        assert info_of(unknown.value).reason == "ERROR_REASON_ORDER_NOT_FOUND"
        health = system_service_pb2_grpc.SystemServiceStub(gateway.channel).GetHealth
        told = await health(system_service_pb2.GetHealthRequest(), metadata=BY_TOOL)
        assert told.mcp == mode


async def test_what_is_no_tool_cannot_be_done_by_a_model(tmp_path: Path) -> None:
    async with (
        Simulator(SimulatorSettings()) as sim,
        open_gateway(sim, tmp_path, mcp="trade") as gateway,
    ):
        save = credentials_service_pb2_grpc.CredentialsServiceStub(gateway.channel).SaveCredentials
        request = credentials_service_pb2.SaveCredentialsRequest(
            api_key="a-key-of-a-model", client_secret="s", refresh_token="r"
        )
        confirm = gateway.channel.unary_unary("/tasty.v1.OrderService/ConfirmOrder")
        for call in (save(request, metadata=BY_TOOL), confirm(b"", metadata=BY_TOOL)):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call

            assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
            assert info_of(refused.value).reason == "ERROR_REASON_MCP_NO_TOOL"


@pytest.mark.parametrize(
    ("settings", "mode"),
    [
        ({}, "trade"),
        ({"broker": "sandbox"}, "read"),
        ({"broker": "production"}, "read"),
        ({"broker": "production", "mcp": "trade"}, "trade"),
        ({"mcp": "read"}, "read"),
        ({"mcp": "off"}, "off"),
    ],
)
def test_auto_is_decided_by_the_servers_own_broker(settings: dict[str, str], mode: str) -> None:
    assert Settings.model_validate(settings).mcp_mode == mode


async def test_without_a_key_a_model_is_told_so_first() -> None:
    async def answer(_request: object, _context: object) -> system_service_pb2.GetHealthResponse:
        return system_service_pb2.GetHealthResponse()

    async with open_front(rpc("Do", answer, changes=True), mcp="read") as running:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await running.unary("Do")(key=None, metadata=(("x-tasty-origin", "mcp"),))

    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_the_link_needs_no_list_of_its_own() -> None:
    assert "/tasty.v1.OrderService/PlaceOrder" in Mcp("trade")._tools
    assert "/tasty.v1.OrderService/ConfirmOrder" not in Mcp("trade")._tools
