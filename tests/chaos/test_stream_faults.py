"""Readers of streams while the broker's feed has a bad day: none is lost, all are told, all agree.

With TASTY_LONG=1 there are all faults, the socket is dropped a hundred times in a minute, and a
mute feed is waited for.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tasty.v1 import credentials_service_pb2, stream_pb2
from tasty.v1 import market_data_stream_pb2 as pb

from server.simulator import Simulator, SimulatorSettings
from server.simulator.faults import Fault
from tests.effort import LONG, one_in
from tests.gateway import Gateway, open_gateway
from tests.waiting import eventually
from tests.watching import StillMarket, View, watched

DROPS, EVERY_S = (100, 0.6) if LONG else (8, 0.4)
SYMBOLS = ("SPY", "AAPL", "QQQ", "MSFT", "/ESZ6", "BTC/USD", "SPX")
INTERVALS = (0, 0.1, 0.25, 1.0)
STALE = stream_pb2.STREAM_EVENT_KIND_STALE
RECONNECTED = stream_pb2.STREAM_EVENT_KIND_RECONNECTED
SNAPSHOT = stream_pb2.STREAM_EVENT_KIND_SNAPSHOT


@pytest.fixture
def clock() -> StillMarket:
    return StillMarket()


@pytest.fixture
async def gateway(tmp_path: Path, clock: StillMarket) -> AsyncIterator[Gateway]:
    settings = SimulatorSettings(port=0)
    async with Simulator(settings, clock) as sim, open_gateway(sim, tmp_path) as running:
        yield running


def streams(gateway: Gateway) -> list[object]:
    """Opens readers of every pace, some of them of half of the symbols."""
    return [
        gateway.demo.market.StreamQuotes(
            pb.StreamQuotesRequest(symbols=symbols, min_interval=interval)
        )
        for interval in INTERVALS
        for symbols in (SYMBOLS, SYMBOLS[::2])
    ]


def all_know(views: list[View]) -> bool:
    return all(set(view.quotes) >= set(SYMBOLS[::2]) for view in views)


async def settled(gateway: Gateway, clock: StillMarket, views: list[View]) -> None:
    """Stops the market and waits until every reader shows what it stopped at."""
    clock.stop()
    await eventually(
        lambda: all(
            view.agrees_with(gateway.sim, set(SYMBOLS) & set(view.quotes)) for view in views
        ),
        90,
    )


async def test_a_socket_dropped_again_and_again(gateway: Gateway, clock: StillMarket) -> None:
    async with watched(*streams(gateway)) as views:
        await eventually(lambda: all_know(views))
        for _ in range(DROPS):
            gateway.sim.faults.add(Fault(kind="drop", path="/dxlink", at="now"))
            await asyncio.sleep(EVERY_S)
        await eventually(
            lambda: all(view.told[STALE] == view.told[RECONNECTED] > 0 for view in views), 30
        )
        await settled(gateway, clock, views)

    [feed] = gateway.app.markets.statistics().feeds.values()
    assert feed.drops >= DROPS // 2
    assert feed.subscribed == feed.wanted == 2 * len(SYMBOLS)
    # Every reader was told the same, and a snapshot followed each time.
    [told] = {view.told[RECONNECTED] for view in views}
    for view in views:
        after = [b for a, b in zip(view.order, view.order[1:], strict=False) if a == RECONNECTED]
        assert after == [SNAPSHOT] * told
    lasted = [float(detail.split()[-2]) for detail in views[0].outages]
    assert statistics.median(lasted) <= 2


@pytest.mark.parametrize(
    "fault",
    one_in(
        2,
        [
            Fault(kind="close", path="/dxlink", at="now", code="1012"),
            Fault(kind="expire-token", path="/dxlink", at="now"),
            Fault(kind="error", path="/dxlink", at="FEED_DATA", code="UNAUTHORIZED"),
            Fault(kind="refuse", path="/dxlink", status=502, count=2),
            Fault(kind="duplicate", path="/dxlink", at="FEED_DATA", count=50),
            Fault(kind="slow", path="/dxlink", at="FEED_DATA", count=3),
        ],
    ),
    ids=lambda fault: fault.kind,
)
async def test_everyone_agrees_afterwards(
    gateway: Gateway, clock: StillMarket, fault: Fault
) -> None:
    async with watched(*streams(gateway)) as views:
        await eventually(lambda: all_know(views))
        gateway.sim.faults.add(fault)
        if fault.kind == "refuse":
            gateway.sim.faults.add(Fault(kind="drop", path="/dxlink", at="now"))
        if fault.kind not in ("duplicate", "slow"):
            await eventually(lambda: all(view.told[RECONNECTED] == 1 for view in views), 30)
        else:
            await eventually(lambda: gateway.sim.statistics().faults.waiting == 0)
            assert not any(view.told[STALE] for view in views)
        await settled(gateway, clock, views)


@pytest.mark.parametrize("kind", ["mute-data", "mute", "half-open"])
async def test_a_mute_feed_is_told_and_mended(
    gateway: Gateway, clock: StillMarket, kind: str
) -> None:
    if not LONG:
        pytest.skip("waits for a minute; test_feed_liveness.py does so on a clock of its own")
    async with watched(*streams(gateway)) as views:
        await eventually(lambda: all_know(views))
        await asyncio.sleep(5)  # long enough to know that these symbols always move
        gateway.sim.faults.add(Fault(kind=kind, path="/dxlink", at="now"))
        await eventually(lambda: all(view.told[STALE] for view in views), 17)
        await eventually(lambda: all(view.told[RECONNECTED] for view in views), 65)
        await settled(gateway, clock, views)


async def test_one_tenants_bad_day_is_nobody_elses(gateway: Gateway, clock: StillMarket) -> None:
    key = "another-key-0123456789"
    await gateway.demo.credentials.SaveCredentials(
        credentials_service_pb2.SaveCredentialsRequest(
            api_key=key, client_secret="one", refresh_token="first"
        )
    )
    request = pb.StreamQuotesRequest(symbols=SYMBOLS, min_interval=0)
    theirs = gateway.caller(key).market.StreamQuotes(request)
    mine = gateway.demo.market.StreamQuotes(request)
    async with watched(mine, theirs) as (cut, other):
        await eventually(lambda: all_know([cut, other]))
        assert gateway.sim.dxlink.statistics().connections == 2
        [me] = [each.id for each in gateway.sim.customers.all().values() if each.demo]
        for fault in (
            Fault(kind="expired-token", path="/*", customer=me, count=3),
            Fault(kind="expire-token", path="/dxlink", at="now", customer=me),
        ):
            gateway.sim.faults.add(fault)
        await eventually(lambda: cut.told[RECONNECTED], 30)
        await settled(gateway, clock, [cut, other])
    assert other.told[STALE] == 0
    drops = sorted(feed.drops for feed in gateway.app.markets.statistics().feeds.values())
    assert drops[0] == 0 < drops[1]
