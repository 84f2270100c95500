"""Computes Brownian paths at any instant, in any order and in any process.

Lévy's construction: a path is linear between far nodes, plus triangular functions ("tents") of ever
shorter spans, each as high as a Brownian bridge requires. Every height is a hash of (series, level,
index), so nothing is stored and no result depends on earlier calls. A long span adds no more
variance than one of `VARIANCE_HORIZON`: prices stay near their base forever, so that a listed
strike stays near the money.
"""

from __future__ import annotations

__all__ = ["TOP_LEVEL", "UNIT_NS", "Floats", "Ints", "gauss", "mix", "uniform", "walk"]

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

UNIT_NS = 12_500_000
"""The time unit, 12.5 ms: a tick of 100 ms is 2**3 units and so needs none of the finest levels."""

TOP_LEVEL = 31
"""Level of the far nodes, which are 2**31 units (311 days) apart."""

VARIANCE_HORIZON = 4 / 365.25
"""Length of a span (in years) beyond which it adds no more variance: four days."""

UNIT_YEARS = UNIT_NS / 1e9 / (365.25 * 86_400)
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_LEVEL_STRIDE = np.uint64(0x9E3779B97F4A7C15)
_INDEX_STRIDE = np.uint64(0xD1B54A32D192ED03)


def mix(values: Hashes) -> Hashes:
    """Scrambles 64-bit words (the finaliser of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * _MULTIPLIERS[0]
    values = (values ^ (values >> np.uint64(27))) * _MULTIPLIERS[1]
    return values ^ (values >> np.uint64(31))


def uniform(seeds: Hashes, index: Ints | int, salt: int) -> Floats:
    """Returns numbers in [0, 1), one per seed and index; `salt` separates different uses."""
    at = np.atleast_1d(np.asarray(index, dtype=np.int64)).astype(np.uint64)
    words = mix(seeds + at * _INDEX_STRIDE + _salt(salt))
    result: Floats = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return result


def gauss(words: Hashes) -> Floats:
    """Converts hashes to nearly normal numbers within ±3.5 (a sum of four uniform ones)."""
    low = np.uint64(0xFFFF)
    total = (words & low) + ((words >> np.uint64(16)) & low)
    total += ((words >> np.uint64(32)) & low) + (words >> np.uint64(48))
    result: Floats = (total.astype(np.float64) - 2 * 65_535) * (np.sqrt(3.0) / 65_536)
    return result


def walk(
    seeds: Hashes, units: Ints, *, finest: int = 1, variance_horizon: float = VARIANCE_HORIZON
) -> Floats:
    """Returns the path of each seed at each instant, in units of the root of a year.

    `seeds` and `units` broadcast. With `finest` above 1 the shorter spans are left out, which makes
    the path linear between nodes 2**(finest - 1) units apart: smooth, and cheaper.
    """
    seeds, units = np.broadcast_arrays(np.atleast_1d(seeds), np.atleast_1d(units))
    first = units >> TOP_LEVEL
    share = (units - (first << TOP_LEVEL)) * 2.0**-TOP_LEVEL
    far = np.sqrt(variance_horizon / 2)
    total: Floats = (1 - share) * far * _node(seeds, first) + share * far * _node(seeds, first + 1)

    # Levels whose tents are zero at all these instants (a tick of 100 ms is a multiple of 8 units)
    # are skipped.
    aligned = int(np.bitwise_or.reduce(units.ravel())) if units.size else 0
    lowest = (aligned & -aligned).bit_length() if aligned else TOP_LEVEL
    levels = np.arange(TOP_LEVEL, max(finest, lowest) - 1, -1, dtype=np.int64)
    if not levels.size or not units.size:
        return total

    levels = levels.reshape(-1, *(1 for _ in units.shape))
    span = np.left_shift(np.int64(1), levels)
    index = units >> levels
    share = (units - (index << levels)) / span
    height = np.sqrt(np.minimum(span * UNIT_YEARS, variance_horizon)) / 2
    words = mix(
        seeds + index.astype(np.uint64) * _INDEX_STRIDE + levels.astype(np.uint64) * _LEVEL_STRIDE
    )
    # Adds one level after the other: `sum` and `@` add in an order that depends on the shape, and
    # the last digit would depend on what else is computed.
    for tent in (1 - np.abs(2 * share - 1)) * gauss(words) * height:
        total = total + tent

    return total


def _node(seeds: Hashes, index: Ints) -> Floats:
    return gauss(mix(seeds + index.astype(np.uint64) * _INDEX_STRIDE + _salt(TOP_LEVEL + 1)))


def _salt(number: int) -> np.uint64:
    # Calculated in Python integers: numpy warns when a scalar (not an array) overflows.
    return np.uint64(number * int(_LEVEL_STRIDE) & 0xFFFF_FFFF_FFFF_FFFF)
