"""Whatever happens to connections, step by step, everything wanted is subscribed in the end, once.

A seed is a series of mishaps, one a connection, and changes of what is wanted meanwhile. Real are
our feed, the SDK's streamer beneath it and the socket; the server is scripted and the clock fast.
With TASTY_LONG=10 there are 500 seeds.
"""

from __future__ import annotations

import asyncio
from itertools import pairwise
from random import Random

import pytest

from server.market.feed import FeedState
from server.market.topics import Kind, Topic, TopicKey
from tests.dxlink import FastClock, Mishap, open_feed
from tests.effort import LONG
from tests.waiting import eventually

SEEDS = 50 * LONG or 2
AT_ONCE = 12
SYMBOLS = 2000
CHURN = 50
PATIENCE_S = 60

MISHAPS = (
    *(Mishap(step="upgrade", act=f"refuse {status}") for status in (401, 403, 429, 502, 503)),
    *(Mishap(step=step, act="drop") for step in ("upgrade", "SETUP", "AUTH", "CHANNEL_REQUEST")),
    *(Mishap(step="FEED_SETUP", act="drop", skip=skip) for skip in (0, 1)),
    *(Mishap(step="FEED_SUBSCRIPTION", act="drop", skip=skip) for skip in (0, 1, 7, 19)),
    *(Mishap(step="FEED_DATA", act="drop", skip=skip) for skip in (0, 5, 30)),
    *(Mishap(step="FEED_DATA", act=f"close {code}", skip=3) for code in (1000, 1009, 1012)),
    *(Mishap(step=s, act="mute") for s in ("upgrade", "SETUP", "AUTH", "CHANNEL_REQUEST")),
    Mishap(step="AUTH", act="unauthorized"),
    Mishap(step="FEED_DATA", act="unauthorized", skip=10),
    Mishap(step="AUTH", act="error UNAUTHORIZED"),
    Mishap(step="FEED_DATA", act="error TIMEOUT", skip=2),
    Mishap(step="FEED_DATA", act="error INVALID_MESSAGE", skip=2),
    Mishap(step="FEED_SUBSCRIPTION", act="channel-closed", skip=2),
    Mishap(step="SETUP", act="garbage"),
    Mishap(step="FEED_DATA", act="garbage", skip=4),
    Mishap(step="FEED_DATA", act="cut", skip=4),
)


async def survive(seed: int) -> None:
    """Runs one seed and checks what the server holds in the end."""
    random = Random(seed)
    mishaps = random.choices(MISHAPS, k=random.randint(1, 4))
    async with open_feed(mishaps, seed=seed) as (feed, hub, server):
        held: dict[str, Topic] = {}

        def add(symbol: str) -> None:
            held[symbol] = hub.acquire(TopicKey(Kind.QUOTES, symbol), symbol)

        for number in range(SYMBOLS):
            add(f"S{number}")
        for turn in range(CHURN):
            await asyncio.sleep(random.random() * 0.01)
            gone = random.choice(list(held))
            hub.release(held.pop(gone))
            hub.drop_all()
            add(random.choice((gone, f"T{turn}")))

        def recovered() -> bool:
            values = {topic.quote and topic.quote.bid_price for topic in held.values()}
            return (
                not server.mishaps
                and feed.state is FeedState.LIVE
                and values == {server.lines[-1].number}
                and not any(topic.stale for topic in held.values())
            )

        await eventually(recovered, PATIENCE_S)
        wanted = {(event, symbol): 1 for event in ("Quote", "Trade") for symbol in held}
        last = server.lines[-1]
        await eventually(lambda: +last.subscribed == wanted, PATIENCE_S)
        assert last.largest < 16_384
        assert feed.statistics().subscribed == len(wanted)


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
async def test_everything_is_subscribed_again_and_nothing_twice(first: int) -> None:
    async with asyncio.TaskGroup() as tasks:
        for seed in range(first, min(first + AT_ONCE, SEEDS)):
            tasks.create_task(survive(seed), name=f"seed {seed}")


async def test_a_server_that_refuses_is_left_in_peace() -> None:
    refusals = [Mishap(step="upgrade", act="refuse 502")] * 14
    async with open_feed(refusals, clock=FastClock(100)) as (_, hub, server):
        async with hub.hold(Kind.QUOTES, {"SPY": "SPY"}):
            await eventually(lambda: hub.live, PATIENCE_S)
        pauses = [b.opened_at - a.opened_at for a, b in pairwise(server.lines)]
        assert min(pauses[4:]) >= 1
        assert server.tokens == len(server.lines)  # a token that was refused is not used again


async def test_an_error_that_is_only_information_costs_no_connection() -> None:
    error = Mishap(step="FEED_DATA", act="error INVALID_MESSAGE")
    async with open_feed([error]) as (feed, hub, server):
        async with hub.hold(Kind.QUOTES, {"SPY": "SPY"}):
            await eventually(lambda: hub.live, PATIENCE_S)
        assert len(server.lines) == 1
        assert feed.statistics().drops == 0
