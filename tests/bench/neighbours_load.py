"""Makes the load of an attack: requests over HTTP and gRPC, counted by how they ended."""

from __future__ import annotations

__all__ = ["ELSEWHERE", "Load", "Where", "hold_sockets", "repeat"]

import asyncio
import json
import re
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import grpc.aio

ELSEWHERE = ("127.0.0.2", 0)
"""The address of the attackers."""
LARGEST = 20 << 20
PATIENCE = aiohttp.ClientTimeout(total=60)
CONNECTS_S = 2_000
"""Connections that are opened in a second at first ..."""
REOPENS_S = 200
"""... and later, in place of those that were closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The gateway under attack."""

    url: str
    """REST, through the edge."""
    target: str
    """gRPC, through the edge."""
    simulator_url: str


class Load:
    """One attacker's clients; what they sent is in `counts`."""

    def __init__(self, where: Where, http: aiohttp.ClientSession) -> None:
        self.where = where
        self.counts: Counter[str] = Counter()
        self._http = http
        self._channels: dict[str, grpc.aio.Channel] = {}

    async def send(self, method: str, path: str, key: str, body: Any = None) -> tuple[int, str]:
        """Sends a request to the edge; a status of 0 is a connection that failed."""
        try:
            async with self._http.request(
                method,
                self.where.url + path,
                json=body,
                headers={"x-api-key": key} if key else {},
                timeout=PATIENCE,
            ) as answer:
                text = await answer.text()
                self.counts[str(answer.status)] += 1
                return answer.status, text
        except (aiohttp.ClientError, TimeoutError) as error:
            self.counts[type(error).__name__] += 1
            return 0, ""

    async def account(self, key: str) -> str:
        """Returns the number of an account of a key."""
        _, text = await self.send("GET", "/api/v1/balances?account_id=none", key)
        return str(re.findall(r"5W\w{6}", text)[0])

    async def follow(self, method: str, path: str, key: str, body: Any = None) -> None:
        """Opens an event stream and reads it until it ends."""
        limit = aiohttp.ClientTimeout(total=None)
        headers = {"x-api-key": key}
        with suppress(aiohttp.ClientError, TimeoutError):
            async with self._http.request(
                method, self.where.url + path, json=body, headers=headers, timeout=limit
            ) as answer:
                self.counts[f"stream {answer.status}"] += 1
                async for _ in answer.content.iter_any():
                    pass

    async def call(self, rpc: str, message: bytes, key: str) -> None:
        """Calls an rpc, over a connection of the key's own."""
        channel = self._channels.get(key)
        if channel is None:
            options = [
                ("grpc.max_send_message_length", LARGEST),
                ("grpc.use_local_subchannel_pool", 1),
            ]
            channel = grpc.aio.insecure_channel(self.where.target, options=options)
            self._channels[key] = channel

        try:
            await channel.unary_unary(rpc)(message, metadata=(("x-api-key", key),), timeout=60)
            self.counts["OK"] += 1
        except grpc.aio.AioRpcError as error:
            self.counts[error.code().name] += 1

    async def fault(self, **fault: Any) -> None:
        """Has the simulator break something."""
        url = f"{self.where.simulator_url}/_admin/faults"
        async with self._http.post(url, data=json.dumps(fault)) as answer:
            assert answer.status < 300, await answer.text()

    async def close(self) -> None:
        for channel in self._channels.values():
            await channel.close()


async def repeat(do: Callable[[], Awaitable[Any]], every_s: float) -> None:
    """Does it again and again: when it has ended, and not before `every_s` after its beginning."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + every_s
        await do()
        await asyncio.sleep(max(0.0, due - loop.time()))


async def hold_sockets(load: Load, count: int) -> None:
    """Holds so many connections that say nothing, and opens another for each that is closed."""
    parts = urlsplit(load.where.url)
    address = (parts.hostname or "", parts.port or 0)
    ended = threading.Event()
    holding = asyncio.create_task(asyncio.to_thread(_hold, load.counts, address, count, ended))
    try:
        await asyncio.shield(holding)
    finally:
        ended.set()
        await asyncio.wait([holding])


def _hold(
    counts: Counter[str], address: tuple[str, int], count: int, ended: threading.Event
) -> None:
    poll = select.epoll()
    held: dict[int, socket.socket] = {}
    rate = float(CONNECTS_S)
    opened = time.monotonic()
    while not ended.is_set():
        now = time.monotonic()
        for _ in range(min(int((now - opened) * rate), count - len(held))):
            opened = now
            client = socket.socket()
            client.setblocking(False)
            client.bind(ELSEWHERE)
            with suppress(BlockingIOError):
                client.connect(address)

            held[client.fileno()] = client
            poll.register(client, select.EPOLLIN | select.EPOLLHUP)
            counts["opened"] += 1
            if len(held) == count:
                rate = REOPENS_S

        for number, _ in poll.poll(0.05):
            poll.unregister(number)
            held.pop(number).close()
            counts["closed by the edge"] += 1

    for client in held.values():
        client.close()
