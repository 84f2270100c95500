"""Tests faults on demand, as a client of the REST API sees them."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from tastytrade.utils import TastytradeError

from server.simulator import Simulator, SimulatorSettings
from server.simulator.clock import ManualClock
from server.simulator.faults import Fault
from tests.service.simulator.conftest import Login, bearer

ME = "/customers/me"


async def test_a_status_fault_speaks_in_the_brokers_envelope(sim: Simulator, login: Login) -> None:
    async with login() as session:
        sim.faults.add(Fault(kind="status", path=ME, status=422, code="c", message="m"))
        with pytest.raises(TastytradeError, match="c: m"):
            await session.get_customer()

        await session.get_customer()


async def test_a_page_of_html_is_what_a_broken_proxy_says(sim: Simulator, login: Login) -> None:
    async with login() as session:
        sim.faults.add(Fault(kind="html", path=ME, message="Bad Gateway"))
        with pytest.raises(TastytradeError, match="<html>"):
            await session.get_customer()


@pytest.mark.parametrize(
    ("kind", "status"), [("expired-token", 401), ("rate-limit", 429), ("status", 500)]
)
async def test_faults_by_name(
    sim: Simulator, http: aiohttp.ClientSession, kind: str, status: int
) -> None:
    headers = await bearer(http)
    sim.faults.add(Fault(kind=kind, method="GET"))
    async with http.get(ME, headers=headers) as response:
        assert response.status == status

    async with http.get(ME, headers=headers) as response:
        assert response.status == 200


async def test_a_fault_may_be_for_one_customer_only(
    sim: Simulator, http: aiohttp.ClientSession
) -> None:
    mine, theirs = await bearer(http, "mine"), await bearer(http, "theirs")
    customer = sim.customers.of_grant("mine")
    sim.faults.add(Fault(kind="status", customer=customer.id, count=None))
    async with http.get(ME, headers=theirs) as response:
        assert response.status == 200

    async with http.get(ME, headers=mine) as response:
        assert response.status == 500


async def test_a_revoked_grant_on_demand(sim: Simulator, login: Login) -> None:
    sim.faults.add(Fault(kind="revoked-grant", path="/oauth/token"))
    async with login() as session:
        with pytest.raises(TastytradeError, match="Grant revoked"):
            await session.refresh()

        await session.refresh()


@pytest.mark.parametrize("kind", ["reset", "lost-answer", "cut-answer"])
async def test_an_answer_can_be_lost(
    sim: Simulator, http: aiohttp.ClientSession, kind: str
) -> None:
    sim.faults.add(Fault(kind=kind, path="/oauth/token"))
    with pytest.raises(aiohttp.ClientError):
        await bearer(http)

    # What was asked has been done all the same, unless the connection was cut before.
    assert sim.oauth.statistics().granted == (0 if kind == "reset" else 1)


async def test_an_order_can_be_taken_and_its_answer_lost(
    sim: Simulator, http: aiohttp.ClientSession
) -> None:
    headers = await bearer(http)
    leg = {"instrument-type": "Equity", "symbol": "SPY", "quantity": 1, "action": "Buy to Open"}
    order = {
        "time-in-force": "Day",
        "order-type": "Limit",
        "price": "1.00",
        "price-effect": "Debit",
        "external-identifier": "mine",
        "legs": [leg],
    }
    path = "/accounts/5WT00001/orders"
    sim.faults.add(Fault(kind="lost-answer", path="/accounts/*/orders", method="POST"))
    with pytest.raises(aiohttp.ClientError):
        await http.post(path, json=order, headers=headers)

    async with http.get(path + "/live", headers=headers) as response:
        items = (await response.json())["data"]["items"]
        assert [each.get("external-identifier") for each in items].count("mine") == 1


async def test_a_hung_call_ends_with_the_simulator() -> None:
    async with (
        aiohttp.ClientSession(headers={"User-Agent": "test/1.0"}) as http,
        asyncio.TaskGroup() as tasks,
    ):
        async with Simulator(SimulatorSettings(faults=(Fault(kind="hang"),))) as sim:
            call = tasks.create_task(_outcome(http, sim.url + "/health"))
            async with asyncio.timeout(60):
                while not sim.statistics().faults.fired:  # noqa: ASYNC110 - no event says it
                    await asyncio.sleep(0)

            assert not call.done()

        assert await call == "cut"


async def _outcome(http: aiohttp.ClientSession, url: str) -> str:
    try:
        async with http.get(url):
            return "answered"
    except aiohttp.ClientError:
        return "cut"


async def test_a_slow_call_is_late_and_right(sim: Simulator, http: aiohttp.ClientSession) -> None:
    sim.faults.add(Fault(kind="slow", delay=timedelta(milliseconds=50)))
    start = time.monotonic()
    async with http.get("/health") as response:
        assert response.status == 200

    assert time.monotonic() - start >= 0.05


async def test_latency_is_a_setting() -> None:
    settings = SimulatorSettings(latency=timedelta(milliseconds=25))
    clock = ManualClock(datetime(2026, 11, 20, 17, tzinfo=UTC))
    async with (
        asyncio.timeout(60),
        Simulator(settings, clock) as sim,
        aiohttp.ClientSession() as http,
    ):

        async def rest() -> None:
            await _outcome(http, sim.url + "/health")

        async def upgrade() -> None:
            await http.ws_connect(sim.url + "/dxlink")

        for call in (rest, upgrade):
            answer = asyncio.ensure_future(call())
            while not clock.sleepers:  # noqa: ASYNC110 - no event says that it is on its way
                await asyncio.sleep(0)

            await clock.advance(timedelta(milliseconds=24))
            assert not answer.done()
            # Late once and not twice: the clock moves no further.
            await clock.advance(timedelta(milliseconds=1))
            await answer
