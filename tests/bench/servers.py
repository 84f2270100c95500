"""The servers of the fan-out benches, each in a process of its own: ours, a naive one, a bare one.

    python -m tests.bench.servers ours [MIN_INTERVAL] | naive | bare

All three serve the same rpc and publish the same quotes as fast as every reader has taken the last
ones, so that what is compared is the cost of fanning out and nothing else. Ours is the product's
hub, reader and codec; the naive one queues each event for each reader and serialises it there, as a
first version would; the bare one sends one constant message. None has interceptors.

Commands come on standard input, one a line: `wait N` (until N readers), `run SECONDS`, `quit`.
Results go to standard output as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import grpc
import uvloop
from tasty.v1 import market_data_stream_pb2 as pb
from tasty.v1 import quote_pb2, stream_pb2

from server.clock import SystemClock
from server.market.hub import Hub
from server.market.reader import Reader
from server.market.topics import Kind
from server.streams.send_pacer import SendInterval
from server.wire.streams import StreamCodec

METHOD = "StreamQuotes"
SERVICE = "tasty.v1.MarketDataService"
SYMBOLS = [f"SYM{number}" for number in range(50)]


class Source:
    """Publishes one round of quotes after the other while it is asked to."""

    def __init__(self) -> None:
        self.readers = 0
        self.messages = 0
        self.quotes = 0
        self.rounds = 0

    def row(self, symbol: str) -> list[Any]:
        price = 100 + (self.rounds % 1000) / 100
        now = int(time.time() * 1000)
        return [symbol, price, price + 0.01, 100, 200, now, now, "Q", "Q"]

    def publish(self) -> None:
        """Makes one newer quote of every symbol."""
        raise NotImplementedError

    def stream(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        """The rpc."""
        raise NotImplementedError

    async def run(self, seconds: float, rate: float) -> dict[str, float]:
        """Publishes for so long, `rate` rounds a second (0: as fast as readers take them)."""
        messages, quotes = self.messages, self.quotes
        begun, cpu = time.perf_counter(), time.process_time()
        end = begun + seconds
        self.rounds = 0
        while time.perf_counter() < end:
            goal = self.messages + self.readers * self.messages_a_round
            self.rounds += 1
            self.publish()
            if rate:
                due = begun + self.rounds / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            else:
                while self.messages < goal and time.perf_counter() < end:  # noqa: ASYNC110 - a spin
                    await asyncio.sleep(0)
        took = time.perf_counter() - begun
        return {
            "seconds": took,
            "cpu": time.process_time() - cpu,
            "messages": self.messages - messages,
            "quotes": self.quotes - quotes,
            "rounds": self.rounds,
            "rss": rss(),
        }

    messages_a_round = 1


class Ours(Source):
    """The product's hub."""

    def __init__(self, interval: timedelta) -> None:
        super().__init__()
        self._interval = interval
        self._clock = SystemClock()
        self.hub = Hub(_NoWants(), self._clock)
        self.hub.connected()
        self.hub.resume()

    def publish(self) -> None:
        flat: list[Any] = []
        for symbol in SYMBOLS:
            flat += self.row(symbol)
        self.hub.publish("Quote", flat)

    async def stream(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        codec = StreamCodec()
        send_interval = SendInterval(min_interval=self._interval, heartbeat=timedelta(seconds=30))
        labels = {symbol: symbol for symbol in SYMBOLS}
        self.readers += 1
        try:
            async with (
                self.hub.hold(Kind.QUOTES, labels) as topics,
                self.hub.join(topics, codec) as group,
            ):
                reader = Reader(self.hub, group, self._clock, send_interval)
                async for item in reader.items(lambda: False):
                    if isinstance(item, bytes):
                        yield item
                        self.messages += 1
                        self.quotes += len(SYMBOLS)
        finally:
            self.readers -= 1


class Naive(Source):
    """One queue a reader, one message an event, serialised for each."""

    messages_a_round = len(SYMBOLS)

    def __init__(self) -> None:
        super().__init__()
        self._queues: set[asyncio.Queue[Any]] = set()

    def publish(self) -> None:
        for symbol in SYMBOLS:
            row = self.row(symbol)
            for queue in self._queues:
                queue.put_nowait(row)

    async def stream(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[Any] = asyncio.Queue()
        self._queues.add(queue)
        self.readers += 1
        try:
            while True:
                row = await queue.get()
                quote = quote_pb2.Quote(
                    event_symbol=row[0],
                    symbol=row[0],
                    streamer_symbol=row[0],
                    bid_price=str(row[1]),
                    ask_price=str(row[2]),
                    bid_size=row[3],
                    ask_size=row[4],
                    source="stream",
                )
                message = pb.StreamQuotesResponse(
                    kind=stream_pb2.STREAM_EVENT_KIND_UPDATE, quotes=[quote]
                )
                yield message.SerializeToString()
                self.messages += 1
                self.quotes += 1
        finally:
            self.readers -= 1
            self._queues.discard(queue)


class Bare(Source):
    """grpc.aio and nothing else: the same bytes again, at the same moments."""

    def __init__(self) -> None:
        super().__init__()
        quotes = [
            quote_pb2.Quote(event_symbol=s, symbol=s, bid_price="100.01", ask_price="100.02")
            for s in SYMBOLS
        ]
        message = pb.StreamQuotesResponse(kind=stream_pb2.STREAM_EVENT_KIND_UPDATE, quotes=quotes)
        self._bytes = message.SerializeToString()
        self._next: asyncio.Future[None] | None = None

    def publish(self) -> None:
        if self._next is not None:
            self._next.set_result(None)
        self._next = asyncio.get_running_loop().create_future()

    async def stream(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        self.readers += 1
        try:
            while True:
                if self._next is None:
                    self._next = asyncio.get_running_loop().create_future()
                await asyncio.shield(self._next)
                yield self._bytes
                self.messages += 1
                self.quotes += len(SYMBOLS)
        finally:
            self.readers -= 1


class _NoWants:
    def subscribe(self, event: str, symbol: str, since: int | None = None) -> None: ...
    def unsubscribe(self, event: str, symbol: str) -> None: ...


def rss() -> int:
    """Returns the resident memory of this process, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def serve(source: Source) -> None:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    handler = grpc.unary_stream_rpc_method_handler(source.stream)
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(json.dumps({"port": port, "rss": rss()}), flush=True)
    commands: asyncio.StreamReader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := (await commands.readline()).decode().split():
        match line:
            case ["wait", count]:
                while source.readers < int(count):  # noqa: ASYNC110 - not in what is measured
                    await asyncio.sleep(0.01)
                print(json.dumps({"readers": source.readers, "rss": rss()}), flush=True)
            case ["run", seconds, rate]:
                print(json.dumps(await source.run(float(seconds), float(rate))), flush=True)
            case _:
                break
    await server.stop(0)


if __name__ == "__main__":
    kind, *interval = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if kind == "ours":
            runner.run(serve(Ours(timedelta(seconds=float(*interval or [0])))))
        else:
            runner.run(serve({"naive": Naive, "bare": Bare}[kind]()))
