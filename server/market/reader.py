"""One reader of a hub: what a streaming rpc sends, in order, until the client leaves.

A reader holds no queue. It remembers the version of its last batch; what it gets next is whatever
changed since, so a slow reader costs no memory and always catches up with one message.
"""

from __future__ import annotations

__all__ = ["Heartbeat", "Item", "read"]

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.clock import Clock
from server.market.hub import Condition, Group, Hub


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Nothing new came for the interval that the client chose, and the stream is alive."""

    at: datetime
    live: bool
    conflated: int
    """Updates that this reader has not seen, since newer ones replaced them, from the start on."""


Item = bytes | Condition | Heartbeat
"""A batch, ready to be sent as it is, or something that the rpc puts into its own words."""


async def read(
    hub: Hub,
    group: Group,
    clock: Clock,
    *,
    min_interval: timedelta,
    heartbeat: timedelta,
    ended: Callable[[], bool] = lambda: False,
) -> AsyncGenerator[Item, None]:
    """Yields the snapshot of what is known, then batches, conditions and heartbeats.

    Batches come at most once in `min_interval`, on a grid common to all readers of that interval,
    so that they share the join. Ends when `ended()` is true; cancellation passes through.
    """
    step = min_interval.total_seconds()
    quiet = heartbeat.total_seconds()
    seen = hub.version
    told = seen
    updates = group.updates
    delivered = 0
    first, count = group.collect(0, snapshot=True)
    if count:
        yield first

    last_sent = clock.monotonic()
    while not ended():
        conditions = hub.conditions_since(told)
        for condition in conditions:
            told = condition.version
            yield condition
        if conditions:
            last_sent = clock.monotonic()

        if group.version > seen:
            if step:
                now = clock.monotonic()
                await clock.sleep(timedelta(seconds=step - now % step))
            since, seen = seen, group.version
            batch, count = group.collect(since, snapshot=False)
            if count:
                delivered += count
                hub.deliveries += count
                yield batch
                last_sent = clock.monotonic()
            continue

        if clock.monotonic() - last_sent >= quiet:
            yield Heartbeat(
                at=clock.now(),
                live=hub.live,
                conflated=max(0, group.updates - updates - delivered),
            )
            last_sent = clock.monotonic()
            continue

        await group.woken()
