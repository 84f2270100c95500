"""Tests every documented key for which no reply was recorded, with its JSON type."""

from __future__ import annotations

from typing import Any

import pytest

from server.simulator import SimulatorSettings
from server.simulator.exchange import ExchangeSettings
from tests.service.simulator.exchange.conftest import MARGIN, CustomerClient

ACCOUNT = """
account-number account-type-name nickname external-id ext-account-id ext-crm-id external-fdid
submitting-user-id regulatory-domain futures-account-purpose suitable-options-level
investment-objective investment-time-horizon liquidity-needs risk-tolerance margin-or-cash
day-trader-status is-closed is-futures-approved is-firm-error is-firm-proprietary is-foreign
created-at opened-at funding-date
"""
BALANCE_AMOUNTS = """
cash-balance net-liquidating-value cash-available-to-withdraw pending-cash available-trading-funds
equity-buying-power derivative-buying-power day-trading-buying-power used-derivative-buying-power
effective-cryptocurrency-buying-power sma-equity-option-buying-power buying-power-adjustment
cash-settle-balance margin-settle-balance total-settle-balance closed-loop-available-balance
maintenance-requirement maintenance-excess reg-t-margin-requirement futures-margin-requirement
bond-margin-requirement cryptocurrency-margin-requirement equity-offering-margin-requirement
fixed-income-security-margin-requirement margin-equity maintenance-call-value reg-t-call-value
day-equity-call-value day-trading-call-value day-trade-excess special-memorandum-account-value
special-memorandum-account-apex-adjustment apex-starting-day-margin-equity pending-margin-interest
long-equity-value long-derivative-value long-futures-value long-futures-derivative-value
long-cryptocurrency-value long-bond-value long-fixed-income-security-value long-margineable-value
long-index-derivative-value short-equity-value short-derivative-value short-futures-value
short-futures-derivative-value short-cryptocurrency-value short-margineable-value
short-index-derivative-value intraday-equities-cash-amount intraday-futures-cash-amount
unsettled-cryptocurrency-fiat-amount previous-day-cryptocurrency-fiat-amount
total-pending-liquidity-pool-rebate
"""
BALANCE_ONLY = "futures-overnight-margin-requirement futures-intraday-margin-requirement"
BALANCE_EFFECTS = """
pending-cash-effect buying-power-adjustment-effect intraday-equities-cash-effect
intraday-futures-cash-effect unsettled-cryptocurrency-fiat-effect
previous-day-cryptocurrency-fiat-effect
"""
POSITION = """
account-number symbol underlying-symbol instrument-type quantity quantity-direction multiplier
average-open-price close-price mark mark-price cost-effect realized-day-gain
realized-day-gain-effect realized-day-gain-date realized-today realized-today-effect
realized-today-date is-frozen is-suppressed created-at updated-at streamer-symbol
restricted-quantity order-id
"""
TRADING_STATUS_FLAGS = """
is-aggregated-at-clearing is-closed is-frozen is-closing-only is-risk-reducing-only
short-calls-enabled are-deep-itm-carry-options-enabled are-far-otm-net-options-restricted
are-options-values-restricted-to-nlv are-single-tick-expiring-hedges-ignored
has-intraday-equities-margin is-full-equity-margin-required is-portfolio-margin-enabled
is-in-margin-call is-pattern-day-trader is-in-day-trade-equity-maintenance-call
is-roll-the-day-forward-enabled is-futures-enabled is-futures-closing-only
is-futures-intra-day-enabled is-small-notional-futures-intra-day-enabled is-cryptocurrency-enabled
is-cryptocurrency-closing-only is-equity-offering-enabled is-equity-offering-closing-only
"""
POSITION_LIMIT = """
equity-order-size equity-position-size equity-option-order-size equity-option-position-size
future-order-size future-position-size future-option-order-size future-option-position-size
underlying-opening-order-limit
"""


def decimal_text(value: Any) -> bool:
    whole, dot, places = str(value).lstrip("-").partition(".")
    return isinstance(value, str) and whole.isdigit() and dot == "." and places.isdigit()


async def test_accounts(client: CustomerClient) -> None:
    account = await client.get(f"/customers/me/accounts/{MARGIN}")
    assert set(ACCOUNT.split()) <= account.keys()
    items = (await client.get("/customers/me/accounts"))["items"]
    assert items[0] == {"account": account, "authority-level": "owner"}


async def test_balances(client: CustomerClient) -> None:
    balance = await client.get(f"/accounts/{MARGIN}/balances/USD")
    amounts = BALANCE_AMOUNTS.split() + BALANCE_ONLY.split()
    assert [name for name in amounts if not decimal_text(balance.get(name))] == []
    effects = {balance[name] for name in BALANCE_EFFECTS.split()}
    assert effects <= {"Debit", "Credit", "None"}
    assert (balance["currency"], balance["updated-at"][-1]) == ("USD", "Z")


