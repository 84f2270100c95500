"""Every error text and every status code of the guide's table."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import requests

from server.simulator import Simulator, SimulatorSettings
from server.simulator.faults import Fault
from tests.compat.guide import Guide
from tests.gateway import open_gateway
from tests.stack import Edge, Gateway, open_edge

KEY = {"X-API-Key": Gateway.api_key}
BALANCES = "/tasty.v1.AccountService/GetBalances"


def detail(answer: requests.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["detail"], "the guide's error response format"
    text = answer.json()["detail"]
    assert isinstance(text, str)
    return text


def balances(gateway: Gateway | Edge, http: requests.Session, **sent: object) -> requests.Response:
    return http.get(f"{gateway.url}/api/v1/balances", **sent)  # type: ignore[arg-type]  # of requests


def test_200(gateway: Gateway, http: requests.Session) -> None:
    sent = {"params": {"account_id": Gateway.account}, "headers": KEY}
    assert balances(gateway, http, **sent).status_code == 200


def test_400_missing_account_id(gateway: Gateway, http: requests.Session, guide: Guide) -> None:
    shown = guide.reply("error-missing-account-id")["detail"]
    for route in ("balances", "positions", "transaction-history", "order-history", "live-orders"):
        answer = http.get(f"{gateway.url}/api/v1/{route}", headers=KEY)
        assert detail(answer, 400) == shown, route


def test_401_missing_api_key(gateway: Gateway, http: requests.Session, guide: Guide) -> None:
    shown = guide.reply("error-missing-api-key")["detail"]
    for route in ("balances", "current-time", "option-chain?symbol=SPY"):
        assert detail(http.get(f"{gateway.url}/api/v1/{route}"), 401) == shown, route


def test_401_invalid_api_key(gateway: Gateway, http: requests.Session, guide: Guide) -> None:
    shown = guide.reply("error-invalid-api-key")["detail"]
    answer = balances(gateway, http, headers={"X-API-Key": "nobodys-key"})
    assert detail(answer, 401) == shown


def test_401_grant_revoked(gateway: Gateway, http: requests.Session, guide: Guide) -> None:
    shown = guide.reply("error-grant-revoked")["detail"]
    key = "key-of-a-revoked-grant"
    secrets = {"client_secret": "a-secret", "refresh_token": "revoked-long-ago"}
    saved = http.post(f"{gateway.url}/api/v1/credentials", json={"api_key": key, **secrets})
    assert saved.status_code == 200
    answer = balances(gateway, http, params={"account_id": "1"}, headers={"X-API-Key": key})
    assert detail(answer, 401) == shown


def test_404_account_not_found(gateway: Gateway, http: requests.Session, guide: Guide) -> None:
    shown = guide.reply("error-account-not-found")["detail"]
    answer = balances(gateway, http, params={"account_id": "123456789"}, headers=KEY)
    assert detail(answer, 404) == shown.replace("'987654321'", "'5WT00001', '5WT00002'")


def test_500_says_nothing_of_the_inside(http: requests.Session, tmp_path: Path) -> None:
    """No request is known that makes the server fail, so a scripted one does behind the edge."""
    with open_edge(tmp_path) as edge:

        def fail(_request: bytes, context: grpc.ServicerContext) -> bytes:
            context.abort(grpc.StatusCode.INTERNAL, "Internal error. Request id: 7")
            return b""

        edge.backend.answers[BALANCES] = fail
        answer = http.get(f"{edge.url}/api/v1/balances?account_id=1")
        assert detail(answer, 500) == "Internal error. Request id: 7"


async def test_504_the_broker_took_too_long(http: requests.Session, tmp_path: Path) -> None:
    """The server is one that gives the broker a second, in this process, behind a real edge."""
    patience: dict[str, Any] = {"broker_timeout_s": 1, "default_deadline_s": 3}
    async with (
        Simulator(SimulatorSettings(port=0)) as sim,
        open_gateway(sim, tmp_path / "server", **patience) as server,
    ):
        with open_edge(tmp_path, server_port=server.app.grpc_port, **patience) as edge:

            async def ask() -> requests.Response:
                query = {"account_id": Gateway.account}
                return await asyncio.to_thread(balances, edge, http, params=query, headers=KEY)

            sim.faults.add(Fault(kind="hang", path="/accounts/*", count=9))
            assert detail(await ask(), 504)
            sim.faults.clear()
            # More than once: on a busy machine a second may be too short for a broker that is well.
            async with asyncio.timeout(60):
                while (await ask()).status_code != 200:
                    pass
