"""Replaces old entries of the journal by a checkpoint, in the background.

A step reads some thousand entries, verifies and summarises them in a thread, and then writes the
checkpoint and deletes those entries in one short transaction. Several processes may do it at once:
the second one finds that the checkpoint has changed, and stops.
"""

from __future__ import annotations

__all__ = ["EVERY", "Compaction", "CompactionStatistics"]

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from server.errors import StoreUnavailable
from server.store import Database
from server.tenants.change import GENESIS, Change, JournalBroken
from server.tenants.checkpoint import Checkpoint, folded
from server.tenants.journal import Journal

logger = logging.getLogger(__name__)

EVERY = 4_000
"""Number of entries that starts a run; verifying as many at start takes a tenth of a second."""

STEP = 20_000
"""Entries per transaction, for a journal of millions from before checkpoints existed."""

Alone = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
"""Opens the only transaction that changes tenants at the moment, with the journal verified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionStatistics:
    checkpoint: int
    """Number of the last entry in the newest checkpoint that this process knows; 0: none."""
    steps: int


class Compaction:
    """Keeps the journal short; at most one run at a time in this process."""

    def __init__(
        self,
        journal: Journal,
        database: Database,
        alone: Alone,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._journal = journal
        self._database = database
        self._alone = alone
        self._tasks = tasks
        self._running = self._stopping = False
        self._checkpoint = self._steps = 0

    def noticed(self, sequence: int) -> None:
        """Records that there is a newer checkpoint."""
        self._checkpoint = max(self._checkpoint, sequence)

    def consider(self, newest: int) -> None:
        """Starts a run in the background if there are enough entries."""
        if newest - self._checkpoint >= EVERY and not self._running:
            self._running = True
            self._tasks.create_task(self._run(), name="tenants: compaction")

    def stop(self) -> None:
        """Stops the run after its current step, and starts no other."""
        self._stopping = True

    def statistics(self) -> CompactionStatistics:
        return CompactionStatistics(checkpoint=self._checkpoint, steps=self._steps)

    async def _run(self) -> None:
        try:
            while not self._stopping and await self._step():
                pass
        except (StoreUnavailable, JournalBroken) as error:
            # Nothing is lost: the entries are there, and the next save begins another run.
            logger.warning("the journal of API keys was not compacted: %s", error)
        finally:
            self._running = False

    async def _step(self) -> bool:
        """Replaces some entries; returns whether there may be more."""
        async with self._database.read() as connection:
            old = await self._journal.checkpoint(connection)
            start = GENESIS if old is None else old.head
            self.noticed(start.sequence)
            changes = await self._following(connection, start)

        if len(changes) < EVERY:
            return False

        made = await asyncio.to_thread(self._made, old, changes)
        async with self._alone() as connection:
            now = await self._journal.checkpoint_at(connection)
            if now != (None if old is None else start.sequence):
                self.noticed(now or 0)
                return False  # another process was quicker

            # What this process knows was found in this transaction; what leads there from the new
            # head has to fit too, so that no other history becomes what the journal begins with.
            await self._journal.after(connection, changes[-1])
            await self._journal.replace_checkpoint(connection, made)

        self._steps += 1
        self.noticed(changes[-1].sequence)
        logger.info("the journal of API keys begins at entry %d now", changes[-1].sequence)
        return True

    async def _following(self, connection: AsyncConnection, head: Change) -> list[Change]:
        found: list[Change] = []
        while len(found) < STEP:
            news = await self._journal.after(connection, found[-1] if found else head)
            found += news.changes
            if not news.more:
                break

        return found

    def _made(self, old: Checkpoint | None, changes: Sequence[Change]) -> dict[str, Any]:
        kept = folded({} if old is None else old.kept, changes)
        checkpoint = Checkpoint(head=changes[-1], kept=kept)
        return self._journal.pack(checkpoint, before=changes[-2].mac)
