"""Serves the stand-in for the Anthropic Messages API, on the broker's port for convenience.

Point the SDK here by its base URL: `AsyncAnthropic(base_url=f"{sim.url}/anthropic")`.
"""

from __future__ import annotations

__all__ = ["routes"]


from aiohttp import web

from server.simulator.broker import Broker


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the one route that the gateway uses."""
    return [web.post("/anthropic/v1/messages", broker.messages.create)]
