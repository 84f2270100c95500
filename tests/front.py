"""A real server around handlers that a test brings along: the whole chain, on a free port."""

from __future__ import annotations

__all__ = [
    "KEY",
    "OTHER_KEY",
    "Keys",
    "Running",
    "code_of",
    "info_of",
    "metrics_page",
    "open_front",
    "quiet",
    "rpc",
]

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status
from tasty.v1 import system_service_pb2 as pb

from server.clock import Clock, SystemClock
from server.errors import InvalidApiKey
from server.rpc.front import Front
from server.rpc.methods import Access, Lane, Method, Patience
from server.rpc.registry import Binding
from server.secret import Secret
from server.settings import Settings
from server.tenants import Tenant
from tests.waiting import eventually

KEY = "key-of-the-first-tenant"
OTHER_KEY = "key-of-the-second-tenant"


class Keys:
    """Knows two API keys."""

    def __init__(self) -> None:
        self._tenants: Mapping[str, Tenant] = {
            KEY: Tenant(id="first", generation=1),
            OTHER_KEY: Tenant(id="second", generation=1),
        }

    async def authenticate(self, api_key: Secret, *, unconfirmed: bool = False) -> Tenant:
        try:
            return self._tenants[api_key.reveal()]
        except KeyError:
            raise InvalidApiKey from None


def rpc(
    name: str,
    function: Callable[[Any, Any], Any],
    *,
    takes_stream: bool = False,
    gives_stream: bool = False,
    access: Access = Access.KEY,
    lane: Lane = Lane.MAIN,
    changes: bool = False,
    patience: Patience = Patience.USUAL,
    request: type[Message] = pb.GetCurrentTimeResponse,
    key_field: str = "",
) -> Binding:
    """Returns an rpc of the service `test.Shapes`; its messages are a time request and answer.

    The request is the one with a field, so that it can be malformed.
    """
    method = Method(
        path=f"/test.Shapes/{name}",
        service="test.Shapes",
        name=name,
        request=request,
        client_streaming=takes_stream,
        server_streaming=gives_stream,
        access=access,
        changes=changes,
        lane=lane,
        patience=patience,
        key_field=key_field,
    )
    return Binding(method=method, function=function)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A front that listens, and a channel to it."""

    front: Front
    channel: grpc.aio.Channel
    port: int
    metrics_port: int

    def unary(self, name: str) -> Callable[..., Any]:
        """Returns a caller of bytes for a unary rpc; `key` None sends no API key."""
        return _with_key(self.channel.unary_unary(f"/test.Shapes/{name}"))

    def stream(self, name: str) -> Callable[..., Any]:
        return _with_key(self.channel.unary_stream(f"/test.Shapes/{name}"))

    def upload(self, name: str) -> Callable[..., Any]:
        return _with_key(self.channel.stream_unary(f"/test.Shapes/{name}"))

    def duplex(self, name: str) -> Callable[..., Any]:
        return _with_key(self.channel.stream_stream(f"/test.Shapes/{name}"))


@asynccontextmanager
async def open_front(
    *bindings: Binding, clock: Clock | None = None, **settings: Any
) -> AsyncIterator[Running]:
    """Yields a running front without a rate limit, unless the settings say otherwise."""
    chosen = Settings(
        **{
            "grpc_port": 0,
            "metrics_port": 0,
            "data_dir": Path("unused"),
            "rate_limit": 0,
            "drain_notice_s": 0,
            **settings,
        }
    )
    front = Front(chosen, clock or SystemClock(), Keys())
    async with (
        front.serving(bindings) as ports,
        grpc.aio.insecure_channel(f"127.0.0.1:{ports.grpc}") as channel,
    ):
        yield Running(front=front, channel=channel, port=ports.grpc, metrics_port=ports.metrics)


def code_of(error: grpc.aio.AioRpcError) -> str:
    return error.code().name


def info_of(error: grpc.aio.AioRpcError) -> ErrorInfo:
    """Returns the ErrorInfo of a failed call, which every failure of ours has."""
    status = rpc_status.from_call(error)
    assert status is not None
    assert status.code == error.code().value[0]
    assert status.message == error.details()
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    return info


async def quiet(running: Running) -> None:
    """Returns once the server has no call in flight."""
    drain = running.front.drain
    await eventually(lambda: drain.statistics().unary + drain.statistics().streams == 0)


def _with_key(call: Any) -> Callable[..., Any]:
    def start(
        request: Any = b"",
        *,
        key: str | None = KEY,
        metadata: tuple[tuple[str, str], ...] = (),
        timeout: float | None = None,
    ) -> Any:
        keys = () if key is None else (("x-api-key", key),)
        return call(request, metadata=(*keys, *metadata), timeout=timeout)

    return start


async def metrics_page(port: int, target: str = "/metrics", method: str = "GET") -> str:
    """Returns all that the metrics port answers to one request, its head included."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    page = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return page
