"""What a call was made with is gone when the call is over: failed or not, and uncollected."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import grpc.aio
import pytest
from tasty.v1 import system_service_pb2 as pb

from server.errors import InvalidField
from tests.front import Running, open_front, quiet, rpc

Time = pb.GetCurrentTimeResponse
CALLS = 20
SIZE = 1_000_000
LARGE = Time(current_time_nyc="x" * SIZE).SerializeToString()


async def answered(_request: Time, _context: Any) -> Time:
    return Time()


async def refused(request: Time, _context: Any) -> Time:
    given = request.current_time_nyc  # the memory of messages is not Python's: nobody counts it
    raise InvalidField("current_time_nyc", given, "less of it")


async def refused_as_one_of_several(request: Time, _context: Any) -> Time:
    failures = []
    try:
        await refused(request, None)
    except InvalidField as failure:
        failures.append(failure)  # a circle: the frame holds it, and its traceback the frame
    raise failures[0]


async def broken(request: Time, _context: Any) -> Time:
    return {}[request.current_time_nyc]


async def streamed(request: Time, _context: Any) -> Any:
    yield Time()
    await refused(request, None)


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("how", [answered, refused, refused_as_one_of_several, broken, streamed])
async def test_a_large_request_is_not_kept(how: Any) -> None:
    streams = how is streamed
    async with open_front(rpc("Do", how, gives_stream=streams)) as running:
        await ended(running, streams=streams)
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(CALLS):
            await ended(running, streams=streams)
        await quiet(running)
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert after - before < 3 * SIZE


async def ended(running: Running, *, streams: bool) -> None:
    with suppress(grpc.aio.AioRpcError):
        if streams:
            async for _ in running.stream("Do")(LARGE):
                pass
        else:
            await running.unary("Do")(LARGE)
