"""Reads current values from the hub, waiting for those that have not come until one deadline.

The deadline is for all symbols together, and no symbol holds up the others. An index such as VIX
never sends a Quote: its last trade answers. Symbols that the feed sends nothing
of for a moment are requested from the broker's REST market data.
"""

from __future__ import annotations

__all__ = ["Fallback", "Snapshot", "snapshot"]

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.errors import GatewayError
from server.market.markets import Market
from server.market.topics import Kind, Topic

PATIENCE_S = 0.6
"""How long the feed may take before REST is asked beside it: twice what a first Quote takes."""

TRAILING_S = 0.15
"""How long a first trade may come after the first quote: they travel on channels of their own."""

Fallback = Callable[[Sequence[str]], Awaitable[Mapping[str, Any]]]
"""Asks the broker's REST market data: labels in, what it knows by label out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Holds the values that came in time, and what is missing."""

    topics: tuple[Topic, ...]
    """Topics with a value, in the order asked for; read them before the next await."""
    rest: Mapping[str, Any]
    """What only REST knew, by streamer symbol."""
    missing: tuple[str, ...]
    """Labels that neither knew in time."""
    unknown: frozenset[str]
    """The missing that REST does not know either, as it answered in time."""
    failure: GatewayError | None
    """Why REST could not be asked, or the feed has no connection, where that matters."""


async def snapshot(
    market: Market,
    kind: Kind,
    labels: Mapping[str, str],
    timeout_s: float,
    *,
    fallback: Fallback | None = None,
) -> Snapshot:
    """Returns what is known of the symbols (streamer symbol → label) within the timeout.

    Raises what the broker said when it refuses this tenant market data and there is no fallback.
    """
    async with market.hub.hold(kind, labels) as topics:
        patience = timeout_s if fallback is None else min(PATIENCE_S, timeout_s)
        promising = _promising(market, topics, patience)
        await _all_set(market, promising, "arrived", patience)
        await _all_set(market, promising, "complete", min(TRAILING_S, patience))
        silent = [labels[topic.key.symbol] for topic in topics if not topic.is_known]
        rest: Mapping[str, Any] = {}
        unknown: frozenset[str] = frozenset()
        failure: GatewayError | None = None
        if silent and fallback is not None and timeout_s > patience:
            started = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(timeout_s - patience):
                    rest = await fallback(silent)
                unknown = frozenset(silent) - rest.keys()
            except TimeoutError:
                pass
            except GatewayError as error:
                failure = error
                spent = asyncio.get_running_loop().time() - started
                await _all_set(market, topics, "arrived", timeout_s - patience - spent)

        have = tuple(topic for topic in topics if topic.is_known)
        unheard = [(t.key.symbol, labels[t.key.symbol]) for t in topics if not t.is_known]
        missing = tuple(label for _, label in unheard if label not in rest)
        if not have and not rest:
            market.feed.ensure_allowed()
        if missing and fallback is None:
            failure = market.feed.failure
        return Snapshot(
            topics=have,
            rest={symbol: rest[label] for symbol, label in unheard if label in rest},
            missing=missing,
            unknown=unknown.intersection(missing),
            failure=failure,
        )


def _promising(market: Market, topics: Sequence[Topic], patience_s: float) -> list[Topic]:
    """Returns the topics worth waiting for: an index that never had a Quote will not get one."""
    hub = market.hub
    return [
        topic
        for topic in topics
        if not (topic.filled or (hub.live and hub.age_of(topic) > patience_s))
    ]


async def _all_set(market: Market, topics: Sequence[Topic], event: str, limit_s: float) -> None:
    """Returns when the event of all topics is set, the broker refuses, or the limit has passed."""
    events = [getattr(topic, event) for topic in topics]
    if limit_s <= 0 or all(event.is_set() for event in events):
        return

    waits = [
        asyncio.create_task(_wait(*events)),
        asyncio.create_task(_wait(market.feed.refused)),
    ]
    try:
        await asyncio.wait(waits, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _wait(*events: asyncio.Event) -> None:
    for event in events:
        await event.wait()
