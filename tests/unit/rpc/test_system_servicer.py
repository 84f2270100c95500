"""The system servicer without a socket, through grpcio-testing."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import grpc_testing
import pytest
from tasty.v1 import system_service_pb2 as pb

from server import __version__
from server.errors import ShuttingDown
from server.rpc.drain import Drain
from server.rpc.servicers.system import System
from tests.clock import ManualClock

SERVICE = pb.DESCRIPTOR.services_by_name["SystemService"]
WINTER = datetime(2025, 12, 15, 19, 30, 0, 123456, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, 19, 30, tzinfo=UTC)


class Awaiting:
    """Runs a servicer's coroutines, for grpcio-testing knows only the synchronous stack."""

    def __init__(self, servicer: object) -> None:
        self._servicer = servicer

    def __getattr__(self, name: str) -> Callable[[Any, Any], Any]:
        method = getattr(self._servicer, name)
        return lambda request, context: asyncio.run(method(request, context))


def ask(servicer: System, rpc: str, request: Any) -> tuple[Any, grpc.StatusCode]:
    time = grpc_testing.strict_fake_time(0)
    server = grpc_testing.server_from_dictionary({SERVICE: Awaiting(servicer)}, time)
    call = server.invoke_unary_unary(SERVICE.methods_by_name[rpc], (), request, None)
    answer, _metadata, code, _details = call.termination()
    return answer, code


@pytest.mark.parametrize(
    ("now", "told"),
    [(WINTER, "2025-12-15T14:30:00-05:00"), (SUMMER, "2026-07-01T15:30:00-04:00")],
)
def test_the_time_is_new_yorks_in_whole_seconds(now: datetime, told: str) -> None:
    system = System(ManualClock(now), Drain(), "simulator", "trade")
    answer, code = ask(system, "GetCurrentTime", pb.GetCurrentTimeRequest())

    assert code is grpc.StatusCode.OK
    assert answer == pb.GetCurrentTimeResponse(current_time_nyc=told)


def test_health_says_what_the_guide_shows_and_which_broker_is_behind() -> None:
    answer, code = ask(
        System(ManualClock(), Drain(), "sandbox", "read"), "GetHealth", pb.GetHealthRequest()
    )

    assert code is grpc.StatusCode.OK
    assert (answer.status, answer.service) == ("healthy", "tasty-agent-http")
    assert (answer.broker, answer.version) == ("sandbox", __version__)
    assert answer.mcp == "read"


async def test_a_server_that_is_about_to_stop_is_not_healthy() -> None:
    drain = Drain()
    drain.leaving = True

    with pytest.raises(ShuttingDown):
        await System(ManualClock(), drain, "sandbox", "read").GetHealth(pb.GetHealthRequest(), None)


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())

    assert project["project"]["version"] == __version__
