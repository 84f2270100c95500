"""The order journal and the risk limits on both databases: what is written when, and who may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from server.errors import (
    NotPriceable,
    OverDayCap,
    OverOrderCap,
    SymbolNotAllowed,
    TradingReadOnly,
)
from server.orders.risk_limits import NONE, RiskLimits, Switches
from server.orders.submitting.journal import (
    Entry,
    Intent,
    OrderJournal,
    ReconciliationResult,
    Recorded,
    State,
)
from server.settings import Settings
from server.store import Database
from tests.clock import ManualClock

ACCOUNT = "5WT00001"


def intent(name: str = "one", **fields: Any) -> Intent:
    known: dict[str, Any] = {
        "account_number": ACCOUNT,
        "client_order_id": name,
        "tenant_id": "tenant",
        "kind": "place",
        "digest": "d",
        "notional": Decimal(100),
        "symbols": ("SPY",),
        "request": {"spec": None},
    }
    return Intent(**known | fields)


async def record(journal: OrderJournal, wanted: Intent) -> tuple[Entry, bool]:
    """Returns the row of an intent and whether this call wrote it."""
    result = await journal.record(wanted)
    return result.entry, isinstance(result, Recorded)


@pytest.fixture
def make(
    database: Database, database_settings: Settings, clock: ManualClock
) -> Callable[..., tuple[OrderJournal, RiskLimits]]:
    """Returns a journal with its risk limits; arguments are settings."""

    def made(**settings: Any) -> tuple[OrderJournal, RiskLimits]:
        chosen = database_settings.model_copy(update=settings)
        risk_limits = RiskLimits(chosen, database, clock)
        return OrderJournal(chosen, database, risk_limits, clock), risk_limits

    return made


@pytest.fixture
def journal(make: Callable[..., tuple[OrderJournal, RiskLimits]]) -> OrderJournal:
    return make()[0]


async def test_a_name_is_written_once(journal: OrderJournal) -> None:
    first, mine = await record(journal, intent())
    again, not_mine = await record(journal, intent())
    assert (mine, not_mine) == (True, False)
    assert first == again
    assert first.state is State.RECORDED
    assert await journal.find(ACCOUNT, "one") == first
    assert await journal.find(ACCOUNT, "two") is None


async def test_of_many_at_once_one_writes(journal: OrderJournal) -> None:
    found = await asyncio.gather(*(record(journal, intent()) for _ in range(20)))
    assert sum(mine for _, mine in found) == 1
    assert len({entry.id for entry, _ in found}) == 1


async def test_the_same_name_in_another_account_is_another(journal: OrderJournal) -> None:
    await record(journal, intent())
    _, mine = await record(journal, intent(account_number="5WT00002"))
    assert mine


async def test_each_step_starts_from_the_right_state(journal: OrderJournal) -> None:
    entry, _ = await record(journal, intent())
    assert await journal.mark_sending(entry)
    assert not await journal.mark_sending(entry)
    await journal.settle(entry, State.ACCEPTED, answer={"order": {"id": 1}}, order_id="1")
    await journal.settle(entry, State.REFUSED, answer={"words": "late"})
    found = await journal.get(entry)
    assert (found.state, found.order_id, found.answer) == (
        State.ACCEPTED,
        "1",
        {"order": {"id": 1}},
    )


async def test_what_was_only_recorded_is_freed_and_may_go_again(journal: OrderJournal) -> None:
    entry, _ = await record(journal, intent())
    assert await journal.release_recorded() == 1
    assert not await journal.mark_sending(entry), "whoever was about to send it does not"
    again, mine = await record(journal, intent())
    assert mine
    assert again.state is State.RECORDED


async def test_who_was_overtaken_can_neither_send_nor_settle_what_another_sends(
    journal: OrderJournal,
) -> None:
    # Two servers on one store, as in a restart: the old one has recorded an order, the new one
    # frees the row at its start, and the caller's repeat goes to the new one.
    slow, _ = await record(journal, intent())
    await journal.release_recorded()
    quick, mine = await record(journal, intent())
    assert mine
    assert not await journal.mark_sending(slow), "the row is another's by now"
    assert await journal.mark_sending(quick)
    await journal.settle(slow, State.UNSENT)
    assert (await journal.get(slow)).state is State.SENDING, "or a third call would send it again"
    await journal.settle(quick, State.ACCEPTED, answer={"order": {}}, order_id="7")
    assert (await journal.get(quick)).state is State.ACCEPTED


async def test_what_was_being_sent_is_not_freed(journal: OrderJournal) -> None:
    entry, _ = await record(journal, intent())
    await journal.mark_sending(entry)
    assert await journal.release_recorded() == 0
    assert [each.id for each in await journal.open_entries()] == [entry.id]


async def test_an_unsent_name_stays_bound_to_its_order(journal: OrderJournal) -> None:
    entry, _ = await record(journal, intent())
    await journal.settle(entry, State.UNSENT)
    other, mine = await record(journal, intent(digest="another"))
    assert not mine
    assert other.digest == "d"


async def test_absence_is_counted_and_proves_nothing(
    journal: OrderJournal, clock: ManualClock
) -> None:
    entry, _ = await record(journal, intent())
    await journal.mark_sending(entry)
    await journal.note_reading([ReconciliationResult(entry=entry, state=State.UNKNOWN)])
    seen = await journal.get(entry)
    assert (seen.looks, seen.first_look_at) == (1, clock.now())
    found = ReconciliationResult(
        entry=seen, state=State.ACCEPTED, answer={"order": {}}, order_id="7"
    )
    await journal.note_reading([ReconciliationResult(entry=seen, state=State.NOT_SEEN), found])
    settled = await journal.get(entry)
    assert (settled.state, settled.order_id, settled.looks) == (State.ACCEPTED, "7", 2)


async def test_answers_are_let_go_after_their_time_and_names_never(
    make: Callable[..., tuple[OrderJournal, RiskLimits]], clock: ManualClock
) -> None:
    journal, _ = make(order_keys_days=30)
    entry, _ = await record(journal, intent())
    await journal.settle(entry, State.ACCEPTED, answer={"order": {}}, order_id="7")
    await clock.advance(timedelta(days=29.9).total_seconds())
    assert await journal.retire() == 0
    await clock.advance(timedelta(days=0.2).total_seconds())
    assert await journal.retire() == 1
    again, mine = await record(journal, intent())
    assert not mine
    assert (again.state, again.answer, again.order_id) == (State.ACCEPTED, None, "7")


async def test_a_cancel_of_ours_is_remembered(journal: OrderJournal) -> None:
    assert not await journal.before_cancel("tenant", ACCOUNT, "7")
    entry, _ = await record(journal, intent(kind="cancel", target_id="7"))
    assert not await journal.before_cancel("tenant", ACCOUNT, "7"), "it has not been sent"
    await journal.mark_sending(entry)
    assert await journal.before_cancel("tenant", ACCOUNT, "7")
    await journal.settle(entry, State.REFUSED, answer={})
    assert not await journal.before_cancel("tenant", ACCOUNT, "7")


async def test_without_switches_everything_passes(journal: OrderJournal) -> None:
    _, mine = await record(journal, intent(notional=None))
    assert mine


@pytest.mark.parametrize("whose", ["server", "API key"])
async def test_each_switch_refuses_and_writes_nothing(
    make: Callable[..., tuple[OrderJournal, RiskLimits]], whose: str
) -> None:
    cases: list[tuple[dict[str, Any], dict[str, Any], type[Exception]]] = [
        ({"read_only": True}, {}, TradingReadOnly),
        ({"order_cap": Decimal("99.99")}, {}, OverOrderCap),
        ({"day_cap": Decimal("99.99")}, {}, OverDayCap),
        ({"symbols": "AAPL,/ES"}, {}, SymbolNotAllowed),
        ({"order_cap": Decimal(1000)}, {"notional": None}, NotPriceable),
    ]
    for number, (switch, wanted, refusal) in enumerate(cases):
        server = {f"orders_{name}": value for name, value in switch.items()}
        journal, risk_limits = make(**(server if whose == "server" else {}))
        if whose == "API key":
            symbols = frozenset(str(switch.get("symbols", "")).split(",")) - {""}
            await risk_limits.put("tenant", Switches(**{**switch, "symbols": symbols}))

        with pytest.raises(refusal) as refused:
            await record(journal, intent(f"case-{number}", **wanted))
        if refusal is not NotPriceable:
            assert f"this {whose}" in str(refused.value)
            assert refused.value.metadata["switch"] in str(refused.value)
        assert await journal.find(ACCOUNT, f"case-{number}") is None
        await risk_limits.put("tenant", NONE)


async def test_a_product_allows_its_futures(
    make: Callable[..., tuple[OrderJournal, RiskLimits]],
) -> None:
    journal, _ = make(orders_symbols="SPY, /es")
    assert (await record(journal, intent("a", symbols=("SPY",))))[1]
    assert (await record(journal, intent("b", symbols=("/ESZ6",))))[1]
    with pytest.raises(SymbolNotAllowed):
        await record(journal, intent("c", symbols=("/NQZ6",)))


async def test_fifty_parallel_orders_stay_below_one_cap(
    make: Callable[..., tuple[OrderJournal, RiskLimits]],
) -> None:
    journal, risk_limits = make()
    await risk_limits.put("tenant", Switches(day_cap=Decimal(1000)))
    found = await asyncio.gather(
        *(record(journal, intent(f"{n}", notional=Decimal(70))) for n in range(50)),
        return_exceptions=True,
    )
    passed = [each for each in found if not isinstance(each, BaseException)]
    assert len(passed) == 14  # 14 x 70 = 980
    assert all(isinstance(each, OverDayCap) for each in found if isinstance(each, Exception))


async def test_what_was_not_sent_gives_its_reservation_back(
    make: Callable[..., tuple[OrderJournal, RiskLimits]], clock: ManualClock
) -> None:
    journal, risk_limits = make()
    await risk_limits.put("tenant", Switches(day_cap=Decimal(100)))
    first, _ = await record(journal, intent("first"))
    with pytest.raises(OverDayCap):
        await record(journal, intent("second"))

    await journal.settle(first, State.REFUSED, answer={})
    second, _ = await record(journal, intent("second"))
    await journal.settle(second, State.UNKNOWN)
    with pytest.raises(OverDayCap):
        await record(journal, intent("third"))

    await clock.advance(timedelta(days=1).total_seconds())
    assert (await record(journal, intent("tomorrow")))[1]


async def test_a_repeat_is_answered_whatever_the_switches_say_now(
    make: Callable[..., tuple[OrderJournal, RiskLimits]],
) -> None:
    journal, risk_limits = make()
    await risk_limits.put("tenant", Switches(day_cap=Decimal(100)))
    first, _ = await record(journal, intent())
    again, mine = await record(journal, intent())
    assert (again.id, mine) == (first.id, False)
    await risk_limits.put("tenant", Switches(read_only=True))
    assert (await record(journal, intent()))[0].id == first.id


async def test_a_tenants_cap_counts_its_own_orders_and_the_servers_counts_all(
    make: Callable[..., tuple[OrderJournal, RiskLimits]],
) -> None:
    journal, risk_limits = make()
    await risk_limits.put("tenant", Switches(day_cap=Decimal(100)))
    await record(journal, intent("theirs", tenant_id="other"))
    assert (await record(journal, intent("mine")))[1]

    everybody, _ = make(orders_day_cap=Decimal(250))
    with pytest.raises(OverDayCap) as refused:
        await record(everybody, intent("third", tenant_id="third"))
    assert "200.00 was sent today; this server" in str(refused.value)
