"""Guessed keys and floods of registrations, over gRPC: slow for who sends them, for nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from tasty.v1 import system_service_pb2 as pb

from server.rpc.guesses import FREE, LONGEST_S
from server.rpc.methods import Access
from tests.clock import ManualClock
from tests.front import KEY, OTHER_KEY, Running, code_of, info_of, open_front, rpc
from tests.waiting import eventually

ADMIN_KEY = "key-of-the-administrator"
Time = pb.GetCurrentTimeResponse
FIELD = Time.DESCRIPTOR.fields[0].name
ELSEWHERE = (("x-tasty-address", "192.0.2.7"),)


async def answer(_request: Any, _context: Any) -> Time:
    return Time()


SAVE = rpc("Save", answer, access=Access.OPEN, changes=True, key_field=FIELD)


def saving(key: str) -> bytes:
    return Time(**{FIELD: key}).SerializeToString()


async def refusal(call: Any) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call

    return code_of(caught.value), info_of(caught.value).reason.removeprefix("ERROR_REASON_")


async def guess(running: Running, times: int) -> None:
    for number in range(times):
        call = running.unary("Do")(key=f"guess-{number}")
        assert await refusal(call) == ("UNAUTHENTICATED", "INVALID_API_KEY")


async def test_guesses_are_slowed_and_keys_in_use_are_not() -> None:
    clock = ManualClock()
    async with open_front(rpc("Do", answer), clock=clock) as running:
        await running.unary("Do")(key=OTHER_KEY)  # in use before the guessing begins
        await guess(running, FREE + 1)
        waiting = [asyncio.ensure_future(running.unary("Do")(key=f"more-{n}")) for n in range(40)]
        slowed = running.front.guesses.statistics
        await eventually(lambda: slowed().slowed + slowed().refused == 41)
        assert slowed().refused == 40 - LONGEST_S
        async with asyncio.timeout(5):
            for _ in range(50):
                await running.unary("Do")(key=OTHER_KEY)

            await running.unary("Do")(key=KEY, metadata=ELSEWHERE)

        # The right guess is no quicker than the wrong ones.
        found = refusal(running.unary("Do")(key=KEY))
        assert await found == ("RESOURCE_EXHAUSTED", "TOO_MANY_WRONG_KEYS")
        await clock.advance(LONGEST_S)
        await eventually(lambda: all(call.done() for call in waiting))
        right = asyncio.ensure_future(running.unary("Do")(key=KEY))
        await eventually(lambda: clock.sleeping or right.done())
        await clock.advance(1)
        await right
        await running.unary("Do")(key=KEY)


async def test_guesses_of_the_administrators_key_are_slowed_too() -> None:
    clock = ManualClock()
    admin = rpc("List", answer, access=Access.KEY_OR_ADMIN)
    async with open_front(admin, clock=clock, admin_key=ADMIN_KEY) as running:
        calls = running.unary("List")
        await calls(key=None, metadata=(("x-admin-key", ADMIN_KEY), *ELSEWHERE))
        for number in range(FREE + 1):
            header = (("x-admin-key", f"guess-{number}"),)
            assert (await refusal(calls(key=None, metadata=header)))[1] == "INVALID_ADMIN_KEY"

        right = asyncio.ensure_future(calls(key=None, metadata=(("x-admin-key", ADMIN_KEY),)))
        await eventually(lambda: clock.sleeping == 1)
        assert not right.done()
        await calls(key=None, metadata=(("x-admin-key", ADMIN_KEY), *ELSEWHERE))
        await clock.advance(1)
        await right


async def flood(running: Running) -> list[asyncio.Future[Any]]:
    """Fills the line of this address with registrations of keys that nobody has."""
    calls = [
        asyncio.ensure_future(running.unary("Save")(saving(f"new-key-{n}"), key=None))
        for n in range(30)
    ]
    await eventually(lambda: running.front.queue.statistics().refused_full > 0)
    return calls


async def end(calls: list[asyncio.Future[Any]]) -> None:
    for call in calls:
        call.cancel()

    await asyncio.gather(*calls, return_exceptions=True)


@pytest.mark.parametrize("shown", ["header", "in use", "administrator"])
async def test_who_shows_the_key_does_not_wait_behind_a_flood(shown: str) -> None:
    clock = ManualClock()
    settings = {"rate_limit": 2, "rate_queue": 10, "admin_key": ADMIN_KEY}
    async with open_front(SAVE, rpc("Do", answer), clock=clock, **settings) as running:
        await running.unary("Do")(key=OTHER_KEY)
        calls = await flood(running)
        stranger = running.unary("Save")(saving("another-new-key"), key=None)
        assert await refusal(stranger) == ("RESOURCE_EXHAUSTED", "QUEUE_FULL")
        key, metadata, named = {
            "header": (KEY, (), KEY),
            "in use": (None, (), OTHER_KEY),
            "administrator": (None, (("x-admin-key", ADMIN_KEY),), "a-new-key"),
        }[shown]
        async with asyncio.timeout(5):
            await running.unary("Save")(saving(named), key=key, metadata=metadata)

        await end(calls)


async def test_a_flood_does_not_find_out_which_keys_exist() -> None:
    """Named in a request, a key that was never used from there waits with all the others."""
    clock = ManualClock()
    async with open_front(SAVE, clock=clock, rate_limit=2, rate_queue=10) as running:
        calls = await flood(running)
        hit = running.unary("Save")(saving(KEY), key=None)
        assert await refusal(hit) == ("RESOURCE_EXHAUSTED", "QUEUE_FULL")
        await end(calls)


async def test_a_wrong_key_does_not_make_a_registration_fail() -> None:
    async with open_front(SAVE) as running:
        for number in range(FREE):
            await running.unary("Save")(saving("a-new-key"), key=f"guess-{number}")


async def test_an_unreadable_registration_is_refused_as_such() -> None:
    async with open_front(SAVE) as running:
        assert await refusal(running.unary("Save")(b"\xff", key=None)) == (
            "INVALID_ARGUMENT",
            "INVALID_BODY",
        )
