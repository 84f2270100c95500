"""The log of account events, on both databases: numbered, nothing twice, newest last."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import fields, make_dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select, update

from server.brokerage.api.balances import Balances
from server.brokerage.api.json_reader import ParseFaults
from server.brokerage.api.positions import Position
from server.brokerage.streaming.alert import Alert
from server.errors import CursorNotKept
from server.orders.events.log import EventLog
from server.orders.events.object_states import (
    EventKind,
    ObjectState,
    state_of_alert,
    state_of_closing,
)
from server.orders.model.schema import account_objects
from server.settings import Settings
from server.store import Database
from tests.clock import ManualClock

ACCOUNT = "5WT00001"
NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)


@pytest.fixture
def log(database: Database, database_settings: Settings, clock: ManualClock) -> EventLog:
    chosen = database_settings.model_copy(update={"account_events_days": 1})
    return EventLog(chosen, database, clock)


def alert(kind: str, **data: Any) -> ObjectState:
    named = {name.replace("_", "-"): value for name, value in data.items()}
    body = {"account-number": ACCOUNT, **named}
    report = state_of_alert(Alert(kind=kind, data=body, sent_at=NOON), ParseFaults())
    assert report is not None
    return report


def order(status: str = "Live", at: int = 0, fills: int = 0, **data: Any) -> ObjectState:
    """Returns an order after `at` seconds, with so many fills."""
    executed = [
        {
            "fill-id": f"f{n}",
            "quantity": 1,
            "fill-price": "1.0",
            "filled-at": (NOON + timedelta(seconds=n)).isoformat(),
        }
        for n in range(fills)
    ]
    stamp = int((NOON + timedelta(seconds=at)).timestamp() * 1000)
    legs = [{"symbol": "KO", "fills": executed}]
    return alert("Order", id=7, status=status, updated_at=stamp, legs=legs, **data)


async def kinds(log: EventLog, sequence: int = 0) -> list[tuple[int, str, str | None]]:
    events = await log.after(ACCOUNT, sequence)
    return [(each.sequence, each.kind.value, each.fill_id) for each in events]


async def test_events_are_numbered_fills_first(log: EventLog) -> None:
    await log.append(ACCOUNT, [order("Live"), order("Filled", 1, fills=2)])
    assert await kinds(log) == [
        (1, "order", None),
        (2, "fill", "f0"),
        (3, "fill", "f1"),
        (4, "order", None),
    ]
    assert await log.newest(ACCOUNT) == 4


async def test_what_was_told_is_not_told_again(log: EventLog) -> None:
    states = [order("Live"), order("Live", 1, fills=1), order("Filled", 2, fills=2)]
    await log.append(ACCOUNT, states)
    before = await kinds(log)
    for again in (states, states[::-1], states[:1], [states[2]] * 3):
        await log.append(ACCOUNT, again, recovered=True)
    assert await kinds(log) == before


async def test_an_older_state_does_not_follow_a_newer_one(log: EventLog) -> None:
    await log.append(ACCOUNT, [order("Filled", 5, fills=1)])
    await log.append(ACCOUNT, [order("Live", 2)])
    assert [kind for _, kind, _ in await kinds(log)] == ["fill", "order"]


async def test_two_states_of_one_millisecond_are_two_events(log: EventLog) -> None:
    await log.append(ACCOUNT, [order("Routed"), order("In Flight"), order("Routed")])
    assert len(await kinds(log)) == 2


async def test_a_fill_is_told_once_however_often_its_order_is(log: EventLog) -> None:
    for at in range(1, 6):
        await log.append(ACCOUNT, [order("Live", at, fills=at)])
    fills = [fill for _, kind, fill in await kinds(log) if kind == "fill"]
    assert fills == ["f0", "f1", "f2", "f3", "f4"]


async def test_a_beginning_is_silent_and_what_follows_is_told(log: EventLog) -> None:
    assert (await log.known(ACCOUNT)).is_new
    await log.append(ACCOUNT, [order("Live", 0, fills=1)], silent=True, checked=True)
    assert await kinds(log) == []
    known = await log.known(ACCOUNT)
    assert (known.is_new, known.working_orders) == (False, frozenset({"7"}))
    await log.append(ACCOUNT, [order("Filled", 1, fills=2)])
    assert await kinds(log) == [(1, "fill", "f1"), (2, "order", None)]
    assert (await log.known(ACCOUNT)).working_orders == frozenset()


async def test_a_position_that_returns_to_its_size_is_told_each_time(log: EventLog) -> None:
    sizes = [
        alert(
            "CurrentPosition",
            symbol="KO",
            quantity=quantity,
            quantity_direction="Long",
            updated_at=(NOON + timedelta(seconds=at)).isoformat(),
        )
        for at, quantity in enumerate((5, 6, 5))
    ]
    await log.append(ACCOUNT, sizes)
    assert len(await kinds(log)) == 3
    assert (await log.known(ACCOUNT)).open_positions == frozenset({"KO"})
    gone = state_of_closing(dict(sizes[-1].body), NOON + timedelta(seconds=9))
    await log.append(ACCOUNT, [gone])
    assert (await log.known(ACCOUNT)).open_positions == frozenset()


async def test_marks_that_move_are_no_change_of_a_position(log: EventLog) -> None:
    def marked(mark: str) -> ObjectState:
        return alert(
            "CurrentPosition",
            symbol="KO",
            quantity=5,
            quantity_direction="Long",
            mark=mark,
            mark_price=mark,
            updated_at=NOON.isoformat(),
        )

    await log.append(ACCOUNT, [marked("1.0"), marked("2.0")])
    assert len(await kinds(log)) == 1


async def test_balances_are_told_when_they_change(log: EventLog) -> None:
    def balance(cash: str, at: int) -> ObjectState:
        moment = (NOON + timedelta(seconds=at)).isoformat()
        return alert("AccountBalance", cash_balance=cash, updated_at=moment)

    told = [balance("1.0", 0), balance("1.0", 1), balance("2.0", 2), balance("1.0", 3)]
    await log.append(ACCOUNT, told)
    await log.append(ACCOUNT, told[:3])
    assert len(await kinds(log)) == 3


BALANCE = {"cash_balance": "1.00", "updated_at": NOON.isoformat()}
HOLDING = {
    "symbol": "KO",
    "quantity": 5,
    "quantity_direction": "Long",
    "mark": "1.0",
    "updated_at": NOON.isoformat(),
}


def states() -> list[ObjectState]:
    part = {"id": 8, "status": "Live", "price": "1.00", "price-effect": "Debit"}
    return [
        order("Live", 1, fills=2, price="1.00", price_effect="Debit"),
        alert("ComplexOrder", id=9, type="OTO", trigger_order=part, orders=[part, part]),
        alert("CurrentPosition", **HOLDING),
        alert("AccountBalance", **BALANCE),
    ]


async def test_a_field_that_is_added_to_a_domain_class_makes_no_event(log: EventLog) -> None:
    await log.append(ACCOUNT, states())
    before = await kinds(log)
    for state in states():
        kind = type(state.value)
        grown = make_dataclass(
            kind.__name__, [("novelty", str)], bases=(kind,), frozen=True, kw_only=True
        )
        known = {each.name: getattr(state.value, each.name) for each in fields(kind)}
        value = grown(**known, novelty="of the next release")
        assert "novelty" in repr(value)
        await log.append(ACCOUNT, [replace(state, value=value)])
        assert replace(state, value=value).digest("") == state.digest("")

    assert await kinds(log) == before


async def test_a_number_or_a_moment_that_is_written_otherwise_makes_no_event(log: EventLog) -> None:
    await log.append(ACCOUNT, states())
    before = await kinds(log)
    moment = NOON.astimezone(timezone(timedelta(hours=-5))).isoformat()
    await log.append(
        ACCOUNT,
        [
            order("Live", 1, fills=2, price="1.0", price_effect="Debit"),
            alert("CurrentPosition", **HOLDING | {"quantity": "5.000", "updated_at": moment}),
            alert("AccountBalance", **BALANCE | {"cash_balance": "1"}),
        ],
    )
    assert await kinds(log) == before


def test_the_first_version_is_what_repr_gives() -> None:
    order_, whole, position, balances = states()
    assert isinstance(position.value, Position)
    assert isinstance(balances.value, Balances)
    steady = replace(position.value, mark=None, mark_price=None, close_price=None, updated_at=None)
    for state, text in (
        (order_, repr(order_.value)),
        (whole, repr(whole.value)),
        (position, repr((steady, position.stamp))),
        (balances, repr(replace(balances.value, updated_at=None))),
    ):
        assert state.digest("") == hashlib.sha256(text.encode()).hexdigest()[:24]


async def stored(database: Database) -> set[str]:
    async with database.read() as connection:
        rows = await connection.execute(select(account_objects.c.digests))
        return {digest for row in rows for digest in json.loads(row.digests)}


async def store_as(database: Database, digest: Callable[[ObjectState], str]) -> None:
    """Writes the digests as another release did."""
    async with database.write() as connection:
        for state in states():
            mine = (
                account_objects.c.kind == state.kind.value,
                account_objects.c.name == state.name,
            )
            values = {"digests": json.dumps([digest(state)])}
            await connection.execute(update(account_objects).where(*mine).values(values))


async def test_a_new_version_compares_by_the_old_one_and_announces_what_changed(
    log: EventLog, database: Database
) -> None:
    await log.append(ACCOUNT, states())
    await store_as(database, lambda state: state.digest(""))
    assert not any(":" in digest for digest in await stored(database))
    newest = await log.newest(ACCOUNT)
    changed = alert("AccountBalance", **BALANCE | {"cash_balance": "2.00"})
    await log.append(ACCOUNT, [*states()[:3], changed])
    assert await kinds(log, newest) == [(newest + 1, "balance", None)]
    assert len([digest for digest in await stored(database) if digest.startswith("1:")]) == 4
    assert log.statistics().seeded == 0


async def test_a_digest_that_cannot_be_read_is_seeded_and_counted(
    log: EventLog, database: Database
) -> None:
    await log.append(ACCOUNT, states())
    await store_as(database, lambda state: "99:of-a-later-release")
    newest = await log.newest(ACCOUNT)
    await log.append(ACCOUNT, states())
    assert await log.newest(ACCOUNT) == newest
    assert log.statistics().seeded == 4
    await log.append(ACCOUNT, [*states(), order("Filled", 2, fills=3)])
    assert await kinds(log, newest) == [(newest + 1, "fill", "f2"), (newest + 2, "order", None)]
    assert log.statistics().seeded == 4


@pytest.mark.parametrize(
    "strange",
    [
        Alert(kind="QuoteAlert", data={}, sent_at=None),
        Alert(kind="Order", data={}, sent_at=None),
        Alert(kind="Order", data={"id": None}, sent_at=None),
        Alert(kind="CurrentPosition", data={"symbol": "KO"}, sent_at=None),
        Alert(kind="Novelty", data={"id": 1}, sent_at=None),
    ],
)
def test_what_cannot_be_read_is_no_event(strange: Alert) -> None:
    assert state_of_alert(strange, ParseFaults()) is None


async def test_cursors_belong_to_an_account_and_a_log(log: EventLog) -> None:
    await log.append(ACCOUNT, [order("Live"), order("Filled", 1)])
    cursor = await log.cursor(ACCOUNT, 1)
    assert await log.position(ACCOUNT, cursor) == 1
    _, _, log_id = cursor.partition(".")
    for wrong in (
        *("", "1", "x", ".", "-1", f"3.{log_id}", f"-1.{log_id}", f"1e1.{log_id}", "1.ffffffff"),
        f"{'9' * 30}.{log_id}",
        cursor + "0",
    ):
        with pytest.raises(CursorNotKept):
            await log.position(ACCOUNT, wrong)
    with pytest.raises(CursorNotKept):
        await log.position("5WT00002", cursor)


async def test_old_events_go_and_their_cursors_with_them(log: EventLog, clock: ManualClock) -> None:
    await log.append(ACCOUNT, [order("Live"), order("Live", 1)])
    old = await log.cursor(ACCOUNT, 1)
    newest = await log.cursor(ACCOUNT, 2)
    await clock.advance(timedelta(days=2).total_seconds())
    assert await log.prune() == 2
    with pytest.raises(CursorNotKept):
        await log.position(ACCOUNT, old)
    assert await log.position(ACCOUNT, newest) == 2
    await log.append(ACCOUNT, [order("Filled", 2)])
    assert [each.sequence for each in await log.after(ACCOUNT, 2)] == [3]
    with pytest.raises(CursorNotKept):
        await log.after(ACCOUNT, 1)


async def test_accounts_have_logs_of_their_own(log: EventLog) -> None:
    await log.append(ACCOUNT, [order()])
    await log.append("5WT00002", [order()])
    assert await log.newest("5WT00002") == 1
    (event,) = await log.after("5WT00002", 0)
    assert event.account_number == "5WT00002"


async def test_two_that_follow_one_account_write_one_log(log: EventLog) -> None:
    states = [order("Live", at, fills=at) for at in range(20)]
    await asyncio.gather(
        *(log.append(ACCOUNT, [state]) for state in states),
        *(log.append(ACCOUNT, [state]) for state in states),
    )
    events = await log.after(ACCOUNT, 0)
    assert [each.sequence for each in events] == list(range(1, len(events) + 1))
    fills = [each.fill_id for each in events if each.kind is EventKind.FILL]
    assert len(fills) == len(set(fills)) == 19
