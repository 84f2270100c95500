"""A stream that has begun tells its end in-band, since over REST nothing else can."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from tasty.v1 import market_data_stream_pb2, stream_pb2

from server.errors import BrokerUnavailable, GatewayError
from server.rpc.call import CURRENT, Call
from server.rpc.end_in_band import end_in_band
from tests.clock import ManualClock
from tests.front import rpc

Answer = market_data_stream_pb2.StreamQuotesResponse
FIRST = b""


async def items(*, first: bool, then: Exception | None) -> AsyncGenerator[bytes, None]:
    if first:
        yield FIRST
    if then is not None:
        raise then


async def read(
    source: AsyncGenerator[bytes, None],
) -> tuple[list[bytes], Exception | None]:
    call = Call(method=rpc("Do", lambda *_: None).method, draining=asyncio.Event())
    call.request_id = "r-1"
    token = CURRENT.set(call)
    got: list[bytes] = []
    try:
        async with aclosing(end_in_band(source, ManualClock())) as messages:
            async for message in messages:
                got.append(message)  # noqa: PERF401 - what came before a failure must be kept
    except (GatewayError, ValueError) as error:
        return got, error
    finally:
        CURRENT.reset(token)
    return got, None


async def test_a_stream_that_just_ends_says_so() -> None:
    got, error = await read(items(first=True, then=None))

    assert error is None
    assert got[0] == FIRST
    last = Answer.FromString(got[-1])
    assert last.kind == stream_pb2.STREAM_EVENT_KIND_END
    assert last.notice.detail.startswith("The server ended the stream")


async def test_a_failure_is_told_with_reason_and_status_and_raised_for_the_chain() -> None:
    failure = BrokerUnavailable("HTTP 502")
    got, error = await read(items(first=True, then=failure))

    assert error is failure
    told_error = Answer.FromString(got[1]).notice.error
    assert told_error.reason == "ERROR_REASON_BROKER_UNAVAILABLE"
    assert (told_error.status, told_error.detail) == (503, str(failure))
    assert Answer.FromString(got[2]).kind == stream_pb2.STREAM_EVENT_KIND_END
    assert len(got) == 3


async def test_what_nobody_foresaw_is_told_by_its_request_id_only() -> None:
    got, error = await read(items(first=True, then=ValueError("canary")))

    assert isinstance(error, ValueError)
    told_error = Answer.FromString(got[1]).notice.error
    assert (told_error.reason, told_error.status) == ("ERROR_REASON_INTERNAL", 500)
    assert told_error.detail == "Internal error. Quote request id r-1 when reporting it."
    assert all(b"canary" not in message for message in got)


@pytest.mark.parametrize("failure", [BrokerUnavailable("HTTP 502"), ValueError("x")])
async def test_before_the_first_item_a_failure_stays_a_plain_status(failure: Exception) -> None:
    assert await read(items(first=False, then=failure)) == ([], failure)
