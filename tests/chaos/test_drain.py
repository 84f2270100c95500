"""Row 18 of the promises: a stop loses no call, and every stream is told that it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tasty.v1 import system_service_pb2 as pb

from server.rpc.call import current_call
from tests.clock import ManualClock, settle
from tests.front import KEY, Running, code_of, info_of, open_front, quiet, rpc
from tests.waiting import eventually

Time = pb.GetCurrentTimeResponse
LAST_WORD = Time(current_time_nyc="the end").SerializeToString()
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Working:
    """A servicer whose unary calls end when they are released."""

    def __init__(self) -> None:
        self.released = asyncio.Event()

    async def work(self, _request: Any, _context: Any) -> Time:
        await self.released.wait()
        return Time(current_time_nyc="done")

    async def polite(self, _request: Any, _context: Any) -> AsyncIterator[Time | bytes]:
        yield Time()
        await current_call().draining.wait()
        yield LAST_WORD

    async def deaf(self, _request: Any, _context: Any) -> AsyncIterator[Time]:
        yield Time()
        await asyncio.Event().wait()


@asynccontextmanager
async def client_of(running: Running, outer: AsyncExitStack) -> AsyncIterator[Running]:
    """Yields the same with a channel that stays open while the server stops."""
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{running.port}")
    await outer.enter_async_context(channel)
    yield Running(
        front=running.front, channel=channel, port=running.port, metrics_port=running.metrics_port
    )


async def failed(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return raised.value


async def rest_of(stream: Any) -> list[bytes]:
    rest = []
    while (message := await stream.read()) is not grpc.aio.EOF:
        rest.append(message)
    return rest


async def test_running_calls_finish_and_new_ones_are_refused() -> None:
    working = Working()
    async with AsyncExitStack() as outer:
        serving = open_front(rpc("Work", working.work))
        running = await serving.__aenter__()
        client = await outer.enter_async_context(client_of(running, outer))
        call = client.unary("Work")()
        await eventually(lambda: running.front.drain.statistics().unary == 1)

        stopping = asyncio.ensure_future(serving.__aexit__(None, None, None))
        await running.front.drain.draining.wait()
        refused = await failed(client.unary("Work")())
        working.released.set()
        await stopping

        assert Time.FromString(await call).current_time_nyc == "done"
        assert code_of(refused) == "UNAVAILABLE"
        assert info_of(refused).reason == "ERROR_REASON_SHUTTING_DOWN"


async def test_a_stream_that_listens_says_its_last_word_and_ends_well() -> None:
    async with AsyncExitStack() as outer:
        async with open_front(rpc("Watch", Working().polite, gives_stream=True)) as running:
            client = await outer.enter_async_context(client_of(running, outer))
            stream = client.stream("Watch")()
            await stream.read()

        assert await rest_of(stream) == [LAST_WORD]
        assert (await stream.code()).name == "OK"


async def test_a_stream_that_does_not_listen_is_ended_with_a_status() -> None:
    async with AsyncExitStack() as outer:
        async with open_front(
            rpc("Watch", Working().deaf, gives_stream=True), drain_s=0.1
        ) as running:
            client = await outer.enter_async_context(client_of(running, outer))
            stream = client.stream("Watch")()
            await stream.read()

        error = await failed(rest_of(stream))
        assert code_of(error) == "UNAVAILABLE"
        assert info_of(error).reason == "ERROR_REASON_SHUTTING_DOWN"


async def test_a_stream_that_does_not_listen_does_not_hold_up_the_stop() -> None:
    async with AsyncExitStack() as outer:
        async with open_front(
            rpc("Watch", Working().deaf, gives_stream=True), drain_s=60
        ) as running:
            client = await outer.enter_async_context(client_of(running, outer))
            stream = client.stream("Watch")()
            await stream.read()
            started = time.monotonic()

        assert time.monotonic() - started < 5
        assert code_of(await failed(rest_of(stream))) == "UNAVAILABLE"


async def test_a_call_that_takes_too_long_is_told_so_before_the_server_goes() -> None:
    async with AsyncExitStack() as outer:
        async with open_front(rpc("Work", Working().work), drain_s=0.1) as running:
            client = await outer.enter_async_context(client_of(running, outer))
            call = client.unary("Work")()
            await eventually(lambda: running.front.drain.statistics().unary == 1)

        error = await failed(call)
        assert code_of(error) == "UNAVAILABLE"
        assert info_of(error).reason == "ERROR_REASON_SHUTTING_DOWN"


async def test_calls_that_wait_in_the_queue_are_served_before_the_server_goes() -> None:
    working = Working()
    working.released.set()
    async with AsyncExitStack() as outer:
        async with open_front(rpc("Work", working.work), rate_limit=20, rate_burst=1) as running:
            client = await outer.enter_async_context(client_of(running, outer))
            calls = [asyncio.ensure_future(client.unary("Work")()) for _ in range(6)]
            await eventually(lambda: running.front.queue.statistics().waiting == 5)

        answers = await asyncio.gather(*calls)
        assert len(answers) == 6


async def test_health_says_it_first_while_calls_are_still_served() -> None:
    working = Working()
    working.released.set()
    clock = ManualClock()
    async with AsyncExitStack() as outer:
        serving = open_front(rpc("Work", working.work), clock=clock, drain_notice_s=2)
        running = await serving.__aenter__()
        client = await outer.enter_async_context(client_of(running, outer))
        health = health_pb2_grpc.HealthStub(client.channel)
        overall, shapes = (
            health.Watch(health_pb2.HealthCheckRequest(service=name))
            for name in ("", "test.Shapes")
        )
        assert [(await watch.read()).status for watch in (overall, shapes)] == [SERVING, SERVING]

        stopping = asyncio.ensure_future(serving.__aexit__(None, None, None))
        assert [(await watch.read()).status for watch in (overall, shapes)] == [
            NOT_SERVING,
            NOT_SERVING,
        ]
        await client.unary("Work")()
        assert not running.front.drain.draining.is_set()
        await clock.advance(1.9)
        await client.unary("Work")()

        await clock.advance(0.2)
        await settle()
        await running.front.drain.draining.wait()
        overall.cancel()
        shapes.cancel()
        await stopping


async def test_under_load_no_call_fails_and_every_stream_is_told() -> None:
    """Two hundred streams and a stream of calls whose sender obeys the health service."""
    outcomes: list[bytes] = []

    async def work(_request: Any, _context: Any) -> bytes:
        await asyncio.sleep(0.01)  # a call that takes a moment, so that some are in flight
        return LAST_WORD

    async with AsyncExitStack() as outer:
        async with open_front(
            rpc("Work", work),
            rpc("Watch", Working().polite, gives_stream=True),
            drain_notice_s=0.2,
        ) as running:
            client = await outer.enter_async_context(client_of(running, outer))
            streams = [client.stream("Watch")() for _ in range(200)]
            await asyncio.gather(*(stream.read() for stream in streams))
            told = asyncio.Event()
            watching = asyncio.ensure_future(_watch(client, told))
            senders = [asyncio.ensure_future(_send_until(told, client, outcomes)) for _ in range(8)]
            await eventually(lambda: len(outcomes) > 20)
            started = time.monotonic()

        took = time.monotonic() - started
        await asyncio.gather(watching, *senders)
        words = await asyncio.gather(*(rest_of(stream) for stream in streams))

    assert set(outcomes) == {LAST_WORD}
    assert words == [[LAST_WORD]] * 200
    assert took < 5


async def test_ended_calls_leave_nothing_behind() -> None:
    working = Working()
    working.released.set()
    async with open_front(rpc("Work", working.work)) as running:
        await asyncio.gather(*(running.unary("Work")() for _ in range(50)))
        await asyncio.gather(
            *(failed(running.unary("Work")(key=None)) for _ in range(50)),
        )
        await quiet(running)
        assert running.front.drain.statistics().streams == 0


async def _watch(client: Running, told: asyncio.Event) -> None:
    watch = health_pb2_grpc.HealthStub(client.channel).Watch(health_pb2.HealthCheckRequest())
    async for answer in watch:
        if answer.status == NOT_SERVING:
            told.set()
            watch.cancel()
            return


async def _send_until(told: asyncio.Event, client: Running, outcomes: list[bytes]) -> None:
    while not told.is_set():
        outcomes.append(await client.unary("Work")(key=KEY))