@pytest.mark.parametrize("time_of_day", ["BOD", "EOD"])
async def test_snapshots(client: CustomerClient, time_of_day: str) -> None:
    path = f"/accounts/{MARGIN}/balance-snapshots?start-date=2026-02-02&time-of-day={time_of_day}"
    items = (await client.get(path))["items"]
    days = [each["snapshot-date"] for each in items]
    assert days == sorted(days, reverse=True)
    assert days[0] == ("2026-03-10" if time_of_day == "BOD" else "2026-03-09")
    assert "2026-03-07" not in days
    for each in items:
        assert [name for name in BALANCE_AMOUNTS.split() if not decimal_text(each[name])] == []
        assert each.keys().isdisjoint({"updated-at", *BALANCE_ONLY.split()})


async def test_snapshots_begin_with_the_account(client: CustomerClient) -> None:
    """However early the asker begins."""
    path = f"/accounts/{MARGIN}/balance-snapshots"
    (account,) = [
        each["account"]
        for each in (await client.get("/customers/me/accounts"))["items"]
        if each["account"]["account-number"] == MARGIN
    ]
    items = (await client.get(f"{path}?start-date=0001-01-01&end-date=9999-12-31"))["items"]
    assert items[-1]["snapshot-date"] >= account["opened-at"][:10]
    assert len(items) > 100


async def test_positions(client: CustomerClient) -> None:
    items = (await client.get(f"/accounts/{MARGIN}/positions?include-marks=true"))["items"]
    for each in items:
        assert set(POSITION.split()) <= each.keys()
        assert ("expires-at" in each) == (each["instrument-type"] == "Equity Option")
        assert decimal_text(each["quantity"])
        assert not each["quantity"].startswith("-")
        assert each["multiplier"] == (100 if "expires-at" in each else 1)


async def test_trading_status(client: CustomerClient) -> None:
    status = await client.get(f"/accounts/{MARGIN}/trading-status")
    assert all(isinstance(status[name], bool) for name in TRADING_STATUS_FLAGS.split())


async def test_position_limit(client: CustomerClient) -> None:
    limit = await client.get(f"/accounts/{MARGIN}/position-limit")
    assert all(isinstance(limit[name], int) for name in POSITION_LIMIT.split())


NET_LIQ = [
    f"{prefix}{moment}"
    for prefix in ("", "total-", "pending-cash-")
    for moment in ("open", "high", "low", "close")
]


@pytest.mark.parametrize("back", ["1d", "1w", "1m", "3m", "6m", "1y", "all"])
async def test_net_liq_history(client: CustomerClient, back: str) -> None:
    path = f"/accounts/{MARGIN}/net-liq/history"
    items = (await client.get(f"{path}?time-back={back}"))["items"]
    assert len(items) > 100
    assert all(decimal_text(each[name]) for each in items for name in NET_LIQ)
    times = [each["time"] for each in items]
    assert times == sorted(times)
    balance = await client.get(f"/accounts/{MARGIN}/balances/USD")
    assert items[-1]["close"] == balance["net-liquidating-value"]


async def test_net_liq_history_from_a_time_on(client: CustomerClient) -> None:
    path = f"/accounts/{MARGIN}/net-liq/history?start-time=2026-03-09T15:00:00Z"
    items = (await client.get(path))["items"]
    assert items[0]["time"] == "2026-03-09T15:00:00.000Z"


class TestABrokerThatWritesCamelCase:
    @pytest.fixture
    def settings(self) -> SimulatorSettings:
        return SimulatorSettings(exchange=ExchangeSettings(camel_case_net_liq=True))

    async def test_net_liq_history(self, client: CustomerClient) -> None:
        path = f"/accounts/{MARGIN}/net-liq/history?time-back=1d"
        items = (await client.get(path))["items"]
        assert isinstance(items[0]["totalClose"], float)
        assert {"pendingCashOpen", "totalHigh", "low"} <= items[0].keys()


async def test_margin_rates_of_a_symbol_with_a_slash(client: CustomerClient) -> None:
    path = f"/accounts/{MARGIN}/margin-requirements/BRK%2FB/effective"
    status, body = await client.call("GET", path)
    assert (status, body["data"]["underlying-symbol"]) == (200, "BRK/B")
    path = f"/accounts/{MARGIN}/margin-requirements/NOPE/effective"
    assert (await client.call("GET", path))[0] == 404


async def test_the_margin_configuration_asks_for_no_token(client: CustomerClient) -> None:
    path = "/margin-requirements-public-configuration"
    status, body = await client.call("GET", path, headers={})
    assert (status, list(body["data"])) == (200, ["risk-free-rate"])
