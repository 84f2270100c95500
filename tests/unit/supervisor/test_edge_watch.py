"""When the supervisor takes the edge for lost: not too soon, and not too late."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import aiohttp
import pytest

from server.supervisor import edge_watch
from server.supervisor.edge_watch import Answer, EdgeSilent, ask, until_silent
from tests.clock import ManualClock

CAME, REFUSED, MISSING = Answer.CAME, Answer.REFUSED, Answer.MISSING


async def lost_after(clock: ManualClock, answers: Iterator[tuple[Answer, float]]) -> EdgeSilent:
    async def answer() -> Answer:
        given, seconds = next(answers, (CAME, 0.0))
        if seconds:
            await clock.sleep(edge_watch.PAUSE * seconds)
        return given

    return await until_silent(answer, clock)


async def watched(*answers: tuple[Answer, float], seconds: float) -> EdgeSilent | None:
    """Returns the verdict after `seconds`, each answer with how long it took."""
    clock = ManualClock()
    async with asyncio.TaskGroup() as tasks:
        verdict = tasks.create_task(lost_after(clock, iter(answers)))
        await clock.advance(seconds)
        if verdict.done():
            return verdict.result()

        verdict.cancel()
    return None


async def test_an_edge_that_refuses_is_lost_within_seconds() -> None:
    told = await watched(*[(REFUSED, 0.0)] * 3, seconds=3)
    assert str(told) == (
        "The gateway runs, but serves nobody: nobody listens at the edge's port any more (was it "
        "told to drain?)."
    )


async def test_a_frozen_edge_is_lost_after_several_misses() -> None:
    assert await watched(*[(MISSING, 5.0)] * 9, seconds=15) is None
    told = await watched(*[(MISSING, 5.0)] * 9, seconds=23)
    assert "had no answer for 23 s" in str(told)


@pytest.mark.parametrize(
    "answers",
    [
        [(CAME, 4.9)] * 20,  # a busy machine
        [*[(MISSING, 5.0)] * 3, (CAME, 4.0)] * 5,
        [*[(REFUSED, 0.0)] * 2, (CAME, 0.0)] * 20,
        # Quick failures are many in a short time, and a time alone proves nothing.
        [*[(MISSING, 0.0)] * 10, (CAME, 0.0)] * 5,
        [*[(MISSING, 60.0)] * 2, (CAME, 0.0)],  # a machine that was asleep
    ],
)
async def test_one_that_answers_now_and_then_is_not(answers: list[tuple[Answer, float]]) -> None:
    assert await watched(*answers, seconds=100) is None


async def test_what_counts_as_an_answer() -> None:
    async with aiohttp.ClientSession() as http:
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            port = nobody.getsockname()[1]
        assert await ask(http, f"http://127.0.0.1:{port}/health") is REFUSED

        async def full(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async def failing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")
            writer.close()

        for serve in (full, failing):
            async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                assert await ask(http, f"http://127.0.0.1:{port}/health") is CAME
