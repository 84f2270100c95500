"""The attacks of the neighbours bench, each in a process of its own that lasts until it is told.

    python -m tests.bench.neighbours_attacks NAME JSON   (the fields of Where)

Each makes the load that its case is about and no more: what is measured is who else pays for it,
not who wins a contest for two processors. It ends with its input, and prints what it did.
"""

from __future__ import annotations

__all__ = ["ATTACKS", "MANY", "ONE_CUSTOMER", "OWNER", "TWINS", "Attack"]

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import aiohttp
from google.protobuf.message import Message
from tasty.v1.order_placement_pb2 import CancelOrderRequest
from tasty.v1.order_service_pb2 import GetOrderRequest

from tests.bench.neighbours_load import ELSEWHERE, Load, Where, hold_sockets, repeat
from tests.bench.processes import key_of

MIB = 1 << 20
OWNER = 99
"""Number of the key whose owner renews its credentials."""
FIRST = 100
"""Numbers of the attackers' keys, each a customer of its own, begin here."""
TWINS = range(1000, 1150)
"""Numbers of the keys that are all of one customer."""
ONE_CUSTOMER = "one-customer-of-many-api-keys"
MANY = 10_000
"""Tenants where the list of them is what is asked for."""
STOCKS = (
    *("SPY", "QQQ", "IWM", "DIA", "AAPL", "MSFT", "NVDA", "AMZN", "META", "GOOGL"),
    *("TSLA", "AMD", "NFLX", "INTC", "JPM", "BAC", "XOM", "WMT", "KO", "DIS"),
)
Run = Callable[[Load], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One of them."""

    case: str
    """The row of the cases."""
    what: str
    run: Run
    settings: Mapping[str, object] = field(default_factory=dict)
    """Of the gateway, where the attack needs other ones."""
    lead_s: float = 3.0
    """How long it takes to be there."""
    tenants: int = 0
    """How many more tenants there are."""
    renews: bool = False
    """Whether an owner renews its credentials meanwhile."""
    elsewhere: bool = True
    """Whether the attackers have another address than the honest tenants."""


async def side_by_side(works: list[Awaitable[Any]]) -> None:
    await asyncio.gather(*works)


async def giant_texts(load: Load) -> None:
    """A text of 3.9 MiB a second and customer, of 7.9 MiB each other time."""
    sizes = {0: 39 * MIB // 10, 1: 79 * MIB // 10}

    async def one(number: int) -> None:
        account = await load.account(key_of(number))
        for turn in count():
            text = "9" * sizes[turn % 2]
            message: Message
            if turn % 4 < 2:
                message = CancelOrderRequest(account_id=account, order_id=text)
                rpc = "/tasty.v1.OrderService/CancelOrder"
            else:
                message = GetOrderRequest(account_id=account, order_id=text)
                rpc = "/tasty.v1.OrderService/GetOrder"

            due = asyncio.get_running_loop().time() + 4
            await load.call(rpc, message.SerializeToString(), key_of(number))
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))

    await side_by_side([one(FIRST + each) for each in range(4)])


async def many_keys(load: Load) -> None:
    """150 keys of one customer ask for balances, each every 1.5 s at most: 100 a second."""
    path = f"/api/v1/balances?account_id={await load.account(key_of(TWINS[0]))}"

    async def one(number: int) -> None:
        await asyncio.sleep((number - TWINS[0]) * 1.5 / len(TWINS))
        await repeat(lambda: load.send("GET", path, key_of(number)), 1.5)

    await side_by_side([one(number) for number in TWINS])


async def paging(load: Load) -> None:
    """One key has 24 requests under way, each of which takes all pages of a history."""
    path = "/api/v1/transaction-history?account_id=5WT00001&days=3650"
    await side_by_side([repeat(lambda: load.send("GET", path, "demo-key"), 0.5) for _ in range(24)])


async def listing(load: Load) -> None:
    """One key lists the API keys, twice a second."""
    key = key_of(FIRST)
    await side_by_side(
        [repeat(lambda: load.send("GET", "/api/v1/credentials", key), 1.0) for _ in range(2)]
    )


async def queued_bodies(load: Load) -> None:
    """25 keys send ten bodies of 3.9 MiB at once, and again after half a minute."""
    message = GetOrderRequest(account_id="5WT00001", order_id="9" * (39 * MIB // 10))
    body = message.SerializeToString()
    rpc = "/tasty.v1.OrderService/GetOrder"

    async def burst() -> None:
        keys = [key_of(FIRST + number) for number in range(25)]
        await side_by_side([load.call(rpc, body, key) for _ in range(10) for key in keys])

    await repeat(burst, 30)


async def many_chats(load: Load) -> None:
    """One key holds 300 chats with long histories, of which the model answers none."""
    await load.fault(kind="model-silent", count=None)
    roles = ("user", "assistant")
    turns = [{"role": role, "content": "x" * 900} for _ in range(90) for role in roles]
    body = {"message": "hello", "message_history": turns}

    async def one(number: int) -> None:
        await asyncio.sleep(number / 20)
        await repeat(lambda: load.follow("POST", "/api/v1/chat/stream", key_of(FIRST), body), 30)

    await side_by_side([one(number) for number in range(300)])


async def candles(load: Load) -> None:
    """One key opens 500 series of candles: 25 streams of 20 symbols, one every two seconds."""
    since = (datetime.now(UTC) - timedelta(days=5)).strftime("%Y-%m-%d")
    symbols = "&".join(f"symbols={symbol}" for symbol in STOCKS)

    async def one(number: int) -> None:
        await asyncio.sleep(2 * number)
        path = f"/api/v1/stream/candles?{symbols}&interval={60 + number}s&start_time={since}"
        await repeat(lambda: load.follow("GET", path, key_of(FIRST)), 10)

    await side_by_side([one(number) for number in range(25)])


async def analyses(load: Load) -> None:
    """Five keys ask for quotes with their analysis, twice a second each, of ever other symbols."""
    turns = count()

    async def one(number: int) -> None:
        turn = next(turns)
        body = [{"symbol": STOCKS[(turn * step) % len(STOCKS)]} for step in (1, 3, 7)]
        await load.send("POST", "/api/v1/quotes", key_of(number), body)

    works = [
        repeat(lambda number=number: one(number), 1.0)  # type: ignore[misc]  # mypy infers no lambda's defaults
        for number in range(FIRST, FIRST + 5)
        for _ in range(2)
    ]
    await side_by_side(works)


async def silent(load: Load) -> None:
    """10,050 connections that say nothing."""
    await hold_sockets(load, 10_050)


async def all_streams(load: Load) -> None:
    """Two keys open 110 streams of each kind, and try again where they are refused."""
    keys = [key_of(FIRST), key_of(FIRST + 1)]
    accounts = [await load.account(key) for key in keys]

    async def one(number: int, kind: int) -> None:
        await asyncio.sleep(number / 20)
        whose = number % 2
        path = (
            f"/api/v1/stream/quotes?symbols={STOCKS[number % 5]}&min_interval=5",
            f"/api/v1/stream/account-events?account_id={accounts[whose]}",
        )[kind]
        await repeat(lambda: load.follow("GET", path, keys[whose]), 5)

    await side_by_side([one(number, kind) for number in range(220) for kind in range(2)])


async def registrations(load: Load) -> None:
    """New keys are registered from one address, 20 a second."""
    numbers = count()

    async def one() -> None:
        key = f"flood-of-keys-{next(numbers):08}-0123456789"
        body = {"api_key": key, "client_secret": "bench", "refresh_token": key}
        await load.send("POST", "/api/v1/credentials", "", body)

    await side_by_side([repeat(one, 5.0) for _ in range(100)])


async def saves(load: Load) -> None:
    """Three keys save their own credentials as fast as their queue lets them."""

    async def one(number: int) -> None:
        key = key_of(number)
        body = {"api_key": key, "client_secret": "bench", "refresh_token": key}
        await load.send("POST", "/api/v1/credentials", key, body)

    works = [
        repeat(lambda number=number: one(number), 0.5)  # type: ignore[misc]  # as above
        for number in range(FIRST, FIRST + 3)
        for _ in range(4)
    ]
    await side_by_side(works)


ATTACKS: Mapping[str, Attack] = {
    "texts": Attack(case="8.9", what="giant texts over gRPC", run=giant_texts),
    "keys": Attack(case="8.11", what="150 keys of one customer", run=many_keys),
    "paging": Attack(case="8.11", what="24 histories at once", run=paging),
    "listing": Attack(case="8.12", what="GET /credentials of 10,000", run=listing, tenants=MANY),
    "bodies": Attack(case="8.13", what="250 queued bodies of 25 keys", run=queued_bodies),
    "chats": Attack(
        case="8.13",
        what="300 chats of one key",
        run=many_chats,
        settings={"rate_limit": 20},
        lead_s=20.0,
    ),
    "candles": Attack(case="8.13", what="500 candle series", run=candles, lead_s=30.0),
    "analyses": Attack(case="8.14", what="10 analyses a second", run=analyses),
    "silent": Attack(case="8.16", what="10,050 silent connections", run=silent, lead_s=8.0),
    "streams": Attack(
        case="8.17",
        what="two keys take all streams",
        run=all_streams,
        settings={"rate_limit": 40, "streams_total": 200, "account_streams_total": 200},
        lead_s=20.0,
    ),
    "registrations": Attack(
        case="8.18",
        what="20 registrations a second",
        run=registrations,
        renews=True,
        elsewhere=False,
    ),
    "saves": Attack(case="8.20", what="credentials saved without end", run=saves),
}


async def attack(name: str, where: Where) -> None:
    # All of 127.0.0.0/8 is this machine.
    own = ELSEWHERE if ATTACKS[name].elsewhere else None
    connector = aiohttp.TCPConnector(limit=0, local_addr=own)
    async with aiohttp.ClientSession(connector=connector) as http:
        load = Load(where, http)
        running = asyncio.create_task(_run(ATTACKS[name].run, load))
        ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        await asyncio.wait([running, ended], return_when=asyncio.FIRST_COMPLETED)
        broken = running.done()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running  # raises what broke it

        await load.close()
        print(json.dumps({"counts": load.counts, "broken": broken}), flush=True)


async def _run(run: Run, load: Load) -> None:
    await run(load)


if __name__ == "__main__":
    asyncio.run(attack(sys.argv[1], Where(**json.loads(sys.argv[2]))))
