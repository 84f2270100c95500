"""The gateway that the guide's own examples meet, and what in them has to be filled in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import requests

from server.contract.catalog import load
from tests.compat.guide import Guide
from tests.rest_call import call
from tests.shared_gateway import SharedGateway
from tests.stack import Gateway
from tests.waiting import eventually

NOT_BUILT = 501
SOON = timedelta(days=2)


@pytest.fixture(scope="module")
def gateway(shared_gateway: SharedGateway) -> Gateway:
    """As a user starts it, but without the rate limit: all these tests share a key."""
    return shared_gateway.running()


@pytest.fixture(scope="session")
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture(scope="module")
def guide(
    gateway: Gateway, http: requests.Session, tmp_path_factory: pytest.TempPathFactory
) -> Guide:
    """The guide's files, with its base URL, key and account, and dates that are listed today."""
    return Guide(
        {
            "https://tasty.gammabox.app": gateway.url,
            "YOUR_API_KEY": Gateway.api_key,
            "YOUR_ACCOUNT_ID": Gateway.account,
            "2025-12-19": expiration(gateway, http, "SPY", 685.0),
            "2025-12-20": expiration(gateway, http, "AAPL", 150.0),
        },
        folder=tmp_path_factory.mktemp("guide"),
    )


@pytest.fixture
async def priced(gateway: Gateway, http: requests.Session) -> None:
    """The feed of the demo account is warm: its positions have the greeks that the guide shows.

    Positions wait only so long for them, and leave out what does not come: on a busy machine the
    first reply after a pause may have none.
    """
    url = f"{gateway.url}/api/v1/positions?account_id={Gateway.account}"

    def warm() -> bool:
        answer = http.get(url, headers={"X-API-Key": Gateway.api_key})
        return any("delta" in each for each in answer.json()["positions"])

    await eventually(warm, limit=60)


@pytest.fixture
def built(gateway: Gateway, http: requests.Session) -> Callable[[str], None]:
    """Skips a test of an rpc that this server does not have yet, by its own word."""

    def check(name: str) -> None:
        method = load().named(name)
        assert method.http is not None
        nothing = dict.fromkeys(method.http.path_variables, "0")
        answer = call(http, gateway.url, method, path=nothing, key=Gateway.api_key)
        if answer.status_code == NOT_BUILT:
            pytest.skip(f"{name} is not built yet: {answer.json()['detail']}")

    return check


@pytest.fixture(scope="module")
def accounts_of(gateway: Gateway, http: requests.Session) -> Callable[[str], list[str]]:
    """Asks for the accounts of a key, by the guide's sentence about one that is not there."""

    def ask(key: str) -> list[str]:
        url = f"{gateway.url}/api/v1/balances?account_id=none"
        detail = http.get(url, headers={"X-API-Key": key}).json()["detail"]
        listed = detail.partition("Available accounts: ")[2]
        return [each.strip(" '") for each in listed.strip("[]").split(",")]

    return ask


def expiration(gateway: Gateway, http: requests.Session, symbol: str, strike: float) -> str:
    """Returns a listed expiration a few days away that has the guide's strike."""
    url = f"{gateway.url}/api/v1/option-chain?symbol={symbol}"
    chain = http.get(url, headers={"X-API-Key": Gateway.api_key}).json()
    soon = str(date.today() + SOON)
    return next(
        each
        for each in chain["expiration_dates"]
        if each > soon and strike in chain["chain"][each]["strikes"]
    )


def need(*programs: str, installed: Path | None = None) -> None:
    """Skips, or in CI fails, where a program or a folder of packages is missing."""
    missing = [name for name in programs if shutil.which(name) is None]
    if installed is not None and not installed.is_dir():
        missing.append(f"{installed.name} (npm install in {installed.parents[1].name})")
    if missing and os.environ.get("CI"):
        pytest.fail(f"{', '.join(missing)} not installed; in CI these tests are never skipped")
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")
