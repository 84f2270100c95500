"""Clients that others wrote, in JavaScript, against the simulator: dxFeed's and the broker's own.

They are installed by tests/clients/javascript/install.sh; without node or without them the tests
are skipped with the reason, except in CI, where that is a failure.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from server.simulator import Simulator, SimulatorSettings
from server.simulator.customers import DEMO_REFRESH_TOKEN

pytestmark = pytest.mark.clients

HERE = Path(__file__).parent / "javascript"
FRIDAY_NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
SNAPSHOT_BEGIN, SNAPSHOT_END, REMOVE_EVENT = 0x4, 0x8, 0x2


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    missing = None
    if shutil.which("node") is None:
        missing = "node is not installed"
    elif not (HERE / "node_modules" / "@tastytrade" / "api").is_dir():
        missing = "the packages are not installed: run tests/clients/javascript/install.sh"

    if missing and os.environ.get("CI"):
        pytest.fail(f"{missing}; in CI these tests are never skipped")

    if missing:
        pytest.skip(missing)


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings(start=FRIDAY_NOON)) as simulator:
        yield simulator


@pytest.fixture
def feed(sim: Simulator) -> tuple[str, str]:
    """Address of the feed, and a quote token."""
    token, _, _ = sim.oauth.quote_token(sim.customers.of_grant(DEMO_REFRESH_TOKEN))
    return f"{sim.url.replace('http', 'ws', 1)}/dxlink", token


async def run(script: str, *arguments: str) -> Any:
    process = await asyncio.create_subprocess_exec(
        "node",
        str(HERE / script),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return orjson.loads(out.splitlines()[-1])


async def test_dxlink_api_gets_quotes_and_candles(feed: tuple[str, str]) -> None:
    result = await run("feed.mjs", *feed, str(_three_hours_ago()))
    assert result["errors"] == []
    assert result["state"] == ["CONNECTED", "AUTHORIZED"]

    compact = result["compact"]["seen"]
    assert {event["eventSymbol"] for event in compact} == {"SPY", "AAPL"}
    assert all(event["bidPrice"] < event["askPrice"] for event in compact)
    assert all("noSuchField" not in event for event in compact)
    assert result["compact"]["config"]["dataFormat"] == "COMPACT"

    full = result["full"]["seen"]
    assert all(event["eventType"] == "Quote" for event in full)
    assert {"bidSize", "askSize", "bidExchangeCode"} <= full[0].keys()


async def test_dxlink_api_reads_a_candle_snapshot(feed: tuple[str, str]) -> None:
    from_time = _three_hours_ago()
    result = await run("feed.mjs", *feed, str(from_time))
    history = result["history"]["seen"]
    end = next(at for at, event in enumerate(history) if event["eventFlags"] & SNAPSHOT_END)
    snapshot = history[: end + 1]
    assert snapshot[0]["eventFlags"] & SNAPSHOT_BEGIN
    assert len(snapshot) == 37
    assert all(newer["time"] > older["time"] for newer, older in pairwise(snapshot))
    assert snapshot[-1]["time"] == from_time
    for candle in snapshot:
        assert candle["low"] <= min(candle["open"], candle["close"])
        assert candle["high"] >= max(candle["open"], candle["close"])

    # Contract AUTO has no past at the broker, and says so with one event.
    empty = result["auto"]["seen"][0]
    assert empty["eventFlags"] == SNAPSHOT_BEGIN | SNAPSHOT_END | REMOVE_EVENT


async def test_dxlink_api_comes_back_after_a_cut(sim: Simulator, feed: tuple[str, str]) -> None:
    result = await run("reconnect.mjs", *feed, sim.url)
    assert result["states"].count("CONNECTED") == 2
    assert sim.faults.statistics().fired == {"drop": 1}


async def test_the_brokers_own_client_logs_in_trades_and_streams(sim: Simulator) -> None:
    result = await run("tastytrade.mjs", sim.url)
    numbers = [each["account"]["account-number"] for each in result["accounts"]]
    assert numbers == ["5WT00001", "5WT00002"]
    assert [each["account-number"] for each in result["balances"]] == ["5WT00001"]
    assert result["positions"]
    assert result["me"]["id"]

    assert "id" not in result["dryRun"]["order"]
    order = result["placed"]["order"]
    assert order["id"] in [each["id"] for each in result["live"]]
    assert result["notice"]["data"]["id"] == order["id"]
    assert result["cancelled"]["id"] == order["id"]

    types = {event["eventType"] for event in result["events"]}
    assert types == {"Quote", "Trade"}
    assert {event["eventSymbol"] for event in result["events"]} == {"SPY"}


def _three_hours_ago() -> int:
    return int((FRIDAY_NOON - timedelta(hours=3)).timestamp() * 1000)
