"""Rpcs called from inside: as the tenant of the outer call, through the chain, within its time."""

from __future__ import annotations

from typing import Any

import grpc.aio
import pytest
from tasty.v1 import system_service_pb2 as pb

from server.errors import AccountNotFound
from server.rpc.call import Call, current_call
from server.rpc.loopback import Loopback
from tests.front import OTHER_KEY, code_of, info_of, open_front, rpc

Time = pb.GetCurrentTimeResponse
NOON = Time(current_time_nyc="noon")


class Agent:
    """Has one rpc that calls another one."""

    def __init__(self) -> None:
        self.loopback: Loopback | None = None
        self.calls: list[Call] = []

    async def outer(self, request: Time, _context: Any) -> Time:
        assert self.loopback is not None
        before = current_call()
        answer = await self.loopback.call("/test.Shapes/Inner", request)
        assert current_call() is before
        self.calls.append(before)
        return Time(current_time_nyc=f"inner said {answer.current_time_nyc}")

    async def inner(self, request: Time, _context: Any) -> Time:
        call = current_call()
        self.calls.append(call)
        return Time(current_time_nyc=f"{request.current_time_nyc} to {call.tenant.id}")

    async def refusing(self, _request: Time, _context: Any) -> Time:
        raise AccountNotFound("1", ["2"])

    async def breaking(self, _request: Time, _context: Any) -> Time:
        raise ValueError("canary")


async def test_the_inner_call_is_the_tenants_and_shares_id_and_deadline() -> None:
    agent = Agent()
    async with open_front(rpc("Outer", agent.outer), rpc("Inner", agent.inner)) as running:
        agent.loopback = running.front.loopback
        answer = await running.unary("Outer")(NOON.SerializeToString(), key=OTHER_KEY)

    assert Time.FromString(answer).current_time_nyc == "inner said noon to second"
    inner, outer = agent.calls
    assert (inner.request_id, inner.deadline) == (outer.request_id, outer.deadline)
    assert inner.inner
    assert not inner.admin


async def test_the_inner_call_counts_against_the_rate_of_the_key() -> None:
    agent = Agent()
    async with open_front(
        rpc("Outer", agent.outer), rpc("Inner", agent.inner), rate_limit=100
    ) as running:
        agent.loopback = running.front.loopback
        await running.unary("Outer")()

        assert running.front.queue.statistics().admitted == 2


async def test_an_inner_call_that_cannot_come_in_time_is_refused_and_does_not_deadlock() -> None:
    agent = Agent()
    async with open_front(
        rpc("Outer", agent.outer), rpc("Inner", agent.inner), rate_limit=0.01, rate_burst=1
    ) as running:
        agent.loopback = running.front.loopback
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await running.unary("Outer")(timeout=5)

    assert info_of(raised.value).reason == "ERROR_REASON_QUEUE_TOO_SLOW"


async def test_the_inner_error_is_raised_as_a_client_would_have_seen_it() -> None:
    agent = Agent()
    async with open_front(rpc("Outer", agent.outer), rpc("Inner", agent.refusing)) as running:
        agent.loopback = running.front.loopback
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await running.unary("Outer")()

    assert code_of(raised.value) == "NOT_FOUND"


async def test_an_inner_error_that_nobody_foresaw_stays_inside() -> None:
    agent = Agent()
    async with open_front(rpc("Outer", agent.outer), rpc("Inner", agent.breaking)) as running:
        agent.loopback = running.front.loopback
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await running.unary("Outer")()

    assert code_of(raised.value) == "INTERNAL"
    assert "canary" not in str(raised.value)
