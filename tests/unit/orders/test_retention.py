"""Expired rows are deleted soon after a start, and then hourly."""

from __future__ import annotations

from datetime import timedelta

from server.orders.events.log import EventLog
from server.orders.retention import EVERY, FIRST, run_retention
from server.orders.risk_limits import RiskLimits
from server.orders.submitting.journal import OrderJournal, State
from server.settings import Settings
from server.store import Database
from tests.clock import ManualClock
from tests.unit.orders.test_journal import intent, record
from tests.waiting import eventually


async def test_old_answers_go_after_a_minute_and_then_every_hour(
    database: Database, database_settings: Settings, clock: ManualClock
) -> None:
    risk_limits = RiskLimits(database_settings, database, clock)
    journal = OrderJournal(database_settings, database, risk_limits, clock)
    kept = timedelta(days=database_settings.order_keys_days)

    async def answered(name: str) -> None:
        entry, _ = await record(journal, intent(name))
        await journal.settle(entry, State.ACCEPTED, answer={"order": {}}, order_id=name)

    async def has_answer(name: str) -> bool:
        entry, mine = await record(journal, intent(name))
        assert not mine, "a name stays used"
        return entry.answer is not None

    await answered("old")
    await clock.advance(EVERY.total_seconds())
    await answered("younger")
    await clock.advance((kept - EVERY).total_seconds() + 1)
    async with run_retention(journal, EventLog(database_settings, database, clock), clock):
        await clock.advance(FIRST.total_seconds() - 1)
        assert await has_answer("old")
        await clock.advance(1)
        await eventually(lambda: clock.sleeping)
        assert not await has_answer("old")
        assert await has_answer("younger")
        await clock.advance(EVERY.total_seconds())
        await eventually(lambda: clock.sleeping)
        assert not await has_answer("younger")
