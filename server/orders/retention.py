"""Deletes expired rows soon after startup and then hourly."""

from __future__ import annotations

__all__ = ["run_retention"]

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from server.clock import Clock
from server.errors import GatewayError
from server.orders.events.log import EventLog
from server.orders.submitting.journal import OrderJournal

log = structlog.get_logger(__name__)

FIRST = timedelta(minutes=1)
"""Not at once: the start has more urgent things to do."""

EVERY = timedelta(hours=1)


@asynccontextmanager
async def run_retention(
    journal: OrderJournal, events: EventLog, clock: Clock
) -> AsyncIterator[None]:
    """Deletes expired rows while the block runs; after a failure it tries again later."""

    async def rounds() -> None:
        await clock.sleep(FIRST)
        while True:
            try:
                retired, pruned = await journal.retire(), await events.prune()
            except GatewayError as failure:
                log.warning("housekeeping failed", reason=failure.reason)
            else:
                if retired or pruned:
                    log.info("housekeeping", retired=retired, pruned=pruned)

            await clock.sleep(EVERY)

    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(rounds(), name="order housekeeping")
        try:
            yield
        finally:
            keeping.cancel()
