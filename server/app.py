"""The composition root: settings in, running app out.

Whoever adds a service adds it in `_servicers` and takes it off `NOT_BUILT`; what must be opened
first is entered on the stack in `open_app`, and closes in the reverse order: the server drains
before anything that its calls still need is closed.
"""

from __future__ import annotations

__all__ = ["App", "open_app", "serve"]

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from server import logs
from server.clock import Clock, SystemClock
from server.errors import InvalidApiKey
from server.metrics import open_metrics_page
from server.rpc.adapter import Adapter
from server.rpc.chain import Chain, assemble
from server.rpc.drain import Drain
from server.rpc.gauges import Gauges
from server.rpc.interceptors.access_log import AccessLog
from server.rpc.interceptors.auth import Auth, Authenticator
from server.rpc.interceptors.failures import Failures
from server.rpc.interceptors.lifetime import Lifetime
from server.rpc.interceptors.limits import Limits
from server.rpc.interceptors.metrics import Metrics
from server.rpc.interceptors.request_id import RequestId
from server.rpc.loopback import Loopback
from server.rpc.methods import contract_methods
from server.rpc.rate_queue import RateQueue
from server.rpc.registry import bind
from server.rpc.server import Server
from server.rpc.servicers.system import System
from server.secret import Secret
from server.settings import Settings

NOT_BUILT = (
    "tasty.v1.CredentialsService",
    "tasty.v1.AccountService",
    "tasty.v1.MarketDataService",
    "tasty.v1.ReferenceService",
    "tasty.v1.OrderService",
    "tasty.v1.WatchlistService",
    "tasty.v1.ChatService",
)
"""Services and rpcs of the contract that answer 501 until somebody builds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The running server."""

    grpc_port: int
    metrics_port: int
    drain: Drain
    queue: RateQueue
    loopback: Loopback

    async def serve_until_stopped(self) -> None:
        """Returns at SIGTERM or SIGINT; leaving `open_app` then drains and closes."""
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)
        for number in signals:
            loop.add_signal_handler(number, stopped.set)

        try:
            await stopped.wait()
        finally:
            for number in signals:
                loop.remove_signal_handler(number)


@asynccontextmanager
async def open_app(settings: Settings, clock: Clock | None = None) -> AsyncIterator[App]:
    """Yields the running server; leaving drains it and closes everything that was opened."""
    clock = clock or SystemClock()
    registry = CollectorRegistry()
    drain = Drain()
    queue = RateQueue(
        clock,
        rate=settings.rate_limit,
        burst=settings.rate_burst,
        longest=settings.rate_queue,
    )
    registry.register(Gauges(drain.statistics, queue.statistics))
    async with AsyncExitStack() as stack:
        tenants = _NoTenants()
        chain = _chain(settings, clock, registry, tenants, queue)
        servicers = {"tasty.v1.SystemService": System(clock, drain, settings.broker)}
        bindings = bind(contract_methods(), servicers, NOT_BUILT)
        deadline = timedelta(seconds=settings.default_deadline_s)
        server = Server(settings, clock, Adapter(chain, drain, clock, deadline), drain, bindings)
        page = open_metrics_page(registry, "127.0.0.1", settings.metrics_port)
        metrics_port = await stack.enter_async_context(page)
        grpc_port = await stack.enter_async_context(server.listening())
        yield App(
            grpc_port=grpc_port,
            metrics_port=metrics_port,
            drain=drain,
            queue=queue,
            loopback=Loopback(chain, bindings),
        )


async def serve(settings: Settings, ready: Callable[[App], None] = lambda _app: None) -> None:
    """Runs the server until it is told to stop; calls `ready` once it answers."""
    logs.configure(settings)
    async with open_app(settings) as app:
        structlog.get_logger("server").info(
            "serving", host=settings.host, grpc_port=app.grpc_port, broker=settings.broker
        )
        ready(app)
        await app.serve_until_stopped()


class _NoTenants:
    """Until tenants are plugged in, no key is known."""

    async def authenticate(self, api_key: Secret) -> Any:
        raise InvalidApiKey


def _chain(
    settings: Settings,
    clock: Clock,
    registry: CollectorRegistry,
    tenants: Authenticator,
    queue: RateQueue,
) -> Chain:
    return assemble(
        {
            "request_id": RequestId(),
            "access_log": AccessLog(clock),
            "metrics": Metrics(registry, clock),
            "failures": Failures(clock),
            "lifetime": Lifetime(clock),
            "auth": Auth(tenants, Secret(settings.admin_key.get_secret_value())),
            "limits": Limits(queue),
        }
    )
