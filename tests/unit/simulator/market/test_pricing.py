"""Tests that values, greeks and smiles obey their definitions: parity, bumps, no arbitrage."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from server.simulator.market.pricing import Valuation, normal_cdf, smile, value_options

SPOT, CARRY, RATE = 687.0, 0.029, 0.04
STRIKES = np.linspace(400.0, 1000.0, 61)


def price(
    sign: float = 1.0,
    *,
    spot: float = SPOT,
    years: float = 0.25,
    volatility: float = 0.2,
    rate: float = RATE,
    carry: float = CARRY,
    american: bool = False,
    on_future: bool = False,
) -> Valuation:
    every = np.ones(len(STRIKES))
    return value_options(
        spot=every * spot,
        carry=every * carry,
        carry_years=every * years,
        strike=STRIKES,
        sign=every * sign,
        years=every * years,
        volatility=every * volatility,
        rate=rate,
        american=every.astype(bool) & american,
        on_future=every.astype(bool) & on_future,
    )


def test_normal_distribution_to_the_last_digits() -> None:
    x = np.linspace(-38, 38, 5001)
    exact = np.array([math.erfc(-each / math.sqrt(2)) / 2 for each in x])
    assert np.abs(normal_cdf(x) - exact).max() < 1e-15
    assert normal_cdf(x)[exact > 1e-300] == pytest.approx(exact[exact > 1e-300], rel=1e-6)


@pytest.mark.parametrize("on_future", [False, True])
@pytest.mark.parametrize("years", [1 / 365.25, 0.25, 2.0])
def test_put_call_parity(on_future: bool, years: float) -> None:
    call = price(1, years=years, on_future=on_future)
    put = price(-1, years=years, on_future=on_future)
    forward = SPOT * math.exp(CARRY * years)
    expected = math.exp(-RATE * years) * (forward - STRIKES)
    assert call.price - put.price == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("american", [False, True])
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("years", [0.02, 0.25, 1.5])
def test_greeks_against_bumps(sign: float, years: float, american: bool) -> None:
    def at(**given: Any) -> Valuation:
        return price(**{"sign": sign, "years": years, "american": american, **given})

    base = at()
    # Where exercise takes over within the bump, the price has a corner and no derivative.
    smooth = np.ones(len(STRIKES), dtype=bool)
    if american:
        early = [(at(spot=SPOT + bump).gamma == 0) for bump in (-0.2, 0.0, 0.2)]
        smooth = (early[0] == early[1]) & (early[1] == early[2])

    h = 0.01
    delta = (at(spot=SPOT + h).price - at(spot=SPOT - h).price) / (2 * h)
    assert base.delta[smooth] == pytest.approx(delta[smooth], abs=1e-6)
    gamma = (at(spot=SPOT + h).delta - at(spot=SPOT - h).delta) / (2 * h)
    assert base.gamma[smooth] == pytest.approx(gamma[smooth], abs=1e-6)
    live = smooth & (base.gamma != 0)
    vega = (at(volatility=0.201).price - at(volatility=0.199).price) / 0.2
    assert base.vega[live] == pytest.approx(vega[live], abs=1e-3)
    day = 1 / 365.25 / 100
    theta = (at(years=years - day).price - at(years=years + day).price) / (2 * day) / 365.25
    assert base.theta[live] == pytest.approx(theta[live], abs=1e-3)
    # Rates move the carry of a stock with them.
    up, down = at(rate=RATE + 1e-5, carry=CARRY + 1e-5), at(rate=RATE - 1e-5, carry=CARRY - 1e-5)
    assert base.rho[live] == pytest.approx(((up.price - down.price) / 2e-5 / 100)[live], abs=1e-4)


def test_greeks_of_options_on_futures_are_with_respect_to_the_future() -> None:
    def at(future: float) -> Valuation:
        return price(-1, spot=future, carry=0.0, on_future=True)

    h = 0.01
    delta = (at(SPOT + h).price - at(SPOT - h).price) / (2 * h)
    assert at(SPOT).delta == pytest.approx(delta, abs=1e-6)


def test_american_bounds() -> None:
    call, put = price(1, american=True, years=2.0), price(-1, american=True, years=2.0)
    assert (put.price >= STRIKES - SPOT - 1e-9).all()
    assert (call.price >= SPOT - STRIKES - 1e-9).all()
    assert (call.price - put.price <= SPOT - STRIKES * math.exp(-RATE * 2) + 1e-9).all()
    assert (put.delta[STRIKES > 900] == -1).all()  # exercise beats waiting


def test_expiry_is_intrinsic_value() -> None:
    call = price(1, years=0.0)
    assert call.price == pytest.approx(np.maximum(SPOT - STRIKES, 0), abs=0.2)
    assert np.isfinite(call.gamma).all()


@pytest.mark.parametrize(("rho", "wings"), [(-0.55, 1.1), (-0.3, 0.8), (0.7, 0.9), (0.0, 0.8)])
def test_the_smile_is_free_of_arbitrage(rho: float, wings: float) -> None:
    strikes = np.linspace(200.0, 1400.0, 1201)
    every = np.ones(len(strikes))
    before = None
    for years in (1 / 365, 7 / 365, 30 / 365, 0.5, 2.0):
        implied = smile(
            strike=strikes,
            anchor=every * SPOT,
            years=every * years,
            short=every * 0.22,
            usual=every * 0.17,
            rho=every * rho,
            wings=every * wings,
        )
        total = implied**2 * years
        if before is not None:
            assert (total >= before - 1e-12).all()  # no calendar spread for nothing

        before = total
        calls = value_options(
            spot=every * SPOT,
            carry=every * 0,
            carry_years=every * years,
            strike=strikes,
            sign=every,
            years=every * years,
            volatility=implied,
            rate=0.0,
            american=every < 0,
            on_future=every < 0,
        ).price
        assert (np.diff(calls) <= 1e-9).all()  # no vertical spread for nothing
        assert (np.diff(calls, 2) >= -1e-7).all()  # nor a butterfly


def test_the_smile_has_skew_and_term() -> None:
    strikes = np.array([0.9, 1.0, 1.1]) * SPOT
    every = np.ones(3)
    near, far = (
        smile(
            strike=strikes,
            anchor=every * SPOT,
            years=every * years,
            short=every * 0.3,
            usual=every * 0.17,
            rho=every * -0.55,
            wings=every * 1.1,
        )
        for years in (0.05, 2.0)
    )
    assert near[0] > near[1]
    assert near[1] > far[1] > 0.17
    assert near[0] - near[1] > far[0] - far[1]
