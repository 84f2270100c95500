"""The whole server in this process, with the simulator behind it and a gRPC channel in front."""

from __future__ import annotations

__all__ = ["Caller", "Gateway", "open_gateway"]

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio
from tasty.v1 import (
    account_service_pb2_grpc,
    chat_service_pb2_grpc,
    credentials_service_pb2_grpc,
    market_data_service_pb2_grpc,
    order_service_pb2_grpc,
    reference_service_pb2_grpc,
    watchlist_service_pb2_grpc,
)

from server.app import App, open_app
from server.clock import Clock
from server.settings import Settings
from server.simulator import Simulator
from server.tenants import DEMO_API_KEY

LARGEST = 64 * 1024 * 1024
STUBS = {
    "accounts": account_service_pb2_grpc.AccountServiceStub,
    "chat": chat_service_pb2_grpc.ChatServiceStub,
    "credentials": credentials_service_pb2_grpc.CredentialsServiceStub,
    "market": market_data_service_pb2_grpc.MarketDataServiceStub,
    "orders": order_service_pb2_grpc.OrderServiceStub,
    "reference": reference_service_pb2_grpc.ReferenceServiceStub,
    "watchlists": watchlist_service_pb2_grpc.WatchlistServiceStub,
}


class Caller:
    """Calls rpcs with one API key: `caller.accounts.GetBalances(request)`.

    With an `origin` it says that a model decided, as the stdio server for MCP does.
    """

    def __init__(self, channel: grpc.aio.Channel, api_key: str, origin: str = "") -> None:
        self._key = (("x-api-key", api_key), *([("x-tasty-origin", origin)] if origin else []))
        self._stubs = {noun: stub(channel) for noun, stub in STUBS.items()}

    def __getattr__(self, noun: str) -> _Service:
        return _Service(self._stubs[noun], self._key)


class _Service:
    def __init__(self, stub: Any, key: Any) -> None:
        self._stub = stub
        self._key = key

    def __getattr__(self, name: str) -> Any:
        rpc = getattr(self._stub, name)
        return lambda *request, **options: rpc(*request, metadata=self._key, **options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """What a test has of the running server."""

    app: App
    sim: Simulator
    channel: grpc.aio.Channel

    @property
    def demo(self) -> Caller:
        """The demo tenant."""
        return self.caller(DEMO_API_KEY.reveal())

    def caller(self, api_key: str, origin: str = "") -> Caller:
        return Caller(self.channel, api_key, origin)


@asynccontextmanager
async def open_gateway(
    sim: Simulator, data_dir: Path, clock: Clock | None = None, **settings: Any
) -> AsyncIterator[Gateway]:
    """Yields a server of its own, on free ports, without a rate limit unless it is asked for."""
    chosen = Settings(
        **{
            "simulator_url": sim.url,
            "data_dir": data_dir,
            "grpc_port": 0,
            "metrics_port": 0,
            "rate_limit": 0,
            "drain_notice_s": 0,  # no edge looks whether we are ready
            "anthropic_api_key": "",  # a developer's own key must not be used up by tests
            **settings,
        }
    )
    async with open_app(chosen, clock) as app:
        options = [("grpc.max_receive_message_length", LARGEST)]
        address = f"127.0.0.1:{app.grpc_port}"
        async with grpc.aio.insecure_channel(address, options=options) as channel:
            yield Gateway(app=app, sim=sim, channel=channel)
