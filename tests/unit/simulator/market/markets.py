"""Makes markets on a clock that stands still until a test sets it."""

from __future__ import annotations

__all__ = ["FRIDAY_NOON", "SEED", "new_market", "streamers"]

from datetime import UTC, datetime

from server.simulator.market import Market
from server.simulator.market.expiration_block import ExpirationBlock
from tests.unit.simulator.stopped_clock import StoppedClock

SEED = 7
FRIDAY_NOON = datetime(2026, 11, 20, 17, 0, 0, 300_000, tzinfo=UTC)
"""Noon in New York on a trading day."""


def new_market(
    now: datetime = FRIDAY_NOON, *, seed: int = SEED, always_open: bool = True
) -> tuple[Market, StoppedClock]:
    """Returns a market and the clock that it looks at."""
    clock = StoppedClock(now)
    return Market(seed=seed, clock=clock, always_open=always_open), clock


def streamers(market: Market, blocks: list[ExpirationBlock]) -> list[str]:
    """Returns the streamer symbols of all contracts of some expirations."""
    return [
        market.listing.instrument(row).streamer_symbol
        for block in blocks
        for row in range(block.first, block.first + block.count)
    ]
