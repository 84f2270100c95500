"""What an open stream holds: over gRPC, over server-sent events with Envoy, and one never read.

Measured at the whole gateway: the resident memory of the server (and of Envoy, where it takes part)
before and after so many streams were opened, by clients in processes of their own.
"""

from __future__ import annotations

__all__ = ["MANY", "grpc_header", "main", "reading"]

import resource
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from tasty.v1 import market_data_stream_pb2 as pb

from tests.bench.figures import Figure, show
from tests.bench.processes import Program, Stack, open_stack, rss
from tests.http2 import DATA, END_HEADERS, END_STREAM, HEADERS, Http2, block, frame

READERS = 1000
NEVER_READING = 200
SYMBOLS = ["SPY", "QQQ", "AAPL", "NVDA", "MSFT"]
MANY = [*SYMBOLS, "AMZN", "META", "GOOGL", "TSLA", "AMD", "NFLX", "INTC", "JPM", "BAC", "XOM"]
WARM_UP = 200
SETTLE_S = 6
KIB = 1024


def grpc_readers(port: int, count: int, interval: float) -> None:
    """Reads streams until it is ended; a program of its own."""
    import asyncio

    import grpc
    from tasty.v1 import market_data_service_pb2_grpc as service

    async def run() -> None:
        channels = [
            grpc.aio.insecure_channel(
                f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)]
            )
            for _ in range(8)
        ]
        request = pb.StreamQuotesRequest(symbols=SYMBOLS, min_interval=interval)

        async def read(number: int) -> None:
            stub = service.MarketDataServiceStub(channels[number % len(channels)])
            async for _ in stub.StreamQuotes(request, metadata=[("x-api-key", "demo-key")]):
                pass

        async with asyncio.TaskGroup() as tasks:
            for number in range(count):
                tasks.create_task(read(number))
            await asyncio.Event().wait()

    asyncio.run(run())


def sse_readers(port: int, count: int) -> None:
    """Reads event streams, each over a connection of its own, until it is ended."""
    import selectors

    ask = (
        f"GET /api/v1/stream/quotes?{'&'.join(f'symbols={s}' for s in SYMBOLS)}&min_interval=1 "
        f"HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nx-api-key: demo-key\r\n\r\n"
    ).encode()
    watch = selectors.DefaultSelector()
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(ask)
        watch.register(client, selectors.EVENT_READ)
    while True:
        for key, _ in watch.select():
            key.fileobj.recv(65536)  # type: ignore[union-attr]  # only sockets are registered


@contextmanager
def reading(kind: str, port: int, count: int) -> Iterator[None]:
    """Runs readers in a process of their own."""
    command = ("-m", "tests.bench.memory", kind, str(port), str(count))
    with Program(*command, core=1, port=port):
        yield


def per_reader(stack: Stack, kind: str, port: int, *, with_envoy: bool) -> float:
    """Returns the bytes that each of many readers adds."""

    def memory() -> int:
        return stack.memory() if with_envoy else rss(stack.server.pid)

    with reading(kind, port, WARM_UP):
        time.sleep(SETTLE_S)
    time.sleep(2)
    before = memory()
    with reading(kind, port, READERS):
        _until_open(stack, READERS)
        time.sleep(SETTLE_S)
        grown = memory() - before
    time.sleep(2)
    return grown / READERS


def grpc_header() -> bytes:
    """Returns the frame that opens a stream of quotes, but for its request."""
    more = (("content-type", "application/grpc"), ("te", "trailers"), ("x-api-key", "demo-key"))
    path = "/tasty.v1.MarketDataService/StreamQuotes"
    return frame(HEADERS, END_HEADERS, 1, block(path, method="POST", more=more))


def never_read(stack: Stack) -> float:
    """Returns the bytes that the server holds for a client that reads nothing of its stream."""
    port = int(stack.grpc_target.rpartition(":")[2])
    request = pb.StreamQuotesRequest(symbols=MANY, min_interval=0).SerializeToString()
    message = struct.pack(">BI", 0, len(request)) + request
    before = rss(stack.server.pid)
    with ExitStack() as held:
        for _ in range(NEVER_READING):
            line = held.enter_context(Http2(port))
            line.send(grpc_header())
            line.send(frame(DATA, END_STREAM, 1, message))
        _until_open(stack, NEVER_READING)
        time.sleep(3 * SETTLE_S)  # at 10 rounds a second, some 300 KB for each of them
        return (rss(stack.server.pid) - before) / NEVER_READING


def _until_open(stack: Stack, count: int) -> None:
    """Waits until the server has so many streams."""
    for _ in range(300):
        if stack.streams() == count:
            return
        time.sleep(0.1)
    raise RuntimeError(f"{stack.streams()} streams are open, not {count}")


def main() -> bool:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    with open_stack(streams_per_key=5000, streams_total=8000) as stack:
        port = int(stack.grpc_target.rpartition(":")[2])
        over_grpc = per_reader(stack, "grpc", port, with_envoy=False) / KIB
        edge = urlsplit(stack.url).port
        assert edge is not None
        over_sse = per_reader(stack, "sse", edge, with_envoy=True) / KIB
        queued = never_read(stack) / KIB
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return show(
        f"Memory of an open stream, whole gateway, {READERS} streams",
        [
            Figure(
                measure="gRPC reader, in the server",
                value=f"{over_grpc:.1f} KiB",
                target="<= 40 KiB",
                met=over_grpc <= 40,
            ),
            Figure(
                measure="event stream, in server and Envoy together",
                value=f"{over_sse:.1f} KiB",
                target="<= 80 KiB",
                met=over_sse <= 80,
                how="a connection each",
            ),
            Figure(
                measure="a client that never reads, in the server",
                value=f"{queued:.1f} KiB",
                target="<= 64 KiB",
                met=queued <= 64,
                how=f"{NEVER_READING} of them, {len(MANY)} symbols, as fast as they move",
            ),
        ],
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["grpc", port, count]:
            grpc_readers(int(port), int(count), 1)
        case ["grpc-fast", port, count]:
            grpc_readers(int(port), int(count), 0)
        case ["sse", port, count]:
            sse_readers(int(port), int(count))
        case _:
            sys.exit(not main())
