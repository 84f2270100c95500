"""Tests what every REST call passes: client rules, tokens, faults, the admin routes."""

from __future__ import annotations

import io

import aiohttp
import pytest
from tastytrade.utils import TastytradeError

from server.simulator import Simulator, SimulatorSettings
from tests.service.simulator.conftest import Login, bearer

ME = "/customers/me"


async def test_the_sdk_logs_in_and_knows_who_it_is(login: Login) -> None:
    async with login() as session:
        customer = await session.get_customer()
        assert (customer.first_name, customer.last_name) == ("Demo", "Trader")
        assert customer.permitted_account_types[0].margin_types[0].is_margin
        assert await session.validate()


async def test_two_grants_are_two_people(login: Login) -> None:
    async with login("one") as one, login("two") as two:
        assert (await one.get_customer()).id != (await two.get_customer()).id


async def test_a_revoked_grant_reads_as_it_does_at_the_broker(login: Login) -> None:
    async with login("revoked-token") as session:
        with pytest.raises(TastytradeError, match=r"invalid_grant.*Grant revoked"):
            await session.refresh()


async def test_an_expired_token_is_refused_and_another_one_works(
    sim: Simulator, login: Login
) -> None:
    async with login() as session:
        await session.refresh()
        assert sim.oauth.expire_access_tokens() == 1
        with pytest.raises(TastytradeError, match="token_invalid"):
            await session.get_customer()

        assert not await session.validate()
        await session.refresh(force=True)
        assert await session.validate()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"User-Agent": "tastytrade-sdk-js"}, 200),
        ({"User-Agent": ""}, 401),
        ({"Accept-Version": "20251101"}, 200),
        ({"Accept-Version": "20300101"}, 200),
        ({"Accept-Version": "20200101"}, 406),
        ({"Accept-Version": "soon"}, 406),
        ({"Authorization": "Bearer nonsense"}, 401),
        ({"Authorization": ""}, 401),
    ],
)
async def test_the_rules_for_clients(
    http: aiohttp.ClientSession, headers: dict[str, str], status: int
) -> None:
    async with http.get(ME, headers=await bearer(http) | headers) as response:
        assert response.status == status
        if status == 406:
            assert (await response.json())["error"]["code"] == 406


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("DELETE", "/customers/me", 405), ("GET", "/customers/other", 403)],
)
async def test_refusals_have_the_brokers_envelope(
    http: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    async with http.request(method, path, headers=await bearer(http)) as response:
        assert response.status == status
        error = (await response.json())["error"]
        assert error["code"]
        assert error["message"]


async def test_a_body_that_is_too_large_is_refused(http: aiohttp.ClientSession) -> None:
    headers = {"Content-Type": "application/json"}
    body = io.BytesIO(bytes(2 << 20))
    async with http.post("/oauth/token", data=body, headers=headers) as response:
        assert response.status == 413


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
async def test_a_token_request_may_be_json_or_a_form(
    http: aiohttp.ClientSession, content_type: str
) -> None:
    form = {"grant_type": "refresh_token", "client_secret": "s", "refresh_token": "t"}
    body = {"json": form} if content_type.endswith("json") else {"data": form}
    async with http.post("/oauth/token", **body) as response:  # type: ignore[arg-type]  # one of both
        assert response.status == 200
        assert (await response.json())["expires_in"] == 900


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"[]"),
        ("application/x-www-form-urlencoded", b"\xff"),
        ("application/x-www-form-urlencoded; charset=nonsense", b"grant_type=refresh_token"),
        ("multipart/form-data", b"no boundary named"),
        ("multipart/form-data; boundary=x", b"nor any there"),
    ],
)
async def test_a_token_request_that_cannot_be_read(
    http: aiohttp.ClientSession, content_type: str, body: bytes
) -> None:
    headers = {"Content-Type": content_type}
    async with http.post("/oauth/token", data=body, headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["error_code"] == "invalid_request"


async def test_the_feed_is_where_the_client_came_through(
    sim: Simulator, http: aiohttp.ClientSession
) -> None:
    headers = await bearer(http)
    async with http.get("/api-quote-tokens", headers=headers) as response:
        body = await response.json()
        assert body["context"] == "/api-quote-tokens"
        assert body["data"]["dxlink-url"] == f"ws://127.0.0.1:{sim.port}/dxlink"

    proxied = {"Host": "broker.example", "X-Forwarded-Proto": "https"}
    async with http.get("/api-quote-tokens", headers=headers | proxied) as response:
        assert (await response.json())["data"]["dxlink-url"] == "wss://broker.example/dxlink"


async def test_rates_are_kept_when_asked_for() -> None:
    async with (
        Simulator(SimulatorSettings(rate_limits=True)) as sim,
        aiohttp.ClientSession(sim.url, headers={"User-Agent": "test/1.0"}) as http,
    ):
        headers = await bearer(http)
        statuses = []
        for _ in range(60):
            async with http.get(ME, headers=headers) as response:
                statuses.append(response.status)

        assert statuses.count(429) > 0
        assert statuses[:50].count(200) == 50


async def test_the_admin_route_scripts_faults(http: aiohttp.ClientSession) -> None:
    headers = await bearer(http)
    fault = {"kind": "status", "path": ME, "status": 503}
    async with http.post("/_admin/faults", json=[fault, fault | {"status": 502}]) as response:
        assert response.status == 201
        first, _ = (await response.json())["ids"]

    async with http.delete(f"/_admin/faults/{first}") as response:
        (left,) = (await response.json())["faults"]
        assert left["status"] == 502

    async with http.get(ME, headers=headers) as response:
        assert response.status == 502

    async with http.get("/_admin/faults") as response:
        body = await response.json()
        assert body["faults"] == []
        assert "lost-answer" in body["kinds"]

    for bad in ([fault, {"kind": "nonsense"}], {"kind": "drop", "nonsense": 1}, 5):
        async with http.post("/_admin/faults", json=bad) as response:
            assert response.status == 400

    async with http.delete(f"/_admin/faults/{'9' * 5000}") as response:
        assert response.status == 404

    async with http.get("/_admin/statistics") as response:
        assert (await response.json())["faults"] == {"waiting": 0, "fired": {"status": 1}}


async def test_the_admin_route_ends_tokens_and_grants(
    http: aiohttp.ClientSession, login: Login
) -> None:
    headers = await bearer(http, "mine")
    async with http.post("/_admin/tokens/expire", json={"kind": "access"}) as response:
        assert await response.json() == {"expired": 1}

    async with http.get(ME, headers=headers) as response:
        assert response.status == 401

    await http.post("/_admin/grants/revoke", json={"refresh_token": "mine"})
    async with login("mine") as session:
        with pytest.raises(TastytradeError, match="Grant revoked"):
            await session.refresh()

    await http.post("/_admin/grants/restore", json={"refresh_token": "mine"})
    await bearer(http, "mine")
    for path, body in (("/tokens/expire", {"kind": "x"}), ("/grants/revoke", {})):
        async with http.post("/_admin" + path, json=body) as response:
            assert response.status == 400
