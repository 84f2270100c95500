"""The simulator alone: how soon it is ready, and how many quotes a second one client gets of it.

The client is a process of its own on the other core, and counts the events of COMPACT frames
without looking into them: it must not be what is measured.
"""

from __future__ import annotations

__all__ = ["main"]

import asyncio
import statistics
import sys
import time

import aiohttp
import orjson

from tests.bench.figures import Figure, show
from tests.bench.processes import open_simulator

STARTS = 5
SYMBOLS = 20_000
"""Options of one underlying: as many as there are."""
PORTION = 500
SECONDS = 5.0
FIELDS = ["eventType", "eventSymbol", "bidPrice", "askPrice"]
HURRIED = ("--tick", "10", "--min-aggregation", "10")
GRANT = {"grant_type": "refresh_token", "refresh_token": "bench", "client_secret": "bench"}


def ready_s() -> float:
    """Returns how long it takes from the start of the program to the first answer."""
    begun = time.perf_counter()
    with open_simulator():
        return time.perf_counter() - begun


async def quotes_a_second(url: str) -> float:
    """Returns the Quote events that one client receives in a second."""
    async with aiohttp.ClientSession(base_url=url) as http:
        async with http.post("/oauth/token", json=GRANT) as answer:
            bearer = {"authorization": f"Bearer {(await answer.json())['access_token']}"}
        async with http.get("/api-quote-tokens", headers=bearer) as answer:
            token = (await answer.json())["data"]["token"]
        async with http.get("/option-chains/SPX/compact", headers=bearer) as answer:
            chains = (await answer.json())["data"]["items"]

        symbols = [name for chain in chains for name in chain["streamer-symbols"]][:SYMBOLS]
        async with http.ws_connect("/dxlink", max_msg_size=0) as feed:
            await feed.send_json({"type": "SETUP", "channel": 0, "version": "0.1"})
            await feed.send_json({"type": "AUTH", "channel": 0, "token": token})
            channel = {"channel": 1, "service": "FEED", "parameters": {"contract": "AUTO"}}
            await feed.send_json({"type": "CHANNEL_REQUEST", **channel})
            await feed.send_json(
                {
                    "type": "FEED_SETUP",
                    "channel": 1,
                    "acceptAggregationPeriod": 0.01,
                    "acceptDataFormat": "COMPACT",
                    "acceptEventFields": {"Quote": FIELDS},
                }
            )
            for first in range(0, len(symbols), PORTION):
                add = [
                    {"type": "Quote", "symbol": name} for name in symbols[first : first + PORTION]
                ]
                await feed.send_json({"type": "FEED_SUBSCRIPTION", "channel": 1, "add": add})

            await _events(feed, SECONDS)  # the first value of each is no rate
            events, took = await _events(feed, SECONDS)

    return events / took


async def _events(feed: aiohttp.ClientWebSocketResponse, seconds: float) -> tuple[int, float]:
    """Returns how many events came within so many seconds, and how many seconds it were."""
    events = 0
    begun = time.perf_counter()
    while (took := time.perf_counter() - begun) < seconds:
        message = orjson.loads((await feed.receive()).data)
        if message["type"] == "FEED_DATA":
            events += len(message["data"][1]) // len(FIELDS)

    return events, took


def main() -> bool:
    ready = statistics.median(ready_s() for _ in range(STARTS))
    with open_simulator(*HURRIED) as (_, url):
        rate = asyncio.run(quotes_a_second(url))
    return show(
        "The simulator alone",
        [
            Figure(
                measure="quotes a second to one client",
                value=f"{rate:,.0f}",
                target=">= 50,000",
                met=rate >= 50_000,
                how=f"{SYMBOLS:,} symbols, a tick of 10 ms; the client is another process",
            ),
            Figure(
                measure="ready after",
                value=f"{ready:.2f} s",
                target="<= 2 s",
                met=ready <= 2,
                how=f"median of {STARTS} starts, from the start of the program",
            ),
        ],
    )


if __name__ == "__main__":
    sys.exit(not main())
