"""Callers who do not read what they asked for stop nobody else, whoever shares the edge with them.

All callers share the edge's connection to the server, and what is left unread counts against what
that connection may carry: sixteen readers who slept stopped everybody's answers once.
"""

from __future__ import annotations

import http.client
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import grpc
import pytest
from tasty.v1 import market_data_stream_pb2 as pb
from tasty.v1 import quote_pb2

from tests.http2 import SETTINGS, Http2, frame
from tests.stack import open_edge
from tests.waiting import eventually

STREAM = "/tasty.v1.MarketDataService/StreamQuotes"
UNREAD = 100
"""As many streams as one connection may carry, and one API key may open."""
INITIAL_WINDOW_SIZE = 4
WINDOW = 65_536
"""What the edge takes of one stream while nobody reads it."""
MESSAGE = pb.StreamQuotesResponse(
    quotes=[quote_pb2.Quote(symbol=f"SYMBOL {n}") for n in range(1000)]
).SerializeToString()


def as_grpc(line: Http2, number: int) -> None:
    line.call(number, STREAM)


def as_events(line: Http2, number: int) -> None:
    line.request(number, "/api/v1/stream/quotes?symbols=SPY")


@pytest.mark.parametrize("ask", [as_grpc, as_events])
async def test_streams_that_nobody_reads_stop_nobody_else(
    ask: Callable[[Http2, int], None], tmp_path: Path
) -> None:
    streams = count()
    handed_over = [0] * UNREAD

    def endless(_request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        number = next(streams)
        while context.is_active():
            yield MESSAGE
            handed_over[number] += len(MESSAGE)

    with open_edge(tmp_path) as edge, Http2(edge.envoy.port) as sleeper:
        edge.backend.answers[STREAM] = endless
        sleeper.send(frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0)))
        for number in range(1, 2 * UNREAD, 2):
            ask(sleeper, number)
        await eventually(lambda: min(handed_over) > WINDOW - len(MESSAGE))
        with closing(http.client.HTTPConnection("127.0.0.1", edge.envoy.port, timeout=5)) as other:
            other.request("GET", "/health")
            assert other.getresponse().read()
