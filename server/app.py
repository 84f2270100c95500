"""The composition root: settings in, running app out.

Whoever adds a service enters what it needs on the stack, adds the servicer to the table, and takes
the service off `NOT_BUILT`. The stack closes in the reverse order: the front drains before anything
that running calls still use is closed.
"""

from __future__ import annotations

__all__ = ["App", "open_app", "serve"]

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from types import TracebackType

import structlog

from server import logs
from server.agent import Agent, open_agent
from server.brokerage import Brokerage
from server.brokerage.streaming.market_feed import connector_for
from server.clock import Clock, SystemClock
from server.market.market_data_service import MarketDataService
from server.market.markets import Markets, rooms_of
from server.market.streams import MarketStreams
from server.memory import LibcHeap, memory_given_back
from server.orders.services import OrderServices, open_order_services
from server.portfolio.live_prices import LivePrices
from server.portfolio.position_stream import PositionStreams
from server.registration import check_registration
from server.rpc.agent_gauges import AgentGauges
from server.rpc.front import Front
from server.rpc.gauges import LoginGauges
from server.rpc.methods import contract_methods
from server.rpc.model_guard import ModelGuard
from server.rpc.registry import bind
from server.rpc.servicers.account import Accounts
from server.rpc.servicers.chat import Chats
from server.rpc.servicers.confirm_order import ConfirmOrders
from server.rpc.servicers.credentials import Credentials
from server.rpc.servicers.market_data import MarketData
from server.rpc.servicers.order import Orders
from server.rpc.servicers.reference import Reference
from server.rpc.servicers.system import System
from server.rpc.servicers.watchlist import Watchlists
from server.settings import Settings
from server.store import Database
from server.streams.stream_count import StreamCount
from server.tenants import Tenants
from server.wire.streams import StreamCodec

NOT_BUILT: tuple[str, ...] = ()
"""Services (or single rpcs) of the contract that answer 501 until somebody builds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The running server, and its parts for whoever looks inside (tests, metrics)."""

    grpc_port: int
    metrics_port: int
    front: Front
    database: Database
    tenants: Tenants
    brokerage: Brokerage
    markets: Markets
    streams: StreamCount
    orders: OrderServices
    agent: Agent

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
    check_registration(settings)
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        stack.push(_as_itself)
        await stack.enter_async_context(memory_given_back(clock, LibcHeap.here()))
        database = await stack.enter_async_context(Database(settings))
        tenants = await stack.enter_async_context(Tenants(settings, clock, database))
        brokerage = await stack.enter_async_context(Brokerage(settings, tenants, clock))
        tenants.on_change(brokerage.end)
        front = Front(settings, clock, tenants)
        front.registry.register(LoginGauges(tenants.logins.statistics))
        markets = await stack.enter_async_context(
            Markets(
                lambda tenant: connector_for(brokerage, tenant, clock),
                clock,
                Random(),  # noqa: S311 - spreads reconnects, guards nothing
                rooms_of(settings),
                front.drain.draining,
            )
        )
        tenants.on_change(markets.end)
        desk = MarketDataService(brokerage, markets, clock)
        stream_count = StreamCount(
            "market data", per_tenant=settings.streams_per_key, total=settings.streams_total
        )
        account_stream_count = StreamCount(
            "account events",
            per_tenant=settings.streams_per_key,
            total=settings.account_streams_total,
        )
        streams = MarketStreams(
            brokerage,
            markets,
            clock,
            stream_count,
            StreamCodec(),
        )
        orders = await stack.enter_async_context(
            open_order_services(
                settings,
                database,
                brokerage,
                desk,
                account_stream_count,
                front.drain.draining,
                clock,
            )
        )
        tenants.on_change(orders.streams.end)
        agent = await stack.enter_async_context(
            open_agent(settings, clock, database, front.loopback, brokerage)
        )
        tenants.on_change(agent.forget)
        front.registry.register(AgentGauges(agent.statistics))
        servicers = {
            "tasty.v1.SystemService": System(
                clock, front.drain, settings.broker, settings.mcp_mode
            ),
            "tasty.v1.CredentialsService": Credentials(tenants),
            "tasty.v1.AccountService": Accounts(
                brokerage,
                clock,
                LivePrices(markets),
                PositionStreams(brokerage, markets, clock, stream_count, StreamCodec()),
            ),
            "tasty.v1.MarketDataService": MarketData(desk, streams, agent.analyst, settings, clock),
            "tasty.v1.ReferenceService": Reference(
                brokerage,
                agent.analyst,
                clock,
                most_symbols=settings.instruments_limit,
                most_chain_bytes=settings.chains_mib << 20,
            ),
            "tasty.v1.OrderService": Orders(
                brokerage, orders, ModelGuard(settings, agent.caps), clock
            ),
            "tasty.v1.OrderService/ConfirmOrder": ConfirmOrders(agent, brokerage),
            "tasty.v1.WatchlistService": Watchlists(brokerage),
            "tasty.v1.ChatService": Chats(agent, clock),
        }
        bindings = bind(contract_methods(), servicers, NOT_BUILT)
        ports = await stack.enter_async_context(front.serving(bindings))
        brokerage.warm_up()
        yield App(
            grpc_port=ports.grpc,
            metrics_port=ports.metrics,
            front=front,
            database=database,
            tenants=tenants,
            brokerage=brokerage,
            markets=markets,
            streams=stream_count,
            orders=orders,
            agent=agent,
        )


async def serve(settings: Settings, ready: Callable[[App], None] = lambda _app: None) -> None:
    """Runs the server until it is told to stop; calls `ready` once it answers."""
    logs.configure(settings)
    async with open_app(settings) as app:
        structlog.get_logger("server").info(
            "serving",
            host=settings.host,
            grpc_port=app.grpc_port,
            broker=settings.broker,
            data_dir=str(settings.data_dir.absolute()),
        )
        ready(app)
        app.agent.warm_up()
        await app.serve_until_stopped()


def _as_itself(
    _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
) -> None:
    """Unwraps a failure that came through the task groups on the stack, unless it has company.

    A taken port is an OSError to whoever starts the server, however many parts were open by then.
    """
    alone = error
    while isinstance(alone, BaseExceptionGroup) and len(alone.exceptions) == 1:
        alone = alone.exceptions[0]

    if alone is not None and alone is not error:
        raise alone
