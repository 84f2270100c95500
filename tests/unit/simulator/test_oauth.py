"""Tests grants, tokens and the customers behind them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.simulator.clock import ManualClock
from server.simulator.customers import DEMO_REFRESH_TOKEN, Customers
from server.simulator.envelope import BrokerError
from server.simulator.oauth import OAuth, OAuthError
from server.simulator.settings import SimulatorSettings

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def oauth(clock: ManualClock) -> OAuth:
    return OAuth(SimulatorSettings(), clock, Customers())


def refresh(
    token: str = DEMO_REFRESH_TOKEN,
    secret: str = "s",  # noqa: S107 - opens nothing
) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": token, "client_secret": secret}


def test_an_access_token_is_the_customers_for_fifteen_minutes(oauth: OAuth) -> None:
    answer = oauth.grant(refresh())
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 900)
    customer = oauth.authenticate(f"Bearer {answer['access_token']}")
    assert [account.number for account in customer.accounts] == ["5WT00001", "5WT00002"]
    assert [account.margin_or_cash for account in customer.accounts] == ["Margin", "Cash"]


async def test_it_ends_to_the_second(oauth: OAuth, clock: ManualClock) -> None:
    bearer = "Bearer " + oauth.grant(refresh())["access_token"]
    await clock.advance(timedelta(seconds=899))
    oauth.authenticate(bearer)
    await clock.advance(timedelta(seconds=1))
    with pytest.raises(BrokerError) as refused:
        oauth.authenticate(bearer)

    assert (refused.value.status, refused.value.code) == (401, "token_invalid")


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        (refresh("revoked-by-user"), 400, "invalid_grant"),
        (refresh("unknown-token"), 400, "invalid_grant"),
        (refresh(""), 400, "invalid_grant"),
        (refresh(secret="wrong-secret"), 401, "invalid_client"),
        (refresh(secret=""), 401, "invalid_client"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_request"),
        ({"grant_type": "refresh_token", "client_secret": "x"}, 400, "invalid_request"),
        (refresh() | {"refresh_token": 5}, 400, "invalid_request"),
        (refresh() | {"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({}, 400, "unsupported_grant_type"),
    ],
)
def test_refusals_have_oauths_shape(
    oauth: OAuth, form: dict[str, Any], status: int, code: str
) -> None:
    with pytest.raises(OAuthError) as refused:
        oauth.grant(form)

    assert refused.value.status == status
    assert refused.value.body()["error_code"] == code
    assert oauth.statistics().refused == 1


def test_a_revoked_grant_says_so_in_the_brokers_words(oauth: OAuth) -> None:
    with pytest.raises(OAuthError) as refused:
        oauth.grant(refresh("x-revoked-y"))

    assert refused.value.body() == {
        "error_code": "invalid_grant",
        "error_description": "Grant revoked",
    }


def test_revoking_ends_the_access_tokens_too_and_only_of_that_grant(oauth: OAuth) -> None:
    mine = oauth.grant(refresh("mine"))["access_token"]
    theirs = oauth.grant(refresh("theirs"))["access_token"]
    oauth.revoke("mine")
    with pytest.raises(BrokerError):
        oauth.authenticate(mine)

    with pytest.raises(OAuthError):
        oauth.grant(refresh("mine"))

    oauth.authenticate(theirs)
    oauth.restore("mine")
    oauth.grant(refresh("mine"))


def test_tokens_can_be_ended_before_their_time(oauth: OAuth) -> None:
    mine = oauth.grant(refresh("mine"))["access_token"]
    theirs = oauth.grant(refresh("theirs"))["access_token"]
    assert oauth.expire_access_tokens(oauth.authenticate(mine).id) == 1
    with pytest.raises(BrokerError):
        oauth.authenticate(mine)

    oauth.authenticate(theirs)


def test_an_authorization_code_gives_a_refresh_token(oauth: OAuth) -> None:
    code = {"grant_type": "authorization_code", "code": "c", "client_secret": "s"}
    first = oauth.grant(code)
    again = oauth.grant(refresh(first["refresh_token"]))
    assert oauth.authenticate(first["access_token"]) is oauth.authenticate(again["access_token"])


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer nonsense", "Basic eDp5"])
def test_anything_else_is_nobody(oauth: OAuth, value: str | None) -> None:
    with pytest.raises(BrokerError) as refused:
        oauth.authenticate(value)

    assert refused.value.status == 401


async def test_a_quote_token_lives_for_a_day_and_is_no_access_token(
    oauth: OAuth, clock: ManualClock
) -> None:
    customer = oauth.authenticate(oauth.grant(refresh())["access_token"])
    token, issued_at, expires_at = oauth.quote_token(customer)
    assert expires_at - issued_at == timedelta(hours=24)
    assert oauth.find_quote_customer(token) == (customer, expires_at)
    with pytest.raises(BrokerError):
        oauth.authenticate(token)

    await clock.advance(timedelta(hours=24))
    assert oauth.find_quote_customer(token) is None


def test_who_is_no_customer_gets_no_quotes(oauth: OAuth) -> None:
    person = oauth.authenticate(oauth.grant(refresh("not-a-customer"))["access_token"])
    with pytest.raises(BrokerError) as refused:
        oauth.quote_token(person)

    assert refused.value.code == "quote_streamer.customer_not_found_error"


def test_customers_are_the_same_in_every_process_and_never_share_an_account() -> None:
    numbers = set()
    for index in range(500):
        first = Customers().of_grant(f"token {index}")
        again = Customers().of_grant(f"token {index}")
        assert first == again
        numbers |= {account.number for account in first.accounts}

    assert len(numbers) == 1000
    assert all(len(number) == 8 and number.startswith("5W") for number in numbers)


def test_an_account_is_found_once_its_owner_has_logged_in() -> None:
    customers = Customers()
    assert customers.of_account("5WT00001") is None
    demo = customers.of_grant(DEMO_REFRESH_TOKEN)
    assert customers.of_account("5WT00001") is demo
    assert demo.owns("5WT00002")
    assert not demo.owns("5WT00003")
