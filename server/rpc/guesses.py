"""Slows down the guessing of keys, by the network that the guesses come from.

After some wrong keys, each key that has not lately worked from that network waits for a turn
before it is looked at, right or wrong: else the fast answers would be the right keys. Keys that
have lately worked from there are not held up, so neither the owner of a key nor a neighbour behind
the same address is shut out by somebody who guesses.
"""

from __future__ import annotations

__all__ = ["GuessBrake", "GuessStatistics"]

import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b

from server.clock import Clock
from server.errors import TooManyWrongKeys

FREE = 10
"""Wrong keys of a network within `SPAN_S` that nobody waits for: typing errors."""

SPAN_S = 60.0

INTERVAL_S = 1.0
"""Time between two keys of a network that are looked at once it is slowed."""

LONGEST_S = 20.0
"""Longest wait; beyond it a key is refused without being looked at."""

NETWORKS = 10_000
"""Networks of which wrong keys are remembered; the ones that were idle longest are forgotten."""

PAIRS = 50_000
"""Keys, by network, that are remembered to have worked."""

LATELY_S = 7 * 24 * 3600.0
"""How long a key that worked is remembered without being used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessStatistics:
    networks: int
    """Networks that a key came from which had not lately worked from there."""
    pairs: int
    slowed: int
    """Keys that had to wait for their turn."""
    refused: int
    """Keys that were not looked at, for the wait would have been too long."""


@dataclass(slots=True)
class _Network:
    misses: deque[float] = field(default_factory=lambda: deque(maxlen=FREE))
    """When keys were looked at that did not prove right, newest last."""
    free_at: float = 0.0
    """When the next turn is."""


class GuessBrake:
    """Gives turns to keys that are not known to work; holds no key, only digests of its own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._networks: OrderedDict[str, _Network] = OrderedDict()
        self._worked: OrderedDict[bytes, float] = OrderedDict()
        self._slowed = self._refused = 0

    def pair(self, network: str, key: str) -> bytes:
        """Returns what a key of a network is remembered as."""
        text = f"{network}\0{key}".encode("utf-8", "surrogatepass")
        return blake2b(text, digest_size=16, key=self._secret).digest()

    def worked_lately(self, pair: bytes) -> bool:
        """Tells whether the key need not wait."""
        used_at = self._worked.get(pair)
        return used_at is not None and self._clock.monotonic() - used_at < LATELY_S

    async def turn(self, network: str, deadline: float | None) -> float:
        """Returns when the key may be looked at, and counts it as wrong until `right` is called.

        So of many at once only as many pass as wrong ones would, and a caller who leaves before the
        answer, or whom the store could not answer, has had a try. Raises TooManyWrongKeys where the
        wait would be too long, or pass the deadline. Returns the moment that `right` takes.
        """
        found = self._network(network)
        now = self._clock.monotonic()
        while found.misses and found.misses[0] <= now - SPAN_S:
            found.misses.popleft()

        if len(found.misses) >= FREE:
            now = await self._wait(found, now, deadline)

        found.misses.append(now)
        return now

    def right(self, network: str, pair: bytes, looked_at: float | None = None) -> None:
        """Remembers a key that has worked; what `turn` counted for it (if anything) is undone."""
        self._worked[pair] = self._clock.monotonic()
        self._worked.move_to_end(pair)
        if len(self._worked) > PAIRS:
            self._worked.popitem(last=False)

        found = self._networks.get(network)
        if looked_at is not None and found is not None and looked_at in found.misses:
            found.misses.remove(looked_at)

    def wrong(self, network: str, pair: bytes) -> None:
        """Counts a key that worked once and does no more, for which `turn` was not asked."""
        if self._worked.pop(pair, None) is not None:
            self._network(network).misses.append(self._clock.monotonic())

    def statistics(self) -> GuessStatistics:
        return GuessStatistics(
            networks=len(self._networks),
            pairs=len(self._worked),
            slowed=self._slowed,
            refused=self._refused,
        )

    async def _wait(self, found: _Network, now: float, deadline: float | None) -> float:
        due = max(now, found.free_at)
        if due - now > LONGEST_S or (deadline is not None and due > deadline):
            self._refused += 1
            raise TooManyWrongKeys(wait_s=due - now)

        found.free_at = due + INTERVAL_S
        self._slowed += 1
        if due > now:
            await self._clock.sleep(timedelta(seconds=due - now))

        return self._clock.monotonic()

    def _network(self, network: str) -> _Network:
        found = self._networks.get(network)
        if found is None:
            found = self._networks[network] = _Network()
            if len(self._networks) > NETWORKS:
                self._networks.popitem(last=False)
        else:
            self._networks.move_to_end(network)

        return found
