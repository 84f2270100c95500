"""Bad input through the whole gateway: documented status and shape, and no harm to the server."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests

from tests.stack import Gateway

OPTION = {
    "symbol": "SPY",
    "option_type": "P",
    "strike_price": 685.0,
    "expiration_date": "2025-12-19",
}
LATER = OPTION | {"expiration_date": "2031-01-01"}
"""Sound, but on a day that no chain has."""
KEY = {"X-API-Key": Gateway.api_key}


@pytest.fixture(autouse=True)
def unharmed(gateway: Gateway, http: requests.Session) -> Iterator[None]:
    """After each of these, a sound request is served as before."""
    yield
    answer = http.get(f"{gateway.url}/api/v1/current-time", headers=KEY)
    assert answer.status_code == 200, answer.text


def refused(answer: requests.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["detail"]
    detail = answer.json()["detail"]
    assert isinstance(detail, str)
    for leak in ("Traceback", "<class", "google.protobuf", "grpc", "Envoy", "upstream"):
        assert leak not in detail
    return detail


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/current-time"),
        ("GET", "/api/v1/balances?account_id=5WT00001"),
        ("POST", "/api/v1/quotes"),
        ("DELETE", "/api/v1/orders/1?account_id=5WT00001"),
        ("GET", "/api/v1/stream/quotes?symbols=SPY"),
        ("GET", "/api/v1/credentials"),
    ],
)
def test_no_key_and_a_wrong_key(
    gateway: Gateway, http: requests.Session, method: str, path: str
) -> None:
    url = gateway.url + path
    body = b'[{"symbol": "SPY"}]' if method == "POST" else None
    missing = http.request(method, url, data=body)
    assert refused(missing, 401) == "Missing API key. Provide X-API-Key header."
    wrong = http.request(method, url, data=body, headers={"X-API-Key": "nobodys-key"})
    words = "Invalid API key. No credentials configured for this key."
    assert refused(wrong, 401) == words


def test_health_needs_no_key(gateway: Gateway, http: requests.Session) -> None:
    answer = http.get(f"{gateway.url}/health")
    assert answer.status_code == 200
    assert answer.json().items() >= {"status": "healthy", "service": "tasty-agent-http"}.items()


@pytest.mark.parametrize("route", ["balances", "positions"])
def test_accounts(gateway: Gateway, http: requests.Session, route: str) -> None:
    url = f"{gateway.url}/api/v1/{route}"
    missing = "account_id is required. Provide it as a query parameter."
    assert refused(http.get(url, headers=KEY), 400) == missing
    assert refused(http.get(f"{url}?account_id=", headers=KEY), 400) == missing
    for foreign in ("123456789", "5WT99999", "' OR 1=1", "é"):
        answer = http.get(url, params={"account_id": foreign}, headers=KEY)
        assert refused(answer, 404) == (
            f"Account '{foreign}' not found. Available accounts: ['5WT00001', '5WT00002']"
        )


@pytest.mark.parametrize(
    ("route", "body", "status", "words"),
    [
        ("quotes", [], 400, "At least one instrument is required"),
        ("quotes", None, 400, "At least one instrument is required"),
        ("greeks", [], 400, "At least one option is required"),
        ("quotes", [{}], 400, ""),
        ("quotes", [{"symbol": ""}], 400, ""),
        ("quotes", [{"symbol": "NOSUCH"}], 404, "Symbol 'NOSUCH' not found."),
        ("quotes", [OPTION | {"strike_price": None}], 400, "strike_price is required"),
        ("quotes", [OPTION | {"expiration_date": None}], 400, "expiration_date is required"),
        ("quotes", [OPTION | {"option_type": "X"}], 400, "Expected 'C' or 'P'."),
        ("quotes", [OPTION | {"expiration_date": "soon"}], 400, "Expected YYYY-MM-DD format."),
        ("quotes", [OPTION | {"expiration_date": "2025-02-30"}], 400, "2025-02-30"),
        ("quotes", [OPTION | {"strike_price": -1}], 400, "Expected positive number."),
        # A number in quotes is none, as in orders.
        ("quotes", [LATER | {"strike_price": "685"}], 400, "Invalid instruments[0].strike_price"),
        ("quotes", [LATER], 404, "No options found for SPY expiration"),
        ("greeks", [LATER], 404, "Available"),
        ("greeks", [{"symbol": "SPY"}], 400, "is not an option"),
        ("quotes", [{"symbol": "A" * 10_000}], 400, ""),
        ("quotes", [{"symbol": "SPY"}] * 10_000, 400, "10000 given"),
    ],
)
def test_instruments(
    gateway: Gateway, http: requests.Session, route: str, body: object, status: int, words: str
) -> None:
    data = b"" if body is None else json.dumps(body)
    answer = http.post(f"{gateway.url}/api/v1/{route}", data=data, headers=KEY)
    assert words in refused(answer, status)


@pytest.mark.parametrize(
    ("timeout", "words"),
    [("abc", "Invalid timeout 'abc'. Expected a number."), ("-1", "timeout"), ("0", "timeout"),
     ("nan", "timeout"), ("inf", "timeout"), ("1e9", "timeout")],
)  # fmt: skip  # one row is enough
def test_timeouts(gateway: Gateway, http: requests.Session, timeout: str, words: str) -> None:
    url = f"{gateway.url}/api/v1/quotes?timeout={timeout}"
    assert words in refused(http.post(url, json=[{"symbol": "SPY"}], headers=KEY), 400)


def test_option_chains(gateway: Gateway, http: requests.Session) -> None:
    url = f"{gateway.url}/api/v1/option-chain"
    assert "symbol" in refused(http.get(url, headers=KEY), 400)
    assert "NOSUCH" in refused(http.get(f"{url}?symbol=NOSUCH", headers=KEY), 404)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"{}",
        b'{"api_key": 7}',
        b'{"api_key": "k"}',
        b'{"api_key": "a-long-enough-key-0123456789", "client_secret": "", "refresh_token": ""}',
    ],
)
def test_credentials(gateway: Gateway, http: requests.Session, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    refused(http.post(f"{gateway.url}/api/v1/credentials", data=body, headers=headers), 400)


def test_a_body_of_10_mb(gateway: Gateway, http: requests.Session) -> None:
    answer = http.post(f"{gateway.url}/api/v1/quotes", data=b"[" + b" " * 10_000_000, headers=KEY)
    assert refused(answer, 413).startswith("The request body is larger than 2 MiB.")


def test_unknown_paths_and_methods(gateway: Gateway, http: requests.Session) -> None:
    assert "No route" in refused(http.get(f"{gateway.url}/api/v1/nothing", headers=KEY), 404)
    wrong = http.put(f"{gateway.url}/api/v1/quotes", headers=KEY)
    assert refused(wrong, 405) == "Method not allowed. Allowed here: POST."
    assert wrong.headers["allow"] == "POST"


def refused_order(answer: requests.Response) -> None:
    """A route that is not built yet refuses everything, and says so."""
    if answer.status_code == 501:
        assert "not built into this server yet" in refused(answer, 501)
    else:
        refused(answer, 400)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/orders/7?account_id=5WT00001&order_id=8",
        "/api/v1/orders/7?account_id=5WT00001&order%5Fid=8",
        "/api/v1/orders/7?account_id=5WT00001&orderId=8",
        "/api/v1/orders/7?account_id=5WT00001&account_id=5WT00002",
        "/api/v1/orders/7?account_id=5WT00001&dry_rum=true",
    ],
)
def test_what_the_path_of_an_order_says_counts(
    gateway: Gateway, http: requests.Session, path: str
) -> None:
    refused_order(http.delete(gateway.url + path, headers=KEY))


@pytest.mark.parametrize(
    "body",
    [
        b'{"legs": [], "dry_rum": true}',
        b'{"legs": [], "price": -1, "price": -2}',
        b'{"legs": [], "price": NaN}',
        b"[]",
        b"",
        b"{",
    ],
)
def test_a_typo_cannot_trade(gateway: Gateway, http: requests.Session, body: bytes) -> None:
    url = f"{gateway.url}/api/v1/place-order?account_id=5WT00001"
    refused_order(http.post(url, data=body, headers=KEY))
