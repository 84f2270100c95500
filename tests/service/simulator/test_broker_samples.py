"""Answers beside what the real broker was recorded to say: every key, with its type and form."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio

from server.simulator import Simulator, SimulatorSettings
from server.simulator.exchange.tickets import parse_script
from tests.service.simulator.conftest import FRIDAY_NOON, bearer, open_client
from tests.service.simulator.shape import differences, shape_of

SAMPLES = Path(__file__).parent / "samples"
ACCOUNT = "/accounts/5WT00001"

READS = {
    "customer-orders": "/customers/me/orders?account-numbers[]=5WT00001&per-page=50",
    "future-option-products": "/instruments/future-option-products",
    "future-product": "/instruments/future-products/CME/ES",
    "future-products": "/instruments/future-products",
    "futures": "/instruments/futures",
    "futures-option-chain": "/futures-option-chains/ES/nested",
    "futures-option-chain-flat": "/futures-option-chains/ES",
    "live-orders": f"{ACCOUNT}/orders/live",
    "margin-config": "/margin-requirements-public-configuration",
    "margin-requirements": f"{ACCOUNT}/margin-requirements/AAPL/effective",
    "market-metrics": "/market-metrics?symbols=AAPL,SPY",
    "option-chain-compact": "/option-chains/AAPL/compact",
    "option-chain-flat": "/option-chains/AAPL",
    "option-chain-nested": "/option-chains/AAPL/nested",
    "order-search": f"{ACCOUNT}/orders?per-page=50",
    "transactions": f"{ACCOUNT}/transactions",
}
"""What answers each recording."""

NOT_THE_BROKERS = {"$.confirmation_token: missing"}
"""Added by the program that recorded, not by the broker."""


def recorded(name: str) -> Any:
    return orjson.loads((SAMPLES / f"{name}.json").read_bytes())


async def get(http: aiohttp.ClientSession, path: str) -> Any:
    async with http.get(path, headers=await bearer(http)) as response:
        body = await response.json()
        assert response.status == 200, body
        assert set(body) <= {"data", "context", "pagination"}
        assert body["context"] == path.partition("?")[0]
        return body["data"]


def leg(symbol: str, action: str, instrument_type: str = "Equity") -> dict[str, Any]:
    return {
        "symbol": symbol,
        "instrument-type": instrument_type,
        "action": action,
        "quantity": 1,
    }


def limit(price: str, effect: str, *legs: dict[str, Any]) -> dict[str, Any]:
    return {
        "order-type": "Limit",
        "time-in-force": "Day",
        "price": price,
        "price-effect": effect,
        "legs": list(legs),
    }


def oco(symbol: str = "AAPL") -> dict[str, Any]:
    stop = {"order-type": "Stop", "time-in-force": "Day", "stop-trigger": "1.00"}
    sell = leg(symbol, "Sell to Close")
    return {"type": "OCO", "orders": [limit("5000.00", "Credit", sell), stop | {"legs": [sell]}]}


async def send(
    http: aiohttp.ClientSession, method: str, path: str, body: dict[str, Any] | None = None
) -> Any:
    headers = await bearer(http)
    async with http.request(method, ACCOUNT + path, json=body, headers=headers) as response:
        answer = await response.json()
        assert response.status in (200, 201), answer
        return answer["data"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings(start=FRIDAY_NOON)) as simulator:
        yield simulator


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(sim: Simulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with open_client(sim) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def traded(sim: Simulator, http: aiohttp.ClientSession) -> None:
    """Gives the account a day like the recorded one: cancelled, replaced, rejected, OCO."""
    bid = limit("1.00", "Debit", leg("AAPL", "Buy to Open"))
    placed = (await send(http, "POST", "/orders", bid))["order"]
    changed = {key: value for key, value in bid.items() if key != "legs"} | {"price": "2.00"}
    await send(http, "PUT", f"/orders/{placed['id']}", changed)
    bracket = (await send(http, "POST", "/complex-orders", oco()))["complex-order"]
    await send(http, "DELETE", f"/complex-orders/{bracket['id']}")
    rejection = parse_script({"behavior": "reject", "reject-reason": "Made up"})
    sim.exchange.script("*", rejection, 1)
    await send(http, "POST", "/orders", bid)
    async with asyncio.timeout(10):
        # Replacing, cancelling and rejecting take their time, as they do at the broker.
        while True:
            items = (await get(http, f"{ACCOUNT}/orders/live"))["items"]
            if {"Cancelled", "Rejected"} <= {each["status"] for each in items} and any(
                "replaces-order-id" in each for each in items
            ):
                return

            await asyncio.sleep(0.02)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.usefixtures("traded")
@pytest.mark.parametrize("name", sorted(READS))
async def test_every_recorded_key_is_there_with_its_type_and_form(
    http: aiohttp.ClientSession, name: str
) -> None:
    ours = await get(http, READS[name])
    assert list(differences(shape_of(recorded(name)), shape_of(ours))) == []


@pytest.mark.asyncio(loop_scope="module")
async def test_market_data_by_type(http: aiohttp.ClientSession) -> None:
    sample = recorded("market-data-by-type")
    query = "&".join(
        f"{each['instrument-type'].lower()}[]={each['symbol']}" for each in sample["items"]
    )
    ours = await get(http, f"/market-data/by-type?{query}")
    assert list(differences(shape_of(sample), shape_of(ours))) == []
    found = {item["symbol"]: item for item in ours["items"]}
    for item in sample["items"]:
        assert set(found[item["symbol"]]) == set(item), item["symbol"]
        assert found[item["symbol"]]["instrument-type"] == item["instrument-type"]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_complex_dry_run(http: aiohttp.ClientSession) -> None:
    # With nothing to close, which the broker warns of as it did in the recording.
    ours = await send(http, "POST", "/complex-orders/dry-run", oco("MSFT"))
    found = set(differences(shape_of(recorded("complex-order-dry-run")), shape_of(ours)))
    assert found - NOT_THE_BROKERS == set()


@pytest.mark.parametrize(
    ("recording", "ours"),
    [
        ({"a": "1.0"}, {}),
        ({"a": "1.0"}, {"a": 1.0}),
        ({"a": 1}, {"a": 1.5}),
        ({"a": "1.0"}, {"a": "one"}),
        ({"a": "2026-01-01"}, {"a": "2026-01-01T00:00:00.000Z"}),
        ({"b": [{"c": 1}]}, {"b": [{}]}),
        ({"b": [{"c": 1}]}, {"b": []}),
    ],
)
def test_the_comparison_notices(recording: Any, ours: Any) -> None:
    assert list(differences(shape_of(recording), shape_of(recording))) == []
    assert list(differences(shape_of(recording), shape_of(ours))) != []


def test_every_sample_is_compared() -> None:
    names = {path.stem for path in SAMPLES.glob("*.json")}
    assert names == READS.keys() | {"market-data-by-type", "complex-order-dry-run"}
