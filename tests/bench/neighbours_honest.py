"""Honest tenants beside an attack: 1.5 requests a second each, one stream, one order every 5 s.

    python -m tests.bench.neighbours_honest '{"url": ..., "keys": [...], "seconds": 40}'

Prints one JSON line: what each request took, from the moment at which it was due, and what failed.
A request is sent when it is due, whether or not the one before has been answered, and over a
connection of its own: who cannot connect notices.
"""

from __future__ import annotations

__all__ = ["Honest", "Seen"]

import asyncio
import itertools
import json
import re
import sys
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp

EVERY_S = 1 / 1.5
PATIENCE_S = 30
PATIENCE = aiohttp.ClientTimeout(total=PATIENCE_S)
SILENCE_S = 15
"""A stream that says nothing for so long, heartbeats counted, has failed."""
QUOTES = [{"symbol": symbol} for symbol in ("SPY", "QQQ", "AAPL", "NVDA", "MSFT")]
ORDER = {
    "legs": [{"symbol": "SPY", "action": "Buy to Open", "quantity": 1}],
    "price": -1.0,  # which nobody sells for, so it can be cancelled
    "time_in_force": "Day",
}
ROUND = (
    *("stream", "quotes", "balances", "place", "cancel"),
    *("quotes", "positions", "quotes", "live-orders", "balances"),
    *("quotes", "place", "cancel", "positions", "metrics"),
)
"""What a tenant does in ten seconds, in this order."""


@dataclass(slots=True, kw_only=True)
class Seen:
    """What the tenants met."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Seconds by kind: "read", "place", "cancel", "stream", "renewal"."""
    failures: Counter[str] = field(default_factory=Counter)
    """What failed, and how often."""


class Honest:
    """One tenant."""

    def __init__(self, http: aiohttp.ClientSession, url: str, key: str) -> None:
        self._http = http
        self._url = url
        self._key = key
        self._account = ""
        self._placed: asyncio.Queue[str] = asyncio.Queue()
        self._stream: asyncio.Task[None] | None = None

    async def log_in(self) -> None:
        """Learns its account, and asks for everything once, so that all is warm."""
        _, text = await self._send("GET", "/api/v1/balances?account_id=none")
        self._account = re.findall(r"5W\w{6}", text)[0]
        for name in ROUND:
            await self._do(name, Seen(), asyncio.get_running_loop().time())
            await asyncio.sleep(EVERY_S)

        await self._leave()

    async def live(self, seen: Seen, delay: float, seconds: float) -> None:
        """Does its rounds for so long."""
        loop = asyncio.get_running_loop()
        begin = loop.time() + delay
        async with asyncio.TaskGroup() as tasks:
            for number, name in enumerate(itertools.cycle(ROUND)):
                due = begin + number * EVERY_S
                if due > begin + seconds:
                    break

                await asyncio.sleep(max(0.0, due - loop.time()))
                tasks.create_task(self._do(name, seen, due))

        await self._leave()

    async def renew(self, seen: Seen, every_s: float, seconds: float) -> None:
        """Saves its own credentials again and again, as their owner may."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        body = {"api_key": self._key, "client_secret": "bench", "refresh_token": self._key}
        while (due := loop.time()) < begin + seconds:
            await self._counted(seen, "renewal", due, "POST", "/api/v1/credentials", body)
            await asyncio.sleep(max(0.0, due + every_s - loop.time()))

    async def _do(self, name: str, seen: Seen, due: float) -> None:
        query = f"?account_id={self._account}"
        match name:
            case "quotes":
                path = "/api/v1/quotes?analyze=false"
                await self._counted(seen, "read", due, "POST", path, QUOTES)
            case "metrics":
                path = "/api/v1/market-metrics?analyze=false"
                await self._counted(seen, "read", due, "POST", path, ["SPY", "QQQ"])
            case "place":
                path = f"/api/v1/place-order{query}"
                answer = await self._counted(seen, "place", due, "POST", path, ORDER)
                if answer:
                    self._placed.put_nowait(str(json.loads(answer)["id"]))
            case "cancel":
                # Of an order whose answer is late it is due when that has come.
                with suppress(TimeoutError):
                    order_id = await asyncio.wait_for(self._placed.get(), PATIENCE_S)
                    due = max(due, asyncio.get_running_loop().time())
                    path = f"/api/v1/orders/{order_id}{query}"
                    await self._counted(seen, "cancel", due, "DELETE", path)
            case "stream":
                await self._follow(due, seen)
            case _:
                await self._counted(seen, "read", due, "GET", f"/api/v1/{name}{query}")

    async def _follow(self, due: float, seen: Seen) -> None:
        """Opens a stream in the place of the one before, and reads it from then on."""
        path = f"/api/v1/stream/account-events?account_id={self._account}&heartbeat_interval=5"
        opened = asyncio.get_running_loop().create_future()
        before, self._stream = self._stream, asyncio.create_task(self._read(path, opened, seen))
        await asyncio.wait([opened], timeout=SILENCE_S)
        if opened.done():
            seen.took["stream"].append(asyncio.get_running_loop().time() - due)
        else:
            seen.failures["stream: silent"] += 1

        if before is not None:
            before.cancel()
            await asyncio.wait([before])

    async def _leave(self) -> None:
        """Closes the stream."""
        if self._stream is not None:
            self._stream.cancel()
            await asyncio.wait([self._stream])
            self._stream = None

    async def _read(self, path: str, opened: asyncio.Future[None], seen: Seen) -> None:
        limit = aiohttp.ClientTimeout(total=None, sock_read=SILENCE_S)
        try:
            async with self._http.get(
                self._url + path, headers={"x-api-key": self._key}, timeout=limit
            ) as answer:
                if answer.status != 200:
                    text = (await answer.text())[:120]
                    seen.failures[f"stream: {answer.status} {text}"] += 1
                    return

                async for _ in answer.content.iter_any():
                    if not opened.done():
                        opened.set_result(None)

            seen.failures["stream: ended"] += 1
        except (aiohttp.ClientError, TimeoutError) as error:
            seen.failures[f"stream: {type(error).__name__}"] += 1

    async def _counted(
        self, seen: Seen, kind: str, due: float, method: str, path: str, body: Any = None
    ) -> str:
        """Sends a request, and returns the body of a good answer."""
        try:
            status, text = await self._send(method, path, body)
        except (aiohttp.ClientError, TimeoutError) as error:
            seen.failures[f"{kind}: {type(error).__name__}"] += 1
            return ""

        seen.took[kind].append(asyncio.get_running_loop().time() - due)
        if status == 200:
            return text

        seen.failures[f"{kind}: {status} {text[:120]}"] += 1
        return ""

    async def _send(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        async with self._http.request(
            method, self._url + path, json=body, headers={"x-api-key": self._key}, timeout=PATIENCE
        ) as answer:
            return answer.status, await answer.text()


async def serve(url: str, keys: list[str], seconds: float, owner: str = "") -> None:
    """Logs in, and lives for so long at each line of the input; `owner` renews its credentials."""
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        tenants = [Honest(http, url, key) for key in keys]
        await asyncio.gather(*(each.log_in() for each in tenants))
        print("ready", flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            seen = Seen()
            renewing = [Honest(http, url, owner).renew(seen, 5, seconds)] if owner else []
            await asyncio.gather(
                *(
                    each.live(seen, number * EVERY_S / len(tenants), seconds)
                    for number, each in enumerate(tenants)
                ),
                *renewing,
            )
            print(json.dumps({"took": seen.took, "failures": seen.failures}), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(**json.loads(sys.argv[1])))
