"""Serves the feed's endpoint and counts its connections."""

from __future__ import annotations

__all__ = ["DXLink", "DXLinkStatistics"]

from dataclasses import dataclass

from aiohttp import web

from server.simulator.clock import SimClock
from server.simulator.dxlink.connection import Connection
from server.simulator.market import Market
from server.simulator.oauth import OAuth
from server.simulator.settings import SimulatorSettings
from server.simulator.socket import Sockets


@dataclass(frozen=True, slots=True, kw_only=True)
class DXLinkStatistics:
    """Counts connections, channels, subscriptions and events."""

    connections: int
    channels: int
    subscriptions: int
    events_sent: int


class DXLink:
    """Serves the feed to any number of connections."""

    def __init__(
        self,
        settings: SimulatorSettings,
        clock: SimClock,
        oauth: OAuth,
        market: Market,
        sockets: Sockets,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._oauth = oauth
        self._market = market
        self._sockets = sockets
        self._connections: set[Connection] = set()
        self._past_events = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serves one connection until it ends."""
        limit = self._settings.max_feed_message
        async with self._sockets.accept(request, max_message=limit) as socket:
            connection = Connection(socket, self._settings, self._clock, self._oauth, self._market)
            self._connections.add(connection)
            try:
                await connection.run()
            finally:
                self._connections.discard(connection)
                self._past_events += connection.events_sent

        return socket.response

    def statistics(self) -> DXLinkStatistics:
        return DXLinkStatistics(
            connections=len(self._connections),
            channels=sum(each.channels for each in self._connections),
            subscriptions=sum(each.subscriptions for each in self._connections),
            events_sent=self._past_events + sum(each.events_sent for each in self._connections),
        )
