"""Values options and their greeks with Black–Scholes on the forward, for whole columns.

One formula serves all: a stock's forward grows at rate less dividends, a future's is its own price
(Black-76). An American option is never worth less than its intrinsic value; no further premium for
early exercise is computed, so American puts deep in the money are worth their intrinsic value.

Units are dxFeed's: theta per day, vega and rho per percentage point.
"""

from __future__ import annotations

__all__ = ["Valuation", "normal_cdf", "smile", "value_options"]

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from server.simulator.market.brownian import Floats
from server.simulator.market.price_series import atm_volatility

MIN_YEARS = 60 / (365.25 * 86_400)
"""Shortest maturity, a minute: with less, the greeks would become infinite."""

_ROOT_TAU = np.sqrt(2 * np.pi)


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """Holds value and greeks of some options."""

    price: Floats
    delta: Floats
    gamma: Floats
    theta: Floats
    vega: Floats
    rho: Floats


def smile(
    *,
    strike: Floats,
    anchor: Floats,
    years: Floats,
    short: Floats,
    usual: Floats,
    rho: Floats,
    wings: Floats,
) -> Floats:
    """Returns implied volatilities from Gatheral and Jacquier's SSVI.

    The at-the-money term structure reverts to the mean. Free of static arbitrage while `wings * (1
    + |rho|) <= 2`: total variance grows with time.
    """
    years = np.maximum(years, MIN_YEARS)
    total = np.square(atm_volatility(short, usual, years)) * years
    slope = wings / np.sqrt(total * (1 + total))
    tilt = slope * np.log(strike / anchor)
    variance = total / 2 * (1 + rho * tilt + np.sqrt(np.square(tilt + rho) + 1 - np.square(rho)))
    result: Floats = np.sqrt(variance / years)
    return result


def value_options(
    *,
    spot: Floats,
    carry: Floats,
    carry_years: Floats,
    strike: Floats,
    sign: Floats,
    years: Floats,
    volatility: Floats,
    rate: float,
    american: npt.NDArray[np.bool_],
    on_future: npt.NDArray[np.bool_],
) -> Valuation:
    """Values options on `spot * exp(carry * carry_years)`; `sign` is 1 for calls, -1 for puts.

    The greeks of an option on a future are relative to the future.
    """
    years = np.maximum(years, MIN_YEARS)
    forward = spot * np.exp(carry * carry_years)
    discount = np.exp(-rate * years)
    root = np.sqrt(years)
    spread = volatility * root
    d1 = np.log(forward / strike) / spread + spread / 2
    d2 = d1 - spread
    n1, n2 = normal_cdf(sign * d1), normal_cdf(sign * d2)
    bell = np.exp(-np.square(d1) / 2) / _ROOT_TAU
    growth = np.where(on_future, 1.0, forward / spot)
    below = np.where(on_future, forward, spot)
    price = discount * sign * (forward * n1 - strike * n2)
    delta = discount * growth * sign * n1
    gamma = discount * growth * growth * bell / (forward * spread)
    vega = discount * forward * bell * root
    drift = np.where(on_future, 0.0, carry)
    theta = (
        rate * price - drift * below * delta - np.square(volatility) / 2 * np.square(below) * gamma
    )
    rho = np.where(on_future, -years * price, sign * strike * years * discount * n2)

    # Where exercise is worth more, an option moves only with its underlying.
    intrinsic = sign * (below - strike)
    early = american & (intrinsic > price)
    return Valuation(
        price=np.maximum(np.where(early, intrinsic, price), 0.0),
        delta=np.where(early, sign, delta),
        gamma=np.where(early, 0.0, gamma),
        theta=np.where(early, 0.0, theta / 365.25),
        vega=np.where(early, 0.0, vega / 100),
        rho=np.where(early, 0.0, rho / 100),
    )


def normal_cdf(x: Floats) -> Floats:
    """Returns the normal distribution to 1e-15 (Hart's rational functions, as given by G. West)."""
    size = np.minimum(np.abs(x), 37.0)
    bell = np.exp(-np.square(size) / 2)
    top = 3.52624965998911e-02 * size + 0.700383064443688
    top = ((top * size + 6.37396220353165) * size + 33.912866078383) * size + 112.079291497871
    top = (top * size + 221.213596169931) * size + 220.206867912376
    low = 8.83883476483184e-02 * size + 1.75566716318264
    low = ((low * size + 16.064177579207) * size + 86.7807322029461) * size + 296.564248779674
    low = ((low * size + 637.333633378831) * size + 793.826512519948) * size + 440.413735824752
    tail = bell * top / low
    far = size > 7.07106781186547
    if far.any():
        away = size[far]
        build = away + 1 / (away + 2 / (away + 3 / (away + 4 / (away + 0.65))))
        tail[far] = bell[far] / build / 2.506628274631

    return np.where(x > 0, 1 - tail, tail)
