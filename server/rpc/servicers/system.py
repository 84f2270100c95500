"""What the gateway says about itself: that it runs, and what time it is in New York."""

from __future__ import annotations

__all__ = ["System"]

from typing import Protocol

from tasty.v1 import system_service_pb2 as pb
from tasty.v1 import system_service_pb2_grpc

from server import __version__
from server.clock import Clock, new_york_now
from server.errors import ShuttingDown


class Leaving(Protocol):
    """Who knows whether the server is about to stop."""

    leaving: bool


class System(system_service_pb2_grpc.SystemServiceServicer):
    """Answers without asking the broker, so it answers while the broker is away."""

    def __init__(self, clock: Clock, drain: Leaving, broker: str, mcp: str) -> None:
        self._clock = clock
        self._drain = drain
        self._broker = broker
        self._mcp = mcp

    async def GetHealth(  # noqa: N802 - named by the contract
        self, request: pb.GetHealthRequest, context: object
    ) -> pb.GetHealthResponse:
        if self._drain.leaving:
            # Other calls are still served; whoever watches must send the next ones elsewhere.
            raise ShuttingDown

        return pb.GetHealthResponse(
            status="healthy",
            service="tasty-agent-http",
            broker=self._broker,
            version=__version__,
            mcp=self._mcp,
        )

    async def GetCurrentTime(  # noqa: N802 - named by the contract
        self, request: pb.GetCurrentTimeRequest, context: object
    ) -> pb.GetCurrentTimeResponse:
        now = new_york_now(self._clock)
        return pb.GetCurrentTimeResponse(current_time_nyc=now.isoformat(timespec="seconds"))
