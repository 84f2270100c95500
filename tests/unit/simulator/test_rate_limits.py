"""Tests the broker's limits of requests per second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.simulator.clock import ManualClock
from server.simulator.customers import Customers
from server.simulator.envelope import BrokerError
from server.simulator.rate_limits import GLOBAL_RATE, RateLimits

ONE, TWO = (Customers().of_grant(token) for token in ("one", "two"))


def allowed(limits: RateLimits, path: str, tries: int, method: str = "GET") -> int:
    return sum(_passes(limits, method, path) for _ in range(tries))


def _passes(limits: RateLimits, method: str, path: str) -> bool:
    try:
        limits.check(ONE, method, path)
    except BrokerError as refused:
        return refused.status != 429

    return True


@pytest.mark.parametrize(
    ("path", "rate"),
    [
        ("/market-data/by-type", 2),
        ("/option-chains/SPY/nested", 2),
        ("/futures-option-chains/ES/nested", 2),
        ("/instruments/equities", 2),
        ("/instruments/equities/active", 2),
        ("/instruments/equities/SPY", 3),
        ("/accounts/5WT00001/positions", 1),
        ("/accounts/5WT00001/balances", 1),
        ("/accounts/5WT00001/trading-status", 1),
        ("/customers/me/accounts", 1),
        ("/market-metrics", GLOBAL_RATE),
    ],
)
async def test_rates(path: str, rate: int) -> None:
    clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
    limits = RateLimits(clock)
    assert allowed(limits, path, 100) == rate
    await clock.advance(timedelta(milliseconds=999))
    assert allowed(limits, path, 100) == 0
    await clock.advance(timedelta(milliseconds=2))
    assert allowed(limits, path, 100) == rate
    limits.check(TWO, "GET", path)


def test_all_endpoints_together_have_a_rate_too() -> None:
    limits = RateLimits(ManualClock(datetime(2026, 11, 20, tzinfo=UTC)))
    assert allowed(limits, "/accounts/5WT00001/orders", 60, "POST") == GLOBAL_RATE
    assert allowed(limits, "/accounts/5WT00001/positions", 1) == 0
