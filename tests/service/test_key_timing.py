"""Row 12 of the promises: how long a refusal takes tells nothing about the keys that exist.

The measure is the rank test of Mann and Whitney between wrong keys that begin like a real one and
wrong keys that do not. One time in a hundred it finds a difference where none is, so a leak is what
is found in every one of several rounds.
"""

from __future__ import annotations

import asyncio
import gc
import math
import random
import string
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from server.clock import SystemClock
from server.errors import InvalidApiKey
from server.secret import Secret
from server.settings import Settings
from server.tenants import Credentials, Tenants
from server.tenants.apikeys import KeyHasher
from server.tenants.roster import Roster

KEY = "Zk3JtQ8vWm2cR7yH1xN5bA9pS4dF6gL0"
SIGNIFICANT = 0.01
ROUNDS = 5

Refusal = Callable[[Secret], Awaitable[None]]


def wrong_key(generator: random.Random, equal: int) -> Secret:
    """Returns a key of the same length of which the first `equal` characters are right."""
    rest = generator.choices(string.ascii_letters + string.digits, k=len(KEY) - equal)
    rest[0] = "!" if rest[0] == KEY[equal] else rest[0]
    return Secret(KEY[:equal] + "".join(rest))


def likeness(near: list[int], far: list[int]) -> float:
    """Returns the two-sided p of Mann and Whitney's U, by its normal approximation."""
    times = np.array(near + far, dtype=float)
    _, places, counts = np.unique(times, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = ((ends - counts + 1 + ends) / 2)[places]  # equal times share the mean of their ranks
    n, m = len(near), len(far)
    u = ranks[:n].sum() - n * (n + 1) / 2
    ties = (counts.astype(float) ** 3 - counts).sum() / ((n + m) * (n + m - 1))
    spread = math.sqrt(n * m / 12 * (n + m + 1 - ties))
    return math.erfc(abs(u - n * m / 2) / spread / math.sqrt(2))


async def measure(refuse: Refusal, keys: int, seed: int) -> float:
    """Times refusals in random order and returns how alike the two kinds are."""
    generator = random.Random(seed)
    half = len(KEY) // 2
    equal = [generator.randrange(len(KEY)) for _ in range(keys)]
    given = [(kind >= half, wrong_key(generator, kind)) for kind in equal]
    times: dict[bool, list[int]] = {True: [], False: []}
    gc.disable()
    try:
        for near, key in given:
            begun = time.perf_counter_ns()
            await refuse(key)
            times[near].append(time.perf_counter_ns() - begun)
    finally:
        gc.enable()

    return likeness(times[True], times[False])


async def tells_something(refuse: Refusal, keys: int) -> bool:
    for seed in range(ROUNDS):
        if await measure(refuse, keys, seed) > SIGNIFICANT:
            return False

    return True


async def test_the_lookup_takes_as_long_for_near_keys_as_for_far_ones() -> None:
    """Without the database, whose noise would hide what a comparison of keys gives away."""
    hasher = KeyHasher(b"k" * 32, "production")
    roster = Roster("production")

    async def refuse(key: Secret) -> None:
        assert roster.find(hasher.digest(key)) is None

    assert not await tells_something(refuse, 20_000)


async def test_a_whole_refusal_takes_as_long_for_near_keys_as_for_far_ones(tmp_path: Path) -> None:
    settings = Settings(broker="production", data_dir=tmp_path)
    async with Tenants(settings, SystemClock()) as tenants:
        secrets = Credentials(client_secret=Secret("s"), refresh_token=Secret("t"))
        await tenants.save(Secret(KEY), secrets)

        async def refuse(key: Secret) -> None:
            with pytest.raises(InvalidApiKey):
                await tenants.authenticate(key)

        assert not await tells_something(refuse, 1000)


async def test_the_measure_finds_a_leak_where_there_is_one() -> None:
    async def leak(key: Secret) -> None:
        """Compares as people do who have not heard of this: until the first difference."""
        for given, right in zip(key.reveal(), KEY, strict=True):
            if given != right:
                return

        await asyncio.sleep(0)

    assert await tells_something(leak, 2000)
