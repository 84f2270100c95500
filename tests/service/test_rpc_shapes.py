"""The chain does the same for all four shapes of rpc, over a real socket."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import grpc.aio
import pytest
from tasty.v1 import system_service_pb2 as pb

from server.errors import AccountNotFound, InvalidField
from server.rpc.call import current_call
from server.rpc.registry import Binding
from tests.front import KEY, Running, code_of, info_of, metrics_page, open_front, quiet, rpc
from tests.http2 import DATA, END_HEADERS, END_STREAM, HEADERS, Http2, block, frame

Time = pb.GetCurrentTimeResponse
SHAPES = ("unary", "stream", "upload", "duplex")
NOON = Time(current_time_nyc="noon").SerializeToString()
MALFORMED = b"\xff\xff\xff"
CALL = (("content-type", "application/grpc"), ("te", "trailers"), ("x-api-key", KEY))


def shaped(shape: str, act: Callable[[Sequence[Time]], Any]) -> Binding:
    """Returns an rpc that reads what it is sent and then answers with what `act` makes of it."""
    takes_stream, gives_stream = shape in ("upload", "duplex"), shape in ("stream", "duplex")

    async def received(request: Any) -> list[Time]:
        return [message async for message in request] if takes_stream else [request]

    async def single(request: Any, _context: Any) -> Any:
        return act(await received(request))

    async def many(request: Any, _context: Any) -> AsyncIterator[Any]:
        got = await received(request)
        for _ in range(2):
            yield act(got)

    function = many if gives_stream else single
    return rpc("Do", function, takes_stream=takes_stream, gives_stream=gives_stream)


async def call(running: Running, shape: str, *data: bytes, **options: Any) -> list[bytes]:
    """Returns the answers; `data` is what a client stream sends (one message for the others)."""
    # Nothing is sent where the server refuses before it reads: grpc.aio's client takes a message
    # that it cannot get rid of any more for an internal error, and forgets the status.
    caller = getattr(running, shape)("Do")
    sent = iter(data) if shape in ("upload", "duplex") else NOON if not data else data[0]
    answer = caller(sent, **options)
    if shape in ("stream", "duplex"):
        return [message async for message in answer]

    return [await answer]


@pytest.mark.parametrize("shape", SHAPES)
async def test_messages_come_in_decoded_and_go_out_encoded(shape: str) -> None:
    def act(got: Sequence[Time]) -> Time:
        return Time(current_time_nyc=f"{len(got)} {got[-1].current_time_nyc}")

    async with open_front(shaped(shape, act)) as running:
        answers = await call(running, shape, NOON, NOON)

    read = 2 if shape in ("upload", "duplex") else 1
    given = 2 if shape in ("stream", "duplex") else 1
    assert [Time.FromString(answer).current_time_nyc for answer in answers] == (
        [f"{read} noon"] * given
    )


@pytest.mark.parametrize("shape", SHAPES)
async def test_bytes_go_out_as_they_are(shape: str) -> None:
    async with open_front(shaped(shape, lambda _got: b"\x0a\x02ok")) as running:
        assert set(await call(running, shape, NOON, NOON)) == {b"\x0a\x02ok"}


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_known_error_becomes_its_status_with_reason_and_numbers(shape: str) -> None:
    def act(_got: Sequence[Time]) -> Time:
        raise AccountNotFound("123456789", ["987654321"])

    async with open_front(shaped(shape, act)) as running:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call(running, shape, NOON, NOON)

    assert code_of(raised.value) == "NOT_FOUND"
    assert raised.value.details() == (
        "Account '123456789' not found. Available accounts: ['987654321']"
    )
    info = info_of(raised.value)
    assert (info.reason, info.domain) == ("ERROR_REASON_ACCOUNT_NOT_FOUND", "tasty-gateway")
    assert dict(info.metadata) == {"account_id": "123456789"}


@pytest.mark.parametrize("shape", SHAPES)
async def test_an_unknown_error_tells_the_request_id_and_nothing_else(shape: str) -> None:
    def act(_got: Sequence[Time]) -> Time:
        raise ValueError("refresh_token=canary")

    async with open_front(shaped(shape, act)) as running:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call(running, shape, NOON, NOON, metadata=(("x-request-id", "id-of-mine"),))

    assert code_of(raised.value) == "INTERNAL"
    assert raised.value.details() == (
        "Internal error. Quote request id id-of-mine when reporting it."
    )
    assert dict(info_of(raised.value).metadata) == {"request_id": "id-of-mine"}
    assert "canary" not in str(raised.value.trailing_metadata())


@pytest.mark.parametrize("shape", SHAPES)
async def test_bytes_that_are_no_message_are_bad_input(shape: str) -> None:
    async with open_front(shaped(shape, lambda got: got[0])) as running:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call(running, shape, MALFORMED)

    assert code_of(raised.value) == "INVALID_ARGUMENT"
    assert info_of(raised.value).reason == "ERROR_REASON_INVALID_BODY"


@pytest.mark.parametrize("shape", SHAPES)
async def test_without_a_key_nothing_runs(shape: str) -> None:
    ran = []
    async with open_front(shaped(shape, lambda got: ran.append(got))) as running:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call(running, shape, key=None)

    assert code_of(raised.value) == "UNAUTHENTICATED"
    assert raised.value.details() == "Missing API key. Provide X-API-Key header."
    assert ran == []


@pytest.mark.parametrize("shape", SHAPES)
async def test_the_servicer_finds_its_call(shape: str) -> None:
    def act(_got: Sequence[Time]) -> Time:
        call = current_call()
        return Time(current_time_nyc=f"{call.tenant.id} {call.request_id} {call.original_path}")

    metadata = (("x-request-id", "r-1"), ("x-envoy-original-path", "/api/v1/do?x=1"))
    async with open_front(shaped(shape, act)) as running:
        answers = await call(running, shape, NOON, NOON, metadata=metadata)

    assert Time.FromString(answers[0]).current_time_nyc == "first r-1 /api/v1/do?x=1"


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_servicer_that_is_cancelled_unwinds_in_its_own_task(shape: str) -> None:
    entered, left = asyncio.Event(), asyncio.Event()
    tasks: list[Any] = []

    async def stay() -> None:
        tasks.append(asyncio.current_task())
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            tasks.append(asyncio.current_task())
            left.set()

    async def single(_request: Any, _context: Any) -> Any:
        await stay()

    async def many(_request: Any, _context: Any) -> AsyncIterator[Any]:
        yield Time()
        await stay()

    streams = shape in ("stream", "duplex")
    binding = rpc(
        "Do",
        many if streams else single,
        takes_stream=shape in ("upload", "duplex"),
        gives_stream=streams,
    )
    async with open_front(binding) as running:
        started = getattr(running, shape)("Do")(
            iter([NOON]) if shape in ("upload", "duplex") else NOON
        )
        if streams:
            await started.read()
        await entered.wait()
        started.cancel()
        async with asyncio.timeout(5):
            await left.wait()

        assert tasks[0] is tasks[1]
        await quiet(running)
        assert 'code="CANCELLED"' in await metrics_page(running.metrics_port)


async def test_a_stream_cancelled_between_two_messages_is_closed_in_its_own_task() -> None:
    """A handler that were a generator would be closed by the loop, some time, in another task."""
    closed: list[Any] = []
    started: list[Any] = []

    async def endless(_request: Any, _context: Any) -> AsyncIterator[Time]:
        started.append(asyncio.current_task())
        try:
            while True:
                yield Time(current_time_nyc="x" * 100_000)
        finally:
            closed.append(asyncio.current_task())

    async with open_front(rpc("Do", endless, gives_stream=True)) as running:
        stream = running.stream("Do")()
        await stream.read()
        stream.cancel()
        await quiet(running)

    assert closed == started


@pytest.mark.parametrize("shape", ["stream", "duplex"])
async def test_a_client_that_leaves_in_the_middle_of_a_write_has_cancelled(
    shape: str, caplog: pytest.LogCaptureFixture
) -> None:
    """gRPC fails the write before it tells of the cancellation, and would log that as an error."""
    binding = shaped(shape, lambda _got: Time(current_time_nyc="x" * 200_000))
    async with open_front(binding) as running:
        # Its window takes less than one message, and it does not open it: the write stays open.
        line = Http2(running.port)
        line.send(
            frame(HEADERS, END_HEADERS, 1, block("/test.Shapes/Do", method="POST", more=CALL))
        )
        line.send(frame(DATA, END_STREAM, 1, struct.pack(">BI", 0, len(NOON)) + NOON))
        await asyncio.to_thread(_read_window, line)
        line.__exit__(None, None, None)
        await quiet(running)
        assert 'code="CANCELLED"' in await metrics_page(running.metrics_port)

    assert not [said for said in caplog.records if said.levelno >= logging.WARNING]


async def test_the_request_id_comes_back_and_a_strange_one_is_replaced() -> None:
    async def answer(_request: Any, _context: Any) -> Time:
        return Time(current_time_nyc=current_call().request_id)

    async with open_front(rpc("Do", answer)) as running:
        for given, kept in (("abc-123", True), ("a b", False), ("x" * 65, False)):
            started = running.unary("Do")(metadata=(("x-request-id", given),))
            used = Time.FromString(await started).current_time_nyc
            trailing = dict(await started.trailing_metadata())
            assert trailing["x-request-id"] == used
            assert (used == given) is kept
            assert used


async def test_a_field_at_fault_is_named() -> None:
    async def refuse(_request: Any, _context: Any) -> Time:
        raise InvalidField("timeout", "abc", "a number of seconds above 0")

    async with open_front(rpc("Do", refuse)) as running:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await running.unary("Do")()

    assert (
        b"google.rpc.BadRequest"
        in dict(raised.value.trailing_metadata())["grpc-status-details-bin"]
    )
    assert dict(info_of(raised.value).metadata) == {"field": "timeout"}


async def test_a_task_group_that_fails_for_a_known_reason_tells_that_reason() -> None:
    async def refuse() -> None:
        raise AccountNotFound("1", ["2"])

    async def answer(_request: Any, _context: Any) -> Time:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(refuse())
            tasks.create_task(refuse())

        return Time()

    async with open_front(rpc("Do", answer)) as running:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await running.unary("Do")()

    assert code_of(raised.value) == "NOT_FOUND"


async def test_a_task_group_that_fails_for_other_reasons_too_tells_none() -> None:
    async def refuse() -> None:
        raise AccountNotFound("1", ["2"])

    async def break_down() -> None:
        raise ValueError("canary")

    async def answer(_request: Any, _context: Any) -> Time:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(refuse())
            tasks.create_task(break_down())

        return Time()

    async with open_front(rpc("Do", answer)) as running:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await running.unary("Do")()

    assert code_of(raised.value) == "INTERNAL"
    assert "canary" not in str(raised.value)


async def test_two_keys_in_one_call_are_refused() -> None:
    async def answer(_request: Any, _context: Any) -> Time:
        return Time()

    async with open_front(rpc("Do", answer)) as running:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await running.unary("Do")(metadata=(("x-api-key", KEY),))

    assert code_of(raised.value) == "UNAUTHENTICATED"
    assert info_of(raised.value).reason == "ERROR_REASON_AMBIGUOUS_API_KEY"


def _read_window(line: Http2) -> None:
    """Reads all that HTTP/2 lets a server send before the client has said anything of windows."""
    left = 65_535
    for one in line.frames():
        left -= len(one.payload) if one.kind == DATA else 0
        if not left:
            return
