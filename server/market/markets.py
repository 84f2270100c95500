"""Opens a hub and a feed for each tenant that asks; tenants share nothing."""

from __future__ import annotations

__all__ = ["Market", "Markets", "MarketsStatistics", "Rooms", "rooms_of"]

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from contextvars import Context
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Self

from server.brokerage.instruments.lookup import Lookup
from server.clock import Clock
from server.errors import ShuttingDown
from server.market.candle_room import CandleRoom, candle_shares
from server.market.feed import Connector, Feed, FeedStatistics
from server.market.hub import Hub, HubStatistics
from server.settings import Settings
from server.shares import Shares
from server.tenants import Tenant

ConnectorOf = Callable[[Tenant], Connector]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketsStatistics:
    """Holds the statistics of all hubs and feeds, by tenant id."""

    hubs: dict[str, HubStatistics]
    feeds: dict[str, FeedStatistics]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """Holds the room for symbols and candles that all tenants share."""

    symbols: Shares
    candles: Shares


def rooms_of(settings: Settings) -> Rooms:
    """Returns the room that the settings give; one full request counts as few symbols."""
    return Rooms(
        symbols=Shares(
            total=settings.symbols_total,
            each=settings.symbols_per_key,
            light=settings.instruments_limit,
        ),
        candles=candle_shares(each=settings.candles_per_key, total=settings.candles_total),
    )


class Market:
    """Serves one tenant's live market data, from its first request until its credentials change."""

    def __init__(
        self, tenant: Tenant, connector: Connector, clock: Clock, random: Random, rooms: Rooms
    ) -> None:
        self.tenant = tenant
        self.feed = Feed(connector, clock, random=random)
        self.hub = Hub(
            self.feed,
            clock,
            owner=tenant.id,
            symbols=rooms.symbols,
            candles=CandleRoom(rooms.candles, tenant.id),
        )
        self.feed.attach(self.hub)
        self.lookup = Lookup()
        self.ended = asyncio.Event()
        """Set when the credentials changed: streams of this market end and say so."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come: new credentials, or the broker refuses for good."""
        return self.ended.is_set() or self.feed.refusal is not None

    async def run(self) -> None:
        """Runs feed and hub until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.feed.run(), name=f"feed {self.tenant.id}")
            tasks.create_task(self.hub.run(), name=f"hub {self.tenant.id}")


class Markets:
    """Opens a tenant's market on demand; an async context manager that ends them all."""

    def __init__(
        self,
        connector_of: ConnectorOf,
        clock: Clock,
        random: Random,
        rooms: Rooms,
        draining: asyncio.Event | None = None,
    ) -> None:
        self._connector_of = connector_of
        self._clock = clock
        self._random = random
        self._rooms = rooms
        self._draining = draining
        self._markets: dict[str, tuple[Market, asyncio.Task[None]]] = {}
        self._stack = AsyncExitStack()
        self._tasks: asyncio.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        if self._draining is not None:
            farewell = self._tasks.create_task(self._wake_when(self._draining))
            self._stack.callback(farewell.cancel)
        self._stack.push_async_callback(self._end_all)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        self._tasks = None

    def of(self, tenant: Tenant) -> Market:
        """Returns the tenant's market; a newer generation of credentials gets a new one."""
        held = self._markets.get(tenant.id)
        if held is not None and held[0].tenant.generation >= tenant.generation:
            return held[0]

        if self._tasks is None:
            raise ShuttingDown

        if held is not None:
            self._stop(tenant.id)
        connector = self._connector_of(tenant)
        market = Market(tenant, connector, self._clock, self._random, self._rooms)
        # In a context of its own: it outlives the call that came first, and its request id.
        task = self._tasks.create_task(market.run(), name=f"market {tenant.id}", context=Context())
        self._markets[tenant.id] = (market, task)
        return market

    async def end(self, tenant_id: str) -> None:
        """Ends a tenant's market, as after new credentials; its streams are told and end."""
        task = self._stop(tenant_id)
        if task is not None:
            await asyncio.wait([task])

    def statistics(self) -> MarketsStatistics:
        markets = [market for market, _ in self._markets.values()]
        return MarketsStatistics(
            hubs={market.tenant.id: market.hub.statistics() for market in markets},
            feeds={market.tenant.id: market.feed.statistics() for market in markets},
        )

    def _stop(self, tenant_id: str) -> asyncio.Task[None] | None:
        held = self._markets.pop(tenant_id, None)
        if held is None:
            return None
        market, task = held
        market.ended.set()
        market.hub.interrupt("the credentials changed")
        market.hub.close()
        task.cancel()
        return task

    async def _wake_when(self, draining: asyncio.Event) -> None:
        """Wakes all readers when the server begins to stop."""
        await draining.wait()
        for market, _ in self._markets.values():
            market.hub.wake_all()

    async def _end_all(self) -> None:
        tasks = [self._stop(tenant_id) for tenant_id in list(self._markets)]
        running = [task for task in tasks if task is not None]
        if running:
            await asyncio.wait(running)
