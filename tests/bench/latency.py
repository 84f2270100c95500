"""From publish to receive: 100 readers, 5,000 messages a second, and a hurried publisher.

The client is a process of its own on the other core; both read the same machine's clock. A message
carries the time at which the server took the events that it is made of.
"""

from __future__ import annotations

__all__ = ["main"]

import asyncio
import json
import subprocess
import sys
import time
from contextlib import ExitStack

import grpc
import uvloop
from tasty.v1 import market_data_stream_pb2 as pb
from tasty.v1 import stream_pb2

from tests.bench.fanout import Process
from tests.bench.figures import Figure, show
from tests.bench.memory import grpc_header
from tests.bench.processes import pinned
from tests.bench.servers import METHOD, SERVICE
from tests.http2 import DATA, END_STREAM, Http2, frame

READERS = 100
SECONDS = 5.0
RUNS = 3
EMPTY_MESSAGE = b"\0\0\0\0\0"


async def read(port: int, count: int, seconds: float) -> dict[str, float]:
    """Returns the delays that `count` readers saw, in milliseconds."""
    channels = [
        grpc.aio.insecure_channel(
            f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)]
        )
        for _ in range(8)
    ]
    delays: list[float] = []
    rpc = f"/{SERVICE}/{METHOD}"

    def call(number: int) -> grpc.aio.UnaryStreamCall:
        stub = channels[number % len(channels)].unary_stream(rpc)
        return stub(b"", timeout=seconds + 60)

    async def one(number: int) -> None:
        async for data in call(number):
            now = time.time()
            message = pb.StreamQuotesResponse.FromString(data)
            # The snapshot at the beginning is as old as what it holds.
            if message.kind == stream_pb2.STREAM_EVENT_KIND_UPDATE:
                received = message.quotes[0].received_at
                delays.append((now - received.seconds - received.nanos / 1e9) * 1000)

    tasks = [asyncio.create_task(one(number)) for number in range(count)]
    print("ready", flush=True)
    await asyncio.sleep(seconds + 3)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for channel in channels:
        await channel.close()
    delays.sort()
    return {
        "messages": len(delays),
        "p50": delays[len(delays) // 2],
        "p99": delays[int(len(delays) * 0.99)],
    }


def measure(count: int, rate: float, *, interval: float = 0, silent: int = 0) -> dict[str, float]:
    """Returns the delays at so many rounds a second, for readers that chose an interval.

    `silent` more never read: a client of gRPC reads ahead by itself, so these are bare sockets.
    """
    server = Process("ours", str(interval))
    command = [*pinned(1), sys.executable, "-m", "tests.bench.latency"]
    with ExitStack() as held:
        held.callback(server.end)
        for _ in range(silent):
            line = held.enter_context(Http2(server.port))
            line.send(grpc_header())
            line.send(frame(DATA, END_STREAM, 1, EMPTY_MESSAGE))
        server.ask(f"wait {silent}")
        if silent:
            # Until their windows are full they are readers like any other.
            taken = server.ask("run 3 50")["messages"]
            stuck = server.ask("run 1 50")["messages"] == 0
            assert stuck, f"{taken} messages, and still somebody reads"

        client = subprocess.Popen(
            [*command, str(server.port), str(count)], stdout=subprocess.PIPE, text=True
        )
        held.callback(client.wait)
        assert client.stdout is not None
        held.enter_context(client.stdout)
        client.stdout.readline()
        server.ask(f"wait {count + silent}")
        served = server.ask(f"run {SECONDS} {rate}")
        seen: dict[str, float] = json.loads(client.stdout.readline())
        seen["rate"] = served["messages"] / served["seconds"]
        seen["rss"] = served["rss"]
        return seen


def main() -> bool:
    steady = measure(READERS, 50)
    hurried = measure(READERS, 500, interval=0.02)
    pairs = [(measure(500, 5), measure(500, 5, silent=50)) for _ in range(RUNS)]
    ratio, alone, beside = sorted(
        (beside["p99"] / alone["p99"], alone["p99"], beside["p99"]) for alone, beside in pairs
    )[RUNS // 2]
    return show(
        "Publish to receive, readers in another process, 50 symbols a message",
        [
            Figure(
                measure=f"{READERS} readers, p99",
                value=f"{steady['p99']:.1f} ms",
                target="<= 50 ms",
                met=steady["p99"] <= 50,
                how=f"p50 {steady['p50']:.1f} ms at {steady['rate']:,.0f} messages/s",
            ),
            Figure(
                measure="500 rounds a second published, p99",
                value=f"{hurried['p99']:.1f} ms",
                target="<= 50 ms",
                met=hurried["p99"] <= 50,
                how=f"min_interval 20 ms: {hurried['rate']:,.0f} messages/s",
            ),
            Figure(
                measure="500 readers beside 50 that never read, p99",
                value=f"{ratio:.2f}x",
                target="<= 1.2x of without",
                met=ratio <= 1.2,
                how=f"{beside:.1f} ms, without them {alone:.1f} ms; median of {RUNS} paired runs",
            ),
        ],
    )


if __name__ == "__main__":
    port, count = (int(argument) for argument in sys.argv[1:])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(read(port, count, SECONDS))), flush=True)
