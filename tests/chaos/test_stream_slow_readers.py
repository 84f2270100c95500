"""A client that does not read costs a bounded amount of memory, its own data, and nobody else's."""

from __future__ import annotations

import asyncio
import gc
import struct
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest
from tasty.v1 import market_data_stream_pb2 as pb
from tasty.v1 import stream_pb2

from server.market.hub import HubStatistics
from server.market.reader import Reader
from server.simulator import Simulator, SimulatorSettings
from tests.gateway import Gateway, open_gateway
from tests.http2 import DATA, WINDOW_UPDATE, Http2, frame
from tests.waiting import eventually
from tests.watching import watched

WINDOW = 65_535
"""What HTTP/2 lets a server send before the client has said anything of windows."""
QUEUED_AT_MOST = 64 * 1024
SYMBOLS = [
    *("SPY", "QQQ", "IWM", "DIA", "AAPL", "MSFT", "NVDA", "AMZN", "META", "GOOGL"),
    *("TSLA", "AMD", "NFLX", "INTC", "JPM", "BAC", "XOM", "WMT", "KO", "DIS"),
]
HEARTBEAT = stream_pb2.STREAM_EVENT_KIND_HEARTBEAT


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with (
        Simulator(SimulatorSettings(port=0)) as sim,
        open_gateway(sim, tmp_path, streams_per_key=1000) as running,
    ):
        yield running


def open_stream(line: Http2, request: pb.StreamQuotesRequest) -> None:
    """Sends the request; what comes of it stays in the socket until somebody reads it."""
    line.call(
        1,
        "/tasty.v1.MarketDataService/StreamQuotes",
        request.SerializeToString(),
        more=(("x-api-key", "demo-key"),),
    )


def hub_of(gateway: Gateway) -> HubStatistics:
    [hub] = gateway.app.markets.statistics().hubs.values()
    return hub


def read_window(line: Http2) -> bytes:
    """Returns the stream's data once it has filled the window, so that no more can come."""
    data = b""
    for one in line.frames():
        data += one.payload if one.kind == DATA else b""
        if len(data) >= WINDOW:
            break
    return data


def read_until_fresh(line: Http2, data: bytes) -> bytes:
    """Reads on until a message comes whose values were received a moment ago."""
    for one in line.frames():
        data += one.payload if one.kind == DATA else b""
        quotes = messages(data)[-1].quotes
        if any(time.time() - each.received_at.ToNanoseconds() / 1e9 < 2 for each in quotes):
            break
    return data


def messages(data: bytes) -> list[pb.StreamQuotesResponse]:
    """Takes the whole messages of a stream apart."""
    found = []
    while len(data) >= 5 + (size := int.from_bytes(data[1:5], "big")) and data:
        found.append(pb.StreamQuotesResponse.FromString(data[5 : 5 + size]))
        data = data[5 + size :]
    return found


async def test_who_never_reads_is_queued_no_more_than_a_little(gateway: Gateway) -> None:
    with Http2(gateway.app.grpc_port, timeout=20) as line:
        open_stream(line, pb.StreamQuotesRequest(symbols=SYMBOLS, min_interval=0))
        # Only once its window is full is a client one that does not read.
        received = await asyncio.wait_for(asyncio.to_thread(read_window, line), 60)
        assert len(received) == WINDOW

        # Prices move on, by more than would fit into the queue that it may have.
        before = hub_of(gateway).updates
        await eventually(lambda: hub_of(gateway).updates > before + 1000, 60)
        assert hub_of(gateway).delivered_bytes - WINDOW <= QUEUED_AT_MOST

        # It wakes up: what was on its way is old, and right after it comes the newest.
        line.send(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1 << 20)))
        line.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 20)))
        woken = asyncio.to_thread(read_until_fresh, line, received)
        received = await asyncio.wait_for(woken, 30)
        assert len(received) - WINDOW <= QUEUED_AT_MOST
    await eventually(lambda: not gateway.app.streams.total)


async def test_who_reads_slowly_is_told_what_it_missed(gateway: Gateway) -> None:
    request = pb.StreamQuotesRequest(symbols=["SPY"], min_interval=1, heartbeat_interval=2)
    async with watched(gateway.demo.market.StreamQuotes(request)) as [view]:
        await eventually(lambda: view.conflated > 5, 15)
        assert view.told[HEARTBEAT] <= 8


async def test_others_do_not_notice(gateway: Gateway) -> None:
    quick = pb.StreamQuotesRequest(symbols=SYMBOLS[:5], min_interval=0)
    calls = [gateway.demo.market.StreamQuotes(quick) for _ in range(5)]
    stalled = [Http2(gateway.app.grpc_port) for _ in range(20)]
    async with watched(*calls) as views:
        for line in stalled:
            open_stream(line, pb.StreamQuotesRequest(symbols=SYMBOLS, min_interval=0))
        await eventually(lambda: gateway.app.streams.total == 25)
        # 20 windows are full by then: the rest went to those that read.
        taken = hub_of(gateway).delivered_bytes
        await eventually(lambda: hub_of(gateway).delivered_bytes - taken > 21 * WINDOW, 60)
        before = [sum(view.told.values()) for view in views]
        await eventually(
            lambda: all(
                sum(view.told.values()) >= seen + 20
                for view, seen in zip(views, before, strict=True)
            ),
            30,
        )
        for line in stalled:
            line.__exit__(None, None, None)
    await eventually(lambda: not gateway.app.streams.total)


async def test_streams_that_are_opened_and_cancelled_leave_nothing(gateway: Gateway) -> None:
    request = pb.StreamQuotesRequest(symbols=SYMBOLS[:3])
    before: set[asyncio.Task[object]] = set()
    for _ in range(3):
        calls = [gateway.demo.market.StreamQuotes(request) for _ in range(200)]
        for call in calls[:100]:
            await call.read()
        for call in calls:  # half of them before anything was answered
            call.cancel()
        for call in calls:
            assert await call.code() is grpc.StatusCode.CANCELLED
        await eventually(lambda: not gateway.app.streams.total)
        await eventually(lambda: gateway.app.front.drain.statistics().streams == 0)
        before = before or asyncio.all_tasks()
    # gRPC's own tasks end a moment after the calls that they were for.
    await eventually(lambda: len(asyncio.all_tasks()) <= len(before))
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, Reader)]
