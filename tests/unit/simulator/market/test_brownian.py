"""Tests that paths are Brownian, the same for every caller, and bounded in the long run."""

from __future__ import annotations

import numpy as np
import pytest

from server.simulator.market.brownian import (
    TOP_LEVEL,
    UNIT_NS,
    VARIANCE_HORIZON,
    gauss,
    mix,
    uniform,
    walk,
)

SEEDS = np.arange(1, 6, dtype=np.uint64) * np.uint64(0x1234567)
NOW = 1_795_000_000 * 80
YEAR_UNITS = 365.25 * 86_400 * 1e9 / UNIT_NS


def test_an_answer_does_not_depend_on_what_else_is_asked() -> None:
    units = NOW + np.array([0, 3, 8, 800, 12_345, 80 * 86_400])
    together = walk(SEEDS[:, None], units[None, :])
    for row, seed in enumerate(SEEDS):
        for column, unit in enumerate(units):
            assert together[row, column] == walk(np.array([seed]), np.array([unit]))[0]


@pytest.mark.parametrize("step", [8, 80, 4800, 80 * 3600])
def test_variance_grows_with_time(step: int) -> None:
    path = walk(SEEDS[:1], NOW + step * np.arange(40_000 if step < 5000 else 8_000))
    variance = np.diff(path).var() / (step / YEAR_UNITS)
    assert 0.85 < variance < 1.15


def test_the_path_stays_near_its_base_for_ever() -> None:
    days = walk(SEEDS[:, None], np.arange(0, 80 * 86_400 * 20_000, 80 * 86_400)[None, :])
    assert np.abs(days).max() < 6 * np.sqrt(VARIANCE_HORIZON)
    assert abs(days.mean()) < np.sqrt(VARIANCE_HORIZON) / 4


def test_a_coarse_path_is_a_line_between_its_nodes() -> None:
    nodes = (NOW >> 12 << 12) + np.arange(3) * 4096
    ends = walk(SEEDS[:1], nodes, finest=13)
    middle = walk(SEEDS[:1], nodes[:2] + 2048, finest=13)
    assert middle == pytest.approx((ends[:-1] + ends[1:]) / 2, abs=1e-12)
    # At the nodes themselves the fine tents are zero: coarse and fine paths agree.
    assert ends == pytest.approx(walk(SEEDS[:1], nodes), abs=1e-12)


def test_far_nodes_need_no_tents() -> None:
    node = np.array([3 << TOP_LEVEL])
    assert walk(SEEDS, node).shape == SEEDS.shape


def test_hashes_look_random() -> None:
    words = mix(np.arange(200_000, dtype=np.uint64))
    numbers = gauss(words)
    assert abs(numbers.mean()) < 0.01
    assert abs(numbers.std() - 1) < 0.01
    shares = uniform(SEEDS[:1], np.arange(100_000), 7)
    assert abs(shares.mean() - 0.5) < 0.01
    assert shares.min() >= 0
    assert shares.max() < 1
    assert abs(np.corrcoef(shares[:-1], shares[1:])[0, 1]) < 0.02
