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

import grpc
import uvloop
from tasty.v1 import market_data_stream_pb2 as pb

from tests.bench.fanout import Process
from tests.bench.figures import Figure, show
from tests.bench.processes import pinned
from tests.bench.servers import METHOD, SERVICE

READERS = 100
SECONDS = 5.0


async def read(port: int, count: int, seconds: float, silent: int) -> dict[str, float]:
    """Returns the delays that `count` readers saw, in milliseconds; `silent` more never read."""
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
            if message.quotes:
                received = message.quotes[0].received_at
                delays.append((now - received.seconds - received.nanos / 1e9) * 1000)

    never_read = [call(number) for number in range(silent)]
    tasks = [asyncio.create_task(one(number)) for number in range(count)]
    print("ready", flush=True)
    await asyncio.sleep(seconds + 3)
    for task in tasks:
        task.cancel()
    for stalled in never_read:
        stalled.cancel()
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
    """Returns the delays at so many rounds a second, for readers that chose an interval."""
    server = Process("ours", str(interval))
    command = [*pinned(1), sys.executable, "-m", "tests.bench.latency"]
    client = subprocess.Popen(
        [*command, str(server.port), str(count), str(silent)], stdout=subprocess.PIPE, text=True
    )
    assert client.stdout is not None
    try:
        client.stdout.readline()
        server.ask(f"wait {count + silent}")
        served = server.ask(f"run {SECONDS} {rate}")
        seen: dict[str, float] = json.loads(client.stdout.readline())
        seen["rate"] = served["messages"] / served["seconds"]
        seen["rss"] = served["rss"]
        return seen
    finally:
        client.wait()
        client.stdout.close()
        server.end()


def main() -> bool:
    steady = measure(READERS, 50)
    hurried = measure(READERS, 500, interval=0.02)
    alone = measure(500, 5)
    beside = measure(500, 5, silent=50)
    ratio = beside["p99"] / alone["p99"]
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
                how=f"{beside['p99']:.1f} ms, without them {alone['p99']:.1f} ms",
            ),
        ],
    )


if __name__ == "__main__":
    port, count, silent = (int(argument) for argument in sys.argv[1:])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(read(port, count, SECONDS, silent))), flush=True)
