"""Row 19 of the promises: an answer by the deadline, whoever set it, and no task left behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
from tasty.v1 import system_service_pb2 as pb

from server.rpc.call import current_call
from server.rpc.methods import Patience
from tests.front import code_of, info_of, open_front, quiet, rpc
from tests.lag import measured_lag

Time = pb.GetCurrentTimeResponse
TOLERANCE = 0.1
"""Seconds after the deadline within which the answer must be there."""


class Hanging:
    """A servicer that never answers, and notices when it is told to stop."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.left = asyncio.Event()
        self.deadline: float | None = None

    async def hang(self, _request: Any, _context: Any) -> Time:
        self.deadline = current_call().deadline
        self.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.left.set()
        return Time()


async def late(call: Any) -> tuple[grpc.aio.AioRpcError, float]:
    """Returns the error and the seconds it took, less what a busy machine held this loop up."""
    started = time.monotonic()
    async with measured_lag() as lag:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call
    return raised.value, time.monotonic() - started - lag.seconds


async def test_the_deadline_of_the_client_is_kept_and_the_servicer_stops() -> None:
    hanging = Hanging()
    async with open_front(rpc("Do", hanging.hang)) as running:
        error, took = await late(running.unary("Do")(timeout=0.15))
        async with asyncio.timeout(1):
            await hanging.left.wait()

    assert code_of(error) == "DEADLINE_EXCEEDED"
    assert took <= 0.15 + TOLERANCE


async def test_a_client_without_deadline_gets_ours_with_our_words() -> None:
    hanging = Hanging()
    async with open_front(rpc("Do", hanging.hang), default_deadline_s=0.15) as running:
        error, took = await late(running.unary("Do")())

    assert code_of(error) == "DEADLINE_EXCEEDED"
    assert error.details() == "The request took longer than its deadline. Allow more time."
    assert info_of(error).reason == "ERROR_REASON_DEADLINE_EXCEEDED"
    assert took <= 0.15 + TOLERANCE
    assert hanging.left.is_set()


async def test_what_asks_a_model_is_given_more_time() -> None:
    usual, patient = Hanging(), Hanging()
    async with open_front(
        rpc("Usual", usual.hang),
        rpc("Patient", patient.hang, patience=Patience.MODEL),
        default_deadline_s=0.05,
        chat_timeout_s=2,  # so long after the other that a busy machine does not end both at once
    ) as running:
        waiting = asyncio.ensure_future(late(running.unary("Patient")()))
        await late(running.unary("Usual")())
        assert not waiting.done()
        error, took = await waiting

    assert info_of(error).reason == "ERROR_REASON_DEADLINE_EXCEEDED"
    assert took <= 2 + TOLERANCE


async def test_a_stream_without_deadline_has_none() -> None:
    deadlines = []

    async def once(_request: Any, _context: Any) -> AsyncIterator[Time]:
        deadlines.append(current_call().deadline)
        yield Time()

    async with open_front(rpc("Do", once, gives_stream=True), default_deadline_s=0.001) as running:
        assert len([message async for message in running.stream("Do")()]) == 1
        assert len([message async for message in running.stream("Do")(timeout=5)]) == 1

    without, within = deadlines
    assert without is None
    assert within == pytest.approx(time.monotonic() + 5, abs=2)


async def test_waiting_in_the_queue_uses_up_the_deadline() -> None:
    async def answer(_request: Any, _context: Any) -> Time:
        return Time()

    async with open_front(rpc("Do", answer), rate_limit=1, rate_burst=1) as running:
        await running.unary("Do")()
        error, took = await late(running.unary("Do")(timeout=0.5))

    # The turn would come after 1 s: told at once, not after half a second.
    assert code_of(error) == "RESOURCE_EXHAUSTED"
    assert info_of(error).reason == "ERROR_REASON_QUEUE_TOO_SLOW"
    assert took < 0.3


async def test_a_timeout_of_the_servicer_itself_is_not_taken_for_the_deadline() -> None:
    async def answer(_request: Any, _context: Any) -> Time:
        raise TimeoutError

    async with open_front(rpc("Do", answer)) as running:
        error, _ = await late(running.unary("Do")())

    assert code_of(error) == "INTERNAL"


async def test_thirty_calls_that_hang_all_end_by_their_deadline() -> None:
    hanging = Hanging()
    timeouts = [0.1 + n / 100 for n in range(30)]
    async with open_front(rpc("Do", hanging.hang)) as running, bare_server() as bare:
        # Side by side with a server that has nothing of ours: what both are late is the machine's.
        ours, theirs = await asyncio.gather(
            asyncio.gather(*(late(running.unary("Do")(timeout=each)) for each in timeouts)),
            asyncio.gather(*(late(bare(b"", timeout=each)) for each in timeouts)),
        )
        await quiet(running)

    assert {code_of(error) for error, _ in ours} == {"DEADLINE_EXCEEDED"}
    assert lateness(ours, timeouts) <= lateness(theirs, timeouts) + TOLERANCE


def lateness(outcomes: list[tuple[grpc.aio.AioRpcError, float]], timeouts: list[float]) -> float:
    """Returns how long after its deadline the latest of these ended."""
    return max(took - each for (_, took), each in zip(outcomes, timeouts, strict=True))


@asynccontextmanager
async def bare_server() -> AsyncIterator[Any]:
    """Yields a caller of one rpc that hangs, served by gRPC alone."""

    async def hang(_request: bytes, _context: Any) -> bytes:
        await asyncio.Event().wait()
        return b""

    handler = grpc.unary_unary_rpc_method_handler(hang)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("test.Bare", {"Do": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel.unary_unary("/test.Bare/Do")
    finally:
        await server.stop(None)
