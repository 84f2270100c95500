"""Every error text and every status code of the guide's table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import requests

from tests.compat.guide import Guide
from tests.stack import Gateway, open_edge, run_gateway
from tests.waiting import eventually

KEY = {"X-API-Key": Gateway.api_key}
BALANCES = "/tasty.v1.AccountService/GetBalances"


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that gives the broker a second."""
    folder = tmp_path_factory.mktemp("impatient")
    with run_gateway(folder, rate_limit=0, broker_timeout_s=1, default_deadline_s=3) as gateway:
        yield gateway


def detail(answer: requests.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["detail"], "the guide's error response format"
    text = answer.json()["detail"]
    assert isinstance(text, str)
    return text


def balances(gateway: Gateway, http: requests.Session, **sent: object) -> requests.Response:
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


async def test_504_the_broker_took_too_long(impatient: Gateway, http: requests.Session) -> None:
    fault = {"kind": "hang", "path": "/accounts/*", "count": 9}
    assert http.post(f"{impatient.simulator_url}/_admin/faults", json=fault).status_code == 201
    sent = {"params": {"account_id": Gateway.account}, "headers": KEY}
    assert detail(balances(impatient, http, **sent), 504)
    http.delete(f"{impatient.simulator_url}/_admin/faults")
    # More than once: on a busy machine a second may be too short for a broker that is well.
    await eventually(lambda: balances(impatient, http, **sent).status_code == 200, limit=60)
