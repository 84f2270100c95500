"""Five warm symbols by POST /quotes through Envoy, beside a streamer opened for each request.

The simulator is 25 ms away, for both: that is what a streamer opened per request pays eight times
over, and a warm one not at all. The client is one, and asks again as soon as it has its answer.
"""

from __future__ import annotations

__all__ = ["main"]

import asyncio
import json
import socket
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tastytrade import DXLinkStreamer, Session
from tastytrade.dxfeed import Quote

from tests.bench.fastapi_baseline import Moved
from tests.bench.figures import Figure, show
from tests.bench.processes import Stack, cpu_seconds, open_stack

SYMBOLS = ["SPY", "QQQ", "AAPL", "NVDA", "MSFT"]
LATENCY_MS = 25
REQUESTS = 1500
TURNS = 10
IDLE_S = 1.0
STREAMERS = 12


class Client:
    """One HTTP/1.1 connection, with no more work than it takes to find the end of an answer."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = json.dumps([{"symbol": symbol} for symbol in SYMBOLS])
        self._request = (
            f"POST /api/v1/quotes?analyze=false HTTP/1.1\r\nhost: {parts.netloc}\r\n"
            f"x-api-key: {key}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def close(self) -> None:
        self._socket.close()

    def ask(self) -> tuple[float, bytes]:
        """Returns how long an answer took, in milliseconds, and its body."""
        begun = time.perf_counter()
        self._socket.sendall(self._request)
        data = self._socket.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += self._socket.recv(65536)
        return (time.perf_counter() - begun) * 1000, body


@contextmanager
def client(url: str) -> Iterator[Client]:
    made = Client(url, "demo-key")
    try:
        yield made
    finally:
        made.close()


def warm(stack: Stack) -> tuple[list[float], float]:
    """Returns the latencies of warm requests, and the processor milliseconds of each."""
    pids = (stack.server.pid, stack.envoy_pid)
    took: list[float] = []
    cpu = 0.0
    with client(stack.url) as asking:
        for _ in range(20):
            _, body = asking.ask()
        assert [each["source"] for each in json.loads(body)["quotes"]] == ["stream"] * len(SYMBOLS)
        for _ in range(TURNS):
            # What the feed itself costs is not the requests': it is measured while nobody asks,
            # just before, since the machine is not as fast in one minute as in the next.
            idle = idle_share(*pids)
            begun, spent = time.perf_counter(), sum(map(cpu_seconds, pids))
            took += [asking.ask()[0] for _ in range(REQUESTS // TURNS)]
            seconds = time.perf_counter() - begun
            cpu += sum(map(cpu_seconds, pids)) - spent - idle * seconds

    return sorted(took), cpu / REQUESTS * 1000


def idle_share(*pids: int) -> float:
    """Returns the share of a processor that programs take while nobody asks them anything."""
    before = sum(map(cpu_seconds, pids))
    time.sleep(IDLE_S)
    return (sum(map(cpu_seconds, pids)) - before) / IDLE_S


async def opened_per_request(stack: Stack) -> tuple[list[float], float, float]:
    """Does what a server does that opens a streamer for each request, with the SDK.

    Returns the latencies, and the processor milliseconds of each request: of the client, and of
    the broker that it makes open a connection.
    """
    transport = Moved(stack.simulator_url)
    session = Session("bench", "demo-refresh-token", transport=transport, timeout=30)
    await session.refresh()
    broker = stack.simulator.pid
    idle = await asyncio.to_thread(idle_share, broker)
    took = []
    cpu = 0.0
    opened, their = time.perf_counter(), cpu_seconds(broker)
    for _ in range(STREAMERS):
        begun, spent = time.perf_counter(), time.process_time()
        async with DXLinkStreamer(session) as streamer:
            await streamer.subscribe(Quote, SYMBOLS)
            missing = set(SYMBOLS)
            while missing:
                missing.discard((await streamer.get_event(Quote)).event_symbol)
        took.append((time.perf_counter() - begun) * 1000)
        cpu += time.process_time() - spent
    their = cpu_seconds(broker) - their - idle * (time.perf_counter() - opened)
    return sorted(took), cpu / STREAMERS * 1000, their / STREAMERS * 1000


def main() -> bool:
    with open_stack("--latency", str(LATENCY_MS)) as stack:
        took, cpu = warm(stack)
        theirs, client_cpu, broker_cpu = asyncio.run(opened_per_request(stack))
    p50, p99 = statistics.median(took), took[int(len(took) * 0.99)]
    slow = statistics.median(theirs)
    return show(
        f"Five quotes, the broker {LATENCY_MS} ms away, one client",
        [
            Figure(
                measure="warm, by POST /quotes through Envoy, p50",
                value=f"{p50:.2f} ms",
                target="<= 3 ms",
                met=p50 <= 3,
                how=f"p99 {p99:.2f} ms",
            ),
            Figure(
                measure="beside a streamer opened for each request",
                value=f"{slow / p50:.0f}x",
                target=">= 50x",
                met=slow / p50 >= 50,
                how=f"{slow:.0f} ms, with the SDK",
            ),
            Figure(
                measure="processor time of a request beside it",
                value=f"{(client_cpu + broker_cpu) / cpu:.0f}x",
                target=">= 40x",
                met=(client_cpu + broker_cpu) / cpu >= 40,
                how=f"{cpu:.2f} ms (Envoy and server; the broker is not asked) beside "
                f"{client_cpu:.1f} (client) + {broker_cpu:.1f} ms (broker)",
            ),
        ],
    )


if __name__ == "__main__":
    sys.exit(not main())
