"""Streams that are opened and cancelled, 30,000 times: what each leaves behind in the server.

Beside bare grpc.aio, which leaks a little with each cancelled stream (grpc/grpc#43360): what counts
is what ours leaves beyond that, in the same run.
"""

from __future__ import annotations

__all__ = ["main"]

import asyncio
import sys

import grpc
from tasty.v1 import market_data_stream_pb2 as pb

from tests.bench.figures import Figure, show
from tests.bench.processes import APP_CORE, Program, open_stack, rss
from tests.stack import free_ports

STREAMS = 30_000
WARM_UP = 10_000
AT_ONCE = 50
RPC = "/tasty.v1.MarketDataService/StreamQuotes"


async def open_and_cancel(target: str, count: int) -> None:
    """Opens so many streams, fifty at a time, and cancels each after its first message."""
    request = pb.StreamQuotesRequest(symbols=["SPY"]).SerializeToString()
    left = iter(range(count))
    async with grpc.aio.insecure_channel(target) as channel:
        rpc = channel.unary_stream(RPC)

        async def work() -> None:
            for _ in left:
                call = rpc(request, metadata=(("x-api-key", "demo-key"),))
                await call.read()
                call.cancel()

        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(work())


def growth(target: str, pid: int) -> float:
    """Returns the bytes of resident memory that each stream adds, once the server is warm."""
    asyncio.run(open_and_cancel(target, WARM_UP))
    before = rss(pid)
    asyncio.run(open_and_cancel(target, STREAMS))
    return (rss(pid) - before) / STREAMS


def main() -> bool:
    [port] = free_ports(1)
    with Program("-m", "tests.bench.bare", str(port), core=APP_CORE, port=port) as bare:
        floor = growth(f"127.0.0.1:{port}", bare.pid)
    with open_stack(streams_per_key=5000, streams_total=8000) as stack:
        ours = growth(stack.grpc_target, stack.server.pid)
    beyond = max(0.0, ours - floor)
    return show(
        f"{STREAMS:,} streams opened and cancelled, after {WARM_UP:,} to warm up",
        [
            Figure(
                measure="left behind by each, in the whole server",
                value=f"{ours:.0f} bytes",
                target="<= 200 bytes",
                met=ours <= 200,
                how=f"bare grpc.aio in the same run: {floor:.0f} bytes; beyond it {beyond:.0f}",
            )
        ],
    )


if __name__ == "__main__":
    sys.exit(not main())
