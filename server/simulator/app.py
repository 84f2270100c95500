"""Runs the simulated broker: market, exchange, customers and every protocol on one port.

A REST module is a file in `rest/` with a function `routes(broker)`; every file there is loaded.
What it returns or raises passes the middlewares of `middlewares.py`, from the outermost inwards.
"""

from __future__ import annotations

__all__ = ["Simulator", "SimulatorStatistics"]

import asyncio
import importlib
import pkgutil
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from server.simulator import rest
from server.simulator.account_streamer import AccountStreamer, StreamerStatistics
from server.simulator.broker import Broker
from server.simulator.clock import SimClock, SystemTime
from server.simulator.customers import Customers
from server.simulator.dxlink import DXLink, DXLinkStatistics
from server.simulator.envelope import reply
from server.simulator.exchange import Exchange, ExchangeStatistics
from server.simulator.exchange.market_venue import MarketVenue
from server.simulator.faults import Faults, FaultStatistics
from server.simulator.market import Market
from server.simulator.messages import MessagesApi, MessagesStatistics
from server.simulator.middlewares import Middlewares
from server.simulator.oauth import OAuth, OAuthStatistics
from server.simulator.settings import SimulatorSettings
from server.simulator.socket import Sockets, SocketsStatistics


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorStatistics:
    """Collects the statistics of all parts, as of one moment."""

    uptime_s: float
    requests: dict[str, int]
    """Number of answers by HTTP status."""

    oauth: OAuthStatistics
    faults: FaultStatistics
    sockets: SocketsStatistics
    dxlink: DXLinkStatistics
    streamer: StreamerStatistics
    exchange: ExchangeStatistics
    messages: MessagesStatistics


class Simulator:
    """Runs the whole broker as an async context manager; `url` is its base address inside."""

    def __init__(self, settings: SimulatorSettings, clock: SimClock | None = None) -> None:
        self.settings = settings
        self.clock: SimClock = clock or SystemTime(settings.start)
        self.customers = Customers()
        self.faults = Faults(settings.faults)
        self.oauth = OAuth(settings, self.clock, self.customers)
        self.sockets = Sockets(settings, self.clock, self.faults)
        self.streamer = AccountStreamer(settings, self.clock, self.oauth, self.sockets)
        self.middlewares = Middlewares(settings, self.clock, self.oauth, self.faults)
        self.market = Market(
            seed=settings.seed,
            clock=self.clock,
            always_open=not settings.real_hours,
            tick=settings.tick,
        )
        self.exchange = Exchange(
            venue=MarketVenue(self.market),
            clock=self.clock,
            publisher=self.streamer,
            settings=settings.exchange,
        )
        self.messages = MessagesApi(self.clock, self.faults)
        self.dxlink = DXLink(settings, self.clock, self.oauth, self.market, self.sockets)
        self.port = 0
        self._started_at = time.monotonic()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            app = web.Application(middlewares=self.middlewares.middlewares, client_max_size=1 << 20)
            app.add_routes([web.get("/dxlink", self.dxlink.serve)])
            # The SDK knows the account streamer by its host only and connects to the root path.
            app.add_routes([web.get(path, self.streamer.serve) for path in ("/streamer", "/")])
            app.add_routes([web.get("/_admin/statistics", self._show_statistics)])
            broker = self._make_broker()
            for module in _find_rest_modules():
                app.add_routes(module.routes(broker))

            # A client that keeps its connection open must not keep the program from ending.
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, self.settings.host, self.settings.port)
            await site.start()
            stack.push_async_callback(self.sockets.close_all)
            stack.callback(self.middlewares.close)
            # Entered last, so that an occupied port raises a plain OSError and not an exception
            # group.
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            trading = tasks.create_task(self.exchange.run())
            stack.callback(trading.cancel)
            self.port = runner.addresses[0][1]
            self._stack = stack.pop_all()

        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        """Base address of the REST API; the streamers have the same with `ws` instead of `http`."""
        return f"http://{self.settings.host}:{self.port}"

    def statistics(self) -> SimulatorStatistics:
        return SimulatorStatistics(
            uptime_s=time.monotonic() - self._started_at,
            requests=dict(self.middlewares.answers),
            oauth=self.oauth.statistics(),
            faults=self.faults.statistics(),
            sockets=self.sockets.statistics(),
            dxlink=self.dxlink.statistics(),
            streamer=self.streamer.statistics(),
            exchange=self.exchange.statistics(),
            messages=self.messages.statistics(),
        )

    def _make_broker(self) -> Broker:
        return Broker(
            clock=self.clock,
            customers=self.customers,
            faults=self.faults,
            oauth=self.oauth,
            market=self.market,
            exchange=self.exchange,
            messages=self.messages,
        )

    async def _show_statistics(self, _: web.Request) -> web.Response:
        return reply(asdict(self.statistics()))


def _find_rest_modules() -> list[Any]:
    names = sorted(each.name for each in pkgutil.iter_modules(rest.__path__))
    modules = [importlib.import_module(f"{rest.__name__}.{name}") for name in names]
    return [module for module in modules if hasattr(module, "routes")]
