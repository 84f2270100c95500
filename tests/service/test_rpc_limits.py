"""The queue as callers meet it; its arithmetic is proven on a manual clock in the unit tests."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import grpc
import pytest
from tasty.v1 import system_service_pb2 as pb

from server.rpc.methods import Access, Lane
from tests.clock import ManualClock
from tests.front import KEY, OTHER_KEY, open_front, rpc
from tests.http2 import DATA, END_STREAM, RST_STREAM, Http2
from tests.lag import measured_lag
from tests.waiting import eventually

Time = pb.GetCurrentTimeResponse


async def answer(_request: Any, _context: Any) -> Time:
    return Time()


async def test_the_rate_holds_in_real_time() -> None:
    async with open_front(rpc("Do", answer), rate_limit=20, rate_burst=2) as running:
        await running.unary("Do")(key=OTHER_KEY)
        started = time.monotonic()
        async with measured_lag() as lag:
            await asyncio.gather(*(running.unary("Do")() for _ in range(22)))
        took = time.monotonic() - started

    # Two at once and twenty more at 20 a second: never faster, and no slower than this machine is.
    assert took >= 0.99
    assert took - lag.seconds <= 1.3


async def test_a_burst_waits_for_its_turn_and_no_call_of_it_is_dropped() -> None:
    calls = range(1, 2 * 2000, 2)
    async with open_front(rpc("Do", answer)) as running:
        with Http2(running.port, timeout=60) as line:
            # The loop stands still meanwhile, so they are all there before the first is looked at.
            for number in calls:
                line.call(number, "/test.Shapes/Do", more=(("x-api-key", KEY),))

            def answered() -> set[int]:
                """Who got a message; the last frame of a call has none, whatever it says."""
                found, ended = set(), 0
                for one in line.frames():
                    found |= {one.stream} if one.kind == DATA else set()
                    ended += bool(one.stream and one.flags & END_STREAM) or one.kind == RST_STREAM
                    if ended == len(calls):
                        break
                return found

            assert await asyncio.to_thread(answered) == set(calls)


async def test_keys_wait_for_themselves_only_and_nobody_without_a_key_waits() -> None:
    clock = ManualClock()
    async with open_front(
        rpc("Do", answer), rpc("Open", answer, access=Access.OPEN), clock=clock, rate_limit=2
    ) as running:
        mine = [asyncio.ensure_future(running.unary("Do")()) for _ in range(5)]
        await eventually(lambda: running.front.queue.statistics().waiting == 3)

        await running.unary("Do")(key=OTHER_KEY)
        for _ in range(10):
            await running.unary("Open")(key=None)

        await eventually(lambda: sum(call.done() for call in mine) == 2)
        await clock.advance(1.5)
        await eventually(lambda: all(call.done() for call in mine))


async def test_who_changes_something_without_a_key_waits_for_his_address() -> None:
    clock = ManualClock()
    save = rpc("Save", answer, access=Access.OPEN, changes=True)
    async with open_front(save, rpc("Do", answer), clock=clock, rate_limit=2) as running:
        mine = [asyncio.ensure_future(running.unary("Save")(key=None)) for _ in range(5)]
        await eventually(lambda: running.front.queue.statistics().waiting == 3)
        await running.unary("Do")()
        # Of another address, as the edge tells it.
        await running.unary("Save")(key=None, metadata=(("x-tasty-address", "192.0.2.7"),))

        await eventually(lambda: sum(call.done() for call in mine) == 2)
        await clock.advance(1.5)
        await eventually(lambda: all(call.done() for call in mine))


async def test_cancelling_an_order_does_not_wait_behind_reads() -> None:
    clock = ManualClock()
    async with open_front(
        rpc("Read", answer), rpc("Cancel", answer, lane=Lane.CANCEL), clock=clock, rate_limit=2
    ) as running:
        reads = [asyncio.ensure_future(running.unary("Read")()) for _ in range(20)]
        await eventually(lambda: running.front.queue.statistics().waiting == 18)

        async with asyncio.timeout(5):
            await running.unary("Cancel")()

        for read in reads:
            read.cancel()
        await eventually(lambda: running.front.queue.statistics().waiting == 0)


async def test_what_waits_in_all_lanes_of_a_key_weighs_together() -> None:
    clock = ManualClock()
    body = b"\n" + bytes([0x80, 0x80, 0xC0, 0x01]) + b"x" * (3 << 20)  # an unknown field, 3 MiB
    async with open_front(
        rpc("Read", answer), rpc("Cancel", answer, lane=Lane.CANCEL), clock=clock, rate_limit=2
    ) as running:
        queue = running.front.queue
        for name in ("Read", "Cancel"):
            for _ in range(2):
                await running.unary(name)()

        reads = [asyncio.ensure_future(running.unary("Read")(body)) for _ in range(10)]
        await eventually(lambda: queue.statistics().held > 30 << 20)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            async with asyncio.timeout(5):
                await running.unary("Cancel")(body)

        assert "of this API key that are waiting hold 30.0 MiB already" in refused.value.details()
        cancel = asyncio.ensure_future(running.unary("Cancel")())
        await eventually(lambda: queue.statistics().waiting == 11)
        await clock.advance(6)
        await asyncio.gather(cancel, *reads, return_exceptions=True)
        assert queue.statistics().held == 0


async def test_a_client_that_gives_up_leaves_its_place_to_the_next() -> None:
    clock = ManualClock()
    async with open_front(rpc("Do", answer), clock=clock, rate_limit=2) as running:
        calls = [asyncio.ensure_future(running.unary("Do")()) for _ in range(4)]
        await eventually(lambda: running.front.queue.statistics().waiting == 2)
        await eventually(lambda: sum(call.done() for call in calls) == 2)
        waiting = [call for call in calls if not call.done()]
        waiting[0].cancel()
        await eventually(lambda: running.front.queue.statistics().waiting == 1)

        await clock.advance(0.5)
        await eventually(lambda: waiting[1].done())


async def test_the_first_call_of_a_key_never_waits() -> None:
    clock = ManualClock()
    async with open_front(rpc("Do", answer), clock=clock, rate_limit=0.001) as running:
        async with asyncio.timeout(5):
            await running.unary("Do")(key=KEY)

        assert clock.sleeping == 0
